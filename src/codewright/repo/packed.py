"""Facts in few bytes, exactly; `unpacked.py` is the way back.

    pack(facts) -> bytes

A blob is a version, a head of numbers (varints), and sections: strings (their lengths, then their
bytes), paths (each one a path before it and one string more), definitions, references, imports.
Numbers that follow each other are stored as differences. The scanner writes the same format
without Python; blobs of equal facts need not be equal. A blob is trusted: the store checks what it
reads, not this.
"""

from __future__ import annotations

from collections.abc import Sequence

from codewright.repo.facts import Definition, Facts, Import, Reference

VERSION = 1
"""Of the format; a blob of another one cannot be read, and its content has to be scanned again."""


class Writer:
    """Bytes of varints."""

    def __init__(self) -> None:
        self.out = bytearray()

    def number(self, value: int) -> None:
        """Writes a number from 0 up, seven bits a byte, the lowest first."""
        while value > 127:
            self.out.append(value & 127 | 128)
            value >>= 7
        self.out.append(value)

    def signed(self, value: int) -> None:
        """Writes a number of either sign."""
        self.number(zigzag(value))


def zigzag(value: int) -> int:
    """Returns a number from 0 up for one of either sign, small for small ones."""
    return value << 1 if value >= 0 else (-value << 1) - 1


class _Tables:
    """The strings and paths of a blob that is being written."""

    def __init__(self) -> None:
        self.strings: dict[str, int] = {}
        self.paths: dict[tuple[int, int], int] = {}

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def path(self, text: str) -> int:
        """Returns a path's number, from 1: 0 is before its first name."""
        number = 0
        for name in text.split("."):
            number = self.paths.setdefault((number, self.string(name)), len(self.paths) + 1)
        return number


def pack(facts: Facts) -> bytes:
    """Returns facts as bytes."""
    tables = _Tables()
    language, error = tables.string(facts.language), tables.string(facts.error)
    bodies = [
        _definitions(facts.definitions, tables),
        _references(facts.references, tables),
        _imports(facts.imports, tables),
    ]
    paths = Writer()
    for before, name in tables.paths:
        paths.number(before)
        paths.number(name)
    texts = [text.encode("utf-8", "surrogatepass") for text in tables.strings]
    sizes = Writer()
    for encoded in texts:
        sizes.number(len(encoded))
    head = Writer()
    for value in (
        *(facts.lines, language, error, len(texts), len(sizes.out), sum(map(len, texts))),
        *(len(paths.out), len(facts.definitions), len(bodies[0])),
        *(len(facts.references), len(bodies[1]), len(facts.imports), len(bodies[2])),
    ):
        head.number(value)
    start = bytes((VERSION, len(head.out)))
    return b"".join((start, head.out, sizes.out, *texts, paths.out, *bodies))


def _definitions(definitions: Sequence[Definition], tables: _Tables) -> bytes:
    out = Writer()
    above = 0
    for ordinal, one in enumerate(definitions):
        out.number(tables.string(one.name))
        out.number(one.kind)
        out.signed(ordinal - one.parent)
        out.signed(one.first - above)
        above = one.first
        for value, near in (
            *((one.line, one.first), (one.column, 0), (one.end, one.first)),
            *((one.body, one.line), (one.doc, one.body), (one.doc_end, one.doc)),
        ):
            out.signed(value - near)
        out.number(tables.string(one.signature))
        out.number(tables.string(one.type))
        out.number(one.flags)
        out.number(len(one.decorators))
        for each in one.decorators:
            out.number(tables.string(each))
    return bytes(out.out)


def _references(references: Sequence[Reference], tables: _Tables) -> bytes:
    out = Writer()
    above = scope = 0
    for one in references:
        own = one.name != one.path.rpartition(".")[2]
        target = tables.path(one.path) << 1 | own
        out.number((target << 1 | one.guess) << 3 | one.binding)
        if own:
            out.number(tables.string(one.name))
        out.number(zigzag(one.line - above) << 3 | one.use)
        out.number(one.column)
        out.signed(one.scope - scope)
        above, scope = one.line, one.scope
    return bytes(out.out)


def _imports(imports: Sequence[Import], tables: _Tables) -> bytes:
    out = Writer()
    above = 0
    for one in imports:
        out.signed(one.line - above)
        out.number(one.scope)
        for text in (one.module, one.name, one.alias):
            out.number(tables.string(text))
        above = one.line
    return bytes(out.out)
