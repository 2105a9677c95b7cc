"""`codewright demo`: right, wrong and hostile programs on a bundled problem."""

from __future__ import annotations

import time
from importlib.resources import files
from typing import Annotated

import typer

from codewright import console
from codewright.sandbox.pool import Pool
from codewright.types import AssertTests, Job, Limits, Verdict

_WIDTH = 24
_KINDS = ("right", "wrong", "hostile")


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judges right, wrong and hostile programs on a bundled problem."""
    folder = files("codewright") / "data" / "demo"
    tests = AssertTests(code=(folder / "tests.py").read_text())
    programs = {
        entry.name: entry.read_text()
        for entry in sorted(folder.iterdir(), key=lambda e: _rank(e.name))
        if entry.name.endswith(".py") and entry.name != "tests.py"
    }
    started = time.monotonic()
    limits = Limits(cpu_seconds=1.0, wall_seconds=1.0)
    jobs = [Job(program=text, tests=tests, limits=limits) for text in programs.values()]
    with Pool() as pool:
        verdicts = dict(zip(programs, pool.judge(jobs), strict=True))
        isolation = pool.isolation
    seconds = time.monotonic() - started
    as_told = all(_expected(name) == (v.status == "passed") for name, v in verdicts.items())
    if as_json:
        console.print_json(
            {
                "programs": {name: _brief(v) for name, v in verdicts.items()},
                "isolation": list(isolation),
                "seconds": round(seconds, 3),
            }
        )
    else:
        problem = (folder / "problem.md").read_text().strip()
        told = [problem, ""]
        for name, verdict in verdicts.items():
            told.append(f"  {name:<{_WIDTH}} {verdict.status:<8} {_reason(verdict)}")
        told += ["", f"{len(verdicts)} programs in {seconds:.2f} s, behind {', '.join(isolation)}."]
        console.print_text("\n".join(told))
    if not as_told:
        raise typer.Exit(1)


def _rank(name: str) -> tuple[int, str]:
    kind = name.partition("_")[0]
    return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), name)


def _expected(name: str) -> bool:
    return name.startswith("right")


def _brief(verdict: Verdict) -> dict[str, str]:
    return {"status": verdict.status, "reason": _reason(verdict)}


def _reason(verdict: Verdict) -> str:
    said = verdict.evidence
    if verdict.status == "failed" and said.expected:
        return f"{said.input} gave {said.got}, expected {said.expected}"
    return said.message
