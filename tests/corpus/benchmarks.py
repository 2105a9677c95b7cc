"""A data folder with one made task of each benchmark, laid out as its publishers lay it out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

PROMPT = '''\
def braid_strands(strands: list[str], turns: int) -> list[str]:
    """ Weave the given strands over each other for a number of turns, outermost first, and
    give back the crossings in the order in which a patient hand would make them.
    >>> braid_strands(["a", "b", "c"], 1)
    ["a>b"]
    """
'''
BODY = """\
    crossings = []
    order = list(strands)
    for turn in range(turns):
        left = order.pop(0 if turn % 2 == 0 else -1)
        crossings.append(left + ">" + order[len(order) // 2])
        order.insert(len(order) // 2, left)
    return crossings
"""
TEST = """\
def check(candidate):
    assert candidate(["a", "b", "c"], 1) == ["a>b"]
    assert candidate(["red", "green", "blue"], 2) == ["red>blue", "green>red"]
    assert candidate([], 0) == []
"""


def program(number: int) -> str:
    """Returns another function for each number, large enough to be told apart."""
    return (
        f"def weigh_{number}(loads, limit):\n"
        f"    heaviest = {number}\n"
        f"    for load in loads:\n"
        f"        if load % {number + 2} < limit and load > heaviest:\n"
        f"            heaviest = load * {number + 3}\n"
        f"    return heaviest - limit ** {number % 5 + 2}\n"
    )


def write(folder: Path, name: str, rows: list[dict[str, Any]], *, lines: bool = True) -> None:
    """Writes `rows` gzipped, one a line or as one list."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    path.write_bytes(gzip.compress(text.encode()))


def make(folder: Path) -> Path:
    """Writes the folder, but for the benchmark that is a table in another format."""
    human = {
        "task_id": "HumanEval/0", "prompt": PROMPT, "canonical_solution": BODY, "test": TEST,
        "suffix": "", "text": "Weave.", "buggy_solution": "    return [strands[turns:] * 2]\n",
    }  # fmt: skip
    for name in (
        "humaneval/HumanEval", "humanevalplus/HumanEvalPlus", "humanevalpack/python",
        "humaneval-infilling/HumanEval-SingleLineInfilling",
        "humaneval-infilling/HumanEval-MultiLineInfilling",
        "humaneval-infilling/HumanEval-RandomSpanInfilling",
        "humaneval-infilling/HumanEval-RandomSpanInfillingLight",
    ):  # fmt: skip
        write(folder, f"{name}.jsonl.gz", [human])
    mbpp = {"task_id": 7, "code": program(7).replace("\n", "\r\n"), "test_list": ["assert True"]}
    write(folder, "mbpp/mbpp.jsonl.gz", [{**mbpp, "text": "Weigh loads."}])
    write(folder, "mbpp/sanitized-mbpp.json.gz", [{**mbpp, "prompt": "Weigh."}], lines=False)
    plus = {"task_id": "Mbpp/8", "prompt": "W", "canonical_solution": program(8), "assertion": ""}
    write(folder, "mbppplus/MbppPlus.jsonl.gz", [plus])
    write(folder, "cruxeval/cruxeval.jsonl.gz", [{"id": "sample_9", "code": program(9)}])
    classes = {"task_id": "C_10", "solution_code": program(10), "skeleton": "", "test": ""}
    write(folder, "classeval/ClassEval_data.json.gz", [classes], lines=False)
    science = {
        "metadata": {"problem_id": 11}, "reference_code": program(11), "prompt": "",
        "code_context": "",
    }  # fmt: skip
    write(folder, "ds1000/ds1000.jsonl.gz", [science])
    head, body = program(12)[:30], program(12)[30:]
    big = {
        "task_id": "BigCodeBench/12", "prompt": head, "canonical_solution": body,
        "instruction": "", "test": "",
    }  # fmt: skip
    write(folder, "bigcodebench/BigCodeBench.jsonl.gz", [big])
    bugs = {
        "name": "weigh", "solution": program(13), "buggy_program": program(14), "docstring": "",
        "tests": "",
    }  # fmt: skip
    write(folder, "quixbugs/quixbugs_python.jsonl.gz", [bugs])
    write(folder, "apps/selected150.jsonl.gz", [{"id": "15", "description": " ".join(
        f"word{n} of the story{n} that contest{n} tells" for n in range(30))}])  # fmt: skip
    return folder
