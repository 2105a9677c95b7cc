"""The blocks that are open in a Python program, and what has to be kept of what stands in them.

Of each block that is the statement that is open: its lines, with all clauses, and decorators before
it. What is complete decides nothing about what follows. Indentation is read as the tokenizer of
CPython reads it, tabs and all.
"""

from __future__ import annotations

from codewright.generate.python_words import CLAUSES

DEEPEST = 100
"""Levels of indentation; 200 open brackets are the parser's own limit."""
MOST_LINES = 500
LONGEST_LINE = 100_000
"""Lines that the parser is shown at most, and characters of one; longer ones are refused."""

Level = tuple[int, int, tuple[tuple[str, bool], ...]]
"""A block: its column, the same with tabs counted as one, and the statement that is open in it, as
lines, each with whether a block stands below it."""


class Dead(Exception):
    """No program begins so."""


def entered(
    levels: tuple[Level, ...], column: int, narrow: int, *, part: bool
) -> tuple[Level, ...]:
    """Returns the blocks that are open as a line begins at a column; the last one is its own.

    `part`: the first line may be indented. Raises Dead.
    """
    if not levels or column < levels[0][0]:
        if column and not part:
            raise Dead
        return ((column, narrow, ()),)
    if column > levels[-1][0]:
        # The lowest block has no line above it where the beginning was cut off.
        above = levels[-1][2]
        if narrow <= levels[-1][1] or len(levels) >= DEEPEST or not above:
            raise Dead
        opened = (*above[:-1], (above[-1][0], True))
        return (*levels[:-1], (*levels[-1][:2], opened), (column, narrow, ()))
    while levels[-1][0] > column:
        levels = levels[:-1]
    if levels[-1][:2] != (column, narrow):
        raise Dead
    return levels


def ended(levels: tuple[Level, ...], line: str) -> tuple[Level, ...]:
    """Returns the blocks with a logical line that is complete in the last. Raises Dead."""
    column, narrow, lines = levels[-1]
    kept = CLAUSES.match(line) or (lines and lines[-1][0].startswith("@"))
    lines = (*(lines if kept else ()), (line, False))
    others = sum(len(level[2]) for level in levels[:-1])
    if others + len(lines) > MOST_LINES or len(line) > LONGEST_LINE:
        raise Dead
    return (*levels[:-1], (column, narrow, lines))


def shown(levels: tuple[Level, ...]) -> str:
    """Returns the lines that are kept, as a program that goes on behind them."""
    found = []
    for depth, (_, _, lines) in enumerate(levels):
        for place, (line, opened) in enumerate(lines):
            found.append(" " * depth + line + "\n")
            closed = place < len(lines) - 1 or depth == len(levels) - 1
            if opened and closed:
                # Only a `match` statement opens a block so, and nothing else stands in it.
                case = "case _: " if line.startswith("match ") else ""
                found.append(f"{' ' * depth} {case}pass\n")
    return "".join(found)
