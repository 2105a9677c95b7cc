"""What a task in words is about: what a search finds for it, the names that it says, and what those
use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from codewright.repo.around import names
from codewright.repo.faces import cut
from codewright.repo.facts import Binding
from codewright.repo.index import Index
from codewright.repo.lookup import Lookup
from codewright.repo.passages import Item, Sight
from codewright.repo.places import Place
from codewright.repo.search import Hit
from codewright.repo.spaces import VALUES

MOST = 40
"""Hits that are taken of a search."""
USED = 6
"""Hits of which what they use is shown too."""
SECTION = 30
"""Lines of a piece that is no definition."""

LESS = 0.3
"""A variable's chance, as a share of a function's."""
EACH_LINE, MANY = 0.15, 60

Find = Callable[[str, int], Sequence[Hit]]
"""Finds for words, so many at most, best first."""


def found(
    index: Index, lookup: Lookup, sight: Sight, task: str, path: str, find: Find
) -> Iterator[Item]:
    """Yields what a task may need, but for the file at `path`."""
    yield from _named(index, lookup, task, path)
    hits = [hit for hit in find(task, MOST) if hit.file.path != path]
    for rank, hit in enumerate(hits):
        yield from _item(lookup, sight, hit, rank)
    for rank, hit in enumerate(hits[:USED]):
        yield from _used(lookup, hit, rank)


def _item(lookup: Lookup, sight: Sight, hit: Hit, rank: int) -> Iterator[Item]:
    chance = 0.6 / (1 + rank / 3)
    why = f"found by its words, place {rank + 1}"
    path = hit.file.path
    if hit.ordinal:
        yield _definition(lookup, Place(path, hit.ordinal), why, chance, 3.0)
        return
    lines = sight.lines(path)
    if lines is None:
        return
    last = min(hit.last, hit.first + SECTION - 1)
    yield Item(
        path=path,
        first=hit.first,
        last=last,
        kind="search",
        confidence=chance / 2,
        why=why,
        worth=(("whole", 2.0),),
        text="\n".join(cut(line) for line in lines[hit.first - 1 : last]),
    )


def _named(index: Index, lookup: Lookup, task: str, path: str) -> Iterator[Item]:
    """Definitions that the task names: in backquotes, or in a way that no word is written."""
    for name in dict.fromkeys(names(task)):
        plain = name[1:].lower() == name[1:] and "_" not in name and f"`{name}" not in task
        if len(name) < 3 or plain:
            continue
        for file, ordinal in index.defining(name, 3):
            if file.path != path:
                yield _definition(lookup, Place(file.path, ordinal), "named in the task", 0.8, 3.0)


def _used(lookup: Lookup, hit: Hit, rank: int) -> Iterator[Item]:
    """What a found piece uses of other files."""
    facts = lookup.index.facts(hit.file.content)
    seen: set[str] = set()
    for reference in facts.references:
        if not hit.first <= reference.line <= hit.last or reference.binding != Binding.IMPORT:
            continue
        if reference.path in seen:
            continue
        seen.add(reference.path)
        for step in lookup.imported(reference.path, hit.file.path).steps[:1]:
            if step.place.ordinal and not step.place.path.endswith("/"):
                why = f"used by {hit.qualified or hit.file.path}"
                yield _definition(lookup, step.place, why, 0.15 / (1 + rank), 1.2)


def _definition(lookup: Lookup, place: Place, why: str, chance: float, whole: float) -> Item:
    definition = lookup.space(place.path).definitions[place.ordinal]
    if definition.kind in VALUES:
        chance *= LESS
    else:  # who changes a thing has to read it: each line of it is worth something
        whole += EACH_LINE * min(MANY, definition.end - definition.first)
    return Item(
        path=place.path,
        ordinal=place.ordinal,
        first=definition.first,
        last=definition.end,
        kind="search",
        why=why,
        confidence=chance,
        worth=(("signature", 1.0), ("head", 1.2), ("whole", whole)),
    )
