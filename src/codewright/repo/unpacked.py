"""Facts out of few bytes, no more of them than is asked for (`packed.py` has the format).

    unpack(blob) -> Facts, whose sequences are read when first looked at
    chosen(facts.references, names=…) -> some references, read without the others

Numbers are read as columns, for all rows at once, and rows are made of them at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from codewright.repo.facts import Binding, Definition, Facts, Import, Kind, Reference, Use
from codewright.repo.packed import VERSION

SHORT = 100
"""Bytes that are read faster one by one."""

T = TypeVar("T")
Numbers = npt.NDArray[np.int64]


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


def unzigzag(value: int) -> int:
    """Returns the number that `zigzag` was given."""
    return -((value + 1) >> 1) if value & 1 else value >> 1


def numbers(data: bytes | memoryview) -> list[int]:
    """Returns all varints in some bytes."""
    return _numbers(data) if len(data) < SHORT else _array(data).tolist()


def _array(data: bytes | memoryview) -> Numbers:
    """Returns all varints in some bytes, int64."""
    if len(data) < SHORT:
        return np.array(_numbers(data), np.int64)
    bytes_ = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(bytes_ < 128)
    if len(ends) == len(bytes_):
        return bytes_.astype(np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if int(sizes.max()) > 8:
        return np.array(_numbers(data), np.int64)  # more than 56 bits
    shifts = (np.arange(int(ends[-1]) + 1) - np.repeat(starts, sizes)) * 7
    values = (bytes_[: int(ends[-1]) + 1] & 127).astype(np.int64) << shifts
    found: Numbers = np.add.reduceat(values, starts)
    return found


def _signed(values: Numbers) -> Numbers:
    """Returns what `unzigzag` does, of all."""
    found: Numbers = (values >> 1) ^ -(values & 1)
    return found


def _columns(values: Numbers, width: int, longer: Callable[[int], int]) -> list[Numbers]:
    """Returns rows of numbers as columns, and where each row begins as the last of them.

    Args:
        values: the rows, one behind the other.
        width: of a row, at least.
        longer: how many more a row has that begins at a place.
    """
    starts, at, end = [], 0, len(values)
    while at < end:
        starts.append(at)
        at += width + longer(at)
    rows = np.array(starts, np.int64)
    return [*(values[rows + at] for at in range(width)), rows]


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


def readable(blob: bytes) -> bool:
    """Says whether a blob is of this version of the format."""
    return blob[:1] == bytes((VERSION,))


# Made of what is in order already, which is several times as quick as by their names.
_definition = cast("Callable[[tuple[object, ...]], Definition]", partial(tuple.__new__, Definition))
_reference = cast("Callable[[tuple[object, ...]], Reference]", partial(tuple.__new__, Reference))


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
        self._columns: list[Numbers] | None = None

    @property
    def strings(self) -> list[str]:
        """All strings."""
        if self._strings is None:
            ends = list(accumulate(numbers(self.sizes), initial=0))
            texts = bytes(self.texts)
            if texts.isascii():
                whole = texts.decode("ascii")
                self._strings = [whole[first:last] for first, last in pairwise(ends)]
            else:
                self._strings = [
                    texts[first:last].decode("utf-8", "surrogatepass")
                    for first, last in pairwise(ends)
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
        strings, kinds, values = self.strings, list(Kind), _array(self.definitions)
        flat = values.tolist()
        columns = _columns(values, 14, lambda at: flat[at + 13])
        name, kind, parent, first, line, column, end, body, doc, doc_end = columns[:10]
        signature, written, flags, decorators, rows = columns[10:]
        firsts = np.cumsum(_signed(first))
        lines = firsts + _signed(line)
        bodies = lines + _signed(body)
        docs = bodies + _signed(doc)
        of = strings.__getitem__
        found = zip(
            map(of, name.tolist()),
            map(kinds.__getitem__, kind.tolist()),
            (np.arange(len(rows)) - _signed(parent)).tolist(),
            lines.tolist(),
            _signed(column).tolist(),
            firsts.tolist(),
            (firsts + _signed(end)).tolist(),
            bodies.tolist(),
            docs.tolist(),
            (docs + _signed(doc_end)).tolist(),
            map(of, signature.tolist()),
            map(of, written.tolist()),
            [
                tuple([strings[each] for each in flat[at + 14 : at + 14 + count]]) if count else ()
                for at, count in zip(rows.tolist(), decorators.tolist(), strict=True)
            ],
            flags.tolist(),
            strict=True,
        )
        return list(map(_definition, found))

    @property
    def columns(self) -> list[Numbers]:
        """The references as columns.

        Path, own name (a string, or -1 for the path's last), use, binding, guess, line, column,
        scope.
        """
        if self._columns is None:
            values = _array(self.references)
            if len(values) == 4 * self.reference_count:
                target, place, column, scope = values.reshape(-1, 4).T
                named = np.full(len(target), -1)
            else:
                flat = values.tolist()
                *_, rows = _columns(values, 4, lambda at: flat[at] >> 4 & 1)
                target = values[rows]
                own = target >> 4 & 1
                named = np.where(own == 1, values[rows + 1], -1)
                place, column, scope = (values[rows + own + at] for at in (1, 2, 3))
            lines, scopes = np.cumsum(_signed(place >> 3)), np.cumsum(_signed(scope))
            self._columns = [
                *(target >> 5, named, place & 7, target & 7, target >> 3 & 1),
                *(lines, column, scopes),
            ]
        return self._columns

    def last_names(self) -> Numbers:
        """Returns the string of each reference's name."""
        path, own, *_ = self.columns
        ends = np.concatenate(([-1], _array(self.paths)[1::2]))
        return np.where(own < 0, ends[path], own)

    def _some(self, wanted: list[int]) -> Mapping[int, tuple[str, str]]:
        """Returns some paths, each with its last name."""
        strings, values = self.strings, numbers(self.paths)
        found = {0: ("", "")}
        for number in wanted:
            way = []
            while number not in found:
                way.append(number)
                number = values[2 * number - 2]
            for each in reversed(way):
                name = strings[values[2 * each - 1]]
                above = found[values[2 * each - 2]][0]
                found[each] = (f"{above}.{name}" if values[2 * each - 2] else name, name)
        return found

    def read_references(self, rows: Numbers | None = None) -> list[Reference]:
        """Returns the references, or some of them."""
        columns = self.columns if rows is None else [each[rows] for each in self.columns]
        path, own, use, binding, guess, line, column, scope = (each.tolist() for each in columns)
        strings = self.strings
        dotted = self.dotted if rows is None else self._some(path)
        uses, bindings = list(Use), list(Binding)
        found = zip(
            [dotted[at][1] if name < 0 else strings[name]
             for at, name in zip(path, own, strict=True)],
            [dotted[at][0] for at in path],
            map(uses.__getitem__, use),
            map(bindings.__getitem__, binding),
            map(bool, guess),
            *(line, column, scope),
            strict=True,
        )  # fmt: skip
        return list(map(_reference, found))

    def read_imports(self) -> list[Import]:
        strings, found, line = self.strings, [], 0
        rest = iter(numbers(self.imports))
        for above in rest:
            line += unzigzag(above)
            scope, module, name, alias = next(rest), next(rest), next(rest), next(rest)
            found.append(Import(line, scope, strings[module], strings[name], strings[alias]))
        return found


class References(Lazy[Reference]):
    """References of which some can be had without the others."""

    __slots__ = ("_blob",)

    def __init__(self, blob: _Blob) -> None:
        super().__init__(blob.reference_count, blob.read_references)
        self._blob = blob

    def where(
        self, use: Use | None, binding: Binding | None, names: Collection[str] | None
    ) -> list[Reference]:
        """Returns those with a use, a binding, and one of some names, where these are given."""
        path, _, uses, bindings, *_ = self._blob.columns
        keep = np.ones(len(path), bool)
        if use is not None:
            keep &= uses == use
        if binding is not None:
            keep &= bindings == binding
        if names is not None:
            ids = [at for at, each in enumerate(self._blob.strings) if each in names]
            keep &= np.isin(self._blob.last_names(), ids)
        rows = np.flatnonzero(keep)
        return self._blob.read_references(rows) if len(rows) else []

    def names(self) -> frozenset[str]:
        """Returns the names of all."""
        strings = self._blob.strings
        return frozenset([strings[at] for at in set(self._blob.last_names().tolist())])


def chosen(
    references: Sequence[Reference],
    *,
    use: Use | None = None,
    binding: Binding | None = None,
    names: Collection[str] | None = None,
) -> Sequence[Reference]:
    """Returns the references with a use, a binding, and one of some names, where these are given.

    Of packed ones only these are read.
    """
    if isinstance(references, References):
        return references.where(use, binding, names)
    return [
        each
        for each in references
        if (use is None or each.use == use)
        and (binding is None or each.binding == binding)
        and (names is None or each.name in names)
    ]


def names_of(references: Sequence[Reference]) -> frozenset[str]:
    """Returns the last names of references."""
    if isinstance(references, References):
        return references.names()
    return frozenset([each.name for each in references])


def unpack(blob: bytes) -> Facts:
    """Returns the facts that were packed."""
    read = _Blob(blob)
    return Facts(
        language=read.strings[read.language],
        lines=read.lines,
        definitions=Lazy(read.definition_count, read.read_definitions),
        references=References(read),
        imports=Lazy(read.import_count, read.read_imports),
        error=read.strings[read.error],
    )
