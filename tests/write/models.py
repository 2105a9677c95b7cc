"""Generators, choosers and weights for the tests of `write`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codewright.types import Answer, BehaviourClass, Candidate, Completion, Outcome, Request
from codewright.verify import trust
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


def weights() -> trust.Trust:
    """Weights that go by mass and by examples, so that tests do not hang on those shipped."""
    worth = {"mass": 1.0, "tests": 1.0, "values": 1.0, "held": 4.0, "all_held": 2.0}
    models = {}
    for kind in trust.KINDS:
        used = list(trust._USED[kind])
        flat = {"mean": [0.0] * len(used), "scale": [1.0] * len(used)}
        curve = list(trust._CURVE)
        models[kind] = {
            "ranker": {
                "names": used, **flat, "weights": [worth.get(n, 0.0) for n in used], "none": -2.0,
            },
            "curve": {
                "names": curve, "mean": [0.0] * len(curve), "scale": [1.0] * len(curve),
                "weights": [float(n == "log_odds") for n in curve], "intercept": 0.5,
            },
        }  # fmt: skip
    return trust.Trust.from_dict({"models": models, "confident": 0.85, "abstain": 0.1})
