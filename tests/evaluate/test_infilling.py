"""HumanEval-Infilling: what is asked, what is judged, and that nothing is mended on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.evaluate.benchmarks import BENCHMARKS, load, names, select
from codewright.evaluate.infilling import GAP, LINE, build
from codewright.evaluate.samples import from_file
from codewright.evaluate.sampling import Sampling, sample
from codewright.files import RowLog
from codewright.generate.scripted import Scripted
from codewright.types.judging import Job
from tests.evaluate.made import home
from tests.reference.plain import Plain

PARTS = [name for name in BENCHMARKS if BENCHMARKS[name].gaps]
ROW = {
    "task_id": "SingleLineInfilling/HumanEval/7/L1",
    "entry_point": "double",
    "prompt": "import math\n\ndef help(x):\n    return 2\n\ndef double(x):\n",
    "suffix": "    return y\n",
    "canonical_solution": "    y = help(x) * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert help(1) == 2\n",
}


def problem(**changes: str):
    (made,) = build([[{**ROW, **changes}]])
    return made


def test_a_row_is_a_program_with_a_gap():
    made = problem()
    assert (made.prompt, made.suffix) == (ROW["prompt"], ROW["suffix"])
    assert made.reference == ROW["prompt"] + ROW["canonical_solution"] + ROW["suffix"]
    # What the program defines besides its function is the tests' own.
    assert "def help" in made.tests.preamble
    assert "def double" not in made.tests.preamble


@pytest.mark.parametrize(
    "text", ["    y = 2 * x\n", "    y = 2 * x", "", "x\n\n\ndef f(", "\n", "é"]
)
def test_nothing_is_added_or_cut(text: str):
    made = problem()
    for form in ("completion", "continuation", "answer"):
        whole, rule = GAP.reader(made, made.prompt)(text, form)
        assert whole == ROW["prompt"] + text + ROW["suffix"]
        assert rule == "filled"
    assert GAP.stops(made) == ()
    assert GAP.reader(made, made.prompt)("x = 1", "solution") == ("x = 1", "as is")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("    y = 2 * x\n", "    y = 2 * x\n"),
        ("    y = 2 * x", "    y = 2 * x\n"),
        ("    y = 2\n    return y\n", "    y = 2\n"),
        ("", "\n"),
        ("\n    y = 2\n", "\n"),
    ],
)
def test_one_line_is_the_first(text: str, line: str):
    made = problem()
    whole, _ = LINE.reader(made, made.prompt)(text, "completion")
    assert whole == ROW["prompt"] + line + ROW["suffix"]
    assert LINE.stops(made) == ("\n",)


def test_a_model_is_shown_both_sides(tmp_path: Path):
    made = problem()
    asked = []

    def fill(request, draw) -> str:
        asked.append(request)
        return "    y = 2 * x\n"

    for manner in (GAP, LINE):
        with RowLog(tmp_path / f"{len(asked)}.jsonl") as log:
            found = sample(
                [made], Scripted(default=fill), Sampling(chat=False), log, lambda n: None, manner
            )
        assert found[made.id][0].program == made.reference.replace("help(x) * x", "2 * x")
    assert [(each.prompt, each.suffix) for each in asked] == [(ROW["prompt"], ROW["suffix"])] * 2
    assert [each.stop for each in asked] == [(), ("\n",)]


def test_an_empty_suffix_says_that_nothing_follows(tmp_path: Path):
    made = problem(suffix="")
    asked = []
    model = Scripted(default=lambda request, draw: asked.append(request) or "x")
    with RowLog(tmp_path / "g.jsonl") as log:
        sample([made], model, Sampling(chat=False), log, lambda n: None, GAP)
    assert asked[0].suffix == ""


def test_ids_can_be_written_short():
    assert names("SingleLineInfilling/HumanEval/7/L1")[1] == "7/l1"
    assert names("RandomSpanInfillingLight/HumanEval/7/1")[1] == "7/1"
    assert names("HumanEval/12")[1] == "12"
    assert names("Mbpp/11") == ("mbpp/11", "11")
    assert names("sample_2")[1] == "2"
    both = build([[ROW, {**ROW, "task_id": "SingleLineInfilling/HumanEval/8/L1"}]])
    assert [each.id for each in select(both, ["8/L1"])] == ["SingleLineInfilling/HumanEval/8/L1"]


def test_a_prompt_that_two_problems_share_names_neither(tmp_path: Path):
    both = build([[ROW, {**ROW, "task_id": "X/HumanEval/7/L2", "suffix": "    return 4\n"}]])
    path = tmp_path / "s.jsonl"
    path.write_text('{"task_id": "X/HumanEval/7/L2", "completion": "    y = 1\\n"}\n')
    (found,) = from_file(path, both, prompts=dict, manner=GAP).values()
    assert found[0].program.endswith("    y = 1\n    return 4\n")
    path.write_text(json.dumps({"prompt": ROW["prompt"], "samples": ["x"]}) + "\n")
    with pytest.raises(DataError, match="the prompt on line 1"):
        from_file(path, both, prompts=dict, manner=GAP)


@pytest.mark.parametrize("name", PARTS)
def test_references_pass_and_have_a_gap(name: str):
    problems = load(name, home())
    for task in problems[:: len(problems) // 20]:
        job = Job(program=task.reference, tests=task.tests, entry_point=task.entry_point)
        (verdict,) = Plain().judge([job])
        assert verdict.status == "passed", task.id
        assert task.suffix is not None
        assert task.reference.startswith(task.prompt)
        assert task.reference.endswith(task.suffix)
        assert len(task.prompt) + len(task.suffix) <= len(task.reference)
    assert len(PARTS) == 4
