"""Drops near-duplicates: files most of whose runs of five tokens are those of a kept file.

Two files are as similar as the Jaccard index of their sets of runs of SHINGLE tokens: the runs that
both have, divided by those that either has (Broder 1997). A file is dropped where it is at least as
similar to a kept one as the threshold. That is decided exactly; MinHash only finds the pairs worth
looking at.

Collisions. For one random permutation, the smallest hashes of two sets agree with probability s,
their similarity. A signature has BANDS x ROWS of them; two files become candidates where all ROWS
of any band agree, which happens with probability 1 - (1 - s^ROWS)^BANDS:

    s          0.3     0.5     0.6     0.7     0.8        0.9         0.95
    found      0.059   0.548   0.868   0.990   0.999951   1 - 2e-10   1 - 7e-17

So of pairs at the usual threshold of 0.8 one in 20,000 is missed, and fewer of those above it;
candidates below it cost a comparison and nothing else. What is kept is compared with, what is
dropped is not: a file that is near to a dropped one alone stays.

Signatures are those of `datasketch` (scheme affine32: MurmurHash3's finaliser, then a·h + b modulo
2^32 with odd a), computed here some ten times faster; the tests compare the two. Memory: four bytes
for each run of the kept files, about as much as their text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codewright.corpus.lexemes import WORDS, TokenHashes, body, mixed, runs
from codewright.corpus.pool import mapped
from codewright.corpus.steps import Drops
from codewright.types.document import Document

SHINGLE = 5
BANDS, ROWS = 25, 5
SEED = 1
_BLOCK = 25
"""Permutations computed at once: their values should stay in the processor's cache."""

Sketch = tuple[NDArray[np.uint32], NDArray[np.uint64]]
"""The sorted hashes of a text's runs, and the keys of its bands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The step. threshold: the similarity from which a file is dropped. workers: processes."""

    threshold: float = 0.8
    workers: int = 1

    @property
    def name(self) -> str:
        """Its name in reports."""
        return "near-duplicates"

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields each document that is not near to one that it has yielded before.

        Raises:
            MachineError: a process died.
        """
        kept = Kept(self.threshold)
        for document, (shingles, keys) in mapped(documents, sketches, self.workers):
            found = kept.nearest(shingles, keys)
            if found is None:
                kept.add(shingles, keys, f"{document.origin} {document.path}")
                yield document
            else:
                similarity, place = found
                drops.drop(document, "near-duplicate", f"{similarity:.2f} of {place}")


class Kept:
    """The files that stay, and an index of their bands."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._shingles: list[NDArray[np.uint32]] = []
        self._places: list[str] = []
        self._buckets: dict[int, list[int]] = {}

    def add(self, shingles: NDArray[np.uint32], keys: NDArray[np.uint64], place: str) -> None:
        """Keeps a file; `place` names it where another is dropped for it."""
        number = len(self._places)
        self._shingles.append(shingles)
        self._places.append(place)
        for key in keys.tolist():
            self._buckets.setdefault(key, []).append(number)

    def nearest(
        self, shingles: NDArray[np.uint32], keys: NDArray[np.uint64]
    ) -> tuple[float, str] | None:
        """Returns similarity and place of the most similar candidate that is similar enough."""
        best: tuple[float, str] | None = None
        for number in self.candidates(keys):
            other = self._shingles[number]
            # The smaller set cannot be similar enough to one so much larger.
            fewer, more = sorted((len(shingles), len(other)))
            if fewer < self._threshold * more:
                continue
            similarity = jaccard(shingles, other)
            if similarity >= self._threshold and (best is None or similarity > best[0]):
                best = similarity, self._places[number]
        return best

    def candidates(self, keys: NDArray[np.uint64]) -> list[int]:
        """Returns the kept files that share a band, in the order in which they came."""
        return sorted({n for key in keys.tolist() for n in self._buckets.get(key, ())})


def jaccard(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> float:
    """Returns the similarity of two sets, given sorted; two empty ones are equal."""
    if not len(left) or not len(right):
        return float(len(left) == len(right))
    places = np.searchsorted(right, left)
    both = int((right[np.minimum(places, len(right) - 1)] == left).sum())
    return both / (len(left) + len(right) - both)


def probability(similarity: float, *, bands: int = BANDS, rows: int = ROWS) -> float:
    """Returns how likely two files of the given similarity become candidates."""
    return 1 - (1 - similarity**rows) ** bands


class Sketcher:
    """Makes sketches of texts."""

    def __init__(self) -> None:
        self._hashes = TokenHashes()
        self._factors, self._offsets = permutations(BANDS * ROWS, SEED)

    def sketch(self, text: str) -> Sketch:
        """Returns the runs and the band keys of `text`; a text without tokens has neither."""
        tokens = self._hashes.of(WORDS.findall(body(text)))
        found = (runs(tokens, SHINGLE) >> np.uint64(32)).astype(np.uint32)
        shingles = np.unique(found)
        if not len(shingles):
            return shingles, np.empty(0, np.uint64)
        return shingles, band_keys(self.signature(shingles))

    def signature(self, shingles: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Returns the smallest value under each permutation: [BANDS x ROWS]."""
        values = finalised(shingles)
        parts = []
        for start in range(0, len(self._factors), _BLOCK):
            block = slice(start, start + _BLOCK)
            permuted = values * self._factors[block, None]
            permuted += self._offsets[block, None]
            parts.append(permuted.min(axis=1))
        return np.concatenate(parts)


def permutations(count: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Returns factors and offsets, those that `datasketch` draws from the same seed."""
    draw = np.random.RandomState(seed)  # its streams are frozen for good
    factors = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, draw.randint(0, 1 << 32, count, dtype=np.uint32)


def finalised(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Returns the values after MurmurHash3's 32-bit finaliser, a bijection."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def band_keys(signature: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Returns one number for each band; the number of the band is in it."""
    keys = np.arange(1, BANDS + 1, dtype=np.uint64)
    for column in signature.reshape(BANDS, ROWS).T:
        keys = mixed(keys * np.uint64(0x9E3779B97F4A7C15) + column)
    return keys


def sketches(texts: list[str]) -> list[Sketch]:
    """Returns the sketches of `texts`: the work of a process."""
    sketcher = Sketcher()
    return [sketcher.sketch(text) for text in texts]
