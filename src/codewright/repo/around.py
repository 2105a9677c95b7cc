"""What the open file says around a cursor: its names, its scopes, the words nearby.

The file is taken as the editor has it. Where a cursor stands in the middle of a statement the text
is no program; then a name is put in its place, and what was known of the file last stands in where
that does not help. Nothing here looks into other files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from codewright.repo.facts import Facts, Kind, Reference
from codewright.repo.said import NAME, Names, Said
from codewright.repo.spaces import Space

Read = Callable[[str, bytes], Facts]
"""Reads a content as the language of a path: `facts` of the extractor that fits."""

HOLE = "_codewright_hole_"
"""Stands where the cursor is, so that what is around it is a program."""
NEAR = 12
"""Lines before the cursor, and half as many behind it, whose words count as near."""
WINDOW = 120_000
"""Characters on either side of the cursor in which names are counted."""
_SIGN = re.compile(r"[()\[\]{}\n]")
_CALLED = re.compile(r"[^\W\d][\w.]*$")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SCOPES = frozenset((Kind.CLASS, Kind.FUNCTION, Kind.METHOD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A cursor and what stands around it.

    scope, owner: the innermost definition and the class around it, 0 where there is none. counts:
    how often each name stands in the file. head, tail: the cursor's line up to it, and behind it.
    near: the words of the lines nearby, each with a weight that falls with the distance. called:
    the dotted names of the calls in whose arguments the cursor stands, the innermost first. text:
    what is near enough to count.
    """

    path: str
    facts: Facts
    space: Space
    line: int
    scope: int
    owner: int
    counts: Names
    head: str
    tail: str
    near: dict[str, float]
    called: tuple[str, ...]
    text: str

    def span(self, ordinal: int) -> tuple[int, int]:
        """Returns the lines of a definition of the file."""
        definition = self.facts.definitions[ordinal]
        return (definition.first, definition.end) if ordinal else (1, self.facts.lines)

    def inside(self, reference: Reference, ordinal: int) -> bool:
        """Tells whether a reference stands in a definition of the file."""
        first, last = self.span(ordinal)
        return first <= reference.line <= last


def around(
    read: Read, path: str, before: str, after: str, known: Facts | None, said: Said | None = None
) -> Around:
    """Returns what stands around a cursor.

    Args:
        read: reads the text.
        path: of the file.
        before, after: its text.
        known: what is known of it from before, for where the text is no program.
        said: remembers the names of texts that were asked about before.
    """
    facts = _facts(read, path, before, after, known)
    line = before.count("\n") + 1
    scope = _scope(facts, line, before.rpartition("\n")[2])
    space = Space(facts)
    text = f"{before[-WINDOW:]} {after[:WINDOW]}"
    head, tail = before.rpartition("\n")[2], after.partition("\n")[0]
    return Around(
        path=path,
        facts=facts,
        space=space,
        line=line,
        scope=scope,
        owner=space.owner(scope),
        counts=(said or Said()).of(text),
        head=head,
        tail=tail,
        near=_near(before, after),
        called=_called(before),
        text=text,
    )


def parts(name: str) -> list[str]:
    """Returns the words of a name in lower case: `getHTTPServer_2` is get, http, server, 2."""
    return [part.lower() for part in _PART.findall(name)]


@lru_cache(maxsize=1 << 14)
def words(name: str) -> tuple[str, ...]:
    """Returns the words of a name, as `parts` does: a repository says the same again and again."""
    return tuple(parts(name))


def names(text: str) -> list[str]:
    """Returns the names that a text says, in order."""
    return NAME.findall(text)


def _facts(read: Read, path: str, before: str, after: str, known: Facts | None) -> Facts:
    first: Facts | None = None
    for text in (f"{before}{HOLE}{after}", f"{before}{after}"):
        facts = read(path, text.encode("utf-8", "replace"))
        if not facts.error:
            return facts
        first = first or facts
    assert first is not None
    if known is not None and len(known.definitions) > len(first.definitions):
        return known
    return first


def _scope(facts: Facts, line: int, head: str) -> int:
    """Returns the innermost class or function whose lines hold one."""
    indent = len(head) - len(head.lstrip()) if head.strip() else len(head)
    found = 0
    for ordinal, definition in enumerate(facts.definitions):
        if ordinal and definition.kind in _SCOPES and definition.first <= line:
            # An empty line at the end of a block is in it if it is indented as the block is.
            ended = definition.end < line
            if not ended or (definition.end == line - 1 and indent > definition.column):
                found = ordinal
    return found


def _near(before: str, after: str) -> dict[str, float]:
    found: dict[str, float] = {}
    lines = before.split("\n")[-NEAR:][::-1]
    for distance, line in enumerate(lines):
        _weigh(found, line, 1.0 / (1 + distance / 3))
    for distance, line in enumerate(after.split("\n")[: NEAR // 2]):
        _weigh(found, line, 0.8 / (1 + distance / 2))
    return found


def _weigh(found: dict[str, float], line: str, weight: float) -> None:
    for name in NAME.findall(line):
        for part in words(name):
            if len(part) > 1 and found.get(part, 0.0) < weight:
                found[part] = weight


def _called(before: str) -> tuple[str, ...]:
    """Returns the calls that are open at the end of a text: those whose brackets do not close."""
    text = before[-4000:]
    depth, found = 0, []
    for place in [each.start() for each in _SIGN.finditer(text)][::-1]:
        sign = text[place]
        if sign in ")]}":
            depth += 1
        elif sign != "\n":
            if depth:
                depth -= 1
                continue
            name = _CALLED.search(text[max(0, place - 120) : place])
            if sign == "(" and name and not _defined(text[:place], name[0]):
                found.append(name[0])
        elif depth == 0 and _flush(text, place):
            break
    return tuple(found)


def _flush(text: str, place: int) -> bool:
    """Tells whether the line behind a place begins at the margin: no call goes on over one."""
    following: Sequence[str] = text[place + 1 : place + 2]
    return bool(following) and not str(following).isspace() and following not in (")", "]", "}")


def _defined(text: str, name: str) -> bool:
    head = text[: len(text) - len(name)].rpartition("\n")[2].split()
    return bool(head) and head[-1] in ("def", "class")
