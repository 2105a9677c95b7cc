"""Replaying samples: by task, else by prompt, never more than was recorded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.generate.recorded import Recorded
from codewright.types.generation import Message, Request

ROWS = [
    {"task_id": "T/1", "completion": "a"},
    {"task_id": "T/1", "solution": "b", "prompt": "p1"},
    {"prompt": "p2", "samples": ["c", "d", "e"]},
    {"task_id": 3, "prompt": "p3", "completion": ""},
]


def replay(tmp_path: Path) -> Recorded:
    path = tmp_path / "some.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in ROWS).encode()))
    return Recorded(path)


def test_a_request_is_matched_by_task_then_by_prompt(tmp_path: Path):
    model = replay(tmp_path)
    assert model.name == "recorded/some.jsonl.gz"
    requests = [
        Request(task="T/1", prompt="anything", n=2),
        Request(prompt="p1"),
        Request(task="unknown", prompt="p2", n=3),
        Request(messages=(Message(role="user", content="p2"),)),
        Request(task="3"),
    ]
    texts = [[c.text for c in each] for each in model.generate(requests)]
    assert texts == [["a", "b"], ["b"], ["c", "d", "e"], ["c"], [""]]
    assert [index for index, _ in model.stream(requests)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (Request(task="T/9"), "holds nothing for T/9"),
        (Request(prompt="x" * 99), r"the prompt that begins 'x{50}'"),
        (Request(task="T/1", n=3), "holds 2 completions for T/1, not 3"),
    ],
)
def test_a_replay_does_not_invent(tmp_path: Path, request_: Request, complaint: str):
    with pytest.raises(DataError, match=complaint) as caught:
        replay(tmp_path).generate([request_])
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        Recorded(tmp_path / "none.jsonl")
