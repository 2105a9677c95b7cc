"""Looks symbols up by the names in a query: as they are, how they begin, and by patterns.

    named(index, query, 50)

What is named exactly stands first, then what only ends so, then what begins so; among equals what
shares more words with the query in its path and qualified name, then classes and functions before
values, code before tests, and short paths before long ones. Looks at names alone, in the case of
letters that they have: `match` of the index finds the words of names among all others.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from codewright.repo.facts import Definition, Flag, Kind
from codewright.repo.index import File, Index
from codewright.repo.query import Query
from codewright.repo.words import each_word, stem

_ENOUGH = 400
"""Definitions that are put in order: a name may be defined ten thousand times."""
_LOOKED = 60
"""Definitions that are put in order first, the likeliest by name and path: others stand behind
them, and their facts are read where so many are asked for."""
_BEGINNINGS, _BEGINS = 20, 4
"""Names that begin as one does, and how badly they fit."""
_ONE_OF = 2
"""How badly one of a query's words fits."""
_FEW = 8
"""Stems of a query that is a name and little else: only there is what begins so of use."""
_SCANNED = 50_000
"""Names that a pattern is held against."""

_TEST_PATH = re.compile(
    r"(^|/)(tests?|testing|__tests__|spec)/|(^|/)(test_[^/]*|conftest\.py)$"
    r"|[^/](_test|_spec|\.test|\.spec|Tests?)\.\w+$"
)
_ORDER = {
    **dict.fromkeys((Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.TRAIT, Kind.ENUM), 0),
    **dict.fromkeys((Kind.FUNCTION, Kind.METHOD, Kind.MACRO, Kind.TYPE, Kind.NAMESPACE), 0),
    Kind.CONSTANT: 1,
    Kind.VARIABLE: 2,
    Kind.ATTRIBUTE: 3,
}


def is_test(path: str, definition: Definition) -> bool:
    """True for what a test runner would run, and what stands beside it."""
    return bool(definition.flags & Flag.TEST) or _TEST_PATH.search(path) is not None


def named(index: Index, query: Query, limit: int) -> Sequence[tuple[File, int]]:
    """Returns the definitions that a query names, best first."""
    found: dict[tuple[str, int], _Found] = {}
    _find(index, _exact(index, query), found)
    if len(found) < _LOOKED or limit > _LOOKED:
        _find(index, _longer(index, query), found)
    words = set(query.words)
    likely = _ordered(words, found.values(), _LOOKED if limit <= _LOOKED else len(found))
    ordered: list[_Place] = []
    for some in (likely[:_LOOKED], likely[_LOOKED:] if limit > _LOOKED else ()):
        places = [_place(index, words, *each) for each in some]
        # One word of several names too much, unless the others are around it.
        ordered += sorted(each for each in places if each.fit < _ONE_OF or each.missing == 0)
    files = {file.path: file for _, file, _ in likely}
    return [(files[each.path], each.ordinal) for each in ordered[:limit]]


class _Found(NamedTuple):
    """A definition, and how badly its name fits."""

    fit: int
    file: File
    ordinal: int


def _find(
    index: Index, names: Iterator[tuple[int, str, str]], found: dict[tuple[str, int], _Found]
) -> None:
    """Adds where names are defined, each place as well as it fits."""
    for fit, wanted, name in names:
        owner = wanted.rpartition(".")[0].rpartition(".")[2]
        owners = {file.content for file, _ in index.defining(owner)} if owner else ()
        for file, ordinal in index.defining(name, _ENOUGH):
            worse = fit
            if owner and (file.content in owners or file.language != "python"):
                qualified = f".{index.facts(file.content).qualified(ordinal)}"
                worse += 0 if qualified.endswith(f".{wanted}") else 1
            elif owner:
                # `json.loads`: the first names may be the module's.
                worse += 1
            known = found.get((file.path, ordinal))
            if known is None or worse < known.fit:
                found[file.path, ordinal] = _Found(worse, file, ordinal)


def _exact(index: Index, query: Query) -> Iterator[tuple[int, str, str]]:
    """Yields how badly a defined name fits, what was asked for, and the name."""
    for wanted in query.names:
        yield 0, wanted, wanted.rpartition(".")[2]
    for at, name in enumerate(query.guesses):
        yield 0 if _joined(query, at) else _ONE_OF, name, name
    for pattern in query.patterns:
        name = pattern.rpartition(".")[2]
        start = re.split(r"[*?]", name)[0]
        hold = re.compile(fnmatch.translate(name)).fullmatch
        for each in index.names(start, _SCANNED):
            if hold(each):
                yield 1, name, each


def _longer(index: Index, query: Query) -> Iterator[tuple[int, str, str]]:
    """Yields the same of names that begin as one that was asked for: worse than all others."""
    wanted = [name.rpartition(".")[2] for name in query.names]
    if not (query.guesses or len(query.words) <= _FEW):
        wanted = []
    wanted += [name for at, name in enumerate(query.guesses) if _joined(query, at)]
    for name in wanted:
        if len(name) > 2:
            for longer in index.names(name, _BEGINNINGS):
                yield _BEGINS, name, longer


def _joined(query: Query, at: int) -> bool:
    """True for the guesses that are all words of a query in one."""
    return at >= len(query.guesses) - 3


def _ordered(words: set[str], found: Iterable[_Found], most: int) -> Sequence[_Found]:
    """Orders definitions by what is known of them without reading what their files say.

    Returns at least the first `most`.
    """

    @cache
    def likely(path: str) -> tuple[int, bool, int, str]:
        small = path.lower()
        missing = sum(word not in small for word in words)
        return missing, _TEST_PATH.search(path) is not None, path.count("/"), small

    first: list[_Found] = []
    for _, some in groupby(sorted(found, key=_fit), key=_fit):
        first += sorted(some, key=lambda each: likely(each.file.path))
        if len(first) >= most:
            break
    return first


_fit = itemgetter(0)


class _Place(NamedTuple):
    """What was found, in the order in which it is sorted: the least first.

    missing: words of the query that are not in its path and qualified name.
    """

    fit: int
    missing: int
    kind: int
    test: bool
    deep: int
    path: str
    ordinal: int


def _place(index: Index, words: set[str], fit: int, file: File, ordinal: int) -> _Place:
    facts = index.facts(file.content)
    definition = facts.definitions[ordinal]
    around = f"{file.path} {facts.qualified(ordinal)}"
    return _Place(
        fit=fit,
        missing=len(words - {stem(word) for word in each_word(around)}),
        kind=_ORDER.get(definition.kind, 3),
        test=is_test(file.path, definition),
        deep=file.path.count("/"),
        path=file.path,
        ordinal=ordinal,
    )
