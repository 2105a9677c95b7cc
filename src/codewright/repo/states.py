"""What differs between two states of a repository, in files and in definitions.

    sides(store, "now~1", "now") -> two Sides; differences(old, new) -> Difference

A state is one that the store keeps (`now`, `now~2`, or how its name begins) or a commit of git.
A definition is the same one in both if it has the same name in the same place of the same file;
else it has moved (same name, another file or class) or was renamed (same body, another name), and
what is left was added or removed. What stands in a class that moved or was renamed went with it.
Bodies are compared by their shapes (`reading.py`), variables by their signatures alone. Files of
which both states have the same content are not looked into.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from codewright.errors import UnknownName
from codewright.repo import git
from codewright.repo.facts import Definition, Facts, Kind
from codewright.repo.ingest import blob_hash, worth
from codewright.repo.reading import opened, shapes_of
from codewright.repo.registry import TEXTS
from codewright.repo.store import Store
from codewright.repo.walk import LARGEST, LARGEST_TEXT, refusal

NOW = "now"
_NAMES = 4
"""Characters of a state's name that are enough."""


@dataclass(frozen=True, slots=True)
class Side:
    """One state. files: path → hash and language. said: facts and shapes of one of its files."""

    name: str
    files: Mapping[str, tuple[bytes, str]]
    said: Callable[[str], tuple[Facts, Sequence[int]]]


class One(NamedTuple):
    """A definition of one state."""

    path: str
    qualified: str
    ordinal: int
    definition: Definition
    shape: int


class Pair(NamedTuple):
    """A definition in both states."""

    old: One
    new: One


@dataclass(slots=True)
class Difference:
    """From an old state to a new one; every list by path and place."""

    old: str
    new: str
    files_added: list[str] = field(default_factory=list)
    files_removed: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    files_moved: list[tuple[str, str]] = field(default_factory=list)
    added: list[One] = field(default_factory=list)
    removed: list[One] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)
    renamed: list[Pair] = field(default_factory=list)
    signature: list[Pair] = field(default_factory=list)
    body: list[Pair] = field(default_factory=list)


def side(store: Store, name: str) -> Side:
    """Returns a state by its name.

    Raises:
        UnknownName: neither the store nor git has it.
    """
    states = store.states()
    head, _, back = name.partition("~")
    if head == NOW and (not back or back.isdigit()):
        at = int(back or 0)
        if at < len(states):
            return _kept(store, states[at].number, states[at].name)
        raise UnknownName(
            f"{len(states)} states are kept, and {name} is before them",
            hint="codewright index --stats lists them",
        )
    if len(name) >= _NAMES:
        for state in states:
            if state.name.startswith(name):
                return _kept(store, state.number, state.name)
    found = git.commit(store.root, name) if git.has_work_tree(store.root) else None
    if found is None:
        raise UnknownName(
            f"{name} is no state and no commit here",
            hint="name now, now~1, a state of codewright index --stats, or a commit",
        )
    return _commit(store, name, found)


def differences(old: Side, new: Side) -> Difference:
    """Returns what differs."""
    found = Difference(old.name, new.name)
    before = {path: key for path, key in old.files.items() if new.files.get(path) != key}
    after = {path: key for path, key in new.files.items() if old.files.get(path) != key}
    where = {key: path for path, key in sorted(after.items(), reverse=True) if path not in before}
    for path, key in sorted(before.items()):
        if path in after:
            found.files_changed.append(path)
        elif key in where:
            found.files_moved.append((path, where.pop(key)))
        else:
            found.files_removed.append(path)
    arrived = {path for _, path in found.files_moved}
    found.files_added = [path for path in sorted(after) if path not in set(before) | arrived]
    same = dict(found.files_moved)
    olds = [one for path in sorted(before) for one in _ones(old, path)]
    news = [one for path in sorted(after) for one in _ones(new, path)]
    _Matching(found, same, olds, news).run()
    return found


