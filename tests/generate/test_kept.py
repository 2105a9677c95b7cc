"""What a generator said is kept, and never asked for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.files import RowLog
from codewright.generate.kept import Kept
from codewright.generate.recorded import Recorded
from codewright.types.generation import Completion, Message, Request


class Counting:
    """Says where it is: the prompt and the seed. Breaks off after so many requests."""

    name = "counting"

    def __init__(self, most: int = 1000) -> None:
        self.asked: list[tuple[str, int, int | None]] = []
        self._most = most

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        for index, request in reversed(list(enumerate(requests))):
            if len(self.asked) == self._most:
                raise ConnectionError
            self.asked.append((request.prompt, request.n, request.seed))
            start = request.seed or 0
            yield (
                index,
                [
                    Completion(text=f"{request.prompt}{start + i}", log_probability=-0.5, tokens=2)
                    for i in range(request.n)
                ],
            )


def texts(answers: list[list[Completion]]) -> list[list[str]]:
    return [[each.text for each in answer] for answer in answers]


def request(prompt: str = "p", n: int = 2, seed: int | None = 0, **rest) -> Request:
    return Request(prompt=prompt, n=n, seed=seed, task="program", **rest)


def test_the_same_run_again_asks_for_nothing(tmp_path: Path):
    path = tmp_path / "said.jsonl"
    requests = [request("a"), request("b", n=1)]
    with RowLog(path) as log:
        first = Kept(Counting(), log).generate(requests)
    model = Counting()
    with RowLog(path) as log:
        kept = Kept(model, log)
        assert kept.generate(requests) == first
        assert (kept.reused, kept.name) == (3, "counting")
    assert model.asked == []
    assert texts(first) == [["a0", "a1"], ["b0"]]


def test_rounds_of_one_request_go_on_where_the_last_ended(tmp_path: Path):
    with RowLog(tmp_path / "said.jsonl") as log:
        kept = Kept(Counting(), log)
        rounds = [kept.generate([request(seed=seed)]) for seed in (0, 2)]
    with RowLog(tmp_path / "said.jsonl") as log:
        model = Counting()
        kept = Kept(model, log)
        assert [kept.generate([request(seed=seed)]) for seed in (0, 2)] == rounds
        assert texts(kept.generate([request(seed=4)])) == [["p4", "p5"]]
    assert model.asked == [("p", 2, 4)]


def test_only_what_is_missing_is_asked_for(tmp_path: Path):
    with RowLog(tmp_path / "said.jsonl") as log:
        Kept(Counting(), log).generate([request(n=3)])
    model = Counting()
    with RowLog(tmp_path / "said.jsonl") as log:
        answers = Kept(model, log).generate([request(n=5), request("q", n=1)])
    assert texts(answers) == [["p0", "p1", "p2", "p3", "p4"], ["q0"]]
    assert sorted(model.asked) == [("p", 2, 3), ("q", 1, 0)]


def test_what_was_said_before_a_failure_is_kept(tmp_path: Path):
    requests = [request(str(n), n=1) for n in range(4)]
    with RowLog(tmp_path / "said.jsonl") as log, pytest.raises(ConnectionError):
        Kept(Counting(most=3), log).generate(requests)
    model = Counting()
    with RowLog(tmp_path / "said.jsonl") as log:
        assert len(Kept(model, log).generate(requests)) == 4
    assert model.asked == [("0", 1, 0)]


@pytest.mark.parametrize(
    "other",
    [
        request(temperature=0.1),
        request(top_p=0.1),
        request(max_tokens=3),
        request(stop=("x",)),
        Request(messages=(Message(role="user", content="p"),), n=2, seed=0, task="program"),
        Request(prompt="p", n=2, seed=0, task="other"),
    ],
)
def test_another_question_is_asked(tmp_path: Path, other: Request):
    with RowLog(tmp_path / "said.jsonl") as log:
        Kept(Counting(), log).generate([request()])
    model = Counting()
    with RowLog(tmp_path / "said.jsonl") as log:
        kept = Kept(model, log)
        kept.generate([other])
    assert len(model.asked) == 1
    assert kept.reused == 0


def test_another_run_is_another_question(tmp_path: Path):
    model = Counting()
    for run in ("seed 0", "seed 1", "seed 0"):
        with RowLog(tmp_path / "said.jsonl") as log:
            Kept(model, log, run=run).generate([request()])
    assert len(model.asked) == 2


def test_the_file_can_be_replayed(tmp_path: Path):
    path = tmp_path / "said.jsonl"
    with RowLog(path) as log:
        Kept(Counting(), log).generate([request(n=2)])
    assert texts(Recorded(path).generate([request(n=2)])) == [["p0", "p1"]]


@pytest.mark.parametrize(
    "row",
    [
        {"task_id": "x", "completion": "y"},
        {"request": "x", "completion": 1},
        {"request": 1, "completion": "y"},
        {"request": "x", "completion": "y", "tokens": "2"},
        {"request": "x", "completion": "y", "log_probability": "-1"},
    ],
)
def test_a_strange_row_is_named(tmp_path: Path, row: dict):
    (tmp_path / "said.jsonl").write_text(json.dumps(row) + "\n")
    with (
        RowLog(tmp_path / "said.jsonl") as log,
        pytest.raises(DataError, match=r"line 1: not a completion that was kept"),
    ):
        Kept(Counting(), log)


def test_what_follows_a_gap_is_part_of_what_was_asked(tmp_path: Path):
    path = tmp_path / "said.jsonl"
    with RowLog(path) as log:
        Kept(Counting(), log).generate([request("a", suffix="x"), request("a")])
    model = Counting()
    with RowLog(path) as log:
        kept = Kept(model, log)
        kept.generate([request("a", suffix="x"), request("a", suffix=""), request("a")])
    assert model.asked == [("a", 2, 0)]
    assert kept.reused == 4
