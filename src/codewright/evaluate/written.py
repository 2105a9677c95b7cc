"""Files of tests that a model wrote, by problem.

Rows are CodeT's ({"prompt": …, "samples": […]}, each sample going on from a prompt that ends in
"assert ") or name the problem ({"task_id": …, "tests": ["assert f(1) == 2", …]}).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from codewright.errors import DataError
from codewright.evaluate.benchmarks import names
from codewright.files import read_rows
from codewright.types.judging import Problem
from codewright.verify.asserts import split_assertions

PER_SAMPLE = 5
"""Of each sample the first assertions are taken, as Chen et al. 2022 do (section 4.1)."""

_ENDINGS = ("_code_solution", "_test_case")


def beside(samples: Path) -> Path | None:
    """The file of tests that goes with a file of samples, by CodeT's names; None without one."""
    if _ENDINGS[0] not in samples.name:
        return None
    path = samples.with_name(samples.name.replace(*_ENDINGS))
    return path if path.is_file() else None


def written_tests(
    path: Path, problems: Sequence[Problem], prompts: Callable[[], Mapping[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Returns the assertions for each problem, each as often as it was written.

    Args:
        path: plain or gzipped JSON lines.
        prompts: prompt to task id, for rows that name no task; read only where one is needed.

    Raises:
        DataError: the file is missing or broken, or a row is for none of the problems.
    """
    by_name = {name: problem for problem in problems for name in names(problem.id)}
    known: Mapping[str, str] | None = None
    found: dict[str, tuple[str, ...]] = {}
    for number, row in read_rows(path):
        where = f"{path}, line {number}"
        task = row.get("task_id")
        if not isinstance(task, str):
            known = prompts() if known is None else known
            task = known.get(str(row.get("prompt")), "")
        problem = by_name.get(task.lower())
        if problem is None:
            raise DataError(
                f"{where}: tests for none of these problems",
                hint="rows have a task_id, or the prompt that the tests were asked with",
            )
        found[problem.id] = found.get(problem.id, ()) + _assertions(row, problem, where)
    return found


def _assertions(row: Mapping[str, object], problem: Problem, where: str) -> tuple[str, ...]:
    tests, samples = row.get("tests"), row.get("samples")
    if isinstance(tests, list) and all(isinstance(text, str) for text in tests):
        return tuple(tests)
    if isinstance(samples, list) and all(isinstance(text, str) for text in samples):
        return tuple(
            assertion
            for text in samples
            for assertion in split_assertions(text, problem.entry_point)[:PER_SAMPLE]
        )
    raise DataError(f"{where}: neither tests nor samples", hint='{"task_id": …, "tests": [ … ]}')
