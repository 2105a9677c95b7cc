"""One ranking out of what words and what vectors found, by their scores.

    mixed(index.match(words, 200), store.nearest(text, 200))

Places throw away how much better the first is than the second. The score by words, divided by the
best one, and `MEANING` times the cosine add up. A piece that words did not find has none of the
one; one that vectors did not find has as much of the other as the last that they did. `MEANING`
was chosen on libraries that nothing else was learned from or is measured on (docs/vectors.md),
where anything from 2 to 4 is as good.
"""

from __future__ import annotations

from collections.abc import Sequence

from codewright.repo.index import Found

MEANING = 3.0


def mixed(
    by_words: Sequence[Found], by_meaning: Sequence[Found], *, weight: float = MEANING
) -> Sequence[Found]:
    """Returns all that either found, best first, with the sums for scores.

    Args:
        by_words: best first, with scores above 0.
        by_meaning: best first, with cosines.
        weight: of a cosine.
    """
    best = max((each.score for each in by_words), default=0.0) or 1.0
    words = {each.chunk: each.score / best for each in by_words}
    meaning = {each.chunk: each.score for each in by_meaning}
    least = min(meaning.values(), default=0.0)
    pieces = {each.chunk: each for each in (*by_words, *by_meaning)}
    found = [
        piece._replace(score=words.get(chunk, 0.0) + weight * meaning.get(chunk, least))
        for chunk, piece in pieces.items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.file.path.encode(), each.chunk))
