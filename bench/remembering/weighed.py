"""BM25 over the pieces and the files of one release after another, each content read once.

The formula is SQLite's (`fts5`), and all words of a question count, each once. FTS5 itself merges
the places of every word of the question for every document that has one of them, which takes it
minutes for an issue of a thousand words; here a question is one product with a sparse matrix.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench.remembering.contenders import pieces, words
from bench.remembering.patches import is_test
from scipy import sparse

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
K1, B, LEAST = 1.2, 0.75, 1e-6


class Counted(NamedTuple):
    """What is counted of a document. words: numbers of its words, each once; length: of all."""

    first: int
    last: int
    length: int
    words: np.ndarray
    counts: np.ndarray


class Words:
    """What was counted of contents, by their hash, so that releases share it."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._known: dict[tuple[bytes, bool], list[Counted]] = {}
        self._bodies: dict[str, Counted] = {}

    def of(self, data: bytes, *, whole: bool) -> list[Counted]:
        """Returns the documents of a file: its pieces, or the file itself."""
        key = (hashlib.sha1(data).digest(), whole)
        if key not in self._known:
            text = data.decode("utf-8", "replace")
            lines = text.split("\n")
            spans = [(1, text.count("\n") + 1)] if whole else pieces(text)
            bodies = ((*span, "\n".join(lines[span[0] - 1 : span[1]])) for span in spans)
            self._known[key] = [self._counted(*each) for each in bodies if each[2].strip()]
        return self._known[key]

    def _counted(self, first: int, last: int, body: str) -> Counted:
        found = self._bodies.get(body)
        if found is not None:  # most functions of a release are those of the one before
            return found._replace(first=first, last=last)
        every: Counter[str] = Counter()
        for name, times in Counter(_IDENTIFIER.findall(body)).items():
            for word in _of_name(name):
                every[word] += times
        numbers = [self.numbers.setdefault(word, len(self.numbers)) for word in every]
        counts = np.fromiter(every.values(), dtype=np.float64)
        found = Counted(first, last, every.total(), np.array(numbers, dtype=np.int64), counts)
        self._bodies[body] = found
        return found


class Weighed:
    """The documents of one release without its tests, ranked by BM25.

    Args:
        root: its folder.
        known: what is shared with other releases.
        whole: files are documents, and not their pieces.
    """

    def __init__(self, root: Path, known: Words, *, whole: bool) -> None:
        self._places: list[tuple[str, int, int]] = []
        self._known, every = known, list[Counted]()
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if is_test(name):
                continue
            for each in known.of(path.read_bytes(), whole=whole):
                self._places.append((name, each.first, each.last))
                every.append(each)
        rows = np.repeat(np.arange(len(every)), [len(each.words) for each in every])
        columns = np.concatenate([each.words for each in every])
        counts = np.concatenate([each.counts for each in every])
        lengths = np.array([each.length for each in every], dtype=np.float64)
        having = np.bincount(columns, minlength=len(known.numbers))
        worth = np.log((len(every) - having + 0.5) / (having + 0.5)).clip(LEAST)
        damped = K1 * (1 - B + B * lengths / lengths.mean())
        shares = worth[columns] * counts * (K1 + 1) / (counts + damped[rows])
        shape = (len(having), len(every))
        self._shares = sparse.csr_matrix((shares, (columns, rows)), shape=shape)

    def ranked(self, text: str, limit: int) -> Sequence[tuple[str, int, int]]:
        """Returns the documents with words of a text, best first."""
        numbers = self._known.numbers
        asked = [numbers[word] for word in dict.fromkeys(words(text)) if word in numbers]
        # Words that only releases read later have are in no document of this one.
        asked = [number for number in asked if number < self._shares.shape[0]]
        scores = np.asarray(self._shares[asked].sum(axis=0)).ravel()
        best = np.argsort(-scores, kind="stable")[:limit]
        return [self._places[place] for place in best if scores[place] > 0]


@lru_cache(maxsize=1 << 18)
def _of_name(name: str) -> Sequence[str]:
    """Returns the words of an identifier, which most pieces share."""
    return tuple(words(name))
