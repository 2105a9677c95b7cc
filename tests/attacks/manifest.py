"""The hostile programs and the problems that they answer, read from the files beside this one.

An attack's `statuses` are what a harness may say of it; "passed" is never among them. A pass is
always a breach: a program of kind "forge" answers wrongly, and one of kind "harm" answers wrongly
unless it got what it should not have.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
KINDS = ("forge", "harm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A problem: asserting tests, the same as cases, a right and an honestly wrong solution."""

    name: str
    reference: str
    wrong: str
    tests: str
    cases: tuple[tuple[list[Any], Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile program. `tries` is the first line of its docstring."""

    name: str
    kind: str
    tries: str
    program: str
    task: Task
    statuses: tuple[str, ...]


def load_tasks() -> dict[str, Task]:
    """The problems by name; the name is the entry point."""
    with (HERE / "problems.toml").open("rb") as file:
        rows = tomllib.load(file)
    return {
        name: Task(
            name=name,
            reference=row["reference"],
            wrong=row["wrong"],
            tests=row["tests"],
            cases=tuple((args, wanted) for args, wanted in row["cases"]),
        )
        for name, row in rows.items()
    }


def load_attacks(only: Iterable[str] = ()) -> list[Attack]:
    """The attacks in the manifest's order.

    Args:
        only: names, or the kinds "forge" and "harm"; nothing means all.

    Raises:
        KeyError: a name that is not in the manifest.
    """
    tasks = load_tasks()
    with (HERE / "attacks.toml").open("rb") as file:
        manifest = tomllib.load(file)
    attacks = []
    for kind in KINDS:
        for name, row in manifest[kind].items():
            program = (PROGRAMS / f"{name}.py").read_text()
            story = ast.get_docstring(ast.parse(program)) or ""
            attacks.append(
                Attack(
                    name=name,
                    kind=kind,
                    tries=story.partition("\n")[0],
                    program=program,
                    task=tasks[row["problem"]],
                    statuses=tuple(row["statuses"]),
                )
            )
    wanted = set(only)
    unknown = wanted - {a.name for a in attacks} - set(KINDS)
    if unknown:
        raise KeyError(f"no such attack: {', '.join(sorted(unknown))}")
    return [a for a in attacks if not wanted or a.name in wanted or a.kind in wanted]
