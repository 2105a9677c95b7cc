"""An answer in words for a terminal: classes, what separates them, how sure, what was checked.

Lines are plain text, without colour, and as wide as asked. They quote programs that nobody trusts,
so they are printed by `console`, which disarms them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codewright.types.behaviour import Answer, BehaviourClass, Outcome, Question, State
from codewright.types.judging import Candidate
from codewright.verify.contrast import contrast
from codewright.verify.show import call_text, class_name, outcome_text

BAR = 26
"""Characters of a bar."""
CLASSES, ACROSS, ROWS = 8, 7, 6
"""Most classes that are listed, and most classes and inputs of the table."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_CELL, _LEAST = 18, 24

STATES: Mapping[State, str] = {
    "confident": "confident",
    "uncertain": "uncertain",
    "abstain": "no answer to rely on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An answer and what it was made of.

    candidates: those that the answer numbers. specification: what was asked for. facts: how it
    came about (model, settings, time), name by name.
    """

    answer: Answer
    candidates: Sequence[Candidate]
    specification: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def lines(report: Report, *, width: int = 100, blocks: bool = True) -> list[str]:
    """Returns the report.

    Args:
        width: characters a line, about.
        blocks: draw bars with block characters; else with signs that every terminal has.
    """
    answer = report.answer
    told = [verdict(answer), counts(answer)]
    if answer.classes:
        told += ["", *_classes(answer, blocks)]
    if table := _table(answer, width):
        told += ["", f"Inputs that separate {'them' if len(answer.classes) > 2 else 'the two'}:"]
        told += table
    if answer.question is not None:
        told += ["", *question_lines(answer.question, answer.entry_point, width)]
    if answer.findings:
        told += ["", "Checked:"]
        for finding in answer.findings:
            told += textwrap.wrap(finding, width, initial_indent="  - ", subsequent_indent="    ")
    if report.facts:
        said = "; ".join(f"{name} {value}" for name, value in report.facts.items())
        told += ["", *textwrap.wrap(said, width, break_on_hyphens=False)]
    return told


def verdict(answer: Answer) -> str:
    """Returns the state and the confidence as a sentence."""
    if answer.chosen is None:
        return "abstains: no candidate can be offered"
    return f"{STATES[answer.state]}: {answer.confidence:.0%} that the program is right"


def counts(answer: Answer) -> str:
    """Returns how many candidates, classes and inputs there are, and the entropies."""
    told = (
        f"{many(answer.candidates, 'candidate')}, "
        f"{many(len(answer.classes), 'class', 'classes')} of behaviour on "
        f"{many(len(answer.calls), 'input')}; entropy {answer.entropy:.2f} bits"
    )
    if answer.probability_entropy is not None:
        told += f", by probability {answer.probability_entropy:.2f}"
    return f"{told} (of the texts {answer.text_entropy:.2f})"


def many(count: int, one: str, more: str = "") -> str:
    """Returns a count with its noun."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def note(answer: Answer, each: BehaviourClass) -> str:
    """Returns what is special about a class, in a few words; often nothing."""
    said = []
    if answer.chosen is not None and answer.chosen in each.members:
        said.append("chosen")
    if answer.examples and each.examples_held < answer.examples:
        said.append(f"holds {each.examples_held} of {many(answer.examples, 'example')}")
    first = each.outcomes[0] if each.outcomes else None
    if first is not None and first.kind != "value":
        alike = all(
            (outcome.kind, outcome.exception) == (first.kind, first.exception)
            for outcome in each.outcomes
        )
        if alike:
            always = "" if first.loading or len(each.outcomes) < 2 else " on every input"
            said.append(outcome_text(first) + always)
    return ", ".join(said)


def _classes(answer: Answer, blocks: bool) -> list[str]:
    told = []
    for number, each in enumerate(answer.classes[:CLASSES]):
        size = many(len(each.members), "candidate")
        said = note(answer, each)
        told.append(
            f"  {class_name(number):<2} {bar(each.mass, blocks)} {each.mass:>4.0%}  {size}"
            + (f", {said}" if said else "")
        )
    if rest := answer.classes[CLASSES:]:
        size = many(sum(len(each.members) for each in rest), "candidate")
        told.append(f"     and {many(len(rest), 'more class', 'more classes')} with {size}")
    return told


def bar(share: float, blocks: bool = True) -> str:
    """Returns a bar of `BAR` characters."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR * 8)
    if not blocks:
        return ("#" * max(round(eighths / 8), bool(eighths))).ljust(BAR, ".")
    whole, part = divmod(max(eighths, share > 0), 8)
    return ("█" * whole + (_EIGHTHS[part] if part else "")).ljust(BAR)


def _table(answer: Answer, width: int) -> list[str]:
    """The separating inputs: one a line, and as many classes across as there is room for."""
    for classes in range(ACROSS, 1, -1):
        made = contrast(answer, classes=classes, rows=ROWS)
        if not made.rows:
            return []
        cells = [
            [_cell(each.outcomes[number]) for each in answer.classes[: made.classes]]
            for number in made.rows
        ]
        sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
        left = width - 2 - sum(sizes) - 2 * len(sizes)
        if left >= _LEAST or classes == 2:
            break
    left = max(left, _LEAST)
    calls = [call_text(answer.calls[number], "", left) for number in made.rows]
    head = f"{answer.entry_point}(…)" if len(answer.entry_point) + 3 <= left else ""
    grid = [
        [head, *(class_name(number) for number in range(made.classes))],
        *([call, *row] for call, row in zip(calls, cells, strict=True)),
    ]
    sizes = [max(map(len, column)) for column in zip(*grid, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()
        for row in grid
    ]


def _cell(outcome: Outcome) -> str:
    """What a call did, in the width of a column."""
    return shortened(outcome.exception if outcome.loading else outcome_text(outcome, _CELL), _CELL)


def shortened(text: str, limit: int) -> str:
    """Returns `text` on one line, its end cut off where it is longer than `limit`."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def question_lines(question: Question, entry_point: str, width: int = 100) -> list[str]:
    """Returns the question and its two choices, each under the letter of its class."""
    told = [f"Question: what should {call_text(question.call, entry_point, width)} do?"]
    for number, outcome in zip(question.classes, question.choices, strict=True):
        what = outcome_text(outcome, width)
        told.append(f"  {class_name(number)}  {'return ' if outcome.kind == 'value' else ''}{what}")
    return told
