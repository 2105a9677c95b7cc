"""How well a definition fits a line, by what it is and by the words of its name.

What a definition is does not depend on the cursor: it is worked out once for a state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from codewright.repo.around import HOLE, Around, parts, words
from codewright.repo.evidence import Evidence
from codewright.repo.faces import CALLED, CLASSES
from codewright.repo.facts import Flag, Kind
from codewright.repo.lookup import Lookup
from codewright.repo.places import Place
from codewright.repo.spaces import VALUES

_PROPERTY, _TEST, _ASYNC = int(Flag.PROPERTY), int(Flag.TEST), int(Flag.ASYNC)
_WORDS_OF_THE_LANGUAGE = frozenset(("self", "return", "await", "raise"))
_NEARER = frozenset(
    ("imported", "member", "inherited", "own", "co", "typed_scope", "typed_class", "unbound")
)
"""What ties a definition to the open file more than that it stands in a module nearby."""
_ERRORS = ("Error", "Exception", "Warning", "Exit")


class _Known(NamedTuple):
    """What is known of a definition whatever the cursor. features: those that follow from it."""

    name: str
    words: tuple[str, ...]
    features: Mapping[str, float]
    is_class: bool
    error: bool
    waits: bool


class _Line(NamedTuple):
    """What the cursor's line asks for. last: the word before the cursor."""

    names: frozenset[str]
    head: frozenset[str]
    tail: frozenset[str]
    scope: frozenset[str]
    near: Mapping[str, float]
    last: str
    empty: bool
    all: frozenset[str]


class Fitting:
    """Fits definitions to lines, over one state of a repository."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: dict[Place, _Known] = {}

    def describe(self, found: Iterable[Evidence], here: Around) -> None:
        """Adds to each evidence what the definition is and how it fits a line."""
        said = here.head.split()
        scope = here.facts.definitions[here.scope].name if here.scope else ""
        head = frozenset(parts(here.head)) - _WORDS_OF_THE_LANGUAGE
        tail, around = frozenset(parts(here.tail)), frozenset(words(scope))
        line = _Line(
            names=frozenset([r.name for r in here.facts.references]) - {HOLE},
            head=head,
            tail=tail,
            scope=around,
            near=here.near,
            last=said[-1] if said else "",
            empty=not said,
            all=head | tail | around | here.near.keys(),
        )
        places = bool(line.empty or line.last in ("raise", "await") or line.last[-1:] in ("(", ","))
        for evidence in found:
            known = self._known.get(evidence.place)
            if known is None:
                known = self._known[evidence.place] = self._read(evidence.place)
            features = evidence.features
            features.update(known.features)
            if known.name in line.names:
                features["same_name"] = 1.0
            if places:
                _place(features, known, line)
            if not line.all.isdisjoint(known.words):
                _words(features, known.words, line)
            _together(features, is_class=known.is_class)

    def _read(self, place: Place) -> _Known:
        definition = self._lookup.space(place.path).definitions[place.ordinal]
        name, kind = definition.name, definition.kind
        features: dict[str, float] = {}
        is_class = kind in CLASSES
        if is_class:
            features["class"] = 1.0
        elif kind == Kind.METHOD:
            features["method"] = 1.0
        elif kind in CALLED:
            features["function"] = 1.0
        elif kind in VALUES:
            features["value"] = 1.0
        if name.startswith("__") and name.endswith("__"):
            features["dunder"] = 1.0
        elif name.startswith("_"):
            features["private"] = 1.0
        if definition.flags & _PROPERTY:
            features["property"] = 1.0
        if definition.flags & _TEST:
            features["test"] = 1.0
        error = is_class and self._error(place)
        if error:
            features["error"] = 1.0
        waits = bool(definition.flags & _ASYNC)
        return _Known(name, words(name), features, is_class, error, waits)

    def _error(self, place: Place) -> bool:
        """Tells by its name whether a class can be raised, or by those that it inherits from."""
        for each in self._lookup.order(place)[0]:
            space = self._lookup.space(each.path)
            bases = space.bases.get(each.ordinal, ())
            above = [reference.path for reference in bases]
            if any(n.endswith(_ERRORS) for n in (space.definitions[each.ordinal].name, *above)):
                return True
        return False


def _place(features: dict[str, float], known: _Known, line: _Line) -> None:
    """Notes whether a kind of definition fits what the line begins with."""
    if line.last == "raise":
        features["raise_error" if known.error else "raise_other"] = 1.0
    elif line.last == "await":
        features["await_async" if known.waits else "await_other"] = 1.0
    elif line.empty:
        if known.is_class:
            features["stated_class"] = 1.0
        if "unused" in features:
            features["unused_statement"] = 1.0
    if known.is_class and line.last[-1:] in ("(", ","):
        features["open_call"] = 1.0


def _words(features: dict[str, float], words: tuple[str, ...], line: _Line) -> None:
    """Notes how the words of a name agree with those of the line and around it."""
    head = tail = scope = 0
    near = 0.0
    for word in words:
        head += word in line.head
        tail += word in line.tail
        scope += word in line.scope
        near += line.near.get(word, 0.0)
    count = len(words)
    if head:
        features["word_head"] = head / count
    if tail:
        features["word_tail"] = tail / count
    if scope:
        features["word_scope"] = scope / count
    if near:
        features["word_near"] = near = near / count


def _together(features: dict[str, float], *, is_class: bool) -> None:
    """Notes what says something else together than each by itself."""
    near = features.get("word_near", 0.0)
    if near:
        if "typed_scope" in features or "returned" in features:
            features["typed_word"] = near
        if "member" in features:
            features["member_word"] = near
        if "imported" in features:
            features["imported_word"] = near
        if "inherited" in features:
            features["inherited_word"] = near
        if "own" in features:
            features["own_word"] = near
        if features.keys().isdisjoint(_NEARER):
            features["loose_word"] = near
    if is_class:
        if "co" in features:
            features["co_class"] = features["co"]
        if "imported" in features:
            features["imported_class"] = 1.0
        if "member" in features:
            features["member_class"] = 1.0
    if "private" in features and "member" in features:
        features["member_private"] = 1.0
    if "own" in features and "same_name" in features:
        features["own_same"] = 1.0
    if features.keys().isdisjoint(_NEARER):
        features["loose"] = 1.0
