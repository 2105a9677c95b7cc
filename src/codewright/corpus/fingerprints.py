"""An index of what a model was trained on, small enough to ship: from code to where it came from.

Winnowing (Schleimer, Wilkerson and Aiken 2003, "Winnowing: Local Algorithms for Document
Fingerprinting"): of every WINDOW neighbouring runs of RUN tokens the one with the smallest hash is
kept. So every stretch of RUN + WINDOW - 1 tokens of an indexed file has at least one fingerprint in
the index, and since a text is looked up with all its runs, **a copied stretch of that length is
always found, whatever stands around it** (but see `common`). Shorter copies are found by luck:
about 2 / (WINDOW + 1) of the runs are kept. A match shares at least RUN tokens in a row.

Tokens are compared without comments, docstrings and layout (lexer.py), and a variable is any
variable, so a copy stays a copy under other variable names.

Chance. A fingerprint keeps KEPT_BITS of its hash beside those that say where it stands in the
table, so a run that is not there is taken for one that is with a probability of at most 2^-24: in
one file of 1,000 lines out of some 3,000.

`common`: a run that more than this many files have is nobody's and is left out. Nothing here judges
whether a match matters.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codewright.corpus.lexemes import runs
from codewright.corpus.lexer import Lexer, readings
from codewright.corpus.pool import mapped
from codewright.errors import DataError
from codewright.files import read_bytes, write_whole
from codewright.types.document import Document

RUN = 32
WINDOW = 64
COMMON = 8
KEPT_BITS = 24
FORMAT = 2
"""Changes with what lexer.py makes of a text, too: an index of before would find nothing."""
BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, LookupError, OSError, EOFError, TypeError)
"""What a file that is no index, or half of one, may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Lines of a text that an indexed file has too.

    start_line, end_line: from 1, both included; the copy may reach up to a window further at each
    end. share: the part of the text's tokens that lie between them.
    """

    path: str
    origin: str
    licence: str
    start_line: int
    end_line: int
    share: float


class Builder:
    """Collects fingerprints of documents as they pass by."""

    def __init__(self, *, window: int = WINDOW, common: int = COMMON) -> None:
        self._window, self._common = window, common
        self._hashes: list[NDArray[np.uint64]] = []
        self._table: list[tuple[str, str, str]] = []

    def watch(self, documents: Iterable[Document], workers: int = 1) -> Iterator[Document]:
        """Yields every document, and remembers its fingerprints.

        Raises:
            MachineError: a process died.
        """
        for document, found in mapped(documents, Winnower(self._window).of_all, workers):
            self._hashes.append(found)
            self._table.append((document.path, document.origin, document.licence))
            yield document

    def finish(self) -> Index:
        """Returns the index of all documents so far."""
        files = np.repeat(
            np.arange(len(self._hashes), dtype=np.uint32), [len(each) for each in self._hashes]
        )
        hashes = np.concatenate([*self._hashes, np.empty(0, np.uint64)])
        order = np.argsort(hashes, kind="stable")
        hashes, files = hashes[order], files[order]
        _, places, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        rare = counts[places] <= self._common
        return Index(hashes[rare], files[rare], self._table, self._window)


def build(
    documents: Iterable[Document],
    *,
    window: int = WINDOW,
    common: int = COMMON,
    workers: int = 1,
) -> Index:
    """Returns the index of `documents`.

    Args:
        window: how many runs one fingerprint stands for; the index shrinks as it grows.
        common: in how many files a run may be.
        workers: processes.
    """
    builder = Builder(window=window, common=common)
    for _ in builder.watch(documents, workers):
        pass
    return builder.finish()


@dataclass(frozen=True, slots=True)
class Winnower:
    """Chooses fingerprints; it travels to other processes."""

    window: int

    def of_all(self, texts: list[str]) -> list[NDArray[np.uint64]]:
        """Returns the distinct fingerprints of each text."""
        lexer = Lexer()
        return [winnowed(_runs(lexer.codes(text)), self.window) for text in texts]


def winnowed(hashes: NDArray[np.uint64], window: int) -> NDArray[np.uint64]:
    """Returns the smallest of every `window` neighbours, each value once.

    Where there are fewer, it is the smallest of all.
    """
    reach = min(window, len(hashes))
    width = 1
    while width < reach:  # `hashes[i]` is the smallest of `width` from i on
        step = min(width, reach - width)
        hashes = np.minimum(hashes[:-step], hashes[step:])
        width += step
    return np.unique(hashes)


class Index:
    """Fingerprints with the files they come from.

    A hash is `bits` that number its bucket, then KEPT_BITS that are kept; the rest is dropped.
    """

    def __init__(
        self,
        hashes: NDArray[np.uint64],
        files: NDArray[np.uint32],
        table: Sequence[tuple[str, str, str]],
        window: int,
    ) -> None:
        """Takes sorted hashes and the number of a file for each, its place in the table.

        The table has path, origin and licence.
        """
        bits = max(8, len(hashes).bit_length())
        self._bits, self._files, self._table, self.window = bits, files, tuple(table), window
        self._keys = hashes >> np.uint64(64 - bits - KEPT_BITS)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def files(self) -> int:
        """How many files were indexed."""
        return len(self._table)

    @property
    def guarantee(self) -> int:
        """How many tokens a copy must have to be found for sure."""
        return RUN + self.window - 1

    def match(self, text: str) -> list[Match]:
        """Returns where `text` is like an indexed file, the longest stretch first.

        A stretch that lies inside one already named is left out.
        """
        found: list[tuple[int, int, int, int, float]] = []
        for reading in readings(text):
            found += self._stretches(reading)
        matches: list[Match] = []
        for _, start, stop, file, share in sorted(found):
            if any(match.start_line <= start and stop <= match.end_line for match in matches):
                continue
            path, origin, licence = self._table[file]
            matches.append(
                Match(
                    path=path,
                    origin=origin,
                    licence=licence,
                    start_line=start,
                    end_line=stop,
                    share=share,
                )
            )
        return matches

    def _stretches(self, text: str) -> Iterator[tuple[int, int, int, int, float]]:
        """Yields what is alike: less its tokens, first and last line, file, share of the text."""
        codes, lines = Lexer().codes_and_lines(text)
        for file, places in self._hits(_runs(codes)).items():
            # Hits less far apart are parts of one copy: in between it may have no fingerprint.
            borders = np.flatnonzero(np.diff(places) > self.guarantee)
            starts = places[np.concatenate([[0], borders + 1])]
            stops = places[np.concatenate([borders, [len(places) - 1]])] + RUN
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                first, last = int(lines[start]), int(lines[stop - 1])
                yield start - stop, first, last, file, (stop - start) / len(codes)

    def _hits(self, hashes: NDArray[np.uint64]) -> dict[int, NDArray[np.int64]]:
        """Returns for each file the sorted places of the runs that it has."""
        keys = hashes >> np.uint64(64 - self._bits - KEPT_BITS)
        first = np.searchsorted(self._keys, keys, side="left")
        counts = np.searchsorted(self._keys, keys, side="right") - first
        places = np.repeat(np.arange(len(keys)), counts)
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)])[:-1], counts)
        files = self._files[starts + np.arange(len(places))]
        return {int(file): places[files == file] for file in np.unique(files)}

    def save(self, path: Path) -> None:
        """Writes the index to one file.

        Raises:
            MachineError: it cannot be written.
        """
        kept = self._keys & np.uint64((1 << KEPT_BITS) - 1)
        buckets = (self._keys >> np.uint64(KEPT_BITS)).astype(np.int64)
        sources = list(dict.fromkeys((origin, licence) for _, origin, licence in self._table))
        numbers = {source: number for number, source in enumerate(sources)}
        files = [[numbers[origin, licence], path] for path, origin, licence in self._table]
        arrays: dict[str, NDArray[Any]] = {
            "sizes": np.bincount(buckets, minlength=1 << self._bits).astype(np.uint16),
            "low": (kept & np.uint64(0xFFFF)).astype(np.uint16),
            "high": (kept >> np.uint64(16)).astype(np.uint8),
            "files": self._files.astype(np.uint16 if len(self._table) <= 1 << 16 else np.uint32),
            "table": _letters({"sources": sources, "files": files}),
            "settings": _letters({"format": FORMAT, "bits": self._bits, "window": self.window}),
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_whole(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads an index.

        Raises:
            DataError: it is missing, damaged, or of another version.
        """
        content = read_bytes(path)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return cls._restored({name: arrays[name] for name in arrays.files})
        except BROKEN as error:
            raise DataError(
                f"{path} is no index of fingerprints ({error})", hint="build the corpus again"
            ) from None

    @classmethod
    def _restored(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        settings = json.loads(arrays["settings"].tobytes())
        if settings["format"] != FORMAT:
            raise ValueError(f"format {settings['format']}")
        table = json.loads(arrays["table"].tobytes())
        sources = [(str(origin), str(licence)) for origin, licence in table["sources"]]
        made = cls.__new__(cls)
        made._bits, made.window = int(settings["bits"]), int(settings["window"])
        made._files = arrays["files"].astype(np.uint32)
        made._table = tuple((str(path), *sources[number]) for number, path in table["files"])
        buckets = np.repeat(np.arange(1 << made._bits, dtype=np.uint64), arrays["sizes"])
        kept = arrays["low"] + (arrays["high"].astype(np.uint64) << np.uint64(16))
        made._keys = (buckets << np.uint64(KEPT_BITS)) + kept
        if len(made._files) != len(made._keys) or (made._files >= len(made._table)).any():
            raise ValueError("its parts do not belong together")
        return made


def _runs(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return runs(codes, RUN) if len(codes) >= RUN else np.empty(0, np.uint64)


def _letters(value: Any) -> NDArray[np.uint8]:
    text = json.dumps(value, separators=(",", ":"))
    return np.frombuffer(text.encode("ascii"), np.uint8)
