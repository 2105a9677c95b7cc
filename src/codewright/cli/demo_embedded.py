"""The demo's part for the model that comes along: a gap that it fills, a function that it writes.

An installation without the model, or without what runs it, says so and shows the rest.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from codewright.errors import DataError, MissingExtra
from codewright.generate.registry import EMBEDDED, embedded, open_generator
from codewright.generate.remote import Service
from codewright.types.behaviour import Sandbox
from codewright.verify.answer_json import answer_json
from codewright.verify.report import Report, lines
from codewright.verify.study import Assessment
from codewright.write.choose import Chooser, Wishes
from codewright.write.complete import Cursor, Offer, Wanted, complete
from codewright.write.prompts import Asking
from codewright.write.specification import specification
from codewright.write.synthesize import Plan, synthesize

CURSOR = "|"
FILE = """\
def mean(values):
    total = 0
    for value in values:
        |
    return total / len(values)
"""
OPEN = '''\
def larger(a, b):
    """Return the larger of two numbers.

    >>> larger(3, 5)
    5
    """
'''

COMPLETING = Wanted(n=8, temperature=0.4, max_tokens=48)
WRITING = Plan(n=20, temperature=0.6, max_tokens=96, asking=Asking(chat=False))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the model did. `missing` says why it did nothing; the rest is empty then."""

    offers: tuple[Offer, ...] = ()
    written: Report | None = None
    missing: str = ""


def show(pool: Sandbox) -> Shown:
    """Lets the model fill in and write."""
    try:
        embedded()
        generator = open_generator(EMBEDDED, environment={}, service=Service())
    except DataError as error:
        return Shown(missing=error.message)
    except MissingExtra as error:
        return Shown(missing=f"{error.message}; {error.hint}")
    before, _, after = FILE.partition(CURSOR)
    offers = complete(Cursor(before=before, after=after, python=True), generator, COMPLETING)
    spec = specification(OPEN)
    chooser = Chooser(
        spec,
        Wishes(shown=spec.examples),
        executor=pool,
        settings=Assessment(),
        watch=lambda stage, done, total: None,
    )
    choice = synthesize(spec, generator, WRITING, chooser, lambda stage, done, total: None).choice
    report = Report(answer=choice.answer, candidates=choice.offered, specification=OPEN)
    return Shown(offers=tuple(offers), written=report)


def told(shown: Shown) -> dict[str, Any]:
    """Returns it for JSON."""
    if shown.written is None:
        return {"missing": shown.missing}
    return {
        "completions": [{"text": each.text, "share": each.share} for each in shown.offers],
        "write": answer_json(shown.written),
    }


def said(shown: Shown) -> list[str]:
    """Returns it for a reader."""
    if shown.written is None:
        return [f"Not shown: codewright complete, and write with --model embedded: {shown.missing}"]
    text = shown.offers[0].text if shown.offers else "(nothing to offer)"
    filled = FILE.replace(CURSOR, text)
    sure = f", {shown.offers[0].share:.0%} of its candidates agree" if shown.offers else ""
    answer = shown.written.answer
    return [
        f"$ codewright complete mean.py:4:9 --model embedded -n {COMPLETING.n}",
        "",
        f"What stands in the loop is the embedded model's{sure}:",
        "",
        textwrap.indent(filled, "    "),
        "$ codewright write larger.py --model embedded",
        "",
        *lines(shown.written),
        "",
        textwrap.indent(answer.program.strip(), "    "),
        "",
    ]
