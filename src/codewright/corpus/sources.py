"""Every kind of source behind two functions: cut into units, and read a unit.

The order of units, and of documents in a unit, depends on the content alone, so a corpus made
again is the same corpus. What cannot be read is refused with a reason, never skipped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codewright.corpus import sources_archives, sources_folders, sources_installed
from codewright.corpus.exercises import generate
from codewright.corpus.notebooks import to_source
from codewright.corpus.recipe import SourceConfig
from codewright.corpus.steps import Drops
from codewright.corpus.unit import Choice, Unit, document, stamp_of
from codewright.types.document import Document

EXERCISES_UNIT = 2_000
"""Exercises in a unit."""

EXERCISE_BYTES = 700
"""About as long is one; only progress depends on it."""


def choice_of(source: SourceConfig) -> Choice:
    """Returns which files of a source are wanted."""
    if source.kind == "notebooks":
        suffixes: tuple[str, ...] = (".ipynb",)
    else:
        suffixes = (".py", ".pyi") if source.stubs else (".py",)
    return Choice(suffixes=suffixes, exclude=source.exclude, share=source.share)


def units(number: int, source: SourceConfig) -> list[Unit]:
    """Returns the units of the source with this number in the recipe, in order.

    Raises:
        DataError: what the recipe names is not there.
        MachineError: a program that is needed to read it is not installed.
    """
    choice = choice_of(source)
    if source.kind == "installed":
        return list(sources_installed.installed(number, source.path, choice))
    if source.kind == "standard-library":
        return list(sources_installed.standard_library(number, choice))
    if source.kind == "exercises":
        return list(_exercises(number, source))
    assert source.path is not None
    if source.kind == "archives":
        names = sources_archives.wanted(source.list) if source.list is not None else None
        return list(sources_archives.archives(number, source.path, names))
    if source.kind == "git":
        return list(sources_folders.checkout(number, source, choice))
    if source.kind == "jsonl":
        return list(sources_folders.rows(number, source))
    return list(sources_folders.folder(number, source, choice))


def documents(unit: Unit, source: SourceConfig, drops: Drops) -> Iterator[Document]:
    """Yields the documents of a unit; `drops` learns of what is no document."""
    if unit.kind == "rows":
        yield from _chosen(sources_folders.read_unit_rows(unit, source, drops), source)
        return
    if unit.kind == "exercises":
        first, end = map(int, unit.files)
        yield from (generate.document(n, seed=source.seed) for n in range(first, end))
        return
    choice = choice_of(source)
    if unit.kind == "archive":
        licence, members = sources_archives.read_archive(unit, choice, drops)
    else:
        licence, members = unit.licence, sources_folders.read_files(unit, drops)
    for path, raw in members:
        found = document(unit, path, raw, drops)
        if found is None:
            continue
        text = found.text
        if path.endswith(".ipynb"):
            converted = to_source(text)
            if converted is None:
                drops.refuse(path, unit.origin, len(raw), "no-python-notebook")
                continue
            text = converted
        yield Document(text=text, path=path, licence=licence, origin=unit.origin)


def _chosen(rows: Iterator[Document], source: SourceConfig) -> Iterator[Document]:
    choice = Choice(suffixes=("",), exclude=source.exclude, share=source.share)
    return (row for row in rows if choice.takes(row.path))


def _exercises(number: int, source: SourceConfig) -> Iterator[Unit]:
    for first in range(0, source.count, EXERCISES_UNIT):
        end = min(first + EXERCISES_UNIT, source.count)
        yield Unit(
            source=number,
            kind="exercises",
            origin=generate.ORIGIN,
            place=Path(),
            licence=generate.LICENCE,
            files=(str(first), str(end)),
            size=(end - first) * EXERCISE_BYTES,
            stamp=stamp_of([("exercises", first)], str(end), str(source.seed)),
        )