class _Matching:
    """Pairs the definitions of two states, those that hold others first."""

    def __init__(
        self, found: Difference, same: Mapping[str, str], olds: Sequence[One], news: Sequence[One]
    ) -> None:
        self._found = found
        self._same = same
        self._olds = {(one.path, one.ordinal): one for one in olds}
        self._news = {(one.path, one.ordinal): one for one in news}
        self._to: dict[tuple[str, int], One] = {}
        self._taken: set[tuple[str, int]] = set()

    def run(self) -> None:
        """Pairs what can be paired and puts everything where it belongs."""
        self._in_place()
        # Classes first: what they hold goes with them.
        for holding in (True, False):
            self._elsewhere(holding, "moved", lambda one: one.definition.name)
            self._elsewhere(holding, "renamed", lambda one: one.shape)
        for pair in self._pairs():
            self._compare(pair)
        self._found.removed = [one for one in self._left() if not self._with_parent(one, "old")]
        self._found.added = [one for one in self._come() if not self._with_parent(one, "new")]

    def _pair(self, old: One, new: One) -> None:
        self._to[old.path, old.ordinal] = new
        self._taken.add((new.path, new.ordinal))

    def _in_place(self) -> None:
        """Pairs what has the same qualified name in the same file, in order."""
        by_name: dict[tuple[str, str], list[One]] = defaultdict(list)
        for one in self._news.values():
            by_name[one.path, one.qualified].append(one)
        for one in self._olds.values():
            path = self._same.get(one.path, one.path)
            there = by_name.get((path, one.qualified))
            if there:
                self._pair(one, there.pop(0))

    def _elsewhere(self, holding: bool, how: str, same: Callable[[One], object]) -> None:
        """Pairs what has the same key, if it is the only one, or the only one of its body."""
        renamed = how == "renamed"
        left = [one for one in self._left() if (one.definition.kind in _HOLDING) == holding]
        usable = [one for one in self._come() if not renamed or one.shape]

        def key(one: One) -> tuple[object, ...]:
            return one.definition.kind, same(one)

        by_key: dict[object, list[One]] = defaultdict(list)
        for one in usable:
            by_key[key(one)].append(one)
        many = Counter(key(one) for one in left)
        for one in left:
            if renamed and not one.shape:
                continue
            there = [
                each
                for each in by_key.get(key(one), ())
                if (each.path, each.ordinal) not in self._taken
            ]
            best = [each for each in there if each.shape == one.shape and each.path == one.path]
            best = best or [each for each in there if each.shape and each.shape == one.shape]
            if not best and not renamed and len(there) == 1 and many[key(one)] == 1:
                best = there if one.definition.kind in _WHOLE else []
            if not best or (one.path, one.ordinal) in self._to:
                continue
            new = best[0]
            self._pair(one, new)
            target = self._found.renamed if renamed else self._found.moved
            target.append(Pair(one, new))
            self._children(one, new)

    def _children(self, old: One, new: One) -> None:
        """What stands in a class that went elsewhere went with it."""
        prefix, goal = old.qualified + ".", new.qualified + "."
        there = {
            one.qualified: one
            for one in self._news.values()
            if one.path == new.path and one.qualified.startswith(goal)
        }
        for one in self._olds.values():
            if one.path == old.path and one.qualified.startswith(prefix):
                new_one = there.get(goal + one.qualified[len(prefix) :])
                if new_one is not None and (one.path, one.ordinal) not in self._to:
                    self._pair(one, new_one)

    def _pairs(self) -> Iterable[Pair]:
        return [Pair(self._olds[key], new) for key, new in self._to.items()]

    def _compare(self, pair: Pair) -> None:
        old, new = pair.old.definition, pair.new.definition
        if _head(old) != _head(new):
            self._found.signature.append(pair)
        elif pair.old.shape != pair.new.shape and old.kind not in _HOLDING:
            self._found.body.append(pair)

    def _left(self) -> list[One]:
        return [one for key, one in self._olds.items() if key not in self._to]

    def _come(self) -> list[One]:
        return [one for key, one in self._news.items() if key not in self._taken]

    def _with_parent(self, one: One, side: str) -> bool:
        """True where what holds it came or went as a whole, and is told instead."""
        parent = one.definition.parent
        if parent <= 0:
            return False
        key = (one.path, parent)
        return key not in self._to if side == "old" else key not in self._taken


_HOLDING = frozenset(
    {Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT, Kind.NAMESPACE}
)
"""Their body is what they hold, which is told by itself."""
_WHOLE = frozenset({Kind.FUNCTION, *_HOLDING})
"""May have moved although their body changed."""


def _head(definition: Definition) -> tuple[str, tuple[str, ...]]:
    """Returns a signature without the name, so that a new name alone is no new signature."""
    return definition.signature.replace(definition.name, "", 1), definition.decorators


def _ones(side: Side, path: str) -> list[One]:
    facts, shapes = side.said(path)
    return [
        One(path, facts.qualified(ordinal), ordinal, definition, shapes[ordinal])
        for ordinal, definition in enumerate(facts.definitions)
        if ordinal
    ]


def _kept(store: Store, number: int, name: str) -> Side:
    manifest = store.manifest(number)
    keys = store.keys()

    def said(path: str) -> tuple[Facts, Sequence[int]]:
        content = manifest[path]
        return store.facts(content), store.shapes(content)

    return Side(name, {path: keys[content] for path, content in manifest.items()}, said)


def _commit(store: Store, name: str, commit: str) -> Side:
    """Reads a commit: contents that the store knows from there, the others from git."""
    languages = store.languages
    files: dict[str, tuple[bytes, str]] = {}
    read: dict[str, bytes] = {}
    wanted: dict[str, str] = {}
    for path, blob in git.tree(store.root, commit).items():
        language = languages.by_path(path)
        known = bytes.fromhex(blob)
        if language and store.by_hash(known, language) is not None:
            files[path] = (known, language)
        elif language is not None:
            wanted[path] = blob
    for path, data in zip(wanted, git.blobs(store.root, wanted.values()), strict=True):
        language = languages.by_path(path) or languages.by_content(path, data)
        if language and _small(language, data) and not refusal(path, language, data):
            files[path] = (blob_hash(data), language)
            read[path] = data

    def said(path: str) -> tuple[Facts, Sequence[int]]:
        content = store.by_hash(*files[path])
        if content is not None:
            return store.facts(content), store.shapes(content)
        one = languages.read(files[path][1], read[path])
        return opened(one.facts), shapes_of(one.shapes)

    total = sum(worth(path, blob) for path, (blob, _) in files.items()) % (1 << 256)
    return Side(f"{name} ({total:064x}"[: len(name) + 18] + ")", files, said)


def _small(language: str, data: bytes) -> bool:
    return len(data) <= (LARGEST_TEXT if language in TEXTS else LARGEST)
