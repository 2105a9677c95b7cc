"""Rows of numbers, added up by the words of texts: `StaticEmbedder`'s sums by the C scanner.

A call leaves the interpreter's lock to others.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from codewright.repo.embedding import Floats
from codewright.repo.reading import END
from codewright.repo.scanner import find


class Sums:
    """A table of words and rows, in memory of its own.

    Args:
        table: words without line feeds.
        rows: one row of floats for each; more are not looked at.

    Raises:
        MissingKernels: there is no C scanner.
    """

    def __init__(self, table: Sequence[bytes], rows: Floats) -> None:
        self._calls = find()
        self._width = rows.shape[1]
        words = b"".join(word + b"\n" for word in table)
        rows = np.ascontiguousarray(rows[: len(table)], dtype=np.float32)
        numbers = rows.ctypes.data
        self._table = self._calls.cw_sums_new(words, len(words), numbers, len(table), self._width)
        if not self._table:
            raise MemoryError
        weakref.finalize(self, self._calls.cw_sums_free, self._table)

    def of(self, pieces: Sequence[bytes], fields: Floats) -> Floats:
        """Returns one sum for each piece, which is words of so many fields, as `Read.words` has it.

        Raises:
            ValueError: one has others than so many fields.
        """
        sums = np.zeros((len(pieces), self._width), dtype=np.float32)
        if pieces:
            text, weights = END.join(pieces), np.ascontiguousarray(fields, dtype=np.float32)
            done = self._calls.cw_sums(
                self._table, text, len(text), weights.ctypes.data, len(weights), len(pieces),
                sums.ctypes.data,
            )  # fmt: skip
            if not done:
                raise ValueError(f"these are no pieces of {len(weights)} fields")
        return sums
