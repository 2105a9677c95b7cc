"""`codewright demo`: an answer that knows its worth, and a judge that cannot be talked into a pass.

Both on bundled data: a specification that can be read in two ways, with what a model wrote for it,
and a problem with right, wrong and hostile programs. Where the embedded model is there, it fills a
gap and writes a function.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any

import typer

from codewright import console
from codewright.cli import demo_embedded
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Question, Sandbox
from codewright.types.judging import AssertTests, Job, Limits, Verdict
from codewright.verify.answer_json import answer_json
from codewright.verify.report import Report, lines
from codewright.verify.show import class_name
from codewright.verify.study import Assessment
from codewright.write.choose import Chooser, Wishes, read_reply
from codewright.write.specification import specification
from codewright.write.synthesize import Choice, Plan, synthesize

_WIDTH = 24
_KINDS = ("right", "wrong", "hostile")


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Writes a program, with classes and a question, and judges right, wrong and hostile ones."""
    started = time.monotonic()
    with Pool() as pool:
        words, before, after = _write(pool)
        written = time.monotonic() - started
        verdicts = _judge(pool)
        own = demo_embedded.show(pool)
        isolation = pool.isolation
    seconds = time.monotonic() - started
    as_told = all(_expected(name) == (v.status == "passed") for name, v in verdicts.items())
    if as_json:
        console.print_json(
            {
                "write": answer_json(_report(words, before)),
                "replied": answer_json(_report(words, after)),
                "programs": {name: _brief(v) for name, v in verdicts.items()},
                "embedded": demo_embedded.told(own),
                "isolation": list(isolation),
                "seconds": round(seconds, 3),
            }
        )
    else:
        told = [
            f"$ codewright write {words.strip()!r} --model scripted/demo",
            "",
            *lines(_report(words, before)),
        ]
        if before.answer.question is not None:
            told += _replied(_other(before.answer.question), after, written)
        told += ["$ codewright judge …, seven programs for one problem, some of them hostile", ""]
        told += [
            f"  {name:<{_WIDTH}} {verdict.status:<8} {_reason(verdict)}"
            for name, verdict in verdicts.items()
        ]
        told += ["", *demo_embedded.said(own)]
        told += ["", f"In {seconds:.1f} s, behind {', '.join(isolation)}."]
        console.print_text("\n".join(told))
    if not as_told or before.answer.question is None:
        raise typer.Exit(1)


def _write(pool: Sandbox) -> tuple[str, Choice, Choice]:
    """The specification, the answer to it, and the answer after a reply to its question."""
    folder = files("codewright") / "data" / "write"
    words = (folder / "zero_triple.md").read_text(encoding="utf-8")
    generator = open_generator("scripted/demo", environment={}, service=Service())
    spec = specification(words)
    chooser = Chooser(
        spec, Wishes(), executor=pool, settings=Assessment(), watch=lambda stage, done, total: None
    )
    written = synthesize(spec, generator, Plan(), chooser, lambda stage, done, total: None)
    choice, question = written.choice, written.choice.answer.question
    if question is None:
        return words, choice, choice
    reply = read_reply(_other(question), question)
    return words, choice, chooser(written.draft, [reply])


def _other(question: Question) -> str:
    """The reading that is not that of most candidates."""
    return class_name(question.classes[1])


def _report(words: str, choice: Choice) -> Report:
    return Report(answer=choice.answer, candidates=choice.offered, specification=words)


def _replied(letter: str, after: Choice, seconds: float) -> list[str]:
    """What comes of the reply."""
    answer = after.answer
    held = f"{answer.confidence:.0%} sure, after {seconds:.1f} s"
    program = textwrap.indent(answer.program.strip(), "    ")
    return ["", f"Answered {letter}, the program is this one ({held}):", "", program, "", ""]


def _judge(pool: Pool) -> Mapping[str, Verdict]:
    """The verdict on each of the bundled programs."""
    folder = files("codewright") / "data" / "demo"
    tests = AssertTests(code=(folder / "tests.py").read_text(encoding="utf-8"))
    programs = {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda e: _rank(e.name))
        if entry.name.endswith(".py") and entry.name != "tests.py"
    }
    limits = Limits(cpu_seconds=1.0, wall_seconds=1.0)
    jobs = [Job(program=text, tests=tests, limits=limits) for text in programs.values()]
    return dict(zip(programs, pool.judge(jobs), strict=True))


def _rank(name: str) -> tuple[int, str]:
    kind = name.partition("_")[0]
    return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), name)


def _expected(name: str) -> bool:
    return name.startswith("right")


def _brief(verdict: Verdict) -> dict[str, Any]:
    return {"status": verdict.status, "reason": _reason(verdict)}


def _reason(verdict: Verdict) -> str:
    said = verdict.evidence
    if verdict.status == "failed" and said.expected:
        return f"{said.input} gave {said.got}, expected {said.expected}"
    return said.message
