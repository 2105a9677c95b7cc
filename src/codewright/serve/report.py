"""`codewright`: what an answer's verification came to, as the object that stands beside it.

It is short: the classes with one program each, and the one input that tells the two heaviest apart.
`detail` adds all of `verify/answer_json.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codewright.serve.answers import Json
from codewright.types.behaviour import Answer, BehaviourClass
from codewright.types.judging import Candidate
from codewright.verify import answer_json, report
from codewright.verify.contrast import contrast
from codewright.verify.show import call_text, class_name, outcome_text

CLASSES = 20
"""Classes that are told with their programs; there are no more than candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An answer, the candidates that it numbers, and how it came about.

    text: what the client's prompt goes on with, or the program. continues: the first of these.
    sampled: candidates that were asked for; saved: those that were not.
    """

    answer: Answer
    offered: Sequence[Candidate]
    text: str
    continues: bool
    sampled: int
    saved: int
    isolation: tuple[str, ...]
    seed: int
    seconds: float
    read: int
    written: int
    specification: str

    @property
    def abstained(self) -> bool:
        """Whether the answer is nothing to rely on."""
        return self.answer.chosen is None or self.answer.state == "abstain"

    @property
    def why(self) -> str:
        """Why it abstained; empty where it did not."""
        if not self.abstained:
            return ""
        return f"{report.verdict(self.answer)}; {report.counts(self.answer)}"


def told(decided: Decided, *, detail: bool) -> Json:
    """Returns the object."""
    answer = decided.answer
    content: Json = {
        "abstained": decided.abstained,
        "why": decided.why or None,
        "state": answer.state,
        "confidence": answer.confidence,
        "entropy": answer.entropy,
        "probability_entropy": answer.probability_entropy,
        "text_entropy": answer.text_entropy,
        "entry_point": answer.entry_point,
        "program": answer.program or None,
        "continues": decided.continues,
        "candidates": {
            "sampled": decided.sampled,
            "saved": decided.saved,
            "compared": answer.candidates,
        },
        "inputs": len(answer.calls),
        "classes": [
            _class(number, each, answer, decided.offered)
            for number, each in enumerate(answer.classes[:CLASSES])
        ],
        "separating": _separating(answer),
        "question": answer.question is not None,
        "findings": list(answer.findings),
        "isolation": list(decided.isolation),
        "seed": decided.seed,
        "seconds": round(decided.seconds, 3),
    }
    if detail:
        content["report"] = answer_json.answer_json(
            report.Report(
                answer=answer,
                candidates=decided.offered,
                specification=decided.specification,
            )
        )
    return content


def _class(number: int, each: BehaviourClass, answer: Answer, offered: Sequence[Candidate]) -> Json:
    return {
        "name": class_name(number),
        "share": each.mass,
        "size": len(each.members),
        "chosen": answer.chosen in each.members,
        "representative": offered[each.representative].program,
        "note": report.note(answer, each),
    }


def _separating(answer: Answer) -> Json | None:
    """The input on which the two heaviest classes differ: the plainest, where it was looked for."""
    if len(answer.classes) < 2:
        return None
    if answer.question is not None:
        call, numbers, outcomes = (
            answer.question.call, answer.question.classes, answer.question.choices,
        )  # fmt: skip
    else:
        first, second = answer.classes[:2]
        rows = contrast(answer, classes=2, rows=1).rows
        if not rows:
            return None
        call, numbers = answer.calls[rows[0]], (0, 1)
        outcomes = (first.outcomes[rows[0]], second.outcomes[rows[0]])
    return {
        "call": call_text(call, answer.entry_point, answer_json.TEXT),
        "outcomes": [
            {"class": class_name(number), "does": outcome_text(outcome, answer_json.TEXT)}
            for number, outcome in zip(numbers, outcomes, strict=True)
        ],
    }
