"""Facts in few bytes, and back: exactly, and no more of them than is asked for.

    pack(facts) -> bytes; unpack(blob) -> Facts, whose sequences are read when first looked at

A blob is a version, a head of numbers (varints), and sections: strings (their lengths, then their
bytes), paths (each one a path before it and one string more), definitions, references, imports.
Numbers that follow each other are stored as differences. The scanner writes the same format
without Python; blobs of equal facts need not be equal. A blob is trusted: the store checks what it
reads, not this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TypeVar, overload

import numpy as np

from codewright.repo.facts import Binding, Definition, Facts, Import, Kind, Reference, Use

VERSION = 1
"""Of the format; a blob of another one cannot be read, and its content has to be scanned again."""

SHORT = 100
"""Bytes that are read faster one by one."""

T = TypeVar("T")


class Lazy(Sequence[T]):
    """A sequence that is made when something of it is asked for, but for its length."""

    __slots__ = ("_items", "_make", "_size")

    def __init__(self, size: int, make: Callable[[], list[T]]) -> None:
        self._size = size
        self._make = make
        self._items: list[T] | None = None

    def _all(self) -> list[T]:
        if self._items is None:
            self._items = self._make()
        return self._items

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._all()[index]

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._all()))

    def __repr__(self) -> str:
        return repr(self._all())


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


def unzigzag(value: int) -> int:
    """Returns the number that `zigzag` was given."""
    return -((value + 1) >> 1) if value & 1 else value >> 1


def numbers(data: bytes | memoryview) -> list[int]:
    """Returns all varints in some bytes."""
    if len(data) < SHORT:
        return _numbers(data)
    bytes_ = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(bytes_ < 128)
    if len(ends) == len(bytes_):
        return list(data)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if int(sizes.max()) > 8:
        return _numbers(data)  # more than 56 bits
    shifts = (np.arange(int(ends[-1]) + 1) - np.repeat(starts, sizes)) * 7
    values = (bytes_[: int(ends[-1]) + 1] & 127).astype(np.int64) << shifts
    found: list[int] = np.add.reduceat(values, starts).tolist()
    return found


def _numbers(data: bytes | memoryview) -> list[int]:
    found = []
    value = shift = 0
    for byte in data:
        if byte < 128:
            found.append(value | byte << shift)
            value = shift = 0
        else:
            value |= (byte & 127) << shift
            shift += 7
    return found


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


def readable(blob: bytes) -> bool:
    """Says whether a blob is of this version of the format."""
    return blob[:1] == bytes((VERSION,))


class _Blob:
    """A blob that is being read."""

    def __init__(self, blob: bytes) -> None:
        assert readable(blob), "a blob of another version"
        start = 2 + blob[1]
        head = numbers(blob[2:start])
        self.lines, self.language, self.error, self.count, sizes, texts = head[:6]
        paths, self.definition_count, definitions = head[6:9]
        self.reference_count, references, self.import_count, imports = head[9:]
        view = memoryview(blob)
        ends = list(
            accumulate((sizes, texts, paths, definitions, references, imports), initial=start)
        )
        parts = [view[first:last] for first, last in pairwise(ends)]
        self.sizes, self.texts, self.paths, self.definitions, self.references, self.imports = parts
        self._strings: list[str] | None = None
        self._paths: list[tuple[str, str]] | None = None

    @property
    def strings(self) -> list[str]:
        """All strings."""
        if self._strings is None:
            ends = list(accumulate(numbers(self.sizes), initial=0))
            texts = bytes(self.texts)
            self._strings = [
                texts[first:last].decode("utf-8", "surrogatepass") for first, last in pairwise(ends)
            ]
        return self._strings

    @property
    def dotted(self) -> list[tuple[str, str]]:
        """All paths, each with its last name."""
        if self._paths is None:
            strings, values = self.strings, numbers(self.paths)
            found = [("", "")]
            for before, place in zip(values[::2], values[1::2], strict=True):
                name = strings[place]
                found.append((f"{found[before][0]}.{name}" if before else name, name))
            self._paths = found
        return self._paths

    def read_definitions(self) -> list[Definition]:
        strings, kinds, found, above = self.strings, list(Kind), [], 0
        rest = iter(numbers(self.definitions))
        for ordinal in range(self.definition_count):
            name, kind = strings[next(rest)], kinds[next(rest)]
            parent = ordinal - unzigzag(next(rest))
            above += unzigzag(next(rest))
            line, column, end = above + unzigzag(next(rest)), unzigzag(next(rest)), next(rest)
            body = line + unzigzag(next(rest))
            doc = body + unzigzag(next(rest))
            doc_end = doc + unzigzag(next(rest))
            signature, written, flags = strings[next(rest)], strings[next(rest)], next(rest)
            decorators = tuple(strings[next(rest)] for _ in range(next(rest)))
            where = (line, column, above, above + unzigzag(end), body, doc, doc_end)
            found.append(
                Definition(name, kind, parent, *where, signature, written, decorators, flags)
            )
        return found

    def read_references(self) -> list[Reference]:
        strings, dotted, found = self.strings, self.dotted, []
        line = scope = 0
        uses, bindings = list(Use), list(Binding)
        rest = iter(numbers(self.references))
        for target in rest:
            path, name = dotted[target >> 5]
            if target & 16:
                name = strings[next(rest)]
            place, column = next(rest), next(rest)
            line += unzigzag(place >> 3)
            scope += unzigzag(next(rest))
            guess = bool(target & 8)
            use, binding = uses[place & 7], bindings[target & 7]
            found.append(Reference(name, path, use, binding, guess, line, column, scope))
        return found

    def read_imports(self) -> list[Import]:
        strings, found, line = self.strings, [], 0
        rest = iter(numbers(self.imports))
        for above in rest:
            line += unzigzag(above)
            scope, module, name, alias = next(rest), next(rest), next(rest), next(rest)
            found.append(Import(line, scope, strings[module], strings[name], strings[alias]))
        return found


def unpack(blob: bytes) -> Facts:
    """Returns the facts that were packed."""
    read = _Blob(blob)
    return Facts(
        language=read.strings[read.language],
        lines=read.lines,
        definitions=Lazy(read.definition_count, read.read_definitions),
        references=Lazy(read.reference_count, read.read_references),
        imports=Lazy(read.import_count, read.read_imports),
        error=read.strings[read.error],
    )
