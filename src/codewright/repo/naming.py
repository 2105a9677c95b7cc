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
from collections.abc import Iterator, Sequence
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
_BEGINNINGS = 20
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
    found: dict[tuple[str, int], tuple[int, File, int]] = {}
    for fit, wanted, name in _names(index, query):
        for file, ordinal in index.defining(name)[:_ENOUGH]:
            worse = fit
            if "." in wanted:
                qualified = f".{index.facts(file.content).qualified(ordinal)}"
                # `json.loads`: the first names may be the module's.
                worse += 0 if qualified.endswith(f".{wanted}") else 1
            known = found.get((file.path, ordinal))
            if known is None or worse < known[0]:
                found[file.path, ordinal] = (worse, file, ordinal)
    words = set(query.words)
    likely = sorted(found.values(), key=lambda each: _likely(words, *each))
    ordered: list[_Place] = []
    for some in (likely[:_LOOKED], likely[_LOOKED:] if limit > _LOOKED else ()):
        places = [_place(index, words, *each) for each in some]
        # One word of several names too much, unless the others are around it.
        ordered += sorted(each for each in places if each.fit < _ONE_OF or each.missing == 0)
    files = {file.path: file for _, file, _ in likely}
    return [(files[each.path], each.ordinal) for each in ordered[:limit]]


def _names(index: Index, query: Query) -> Iterator[tuple[int, str, str]]:
    """Yields how badly a defined name fits, what was asked for, and the name."""
    for wanted in query.names:
        name = wanted.rpartition(".")[2]
        yield 0, wanted, name
        if query.guesses or len(query.words) <= _FEW:
            for longer in _beginning(index, name):
                yield 4, name, longer
    for at, name in enumerate(query.guesses):
        joined = at >= len(query.guesses) - 3
        yield 0 if joined else _ONE_OF, name, name
        if joined:
            for longer in _beginning(index, name):
                yield 4, name, longer
    for pattern in query.patterns:
        name = pattern.rpartition(".")[2]
        start = re.split(r"[*?]", name)[0]
        hold = re.compile(fnmatch.translate(name)).fullmatch
        for each in index.names(start, _SCANNED):
            if hold(each):
                yield 1, name, each


def _beginning(index: Index, name: str) -> Sequence[str]:
    return index.names(name, _BEGINNINGS) if len(name) > 2 else ()


def _likely(words: set[str], fit: int, file: File, ordinal: int) -> tuple[int, int, bool, int, str]:
    """Orders definitions by what is known of them without reading what their files say."""
    path = file.path.lower()
    missing = sum(word not in path for word in words)
    return fit, missing, _TEST_PATH.search(file.path) is not None, file.path.count("/"), path


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
