"""Pieces with any of some words, best first by BM25, out of SQLite's full-text index.

The formula (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
2009, section 3.3) is that of FTS5: a word in a field counts by the field's weight, and lengths are
those of whole pieces. A word that stands in half of the pieces or more is worth next to nothing by
it and costs the most time; where there are many pieces, it is left out for other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from codewright.repo.contents import one

WEIGHTS = (10.0, 3.0, 1.0)
"""Of the words of a piece's name, its head and its body."""
MANY = 4096
"""Pieces from which on words are left out."""
TIES = 1000
"""Pieces that are fetched beyond those asked for: equal pieces have equal scores."""
_SCORE = f"-bm25(pieces, {', '.join(map(str, WEIGHTS))})"


class Ranking:
    """Answers for one state of the tables; make another one when they change."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        sql = "SELECT total(pieces) FROM contents WHERE first IS NOT NULL"
        self._pieces = int(one(database, sql)[0])
        self._having: dict[str, int] = {}

    def best(self, words: Sequence[str], limit: int) -> Sequence[tuple[int, float]]:
        """Returns pieces with their scores; all that are as good as the last, too."""
        telling = self._telling([word for word in dict.fromkeys(words) if word])
        most = limit + TIES
        while telling and limit > 0:
            rows = self._scored(telling, most)
            if len(rows) < most or rows[-1][1] < rows[limit - 1][1]:
                last = rows[min(limit, len(rows)) - 1][1] if rows else 0.0
                return [row for row in rows if row[1] >= last]
            most *= 8
        return []

    def _telling(self, words: Sequence[str]) -> Sequence[str]:
        """Leaves out what stands in half of many pieces; of such alone, only the rarest stays."""
        if self._pieces < MANY or not words:
            return words
        few = [word for word in words if 2 * self._count(word) < self._pieces]
        return few if any(map(self._count, few)) else [min(words, key=self._most)]

    def _most(self, word: str) -> int:
        return self._count(word) or self._pieces

    def _scored(self, words: Sequence[str], most: int) -> Sequence[tuple[int, float]]:
        rows: list[Any] = self._database.execute(
            f"SELECT rowid, {_SCORE} AS score FROM pieces WHERE pieces MATCH ? "
            "ORDER BY score DESC LIMIT ?",
            (_any(words), most),
        ).fetchall()
        return rows

    def _count(self, word: str) -> int:
        found = self._having.get(word)
        if found is None:
            sql = "SELECT count(*) FROM pieces WHERE pieces MATCH ?"
            found = self._having[word] = int(one(self._database, sql, (_any([word]),))[0])
        return found


def _any(words: Sequence[str]) -> str:
    quoted = (word.replace('"', '""') for word in words)
    return " OR ".join(f'"{word}"' for word in quoted)
