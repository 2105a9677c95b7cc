"""Asking a model: every answer is kept, and only what is missing is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from codewright.errors import DataError, UserError
from codewright.evaluate.samples import Candidates, from_file
from codewright.evaluate.sampling import Sampling, sample
from codewright.files import RowLog, read_rows
from codewright.generate.scripted import Scripted
from codewright.types.generation import Completion, Generator, Request
from codewright.write.extract import STOPS
from tests.evaluate.made import PROMPT, RIGHT, problem

PROBLEMS = [problem(number) for number in range(4)]
ANSWER = f"Here:\n```python\n{RIGHT}```"


class Listening:
    """Passes requests on to another generator, and gives up after some of them."""

    def __init__(self, inner: Generator, *, most: int = 10**9) -> None:
        self.asked: list[Request] = []
        self._inner = inner
        self._most = most

    @property
    def name(self) -> str:
        return "listening"

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        for index, request in enumerate(requests):
            if len(self.asked) == self._most:
                raise UserError("the budget is used up")
            self.asked.append(request)
            yield index, self._inner.generate([request])[0]


def ask(path: Path, generator: Generator, sampling: Sampling) -> Candidates:
    counted: list[int] = []
    with RowLog(path) as log:
        found = sample(PROBLEMS, generator, sampling, log, counted.append)
    assert sum(counted) == sum(len(each) for each in found.values())
    return found


def by_seed(request: Request, draw) -> str:
    return f"    return x / 2  # {request.seed} {draw.random()}\n"


def test_a_chat_is_asked_in_words_and_answers_are_unpacked(tmp_path: Path):
    model = Listening(Scripted(default=lambda request, draw: ANSWER))
    found = ask(tmp_path / "g", model, Sampling(n=2, chat=True, temperature=0.5))
    assert list(found) == [problem.id for problem in PROBLEMS]
    assert {(c.program, c.rule, c.origin) for c in found["Made/0"]} == {
        (RIGHT, "block", "listening")
    }
    request = model.asked[0]
    (turn,) = request.messages
    assert PROMPT.rstrip() in turn.content
    assert (request.prompt, request.stop, request.task) == ("", (), "Made/0")
    assert (request.n, request.temperature) == (2, 0.5)


def test_a_base_model_continues_the_prompt_up_to_the_stops(tmp_path: Path):
    model = Listening(Scripted({PROMPT: ["    return x / 2\n\nprint(1)\n", "    return 1\n"]}))
    found = ask(tmp_path / "g", model, Sampling(n=2, chat=False))
    assert (model.asked[0].prompt, model.asked[0].stop) == (PROMPT, STOPS)
    texts = sorted(c.text for c in found["Made/1"])
    assert set(texts) <= {"    return x / 2\n", "    return 1\n"}
    seeds = [request.seed for request in model.asked]
    assert len(set(seeds)) == len(seeds)
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds)


def test_what_was_written_can_be_graded_as_a_file(tmp_path: Path):
    path = tmp_path / "generated.jsonl"
    found = ask(path, Scripted(default=lambda request, draw: ANSWER), Sampling(n=3))
    again = from_file(path, PROBLEMS, prompts=dict)
    assert {t: [c.program for c in each] for t, each in again.items()} == {
        t: [c.program for c in each] for t, each in found.items()
    }
    _, row = next(read_rows(path))
    assert sorted(row) == ["completion", "finish", "log_probability", "task_id", "tokens"]


def test_a_run_that_stopped_asks_only_for_the_rest(tmp_path: Path):
    path = tmp_path / "g"
    sampling = Sampling(n=3, chat=False, seed=7)
    with pytest.raises(UserError, match="budget"):
        ask(path, Listening(Scripted(default=by_seed), most=2), sampling)
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 6
    path.write_text("".join(lines[:5]) + lines[5][:20])  # torn in the middle of a problem
    model = Listening(Scripted(default=by_seed))
    found = ask(path, model, sampling)
    assert [(r.task, r.n) for r in model.asked] == [("Made/1", 1), ("Made/2", 3), ("Made/3", 3)]
    assert {len(each) for each in found.values()} == {3}
    assert [c.text for c in found["Made/0"]] == [
        json.loads(line)["completion"] for line in lines[:3]
    ]
    idle = Listening(Scripted(default=by_seed))
    assert ask(path, idle, sampling) == found
    assert idle.asked == []
    # The same seed asks for the same texts; another for others.
    whole = ask(tmp_path / "h", Scripted(default=by_seed, name="listening"), sampling)
    assert whole["Made/2"] == found["Made/2"]
    other = ask(tmp_path / "i", Scripted(default=by_seed), Sampling(n=3, chat=False, seed=8))
    assert other["Made/2"] != found["Made/2"]


@pytest.mark.parametrize(
    "row", [{"task_id": "X/1", "completion": ""}, {"task_id": "Made/0"}, {"completion": "x"}]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, row):
    (tmp_path / "g").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match="line 1: not a completion"):
        ask(tmp_path / "g", Scripted(), Sampling())
