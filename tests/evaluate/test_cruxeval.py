"""CRUXEval: predictions are read as data, judged as programs, and never run as a model's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codewright.evaluate import cruxeval, predictions
from codewright.evaluate.benchmarks import BENCHMARKS, load, select
from codewright.evaluate.sampling import Sampling, sample
from codewright.files import RowLog
from codewright.generate.scripted import Scripted
from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Call, Inputs
from codewright.types.generation import Request
from codewright.types.judging import Job, Problem
from codewright.verify.behaviour import classes, labels, observe
from tests.evaluate.made import home
from tests.generate.server import KEY, running

ROW = {
    "id": "sample_0",
    "code": "def f(text, times=1):\n    while times > 9:\n        pass\n    return text * times",
    "input": "'ab', times=2",
    "output": "'abab'",
}
HOSTILE = (
    "[ANSWER]__import__('os').system('id')[/ANSWER]",
    "[ANSWER]9**9**9**9[/ANSWER]",
    "[ANSWER]'a' * 10**12[/ANSWER]",
    "[ANSWER]f('ab', 2)[/ANSWER]",
    "[ANSWER]f(f('ab', 2))[/ANSWER]",
    "[ANSWER](lambda: 'abab')()[/ANSWER]",
    "[ANSWER]'abab'\nimport os[/ANSWER]",
    "[ANSWER]" + "[" * 5_000 + "[/ANSWER]",
    "[ANSWER]answer()[/ANSWER]",
    "'abab' if open('/etc/passwd') else 0",
    "[ANSWER][/ANSWER]",
    "I do not know.",
    "",
    "f(" * 20_000,
    "the output is " * 20_000,
)


def outputs() -> Problem:
    (problem,) = cruxeval.build_outputs([[ROW]])
    return problem


def inputs() -> Problem:
    (problem,) = cruxeval.build_inputs([[ROW]])
    return problem


def statuses(problem: Problem, programs: list[str]) -> list[str]:
    jobs = [
        Job(program=program, tests=problem.tests, entry_point=problem.entry_point)
        for program in programs
    ]
    with Pool(workers=2) as pool:
        return [verdict.status for verdict in pool.judge(jobs, mode="session")]


def returned(program: str) -> Any:
    """Runs a program that is known to hold a literal only."""
    names: dict[str, Any] = {}
    exec(program, names)
    return names["answer"]()


@pytest.mark.parametrize(
    ("text", "rule", "value"),
    [
        ("[ANSWER]\n[1, 2]\n[/ANSWER]", "marked", [1, 2]),
        ("[ANSWER] 'a' [/ANSWER] and on, [ANSWER]'b'[/ANSWER].", "marked", "b"),
        ("I think aloud.\n[ANSWER] {'a': 1}", "marked", {"a": 1}),
        (" 'a'\n[/ANSWER]\nassert f(2) == 'b'", "marked", "a"),
        ("[ANSWER]assert f(1) == (3, 4)[/ANSWER]", "marked", (3, 4)),
        ("[ANSWER]f([1], 'x') == -2.5[/ANSWER]", "marked", -2.5),
        ("[ANSWER]```python\n{1, 2}\n```[/ANSWER]", "marked", {1, 2}),
        ("[ANSWER]`None`[/ANSWER]", "marked", None),
        ("[ANSWER]'a' * 3[/ANSWER]", "marked", "aaa"),
        ("[ANSWER]float('inf')[/ANSWER]", "marked", float("inf")),
        ("[ANSWER]set()[/ANSWER]", "marked", set()),
        ("[ANSWER]b'\\xff'[/ANSWER]", "marked", b"\xff"),
        (" 'abab'\n\nassert f('c') == 'c'\n", "first line", "abab"),
        ("[1,\n 2]\n", "first line", [1, 2]),
        ("True", "first line", True),
        ("3, 4", "first line", (3, 4)),
        ("assert f('ab', times=2) == 'abab'", "first line", "abab"),
        ("Here you are:\n```python\nassert f(3) == [4]\n```", "block", [4]),
        ("First:\n```\n[1]\n```\nthen\n```\n[2]\n```\nDone, I hope.", "block", [2]),
        ("Step:\n```\nx = [1]\n```\nSo the output is [1, 5].", "said", [1, 5]),
        ("We go on.\nThe output is 'what is 3'.", "said", "what is 3"),
        ("**The output of `f([1])` is `[1, 9]`.**", "said", [1, 9]),
        ("It loops.\nThe output is 5.", "said", 5),
        ("The 2 are added.\nThe result is 5.25.", "said", 5.25),
        ("It loops twice.\n\nFinal answer: -12", "said", -12),
        ("x is 1, then 2.\nTherefore, f('a') returns 'b' here.\nI am sure.", "said", "b"),
        ("Well,\nassert f(1) == {'k': (1,)}\nHope it helps", "said", {"k": (1,)}),
        ("The list grows.\n'abab'", "said", "abab"),
    ],
)  # fmt: skip
def test_a_predicted_value_is_found(text: str, rule: str, value: Any):
    program, by = predictions.output(text)
    assert (returned(program), by) == (value, rule)
    assert type(returned(program)) is type(value)


@pytest.mark.parametrize(
    ("text", "rule", "args", "kwargs"),
    [
        ("[ANSWER]f('ab', 2)[/ANSWER]", "marked", ("ab", 2), {}),
        ("[ANSWER]f(text='a', times=4)[/ANSWER]", "marked", (), {"text": "a", "times": 4}),
        ("[ANSWER]assert f(*[1, 2], **{'k': 3}) == 4[/ANSWER]", "marked", (1, 2), {"k": 3}),
        ("[ANSWER]assert 'abab' == f('ab', 2)[/ANSWER]", "marked", ("ab", 2), {}),
        ("[ANSWER]'ab', times=2[/ANSWER]", "marked", ("ab",), {"times": 2}),
        ("[ANSWER](1, 2)[/ANSWER]", "marked", ((1, 2),), {}),
        ("[ANSWER]f()[/ANSWER]", "marked", (), {}),
        ("'ab', 2)\nassert f(3", "first line", ("ab", 2), {}),
        (" [1, (2, ')')])\n", "first line", ([1, (2, ")")],), {}),
        ("f('ab', 2)", "first line", ("ab", 2), {}),
        ("Try f(x) with f(1); no, f('ab',\n 2) it is.", "said", ("ab", 2), {}),
        ("Like this:\n```python\nassert f([3]) == 'abab'\n```\nDone.", "block", ([3],), {}),
        ("Going back from the end, the input is 'ab', I think.", "said", ("ab",), {}),
    ],
)  # fmt: skip
def test_predicted_arguments_are_found(text: str, rule: str, args: Any, kwargs: Any):
    program, by = predictions.arguments(text)
    assert (returned(program), by) == ((args, kwargs), rule)


@pytest.mark.parametrize("read", [predictions.output, predictions.arguments])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_brings_code_into_a_program(read: Callable[[str], tuple[str, str]], text: str):
    program, rule = read(text)
    if rule != "none":
        # Calls of `f` predict arguments; what they hold is written anew.
        assert program == predictions.returning("(('ab', 2), {})")
    else:
        assert program == predictions.NOTHING


def test_equal_values_are_one_program():
    texts = ("{'a', 'b', 'c'}", "[ANSWER]{'c', \"b\", 'a'}[/ANSWER]", "set(['b', 'a', 'c'])")
    assert len({predictions.output(text)[0] for text in texts}) == 1


def test_equal_predictions_are_one_class_and_what_is_no_literal_another():
    texts = ["'abab'", "So f returns 'abab'.", "[ANSWER]'ab' * 2[/ANSWER]", "'ab'", "?", HOSTILE[0]]
    programs = [predictions.output(text)[0] for text in texts]
    calls = Inputs(calls=(Call(args=()),))
    with Pool(workers=2) as pool:
        seen = observe(pool, programs, [cruxeval.ENTRY_POINT] * len(programs), calls)
    found = classes(labels([each.outcomes for each in seen]))
    assert found == [(0, 1, 2), (4, 5), (3,)]


def test_outputs_are_judged():
    texts = ["'abab'", "[ANSWER]'ab' * 2[/ANSWER]", "'ab'", "None", *HOSTILE]
    programs = [predictions.output(text)[0] for text in texts]
    problem = outputs()
    found = statuses(problem, [problem.reference, *programs])
    assert found[:5] == ["passed", "passed", "passed", "failed", "failed"]
    assert set(found[5:]) == {"error"}


def test_any_input_that_gives_the_output_is_right_and_none_hangs():
    texts = {
        "f('ab', 2)": "passed",
        "f('abab')": "passed",
        "f(times=1, text='abab')": "passed",
        "f('ab')": "failed",
        "f()": "failed",
        "f('a', 2, 3)": "failed",
        "f('a', 10)": "failed",  # without end
        "f(*[{}])": "failed",
        "f(**{'no': 1})": "failed",
        "no": "error",
    }
    programs = [predictions.arguments(text)[0] for text in texts]
    problem = inputs()
    assert statuses(problem, [problem.reference, *programs]) == ["passed", *texts.values()]


def test_a_program_that_defines_f_does_not_change_the_problem():
    forged = "def f(*_):\n    return 'abab'\n\n\ndef answer():\n    return ((), {})\n"
    assert statuses(inputs(), [forged]) == ["failed"]


@pytest.mark.parametrize("name", ["cruxeval-o", "cruxeval-i"])
@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("chat", [False, True])
def test_a_model_is_asked_and_read(name: str, steps: bool, chat: bool, tmp_path: Path):
    problem = outputs() if name.endswith("o") else inputs()
    asked: list[Request] = []

    def say(request: Request, draw: Any) -> str:
        asked.append(request)
        end = "'abab'" if name.endswith("o") else "f('ab', 2)"
        return f"It goes round twice.\n[ANSWER]{end}[/ANSWER]"

    manner = BENCHMARKS[name].steps if steps else BENCHMARKS[name].manner
    assert manner is not None
    with RowLog(tmp_path / "g") as log:
        sampling = Sampling(chat=chat)
        found = sample([problem], Scripted(default=say), sampling, log, lambda _: None, manner)
    (candidate,) = found[problem.id]
    value = "'abab'" if name.endswith("o") else "(('ab', 2), {})"
    assert (candidate.program, candidate.rule) == (predictions.returning(value), "marked")
    words = asked[0].messages[0].content if chat else asked[0].prompt
    assert problem.prompt in words
    assert ("[ANSWER]" in words) is (chat or steps)
    assert bool(asked[0].stop) is not chat


@pytest.mark.parametrize("name", ["cruxeval-o", "cruxeval-i"])
def test_every_reference_passes(name: str):
    problems = load(name, home())
    jobs = [
        Job(program=task.reference, tests=task.tests, entry_point=task.entry_point)
        for task in problems
    ]
    with Pool() as pool:
        verdicts = list(pool.judge(jobs, mode="session"))
    pairs = zip(problems, verdicts, strict=True)
    assert [(task.id, v.evidence) for task, v in pairs if v.status != "passed"] == []
    assert [task.id for task in select(problems, ["7", "sample_3"])] == ["sample_3", "sample_7"]


def evaluate(*words: object, **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "codewright", "evaluate", *map(str, words), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=250, env=os.environ | environment
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["cruxeval-o", "cruxeval-i"])
def test_recorded_predictions_from_the_command_line(name: str, tmp_path: Path):
    problems = load(name, home())[:6]
    rows: list[dict[str, str]] = []
    for i, task in enumerate(problems):
        answer = task.prompt.rpartition("assert ")[2]
        whole = task.reference.partition("return ")[2].strip()
        right = f"[ANSWER]{whole}[/ANSWER]"
        if name == "cruxeval-i":
            right = f"[ANSWER]f(*{whole.rpartition(', {}')[0][1:]})[/ANSWER]"
        wrong = "[ANSWER]__import__('os').system('id')[/ANSWER]"
        rows.append({"task_id": task.id, "completion": right if i < 4 else wrong})
        # A whole program is a text like any other here: computing the answer predicts nothing.
        cheat = f"{answer}\ndef answer():\n    return f()\n"
        rows.append({"task_id": task.id, "solution": cheat})
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = evaluate(name, "--samples", path, "--limit", 6, "--out", tmp_path / "out", "--k", "1,2")
    assert (found["reference_pass"], found["programs"]) == (6, 12)
    assert found["pass_at_k"]["2"] == pytest.approx(4 / 6)
    assert found["rules"]["marked"] == 4


def test_a_model_from_the_command_line(tmp_path: Path):
    home()
    with running() as server:
        key = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        words = ("cruxeval-o", "--model", "openai/good", "--limit", 2, "--cot", "--n", 2)
        found = evaluate(*words, "--out", tmp_path / "out", **key)
        assert (found["programs"], found["reference_pass"]) == (4, 2)
        assert "step by step" in found["identity"]["sampling"]
        assert all("[/ANSWER]" in body["messages"][0]["content"] for body in server.bodies)


def test_reasoning_is_only_asked_for_where_it_means_something(tmp_path: Path):
    command = [sys.executable, "-m", "codewright", "evaluate", "humaneval", "--cot"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert "cruxeval-o, cruxeval-i" in done.stderr
