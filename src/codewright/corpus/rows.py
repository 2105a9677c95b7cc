"""Pieces laid out in rows of one length, and rows in files.

`BestFit` puts each piece into the open row where it leaves the least room, the longest piece of a
batch first ("Fewer Truncations Improve Language Modeling", Ding et al. 2024), and keeps a bounded
number of rows open, so memory does not grow with the corpus. A row begins with END, so that the
first token of its first document is predicted from something. A piece of a document that goes on
elsewhere has no END, so it comes last: nothing seems to follow it. What is left over is PAD.

Files are written whole; nothing here knows where pieces come from.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.corpus.pieces import Piece
from codewright.errors import ConfigError
from codewright.files import write_whole
from codewright.tokens.special import END, PAD

HEADER = 128
"""Bytes of a .npy file before its rows."""


class BestFit:
    """Rows in the making, none with more than `room` tokens beside its leading END."""

    def __init__(self, room: int, *, open_rows: int) -> None:
        self._room, self._limit = room, open_rows
        # By room left: the rows. Bit n of `_known` is set where rows with n tokens left are.
        self._by_room: list[list[list[Piece]]] = [[] for _ in range(room + 1)]
        self._known = 0
        self._count = 0

    def place(self, pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
        """Takes a batch of pieces and yields the rows that are closed by it, as their pieces."""
        for piece in sorted(pieces, key=lambda piece: -len(piece.ids)):
            size = len(piece.ids)
            assert 0 < size <= self._room
            fitting = self._known >> size
            if fitting:
                room = size + (fitting & -fitting).bit_length() - 1
                row = self._take(room)
            else:
                room, row = self._room, []
            row.append(piece)
            if room == size:
                yield row
            else:
                self._put(row, room - size)
        while self._count > self._limit:  # the fullest goes first
            yield self._take((self._known & -self._known).bit_length() - 1)

    def finish(self) -> Iterator[list[Piece]]:
        """Yields the rows that are still open, the fullest first."""
        while self._known:
            yield self._take((self._known & -self._known).bit_length() - 1)

    def _take(self, room: int) -> list[Piece]:
        rows = self._by_room[room]
        row = rows.pop()
        if not rows:
            self._known &= ~(1 << room)
        self._count -= 1
        return row

    def _put(self, row: list[Piece], room: int) -> None:
        self._by_room[room].append(row)
        self._known |= 1 << room
        self._count += 1


class RowFiles:
    """Writes rows of tokens into `folder`, as files of at most `file_bytes`."""

    def __init__(self, folder: Path, name: str, *, shape: tuple[int, int], file_bytes: int) -> None:
        """Writes nothing yet; `shape` is the tokens of a row and the size of the vocabulary.

        Raises:
            ConfigError: not even one row fits into a file.
        """
        width, vocabulary = shape
        self._folder, self._name, self._width = folder, name, width
        self._type = np.dtype(np.uint16 if vocabulary <= 1 << 16 else np.uint32)
        self._most = (file_bytes - HEADER) // (width * self._type.itemsize)
        if self._most < 1:
            raise ConfigError(f"a file of {file_bytes} bytes holds no row of {width} tokens")
        self._waiting: list[NDArray[Any]] = []
        self.files: list[dict[str, str | int]] = []
        self.rows = 0

    def add(self, rows: Iterable[list[Piece]]) -> None:
        """Appends rows, each given as its pieces."""
        for pieces in rows:
            self._waiting.append(self._laid(pieces))
            self.rows += 1
            if len(self._waiting) == self._most:
                self.flush()

    def _laid(self, pieces: list[Piece]) -> NDArray[Any]:
        row = np.full(self._width, PAD, self._type)
        row[0], end = END, 1
        unfinished = [piece for piece in pieces if piece.ids[-1] != END]
        assert len(unfinished) <= 1, "two of them never fit: a document is cut in a last quarter"
        for piece in (*(piece for piece in pieces if piece.ids[-1] == END), *unfinished):
            row[end : end + len(piece.ids)] = piece.ids
            end += len(piece.ids)
        return row

    def flush(self) -> None:
        """Writes the rows that wait."""
        if not self._waiting:
            return
        buffer = io.BytesIO()
        np.save(buffer, np.stack(self._waiting), allow_pickle=False)
        name = f"{self._name}-{len(self.files):05}.npy"
        content = buffer.getvalue()
        write_whole(self._folder / name, content)
        digest = hashlib.sha256(content).hexdigest()
        self.files.append({"name": name, "rows": len(self._waiting), "sha256": digest})
        self._waiting = []
