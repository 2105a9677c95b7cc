"""Pieces of code that show how it is done: calls of what is called here, the same method elsewhere,
tests.

They are text with lines, out of other files of the repository. Few files are looked at, whatever
its size.
"""

from __future__ import annotations

from collections.abc import Iterator

from codewright.repo.around import Around
from codewright.repo.faces import cut
from codewright.repo.facts import Binding, Flag, Use
from codewright.repo.index import Index
from codewright.repo.lookup import Lookup
from codewright.repo.passages import Item, Sight
from codewright.repo.places import Place
from codewright.repo.unpacked import chosen

FILES = 6
"""Files in which examples are looked for."""
CALLS = 4
"""Calls of one name that are shown at most."""
AROUND = 2
"""Lines that are shown behind the first one of a call."""


def examples(index: Index, lookup: Lookup, sight: Sight, here: Around) -> Iterator[Item]:
    """Yields what shows how it is done at a cursor."""
    for depth, dotted in enumerate(here.called[:2]):
        yield from _calls(index, sight, here, dotted.rpartition(".")[2], 0.5 / (1 + depth))
        yield from _called(lookup, here, dotted, 0.95 / (1 + depth))
    yield from _siblings(index, lookup, here)
    yield from _tests(index, here)


def _called(lookup: Lookup, here: Around, dotted: str, chance: float) -> Iterator[Item]:
    """What is being called: it is needed, by what stands before the cursor."""
    first, _, rest = dotted.partition(".")
    for path in here.space.bound.get(first, ()):
        full = f"{path}.{rest}" if rest else path
        for step in lookup.imported(full, here.path).steps[:1]:
            yield from _shown(lookup, step.place, "call", "its arguments stand here", chance)
            for inner in lookup.attribute(step.place, "__init__").steps[:1]:
                yield from _shown(lookup, inner.place, "call", "its arguments stand here", chance)


def _shown(lookup: Lookup, place: Place, kind: str, why: str, chance: float) -> Iterator[Item]:
    if not place.ordinal or place.path.endswith("/"):
        return
    definition = lookup.space(place.path).definitions[place.ordinal]
    yield Item(
        path=place.path,
        ordinal=place.ordinal,
        first=definition.first,
        last=definition.end,
        kind=kind,
        why=why,
        confidence=chance,
        worth=(("signature", 1.0), ("head", 1.2), ("whole", 1.8)),
    )


def _calls(index: Index, sight: Sight, here: Around, name: str, chance: float) -> Iterator[Item]:
    """Calls of a name in other files."""
    shown = 0
    for file in index.mentioning(name)[: FILES * 4]:
        if file.path == here.path or shown >= CALLS:
            continue
        facts = index.facts(file.content)
        lines = sight.lines(file.path)
        if lines is None:
            continue
        for reference in chosen(facts.references, names=(name,), use=Use.CALL):
            last = min(reference.line + AROUND, len(lines))
            text = "\n".join(cut(line) for line in lines[reference.line - 1 : last])
            shown += 1
            yield Item(
                path=file.path,
                first=reference.line,
                last=last,
                kind="usage",
                why=f"calls {name}",
                confidence=chance / shown,
                worth=(("whole", 0.6),),
                text=text,
            )
            break


def _siblings(index: Index, lookup: Lookup, here: Around) -> Iterator[Item]:
    """The method of this name in classes with the same base."""
    if not here.owner or here.owner == here.scope:
        return
    name = here.facts.definitions[here.scope].name
    for base in here.space.bases.get(here.owner, ())[:2]:
        shown = 0
        for file in index.mentioning(base.name)[: FILES * 4]:
            if file.path == here.path or shown >= 2:
                continue
            space = lookup.space(file.path)
            for owner, bases in space.bases.items():
                ordinals = space.named(owner, name)
                if ordinals and any(each.name == base.name for each in bases):
                    shown += 1
                    why = f"{name} of another {base.name}"
                    place = Place(file.path, ordinals[0])
                    yield from _shown(lookup, place, "sibling", why, 0.12 / shown)
                    break


def _tests(index: Index, here: Around) -> Iterator[Item]:
    """Tests that name the function or class around the cursor."""
    shown = 0
    for ordinal in dict.fromkeys((here.scope, here.owner)):
        if not ordinal:
            continue
        name = here.facts.definitions[ordinal].name
        if name.startswith("__"):
            continue
        for file in index.mentioning(name)[: FILES * 4]:
            if file.path == here.path or shown >= 2 or "test" not in file.path:
                continue
            facts = index.facts(file.content)
            for reference in chosen(facts.references, names=(name,)):
                scope = facts.definitions[reference.scope]
                if scope.flags & Flag.TEST and reference.binding in (
                    Binding.IMPORT,
                    Binding.LOCAL,
                    Binding.UNKNOWN,
                ):
                    shown += 1
                    yield Item(
                        path=file.path,
                        ordinal=reference.scope,
                        first=scope.first,
                        last=scope.end,
                        kind="test",
                        why=f"tests {name}",
                        confidence=0.1 / shown,
                        worth=(("whole", 1.0),),
                    )
                    break
