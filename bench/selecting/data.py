"""The samples, their truth under two benchmarks, and the cases with and without examples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codewright import console
from codewright.evaluate import benchmarks, samples
from codewright.evaluate.cases import Known, cases
from codewright.evaluate.fetch import Home
from codewright.evaluate.written import beside, written_tests
from codewright.files import RowLog
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.verify.case import Case
from codewright.verify.examples import examples
from codewright.verify.study import Assessment

SAMPLES = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"
BENCHMARKS = ("humaneval", "humanevalplus")

Cases = Mapping[str, Case]
Truths = Mapping[str, list[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """cases: without and with examples, by problem. truths: by benchmark, by problem."""

    blind: Cases
    shown: Cases
    truths: Mapping[str, Truths]
    seconds: Mapping[str, float]


def load(folder: Path) -> Data:
    """Grades and observes whatever the folder does not hold yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(os.environ["CODEWRIGHT_DATA"]) / SAMPLES
    truths = {name: _truths(name, path, folder) for name in BENCHMARKS}
    seconds = {}
    seen = {}
    for name, show in (("blind", False), ("shown", True)):
        began = time.monotonic()
        seen[name] = _cases(path, folder / f"{name}.jsonl", show=show)
        seconds[f"observing, {name}"] = round(time.monotonic() - began, 1)
    return Data(blind=seen["blind"], shown=seen["shown"], truths=truths, seconds=seconds)


def _truths(benchmark: str, path: Path, folder: Path) -> Truths:
    out = folder / benchmark
    if not (out / "summary.json").exists():
        command = [sys.executable, "-m", "codewright", "evaluate", benchmark]
        command += ["--samples", str(path), "--out", str(out), "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found: dict[str, list[bool]] = defaultdict(list)
    for line in (out / "samples.jsonl").read_text().splitlines():
        row = json.loads(line)
        found[row["task_id"]].append(row["passed"])
    return dict(found)


def _cases(path: Path, log_path: Path, *, show: bool) -> Cases:
    home = Home(folder=Path(os.environ["CODEWRIGHT_DATA"]), cache=log_path.parent, say=console.say)
    problems = benchmarks.load("humaneval", home)
    bare = benchmarks.prompts_without_examples(home)
    candidates = samples.from_file(path, problems, prompts=lambda: bare)
    tests_path = beside(path)
    assert tests_path is not None
    tests = written_tests(tests_path, problems, lambda: benchmarks.test_prompts(home))
    without = {task: prompt for prompt, task in bare.items()}
    known = {
        problem.id: Known(
            prompt=problem.prompt if show else without[problem.id],
            examples=examples(problem.prompt, problem.entry_point) if show else (),
            tests=tests[problem.id],
        )
        for problem in problems
    }
    total = sum(map(len, candidates.values()))
    with (
        RowLog(log_path) as log,
        Pool(environment=Environment(packages=("numpy",))) as pool,
        console.progress("observing", total=total, unit="candidates") as bar,
    ):
        return cases(
            problems, candidates, known, observer=pool, settings=Assessment(), log=log,
            watch=bar.advance,
        )  # fmt: skip
