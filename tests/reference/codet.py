"""Dual execution agreement as the paper tells it (arXiv 2207.10397), one obvious step at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ranked(passes: Sequence[Sequence[bool]], counts: Sequence[int]) -> list[set[int]]:
    """Sets of solutions, best first; solutions that pass nothing are in none.

    Args:
        passes: solutions x different tests.
        counts: how often each test was written.
    """
    sets: dict[frozenset[int], list[int]] = {}
    for solution, row in enumerate(passes):
        passed = frozenset(test for test, holds in enumerate(row) if holds)
        if passed:
            sets.setdefault(passed, []).append(solution)
    scores: dict[float, set[int]] = {}
    for passed, solutions in sets.items():
        tests = [test for test in passed for _ in range(counts[test])]
        score = math.sqrt(len(solutions)) * len(tests)
        scores.setdefault(score, set()).update(solutions)
    return [scores[score] for score in sorted(scores, reverse=True)]
