"""Samples files: three shapes, matched to problems by id or prompt, nothing dropped."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codewright.errors import DataError
from codewright.evaluate.benchmarks import load, prompts_without_examples
from codewright.evaluate.samples import Candidates, from_file, from_texts
from tests.evaluate.made import PROMPT, home, problem

PROBLEMS = [problem(number) for number in range(4)]
CODET = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"


def read(path: Path, rows: list[dict[str, Any]], **settings: Any) -> Candidates:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return from_file(path, PROBLEMS, prompts=settings.pop("prompts", dict), **settings)


def test_the_three_shapes(tmp_path: Path):
    problems = [*PROBLEMS[:2]]
    rows = [
        {"task_id": "Made/1", "completion": "    return x / 2\n\nprint(1)\n"},
        {"task_id": "made/0", "solution": "half = lambda x: x / 2\nprint(1)\n"},
        {"task_id": 1, "completion": "```python\ndef half(x):\n    return x\n```"},
    ]
    path = tmp_path / "samples.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    found = from_file(path, problems, prompts=dict)
    assert list(found) == ["Made/0", "Made/1"]
    assert [(c.program, c.rule) for c in found["Made/0"]] == [(rows[1]["solution"], "as is")]
    assert [(c.program, c.rule) for c in found["Made/1"]] == [
        (f"{PROMPT}    return x / 2\n", "cut at print"),
        ("def half(x):\n    return x\n", "block"),
    ]
    assert {c.origin for c in found["Made/1"]} == {"samples.jsonl.gz"}


def test_rows_of_samples_are_built_on_their_own_prompt(tmp_path: Path):
    own = 'def half(x):\n    """Other words."""\n'
    problems = {"others": own, "nobody": "x"}
    rows = [{"prompt": own + "\n", "samples": ["    return x\n", "    return 1\n# no\n"]}]
    found = read(
        tmp_path / "s", rows, prompts=lambda: {problems["others"]: "Made/2", "?": "Made/99"}
    )
    assert list(found) == ["Made/2"]
    assert [c.program for c in found["Made/2"]] == [
        own + "\n    return x\n",
        own + "\n    return 1",
    ]


def test_other_prompts_are_only_read_where_one_is_needed(tmp_path: Path):
    def never() -> dict[str, str]:
        raise AssertionError("read without need")

    only = [problem(3)]
    path = tmp_path / "s"
    path.write_text(json.dumps({"prompt": PROMPT, "samples": ["    return x\n"]}))
    assert list(from_file(path, only, prompts=never)) == ["Made/3"]


def test_the_first_few_of_each_problem_can_be_taken(tmp_path: Path):
    rows = [{"task_id": i % 2, "completion": f"    return {i}"} for i in range(10)]
    found = read(tmp_path / "s", rows, per_problem=3)
    assert [c.text for c in found["Made/1"]] == ["    return 1", "    return 3", "    return 5"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "holds no samples"),
        ([{"task_id": "HumanEval/0", "completion": ""}], "1 of 1 rows .* HumanEval/0"),
        (
            [{"task_id": f"X/{i}", "solution": ""} for i in range(9)]
            + [{"task_id": 1, "solution": ""}],
            "9 of 10 rows .* X/0, X/1, X/2, …",
        ),
        ([{"prompt": "def other():", "samples": [""]}], "the prompt on line 1"),
        ([{"task_id": 0}], "line 1: no completion, solution or samples .it has task_id"),
        ([{"completion": "x"}], "line 1: neither task_id nor prompt"),
        ([{"prompt": "p", "completion": "x"}], "line 1: completion without task_id"),
        ([{"task_id": 0, "completion": 3}], "line 1: completion is not text but a int"),
        ([{"task_id": 0, "completion": None}], "completion is not text but null"),
        ([{"task_id": 0, "solution": ["x"]}], "solution is not text but a list"),
        ([{"task_id": True, "solution": "x"}], "line 1: task_id is a bool"),
        ([{"task_id": [1], "solution": "x"}], "line 1: task_id is a list"),
        ([{"task_id": 0, "samples": "x"}], "samples is not a list of texts but a str"),
        ([{"task_id": 0, "samples": ["x", 4]}], "a list with a int in it"),
        ([{"task_id": 0, "samples": []}, {"prompt": 3}], "line 2: prompt is a int"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_the_place_and_a_hint(tmp_path: Path, rows, complaint: str):
    path = tmp_path / "samples.jsonl"
    with pytest.raises(DataError, match=complaint) as caught:
        read(path, rows)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_what_a_generator_said_becomes_candidates():
    texts = ["    return x / 2\n", "```python\ndef half(x):\n    return 0\n```"]
    made = from_texts(PROBLEMS[0], texts, "answer", "openai/m")
    assert [(c.text, c.rule, c.origin) for c in made] == [
        (texts[0], "whole", "openai/m"),
        (texts[1], "block", "openai/m"),
    ]


def test_the_codegen_samples_all_find_their_problem():
    place = home()
    assert place.folder is not None
    problems = load("humaneval", place)
    path = place.folder / CODET
    if not path.is_file():
        pytest.skip("CODEWRIGHT_DATA has no CodeT samples")
    found = from_file(path, problems, prompts=lambda: prompts_without_examples(place))
    assert [len(each) for each in found.values()] == [100] * 164
    assert len({c.program for each in found.values() for c in each}) == 12_408
    assert {c.rule for each in found.values() for c in each} == {
        "whole", "cut at #", "cut at def", "cut at class",
    }  # fmt: skip
