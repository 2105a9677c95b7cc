"""Filters of a search: by kind, language, path, and whether it is a test.

    keeps = kept_by(index, Wanted(kinds=("class",), paths=("src/**",)))

A filter is a function of a file and a definition. Paths are patterns as in `.gitignore`. Nothing
here ranks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from codewright.errors import UnknownName, UserError
from codewright.repo.facts import Kind
from codewright.repo.index import File, Index
from codewright.repo.naming import is_test
from codewright.repo.search import Keeps

KINDS: Mapping[str, frozenset[Kind]] = {
    "module": frozenset({Kind.MODULE}),
    "class": frozenset({Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT}),
    "function": frozenset({Kind.FUNCTION, Kind.METHOD, Kind.MACRO}),
    "method": frozenset({Kind.METHOD}),
    "variable": frozenset({Kind.VARIABLE, Kind.CONSTANT, Kind.ATTRIBUTE}),
    "constant": frozenset({Kind.CONSTANT}),
    "type": frozenset({Kind.TYPE, Kind.INTERFACE, Kind.TRAIT, Kind.ENUM, Kind.STRUCT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may be found; empty: anything. tests: only tests, or none; None: both."""

    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tests: bool | None = None


def kept_by(index: Index, wanted: Wanted) -> Keeps | None:
    """Returns the filter, None where all may be found.

    Raises:
        UnknownName: no such kind, or no file is in such a language.
        UserError: a pattern that is none.
    """
    if wanted == Wanted():
        return None
    kinds = _kinds(wanted.kinds)
    languages = frozenset(wanted.languages)
    _known(index, languages)
    try:
        paths = GitIgnoreSpec.from_lines(wanted.paths)
    except ValueError as error:
        raise UserError(
            f"--path: {error}", hint="patterns are as in .gitignore: 'src/**', '*.py'"
        ) from None

    def keeps(file: File, ordinal: int) -> bool:
        if languages and file.language not in languages:
            return False
        if wanted.paths and not paths.match_file(file.path):
            return False
        if not kinds and wanted.tests is None:
            return True
        definition = index.facts(file.content).definitions[ordinal]
        if kinds and definition.kind not in kinds:
            return False
        return wanted.tests is None or is_test(file.path, definition) == wanted.tests

    return keeps


def _kinds(names: tuple[str, ...]) -> frozenset[Kind]:
    for name in names:
        if name not in KINDS:
            raise UnknownName(f"--kind {name!r} is unknown", hint=f"known: {', '.join(KINDS)}")
    return frozenset(kind for name in names for kind in KINDS[name])


def _known(index: Index, languages: frozenset[str]) -> None:
    there = {file.language for file in index.files()} if languages else frozenset[str]()
    for language in sorted(languages - there):
        raise UnknownName(
            f"no file here is in {language!r}", hint=f"known: {', '.join(sorted(there))}"
        )
