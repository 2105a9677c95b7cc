"""Texts as vectors: what anything that embeds has to offer.

Vectors have length 1, so that the product of two is the cosine of their angle. A question and what
answers it may be embedded differently. Vectors can be compared where the digest is the same; the
store keeps it beside each. Nothing here stores or compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from codewright.repo.reading import BORDER

Floats = npt.NDArray[np.float32]


class Piece(NamedTuple):
    """One piece to embed.

    words: of its name, its head and its body, with `BORDER` between, as they are searched. text:
    its lines as they stand in the file; "" for an embedder that asks for none.
    """

    words: bytes
    text: str = ""

    def fields(self) -> Sequence[bytes]:
        """Returns the words of the name, the head and the body."""
        fields = self.words.split(BORDER)
        assert len(fields) == 3
        return fields


class Embedder(Protocol):
    """Makes vectors. What else is in a batch changes a vector by rounding at most."""

    @property
    def name(self) -> str:
        """What a user calls it."""
        ...

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def digest(self) -> str:
        """Names the weights: changes whenever a vector would."""
        ...

    @property
    def reads_text(self) -> bool:
        """True where pieces have to bring their text."""
        ...

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece; zeros for what says nothing."""
        ...

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each question; zeros for what says nothing."""
        ...


def unit(rows: npt.ArrayLike) -> Floats:
    """Returns rows of length 1; rows without a length, or with what is no number, as zeros."""
    vectors = np.nan_to_num(np.asarray(rows, dtype=np.float32), posinf=0.0, neginf=0.0)
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    vectors /= np.where(largest > 0, largest, 1)  # squares of large numbers overflow
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = vectors / np.where(lengths > 0, lengths, 1)
    return scaled.astype(np.float32, copy=False)
