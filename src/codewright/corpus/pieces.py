"""Documents as pieces of tokens that fit a row, some of them turned for fill-in-the-middle.

A document that fits is one piece, with END behind it. A longer one is cut near the end of the row:
where the next line is not indented (in the row's last sixteenth), else where any line ends (in its
last quarter), else between two tokens. Only its last piece has END.
Each piece is turned with a given probability ("context level" in Bavarian et al. 2022, which did
better than turning documents before they are cut): tokens/fim.py splits its text and arranges the
parts. A turned piece has a few more tokens than a plain one; one that outgrows the row stays plain,
and is counted.

What becomes of a document depends on the seed, its origin, path and copy, not on its neighbours.
Nothing here knows how pieces are laid out in rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codewright.tokens import fim
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END
from codewright.types.document import Document

RESERVE = 10
"""Tokens left free in a piece that is cut to be turned: sentinels, END, and what two cuts cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Tokens that stay together in one row.

    size: bytes of the document's text in it. turned: it is in a fill-in-the-middle form.
    outgrew: it was to be turned and did not fit.
    """

    ids: NDArray[np.uint32]
    size: int
    turned: bool = False
    outgrew: bool = False


class Cutter:
    """Makes pieces of at most `room` tokens from documents."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        room: int,
        fim_rate: float = 0.0,
        spm_rate: float = 0.0,
        seed: int = 0,
        cuts: fim.Cuts = fim.USUAL,
    ) -> None:
        self._tokenizer = tokenizer
        self._room = room
        self._cuts = cuts
        self._fim_rate, self._spm_rate, self._seed = fim_rate, spm_rate, seed
        spelled = [tokenizer.token_bytes(token) for token in range(tokenizer.vocabulary)]
        self._lengths = np.array([len(word) for word in spelled], np.int64)
        # The usual tokens put a line break at the beginning, with the next line's indentation.
        self._ends_line = np.array([word.endswith(b"\n") for word in spelled])
        self._opens_line = np.array([word.startswith(b"\n") for word in spelled])
        # A byte 10xxxxxx continues a character of UTF-8.
        self._starts = np.array([not word or word[0] & 0xC0 != 0x80 for word in spelled])

    def pieces(self, documents: Sequence[tuple[Document, int]]) -> Iterator[Piece]:
        """Yields the pieces of `documents`, each with the number of its copy."""
        encoded = self._tokenizer.encode_batch([document.text for document, _ in documents])
        for (document, copy), ids in zip(documents, encoded, strict=True):
            yield from self._cut(document, copy, np.array(ids, np.uint32))

    def _cut(self, document: Document, copy: int, ids: NDArray[np.uint32]) -> Iterator[Piece]:
        rng = generator(self._seed, document, copy)
        start = 0
        while start < len(ids):
            turn = rng.random() < self._fim_rate
            mode: fim.Mode = "spm" if rng.random() < self._spm_rate else "psm"
            stop = self._stop(ids, start, self._room - RESERVE if turn else self._room)
            plain = ids[start:stop]
            size = int(self._lengths[plain].sum())
            turned = self._turn(plain, rng, mode) if turn else plain[:0]
            if turn and len(turned) <= self._room:
                yield Piece(ids=turned, size=size, turned=True)
            else:
                whole = np.append(plain, np.uint32(END)) if stop == len(ids) else plain
                yield Piece(ids=whole, size=size, outgrew=turn)
            start = stop

    def _turn(
        self, ids: NDArray[np.uint32], rng: np.random.Generator, mode: fim.Mode
    ) -> NDArray[np.uint32]:
        parts = fim.split_ids(self._tokenizer, ids.tolist(), rng, self._cuts)
        prefix, middle, suffix = parts
        return np.array([*fim.arrange(prefix, suffix, middle, mode), END], np.uint32)

    def _stop(self, ids: NDArray[np.uint32], start: int, room: int) -> int:
        """Returns where the piece that begins at `start` ends, for `room` tokens without END."""
        if len(ids) - start + 1 <= self._room:
            return len(ids)
        # Where the rest fits but for its END, its last token must go to the next piece.
        last = min(start + room, len(ids) - 1)
        near, far = max(start + 1, last - room // 16), max(start + 1, last - room // 4)
        for begin, border, shift in (
            (near, self._ends_line, 1),
            (far, self._opens_line, 0),
            (far, self._starts, 0),
        ):
            places = np.flatnonzero(border[ids[begin - shift : last + 1 - shift]])
            if len(places):
                return begin + int(places[-1])
        return last


def generator(seed: int, document: Document, copy: int) -> np.random.Generator:
    """Returns the source of chance for one copy of one document."""
    key = f"{seed}\0{document.origin}\0{document.path}\0{copy}"
    digest = hashlib.sha256(key.encode("utf-8", "backslashreplace")).digest()
    return np.random.default_rng(int.from_bytes(digest))
