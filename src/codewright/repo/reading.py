"""What the store keeps of one content, and how it is read out of the bytes.

A `Reader` gives everything at once, so that one that is written in C may do it in one pass;
`PlainReader` does it by an extractor, a cutter and a packer, step by step, and is what any other
reader has to agree with. Nothing here knows of paths or of the store.
"""

from __future__ import annotations

import threading
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol

from codewright.errors import MissingKernels
from codewright.repo.chunks import Piece, pieces
from codewright.repo.facts import Definition, Extractor, Facts
from codewright.repo.packed import pack
from codewright.repo.scanner import scan, words_between
from codewright.repo.sources import as_utf8
from codewright.repo.unpacked import unpack

BORDER = b"\x1f"
"""Stands between the words of a piece's name, head and body."""
END = b"\x1e"
"""Stands between pieces."""
QUICK = 1
"""zlib's level: a higher one takes twice as long for one part in twenty."""
_NO_BORDERS = bytes.maketrans(BORDER + END, b"  ")


Words = Callable[[bytes], str]


class Read(NamedTuple):
    """One content.

    facts: packed and sealed. defined: the names that it defines with their ordinals, without the
    module. mentioned: the last names of its references, each once. places: three int32 for each
    piece: ordinal, first and last line. words: each piece's, its three fields with `BORDER`
    between. shapes: one uint32 for each definition, see `shapes`.
    """

    lines: int
    facts: bytes
    defined: Sequence[tuple[str, int]]
    mentioned: Sequence[str]
    places: bytes
    words: Sequence[bytes]
    shapes: bytes


class Reader(Protocol):
    """Reads the contents of one language."""

    def read(self, data: bytes) -> Read:
        """Returns all that is kept; never raises on what it is given."""
        ...


@dataclass(frozen=True, slots=True)
class PlainReader:
    """Reads step by step. words: what `words.words` does, for where there is no C scanner."""

    extractor: Extractor
    words: Words

    def read(self, data: bytes) -> Read:
        """Returns all that is kept of a content."""
        facts = self.extractor.facts(data)
        mentioned = list(dict.fromkeys(each.name for each in facts.references))
        return _read(facts, pack(facts), mentioned, self.words, data)


class ThreadReader:
    """Reads by an extractor that is not for two threads: each thread has its own."""

    def __init__(self, make: Callable[[], Extractor], words: Words) -> None:
        self._make = make
        self._words = words
        self._own = _Own()

    def read(self, data: bytes) -> Read:
        """Returns all that is kept of a content."""
        if self._own.reader is None:
            self._own.reader = PlainReader(self._make(), self._words)
        return self._own.reader.read(data)


class _Own(threading.local):
    reader: PlainReader | None = None


@dataclass(frozen=True, slots=True)
class ScanReader:
    """Reads Python by the C scanner, in one go; words: for where there is none."""

    words: Words

    def read(self, data: bytes) -> Read:
        """Returns all that is kept of a content."""
        scanned = scan(data, whole=True)
        whole = scanned.whole
        if whole is None:
            return _read(unpack(scanned.blob), scanned.blob, scanned.mentioned, self.words, data)
        return Read(
            lines=whole.lines,
            facts=sealed(scanned.blob),
            defined=[(name, at) for at, name in enumerate(whole.names) if at],
            mentioned=scanned.mentioned,
            places=whole.places,
            words=whole.words.split(END) if whole.places else [],
            shapes=whole.shapes,
        )


def _read(
    facts: Facts,
    blob: bytes,
    mentioned: Sequence[str],
    words: Words,
    data: bytes,
) -> Read:
    data = as_utf8(data)[0]  # what the facts tell the places of
    found = pieces(facts, data)
    places = array("i", [number for each in found for number in each[:3]])
    return Read(
        lines=facts.lines,
        facts=sealed(blob),
        defined=[(each.name, at) for at, each in enumerate(facts.definitions) if at],
        mentioned=mentioned,
        places=places.tobytes(),
        words=words_of(found, words),
        shapes=shapes(facts.definitions, data),
    )


def words_of(found: Sequence[Piece], words: Words) -> Sequence[bytes]:
    """Returns the words of pieces, as a `Read` has them: all at once, or by `words`."""
    if not found:
        return []
    try:
        texts = [text.translate(_NO_BORDERS) for each in found for text in each[3:]]
        joined = END.join(BORDER.join(texts[at : at + 3]) for at in range(0, len(texts), 3))
        return words_between(joined).split(END)
    except MissingKernels:
        return [BORDER.join(words(text).encode() for text in each[3:]) for each in found]


def shapes_of(data: bytes) -> Sequence[int]:
    """Returns the numbers that `shapes` wrote."""
    return array("I", data)


def sealed(blob: bytes) -> bytes:
    """Returns a blob at half its size, with a sum in it: a disk may give back something else."""
    return zlib.compress(blob, QUICK)


def opened(data: bytes) -> Facts:
    """Returns the facts of a sealed blob.

    Raises:
        ValueError: it is not what was sealed.
    """
    try:
        blob = zlib.decompress(data)
    except zlib.error:
        raise ValueError("what is kept of a file is not what was written") from None
    return unpack(blob)


def shapes(definitions: Sequence[Definition], data: bytes) -> bytes:
    """Returns a number for the text of each definition's body, 0 where it has none.

    The definition's own name does not count, so that it keeps its shape when it is renamed, with
    the calls of itself. CRC-32: one in four thousand million bodies that changed is not seen.
    """
    starts = [0, *accumulate(map(len, data.splitlines(keepends=True)))]
    found = array("I", bytes(4 * len(definitions)))
    last = len(starts) - 1
    for place, each in enumerate(definitions):
        if place and 0 < each.body <= each.end:
            first, end = min(each.body - 1, last), min(each.end, last)
            # `def f(): return 1` has its body on the line of its head.
            if each.body == each.line:
                text = data[starts[first] : starts[end]].partition(b":")[2]
            else:
                text = data[starts[first] : starts[end]]
            text = text.strip()
            found[place] = zlib.crc32(text.replace(each.name.encode(), b"")) or 1
    return found.tobytes()
