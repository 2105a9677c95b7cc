"""`codewright judge PROGRAM TESTS`: one verdict."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from codewright import console
from codewright.errors import UserError
from codewright.sandbox.environment import Environment
from codewright.sandbox.intake import read_job
from codewright.sandbox.policy import find
from codewright.sandbox.pool import Pool
from codewright.types.judging import Level, Limits, Verdict

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LEVELS: tuple[Level, ...] = ("isolated", "shared")


def judge(
    program: Annotated[Path, typer.Argument(help="The program's file.")],
    tests: Annotated[Path, typer.Argument(help="Asserting code, a suite, or pairs in JSON.")],
    entry_point: Annotated[str, typer.Option(help="The function that the tests are about.")] = "",
    isolation: Annotated[str, typer.Option(help="What has to hold: the policy.")] = "default",
    cpu: Annotated[float, typer.Option(help="CPU time, seconds.")] = 10.0,
    wall: Annotated[float, typer.Option(help="Seconds it may wait without computing.")] = 10.0,
    memory: Annotated[str, typer.Option(help="Memory: bytes, or 512M, 2G.")] = "1G",
    level: Annotated[str, typer.Option(help="isolated, or shared for unittest suites.")] = (
        "isolated"
    ),
    language: Annotated[str, typer.Option(help="By the file's suffix where not given.")] = "",
    python: Annotated[str, typer.Option(help="Another interpreter or environment's.")] = "",
    packages: Annotated[str, typer.Option(help="Packages it may import: a,b.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judges one program by its tests and says why."""
    find(isolation)
    limits = _limits(cpu, wall, memory)
    job = read_job(
        program, tests, entry_point=entry_point, level=_level(level), language=language,
        limits=limits,
    )  # fmt: skip
    names = tuple(filter(None, packages.replace(",", " ").split()))
    environment = (
        Environment(python=python, packages=names) if python else Environment(packages=names)
    )
    with Pool(workers=1, isolation=isolation, environment=environment) as pool:
        (verdict,) = pool.judge([job])
    if as_json:
        console.print_json({"program": str(program), "tests": str(tests), **told(verdict)})
    else:
        console.print_text("\n".join(lines(verdict)))
    if verdict.status != "passed":
        raise typer.Exit(1)


def told(verdict: Verdict) -> dict[str, object]:
    """A verdict for JSON: evidence without the fields that do not apply."""
    fields = asdict(verdict)
    fields["evidence"] = {k: v for k, v in fields["evidence"].items() if v}
    fields["isolation"] = list(verdict.isolation)
    return fields


def lines(verdict: Verdict) -> list[str]:
    """A verdict for a reader."""
    shared = ", level shared" if verdict.level == "shared" else ""
    used = f"{verdict.cpu_seconds * 1000:.1f} ms CPU, {verdict.peak_bytes >> 20} MiB"
    said = [f"{verdict.status}{shared} ({used})"]
    for name, text in asdict(verdict.evidence).items():
        if text:
            first, *rest = str(text).rstrip("\n").split("\n")
            said.append(f"  {name:<10} {first}")
            said += [f"  {'':<10} {line}" for line in rest]
    return said


def _level(name: str) -> Level:
    for level in _LEVELS:
        if level == name:
            return level
    raise UserError(f"no level is called {name!r}", hint="isolated or shared")


def _limits(cpu: float, wall: float, memory: str) -> Limits:
    match = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?", memory.strip().lower())
    if match is None:
        raise UserError(f"{memory!r} is no size", hint="bytes, or 512M, 2G")
    size = int(match.group(1)) * _UNITS[match.group(2)]
    if cpu <= 0 or wall <= 0:
        raise UserError("a limit of time has to be positive", hint="--cpu 10 --wall 10")
    if size < 32 << 20:
        raise UserError(f"{memory} is too little for an interpreter", hint="--memory 64M or more")
    return Limits(cpu_seconds=cpu, wall_seconds=wall, memory_bytes=size)
