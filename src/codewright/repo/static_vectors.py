"""The embedder that comes with the package: a row of numbers for each word, added up.

A piece is the sum of its words' rows, each counted once in a field, weighted by the word and by the
field, and by the root of how many the field has; a question likewise with weights of its own. Words
that have no row say nothing. `bench/vectors.py` learned rows and weights together, by docstrings
and the functions they belong to (docs/vectors.md says how well). Order, syntax and numbers of times
do not count, so it is quick: no network, no torch, a few lookups a word.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from codewright.errors import DataError, MissingKernels
from codewright.repo.embedding import Floats, Piece, unit
from codewright.repo.sums import Sums
from codewright.repo.words import words

WEIGHTS = "data/vectors.npz"
BATCH = 512
"""Pieces whose rows are added up at a time: their sum fits a processor's cache."""
QUERY_WORDS = 400
"""Words of a question that are read."""


class StaticEmbedder:
    """An `Embedder` by a table.

    Args:
        table: words, the rows in bytes, and what they were rounded by: row i is
            `rows[i] * scale[i]` in a piece, and that times `asked[i]` in a question.
        fields: weights of a piece's name, head and body.
        digest: of all of it.
    """

    name = "static"
    reads_text = False

    def __init__(
        self,
        table: Sequence[bytes],
        rows: npt.NDArray[np.int8],
        scale: Floats,
        asked: Floats,
        fields: Floats,
        digest: str,
    ) -> None:
        self.digest = digest
        self.size: int = rows.shape[1]
        self._places: Mapping[bytes, int] = {word: place for place, word in enumerate(table)}
        # One row of zeros at the end, for fields without words.
        self._rows = np.zeros((len(table) + 1, self.size), dtype=np.float32)
        self._rows[:-1] = rows.astype(np.float32) * scale[:, None]
        try:
            self._sums: Sums | None = Sums(table, self._rows)
        except MissingKernels:
            self._sums = None
        self._asked = asked
        self._fields = fields

    @classmethod
    def from_bytes(cls, data: bytes) -> StaticEmbedder:
        """Returns the one in a file's bytes.

        Raises:
            DataError: these are no weights.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                table = kept["words"].tobytes().split(b"\n")
                rows, fields = kept["rows"], kept["fields"].astype(np.float32)
                scale, asked = kept["scale"].astype(np.float32), kept["asked"].astype(np.float32)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"these are no word vectors: {error}") from None
        if rows.ndim != 2 or not len(table) == len(rows) == len(scale) == len(asked):
            raise DataError("these word vectors do not fit their words")
        return cls(table, rows, scale, asked, fields, _digest(data))

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece."""
        if self._sums is None:
            return self.documents_plainly(pieces)
        return unit(self._sums.of([piece.words for piece in pieces], self._fields))

    def documents_plainly(self, pieces: Sequence[Piece]) -> Floats:
        """Does what `documents` does, without the C scanner."""
        found = np.zeros((len(pieces), self.size), dtype=np.float32)
        for first in range(0, len(pieces), BATCH):
            batch = [piece.fields() for piece in pieces[first : first + BATCH]]
            sums = found[first : first + len(batch)]
            for field, weight in enumerate(self._fields):
                self._add([each[field] for each in batch], float(weight), sums)
        return unit(found)

    def _add(self, texts: Sequence[bytes], weight: float, sums: Floats) -> None:
        """Adds the rows of one field of some pieces to their sums."""
        nothing = len(self._rows) - 1
        starts: list[int] = []
        places: list[int] = []
        counts: list[int] = []
        for text in texts:
            starts.append(len(places))
            found = self._known(text.split(b" "))
            counts.append(max(len(found), 1))
            places += found or [nothing]
        added = np.add.reduceat(self._rows[np.array(places)], np.array(starts), axis=0)
        roots = np.sqrt(np.array(counts, dtype=np.float32))
        sums += added * (weight / roots)[:, None]

    def _known(self, found: Iterable[bytes]) -> list[int]:
        """Returns the places of the words that have a row, each once, in order."""
        # Sums are rounded by their order, and vectors have to be the same every time.
        places = set(map(self._places.get, found))
        places.discard(None)
        return sorted(places)  # type: ignore[arg-type]

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each question."""
        found = np.zeros((len(texts), self.size), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            told = words(text.encode("utf-8", "replace")).encode().split(b" ")
            if places := self._known(told[:QUERY_WORDS]):
                row[:] = self._asked[places] @ self._rows[places]
        return unit(found)


class ShippedEmbedder:
    """The `StaticEmbedder` that comes with the package; its table is read when it is first needed.

    An index in which nothing has changed asks for the name and the digest alone.
    """

    name = StaticEmbedder.name
    reads_text = StaticEmbedder.reads_text

    def __init__(self) -> None:
        self._data = files("codewright").joinpath(WEIGHTS).read_bytes()
        self.digest = _digest(self._data)

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return self._table.size

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece."""
        return self._table.documents(pieces)

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each question."""
        return self._table.queries(texts)

    @cached_property
    def _table(self) -> StaticEmbedder:
        return StaticEmbedder.from_bytes(self._data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
