"""Cuts a content into the pieces that are searched, at the borders of its syntax.

    pieces(facts, data)

A piece is a function, a class without its functions, what a module has between them, or a section
of a text. Every line of the content is in exactly one piece, and pieces stand in the order of
their lines. What is longer than `LONGEST` lines is cut where the text pauses. Which words a piece
has is `words.py`'s; nothing here is known of other contents, nor of the path.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from codewright.repo.facts import Definition, Facts, Kind

LONGEST = 80
"""Lines of a piece."""
_SHORTEST = 30
"""Lines of a piece that was cut off from a longer one."""
_MOST = 1 << 16
"""Bytes of a piece that are read for words: one line may be a whole program."""

_OWN = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.MACRO})
_HOLDING = frozenset(
    {Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT, Kind.NAMESPACE}
)
PROSE = frozenset({"markdown", "rst", "text"})
"""Languages that have headings and paragraphs and no definitions."""

_HEADING = re.compile(rb" {0,3}(#{1,6})[ \t]+(\S.*)")
_FENCE = re.compile(rb" {0,3}(```|~~~)")
_UNDERLINE = re.compile(rb"([=\-~^\"'`#*+.])\1{2,}[ \t]*$")
_EMPTY = re.compile(rb"[\s{}()\[\];,]*$")
_REMARK = re.compile(rb"[ \t]*(#|//|/\*|\*|--|;;)")
_GOES_ON = re.compile(rb"[ \t]*([)\]}]|(else|elif|except|finally|catch|case|default)\b)")


class Piece(NamedTuple):
    """One piece that is searched: a function, the head of a class, what is left of a module.

    ordinal: the definition that it belongs to. first, last: its lines. named: its qualified name;
    head: its signature and docstring; body: the rest, all of them as text.
    """

    ordinal: int
    first: int
    last: int
    named: bytes
    head: bytes
    body: bytes


class _Stretch(NamedTuple):
    """Lines that belong together.

    owner: the definition they are of. named: what they are called beside its name.
    """

    owner: int
    first: int
    last: int
    named: tuple[str, ...] = ()


def pieces(facts: Facts, data: bytes) -> Sequence[Piece]:
    """Returns the pieces in their order; none for a content without lines."""
    lines = split(data)
    prose = facts.language in PROSE
    definitions = list(facts.definitions)
    stretches = _sections(lines) if prose else _code(definitions, lines)
    members = sorted(
        (each.line, ordinal)
        for ordinal, each in enumerate(definitions)
        if ordinal and not prose and each.kind not in _OWN and each.kind not in _HOLDING
    )
    names = _qualified(definitions)
    return [
        _piece(definitions, names, lines, piece, members)
        for stretch in stretches
        for piece in _cut(stretch, lines)
    ]


def _qualified(definitions: Sequence[Definition]) -> Sequence[str]:
    """Returns `Facts.qualified` of each."""
    names: list[str] = []
    for ordinal, each in enumerate(definitions):
        above = names[each.parent] if 0 < each.parent < ordinal else ""
        names.append(f"{above}.{each.name}" if above else each.name)
    return names


def _piece(
    definitions: Sequence[Definition],
    names: Sequence[str],
    lines: Sequence[bytes],
    piece: _Stretch,
    members: Sequence[tuple[int, int]],
) -> Piece:
    owner, first, last, named = piece
    ordinal = owner
    near = members[bisect(members, (first,)) : bisect(members, (last + 1,))]
    inside = [each for _, each in near if definitions[each].parent == owner]
    if len(inside) == 1 and not (ordinal and first <= definitions[ordinal].line <= last):
        ordinal = inside[0]
    head: list[bytes] = []
    told: set[int] = set()
    for each in (owner,) if ordinal == owner else (owner, ordinal):
        one = definitions[each]
        if each and first <= one.line <= last:
            head.append(one.signature.encode("utf-8", "replace"))
            # Remarks may stand between a head and the first statement.
            above = range(one.line, min(one.body, len(lines) + 1))
            told.update(n for n in above if not _REMARK.match(lines[n - 1]))
        if one.doc and first <= one.doc <= last:
            until = min(one.doc_end, last)
            head += lines[one.doc - 1 : until]
            told.update(range(one.doc, until + 1))
    rest = lines[first - 1 : last]
    if told:
        rest = [line for number, line in enumerate(rest, first) if number not in told]
    return Piece(
        ordinal,
        first,
        last,
        " ".join((*named, names[ordinal])).encode("utf-8", "replace"),
        b"\n".join(head)[:_MOST],
        b"\n".join(rest)[:_MOST],
    )


def split(data: bytes) -> Sequence[bytes]:
    """Returns the lines of a content without their ends, counted as `ast` does."""
    return data.splitlines()  # of bytes: \n, \r and \r\n alone


def _code(definitions: Sequence[Definition], lines: Sequence[bytes]) -> Sequence[_Stretch]:
    """Returns the lines in runs of one owner, the innermost that has lines of its own."""
    owners = [0] * len(lines)
    for ordinal, each in enumerate(definitions):
        if ordinal and (each.kind in _OWN or each.kind in _HOLDING):
            first = min(each.first, each.doc or each.first)
            first, last = max(first, 1), min(each.end, len(lines))
            if first <= last:
                owners[first - 1 : last] = [ordinal] * (last - first + 1)
    runs: list[_Stretch] = []
    begin = 0
    for end in [*_changes(owners), len(owners)]:
        if begin < end:
            runs.append(_Stretch(owners[begin], begin + 1, end))
        begin = end
    return _settled(runs, lines)


def _changes(owners: Sequence[int]) -> Iterator[int]:
    return (at for at in range(1, len(owners)) if owners[at] != owners[at - 1])


def _settled(runs: Sequence[_Stretch], lines: Sequence[bytes]) -> Sequence[_Stretch]:
    """Gives remarks to the definition that follows them, and empty lines to what they follow."""
    done: list[_Stretch] = []
    begin = 1
    for at, run in enumerate(runs):
        last = run.last
        if at + 1 < len(runs):
            while last >= run.first and _REMARK.match(lines[last - 1]):
                last -= 1
        nothing = begin  # the first line from here on that is not empty
        while nothing <= last and _EMPTY.match(lines[nothing - 1]):
            nothing += 1
        remarks = all(
            _EMPTY.match(line) or _REMARK.match(line) for line in lines[nothing - 1 : last]
        )
        if done:
            done[-1] = _Stretch(done[-1].owner, done[-1].first, nothing - 1)
            begin = nothing
        if nothing > last or (remarks and done and at + 1 < len(runs)):
            continue
        done.append(_Stretch(run.owner, begin, last))
        begin = last + 1
    if begin <= len(lines):
        if done:
            done[-1] = _Stretch(done[-1].owner, done[-1].first, len(lines))
        else:
            done.append(_Stretch(0, begin, len(lines)))
    return done


def _sections(lines: Sequence[bytes]) -> Sequence[_Stretch]:
    """Returns a text in sections, each named by its heading and those above it."""
    found: list[_Stretch] = []
    above: list[tuple[int, str]] = []
    begin = 1
    for line, level, title in _headings(lines):
        if line > begin:
            found.append(_Stretch(0, begin, line - 1, tuple(each for _, each in above)))
        begin = line
        above = [each for each in above if each[0] < level]
        above.append((level, title))
    if begin <= len(lines):
        found.append(_Stretch(0, begin, len(lines), tuple(each for _, each in above)))
    return found


def _headings(lines: Sequence[bytes]) -> Iterator[tuple[int, int, str]]:
    """Yields line, level and title of each heading: `# …` outside of fences, or underlined."""
    fence = b""
    marks: list[bytes] = []
    for at, line in enumerate(lines):
        opened = _FENCE.match(line)
        if opened and (not fence or opened[1] == fence):
            fence = b"" if fence else opened[1]
        if fence:
            continue
        if heading := _HEADING.match(line):
            yield at + 1, len(heading[1]), _title(heading[2])
        elif at and _UNDERLINE.match(line) and 0 < len(lines[at - 1].strip()) <= len(line.rstrip()):
            if _UNDERLINE.match(lines[at - 1]) or (at > 1 and lines[at - 2].strip(b" =*#")):
                continue
            if line[:1] not in marks:
                marks.append(line[:1])
            yield at, marks.index(line[:1]) + 1, _title(lines[at - 1])


def _title(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip(" #\t")


def _cut(stretch: _Stretch, lines: Sequence[bytes]) -> Iterator[_Stretch]:
    """Yields a stretch in pieces, cut where the fewest blocks are open and best after a gap."""
    first = stretch.first
    while stretch.last - first >= LONGEST:
        latest = min(first + LONGEST, stretch.last - _SHORTEST + 1)
        at = min(range(latest, first + _SHORTEST - 1, -1), key=lambda line: _open(lines, line))
        yield _Stretch(stretch.owner, first, at - 1, stretch.named)
        first = at
    yield _Stretch(stretch.owner, first, stretch.last, stretch.named)


def _open(lines: Sequence[bytes], line: int) -> tuple[bool, int, bool]:
    """Orders the lines that a piece could begin with: the least is best."""
    text = lines[line - 1]
    bare = text.lstrip()
    after_gap = not lines[line - 2].strip()
    return (not bare or _GOES_ON.match(text) is not None, len(text) - len(bare), not after_gap)
