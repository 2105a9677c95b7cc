"""What the public benchmarks are made of, for keeping it out of a corpus.

Reads the files as their publishers offer them, laid out as `codewright evaluate` expects them in a
data folder. An `Item` is one task: its programs (reference solutions, and buggy ones) and its other
texts (what is asked, and tests). Nothing here compares anything.

Names are those of the folders. Tasks that several files have (the infilling benchmarks are
HumanEval's programs, cut) are items of each; equal texts count for the first of them.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright.errors import DataError
from codewright.files import read_bytes, read_rows

TEXT_BYTES = 20_000
"""Of a text that is longer, this much is compared: generated tests run to megabytes of numbers."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One task of a benchmark.

    programs: Python that solves it, or nearly. texts: what is asked, and its tests. added: runs of
    lines that a patch adds.
    """

    benchmark: str
    task: str
    programs: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Benchmark and task, as people cite them."""
        return f"{self.benchmark}/{self.task}"


def read(folder: Path) -> tuple[list[Item], list[str]]:
    """Returns the items of every benchmark in `folder`, and the names of those that are missing.

    Raises:
        DataError: `folder` is none, or a file in it is not what it should be.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", hint="set CODEWRIGHT_DATA to a data folder")
    items: list[Item] = []
    missing: list[str] = []
    for benchmark, (paths, convert) in BENCHMARKS.items():
        for path in paths:
            file = folder / benchmark / path
            if not file.is_file():
                missing.append(f"{benchmark}/{path}")
                continue
            try:
                items += [_item(benchmark, convert(row)) for row in _rows(file, missing)]
            except (KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{file} is not laid out as {benchmark} is ({error!r})",
                    hint="take the file that its publishers offer",
                ) from None
    return items, missing


def _rows(file: Path, missing: list[str]) -> Iterator[Row]:
    if file.suffix == ".parquet":
        yield from _table(file, missing)
    elif file.name.endswith(".json.gz"):
        yield from json.loads(read_bytes(file))
    else:
        for _, row in read_rows(file):
            yield row


def _table(file: Path, missing: list[str]) -> Iterator[Row]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        missing.append(f"{file.parent.name}/{file.name} (pyarrow is not installed)")
        return
    columns = ["instance_id", "patch", "problem_statement"]
    yield from parquet.read_table(file, columns=columns).to_pylist()


def _item(benchmark: str, parts: dict[str, Any]) -> Item:
    cut = {
        kind: tuple(text[:TEXT_BYTES] for text in parts.get(kind, ()) if text)
        for kind in ("programs", "texts", "added")
    }
    return Item(benchmark=benchmark, task=str(parts["task"]), **cut)


def _human_eval(row: Row) -> dict[str, Any]:
    return {
        "task": row["task_id"],
        "programs": [row["prompt"] + row["canonical_solution"]],
        "texts": [row["prompt"], row["test"]],
    }


def _mbpp(row: Row) -> dict[str, Any]:
    asked = row["prompt"] if "prompt" in row else row["text"]
    return {
        "task": row["task_id"],
        "programs": [row["code"]],
        "texts": [asked, "\n".join(row["test_list"])],
    }


def _mbpp_plus(row: Row) -> dict[str, Any]:
    return {
        "task": row["task_id"],
        "programs": [row["canonical_solution"]],
        "texts": [row["prompt"], row["assertion"]],
    }


def _infilling(row: Row) -> dict[str, Any]:
    program = row["prompt"] + row["canonical_solution"] + row["suffix"]
    return {"task": row["task_id"], "programs": [program]}


def _crux_eval(row: Row) -> dict[str, Any]:
    return {"task": row["id"], "programs": [row["code"]]}


def _class_eval(row: Row) -> dict[str, Any]:
    return {
        "task": row["task_id"],
        "programs": [row["solution_code"]],
        "texts": [row["skeleton"], row["test"]],
    }


def _ds_1000(row: Row) -> dict[str, Any]:
    return {
        "task": row["metadata"]["problem_id"],
        "programs": [row["reference_code"]],
        "texts": [row["prompt"], row["code_context"]],
    }


def _big_code_bench(row: Row) -> dict[str, Any]:
    return {
        "task": row["task_id"],
        "programs": [row["prompt"] + row["canonical_solution"]],
        "texts": [row["prompt"], row["instruction"], row["test"]],
    }


def _human_eval_pack(row: Row) -> dict[str, Any]:
    head = row["prompt"]
    return {
        "task": row["task_id"],
        "programs": [head + row["canonical_solution"], head + row["buggy_solution"]],
        "texts": [row["text"], row["test"]],
    }


def _quix_bugs(row: Row) -> dict[str, Any]:
    return {
        "task": row["name"],
        "programs": [row["solution"], row["buggy_program"]],
        "texts": [row["docstring"], row["tests"]],
    }


def _apps(row: Row) -> dict[str, Any]:
    return {"task": row["id"], "texts": [row["description"]]}


def _swe_bench(row: Row) -> dict[str, Any]:
    return {
        "task": row["instance_id"],
        "texts": [row["problem_statement"]],
        "added": list(added_runs(row["patch"])),
    }


def added_runs(patch: str) -> Iterator[str]:
    """Yields each run of neighbouring lines that a unified diff adds to Python files."""
    run: list[str] = []
    python = False
    for line in (*patch.splitlines(), "@@"):
        if line.startswith("+++ "):
            python = line.rstrip().endswith(".py")
        elif line.startswith("+") and python:
            run.append(line[1:])
            continue
        if run:
            yield "\n".join(run)
            run = []


BENCHMARKS: Mapping[str, tuple[tuple[str, ...], Callable[[Row], dict[str, Any]]]] = {
    "humaneval": (("HumanEval.jsonl.gz",), _human_eval),
    "mbpp": (("mbpp.jsonl.gz", "sanitized-mbpp.json.gz"), _mbpp),
    "humanevalplus": (("HumanEvalPlus.jsonl.gz",), _human_eval),
    "mbppplus": (("MbppPlus.jsonl.gz",), _mbpp_plus),
    "humaneval-infilling": (
        (
            "HumanEval-SingleLineInfilling.jsonl.gz",
            "HumanEval-MultiLineInfilling.jsonl.gz",
            "HumanEval-RandomSpanInfilling.jsonl.gz",
            "HumanEval-RandomSpanInfillingLight.jsonl.gz",
        ),
        _infilling,
    ),
    "cruxeval": (("cruxeval.jsonl.gz",), _crux_eval),
    "classeval": (("ClassEval_data.json.gz",), _class_eval),
    "ds1000": (("ds1000.jsonl.gz",), _ds_1000),
    "bigcodebench": (("BigCodeBench.jsonl.gz",), _big_code_bench),
    "humanevalpack": (("python.jsonl.gz",), _human_eval_pack),
    "quixbugs": (("quixbugs_python.jsonl.gz",), _quix_bugs),
    "apps": (("selected150.jsonl.gz",), _apps),
    "swebench": (("lite.parquet", "verified.parquet"), _swe_bench),
}
"""Folder: its files, and what makes an item of a row. HumanEval is first: the others quote it."""
