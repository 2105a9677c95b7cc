"""The benchmarks: known by name, read whole, with tests that a program cannot bend."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from codewright.errors import DataError, UnknownName
from codewright.evaluate import humaneval, mbpp
from codewright.evaluate.benchmarks import BENCHMARKS, find, load, prompts_without_examples, select
from codewright.evaluate.fetch import Home
from codewright.types.judging import AssertTests, Job, Limits, Problem
from codewright.write.source import parse
from tests.evaluate.made import home, problem
from tests.reference.plain import Plain

ENOUGH = Limits(cpu_seconds=60, wall_seconds=60, memory_bytes=8 << 30)


def judge(task: Problem, program: str) -> str:
    job = Job(program=program, tests=task.tests, entry_point=task.entry_point, limits=ENOUGH)
    (verdict,) = Plain().judge([job])
    return verdict.status


@pytest.mark.parametrize("name", ["HumanEval", "humanevl", "", "mbpp+"])
def test_an_unknown_benchmark_lists_the_known(name: str):
    with pytest.raises(UnknownName) as caught:
        find(name)
    assert all(known in caught.value.message for known in BENCHMARKS)
    assert caught.value.hint


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_loads(name: str):
    problems = load(name, home())
    assert len(problems) == BENCHMARKS[name].problems
    assert len({task.id for task in problems}) == len(problems)
    for task in problems:
        assert task.entry_point.isidentifier()
        assert parse(task.reference) is not None
        assert isinstance(task.tests, AssertTests)
        assert task.entry_point in task.tests.code
        assert "\r" not in task.tests.code + task.reference
    assert len({(task.prompt, task.suffix) for task in problems}) == len(problems)


@pytest.mark.parametrize("name", ["humaneval", "mbpp-sanitized"])
def test_references_pass_in_one_process(name: str):
    problems = load(name, home())
    fallen = [task.id for task in problems if judge(task, task.reference) != "passed"]
    assert fallen == []


def test_a_helper_of_the_prompt_is_the_prompts_own():
    tasks = {task.id: task for task in load("humaneval", home())}
    for number, name in ((32, "poly"), (38, "encode_cyclic"), (50, "encode_shift")):
        task = tasks[f"HumanEval/{number}"]
        assert f"def {name}(" in task.tests.preamble
        assert f"def {task.entry_point}(" not in task.tests.preamble
        # Redefining the helper makes every answer right, if the tests believe it.
        forged = f"def {name}(*_):\n    return 0\ndef {task.entry_point}(x):\n    return x\n"
        if number == 32:
            assert judge(task, forged) != "passed"
    assert sum(bool(task.tests.preamble) for task in tasks.values()) < 40


def test_task_32_of_humaneval_plus_accepts_any_root_and_nothing_else():
    task = {t.id: t for t in load("humanevalplus", home())}["HumanEval/32"]
    assert judge(task, task.reference) == "passed"
    for body in ("0", "None", "xs[0]", "float('nan')", "(0, 0)", "'0'"):
        assert judge(task, f"def find_zero(xs):\n    return {body}\n") != "passed"


def test_every_root_of_task_32_is_right():
    prompt = "def poly(xs, x):\n    return sum(c * x**i for i, c in enumerate(xs))\n\n"
    row = {
        "task_id": "HumanEval/32",
        "prompt": f'{prompt}def find_zero(xs):\n    """Find."""\n',
        "canonical_solution": "    return 1.0\n",
        "entry_point": "find_zero",
        "test": "def check(candidate):\n    assert False\n",
    }
    inputs = {
        "task_id": "HumanEval/32",
        "base_input": [[[-6, 11, -6, 1]]],
        "plus_input": [[[-1, 0, 1, 0]], [[0, -1, 0, 1]]],
        "atol": 0.0001,
    }
    (task,) = humaneval.build_plus([[row], [inputs]])
    root = "def find_zero(xs):\n    return {} if xs[0] == -6 else {}\n"
    for first, second, status in (
        (1, 1, "passed"),
        (2.00000001, -1.0, "passed"),
        (3, 1, "passed"),
        (3, 2, "failed"),
        (0, 1, "failed"),
        (1.001, 1, "failed"),
    ):
        assert judge(task, root.format(first, second)) == status
    spoiler = "def find_zero(xs):\n    xs.clear()\n    return 7\n"
    assert judge(task, spoiler) == "failed"


def test_mbpp_scores_the_main_tests_after_the_set_up():
    row = {
        "text": "Add. ",
        "code": "class Node:\r\n  pass\r\ndef helper(x):\r\n  return x\r\n"
        "def add(x):\r\n  return x\r\n",
        "task_id": 7,
        "test_setup_code": "node = Node()\r\n",
        "test_list": ["assert set(add([node])) == {node}", "assert helper(1) == 1"],
        "challenge_test_list": ["assert False"],
    }
    (task,) = mbpp.build([[row]])
    assert task.id == "Mbpp/7"
    assert task.entry_point == "add"
    assert task.tests == AssertTests(
        code="node = Node()\n\nassert set(add([node])) == {node}\nassert helper(1) == 1\n"
    )
    assert task.prompt == (
        '"""\nAdd.\nassert set(add([node])) == {node}\nassert helper(1) == 1\n"""\n'
    )
    assert "\r" not in task.reference


@pytest.mark.parametrize(
    ("asserts", "expected"),
    [
        (["assert math.isclose(f(2), g(1))"], "f"),
        (["assert len([]) == 0", "assert g(f(1))"], "g"),
        (["assert x == 1"], ""),
        (["assert ("], ""),
    ],
)
def test_the_entry_point_is_the_first_function_that_the_tests_call(asserts, expected):
    assert mbpp.entry_point("def f(x): pass\ndef g(x): pass\n", asserts) == expected


def test_mbpp_plus_pairs_its_two_files_by_number():
    rows = [
        {"task_id": "Mbpp/3", "prompt": '"""P"""\n', "entry_point": "f", "canonical_solution": "S"}
    ]
    (task,) = mbpp.build_plus([rows, [{"task_id": 4, "test": "no"}, {"task_id": 3, "test": "T"}]])
    assert (task.id, task.tests, task.reference) == (
        "Mbpp/3",
        AssertTests(code="T"),
        '"""P"""\nS',
    )
    with pytest.raises(KeyError):
        mbpp.build_plus([rows, []])


def test_humaneval_needs_its_columns():
    with pytest.raises(KeyError):
        humaneval.build([[{"task_id": "HumanEval/0"}]])


def folder(tmp_path: Path, rows: list[dict]) -> Home:
    path = tmp_path / "humaneval" / "HumanEval.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return Home(folder=tmp_path, cache=tmp_path, offline=True)


ROW = {"task_id": "HumanEval/0", "prompt": "", "entry_point": "f", "test": "", "other": 1}


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([ROW], "lacks 'canonical_solution'"),
        ([ROW | {"canonical_solution": ""}], "holds 1 problems; HumanEval has 164"),
        ([], "holds 0 problems"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path: Path, rows, complaint: str):
    with pytest.raises(DataError, match=complaint) as caught:
        load("humaneval", folder(tmp_path, rows))
    assert "HumanEval.jsonl.gz" in caught.value.message
    assert caught.value.hint


def test_problems_are_chosen_by_id_or_number_in_their_own_order():
    problems = [problem(number) for number in range(20)]
    chosen = select(problems, ["made/7", "3", "Made/11", "3"])
    assert [task.id for task in chosen] == ["Made/3", "Made/7", "Made/11"]
    with pytest.raises(UnknownName, match="'HumanEval/3'") as caught:
        select(problems, ["3", "HumanEval/3"])
    assert "Made/0 to Made/19" in caught.value.hint


def test_prompts_without_examples_name_every_task():
    found = prompts_without_examples(home())
    assert sorted(found.values()) == sorted(task.id for task in load("humaneval", home()))
