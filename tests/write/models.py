"""Generators and choosers for the tests of `write`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codewright.types.behaviour import Answer, BehaviourClass, Outcome
from codewright.types.generation import Completion, Request
from codewright.types.judging import Candidate
from codewright.write.synthesize import Choice, Draft


def block(code: str, before: str = "", after: str = "") -> str:
    return f"{before}```python\n{code}```{after}"


class Model:
    """Says its texts in turn, and keeps what it was asked."""

    name = "model"

    def __init__(self, *texts: str, reviews: Sequence[str] = (), tests: Sequence[str] = ()) -> None:
        self.said = {"program": texts, "critique": tuple(reviews), "tests": tuple(tests)}
        self.requests: list[Request] = []

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        for index, request in enumerate(requests):
            self.requests.append(request)
            texts = self.said[request.task.partition("/")[0]]
            start = request.seed or 0
            yield (
                index,
                [Completion(text=texts[(start + i) % len(texts)]) for i in range(request.n)],
            )

    @property
    def sampled(self) -> int:
        return sum(request.n for request in self.requests if request.task == "program")


class ByText:
    """Chooses the program that was written most often, and counts how often it was asked."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def __call__(self, draft: Draft) -> Choice:
        self.drafts.append(draft)
        return Choice(answer=by_text(draft.candidates), offered=draft.candidates)


def by_text(candidates: Sequence[Candidate]) -> Answer:
    members: dict[str, list[int]] = {}
    for number, each in enumerate(candidates):
        members.setdefault(each.program, []).append(number)
    groups = sorted(members.values(), key=lambda group: -len(group))
    classes = tuple(
        BehaviourClass(
            members=tuple(group),
            representative=group[0],
            outcomes=(Outcome(kind="value"),),
            mass=len(group) / len(candidates),
        )
        for group in groups
    )
    return Answer(
        chosen=groups[0][0],
        program=candidates[groups[0][0]].program,
        entry_point="f",
        state="uncertain",
        confidence=0.5,
        entropy=0.0,
        probability_entropy=None,
        text_entropy=0.0,
        classes=classes,
        calls=(),
        candidates=len(candidates),
    )
