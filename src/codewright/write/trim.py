"""What of a model's continuation belongs to the cursor: up to the end of its block, once.

Small models do not know when to stop. A continuation is cut where the block that the cursor stands
in has ended, and where it begins to repeat what follows the cursor. Both rules read indentation and
whole lines; in Python, lines inside brackets and strings end no block. Nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence

from codewright.write.scan import read

CHANCE = 20
"""Characters, white space aside, of equal lines in a row that may be so by chance."""
SHORT = 4
"""Characters of a line that was cut short from which it may be the beginning of another one."""
CLAUSES = frozenset({"elif", "else", "except", "finally", "case"})
"""What goes on with a statement at its own indentation."""
DEFINITIONS = frozenset({"def", "class", "async", "if", "@"})
"""What at the margin begins something new."""


def trimmed(text: str, before: str, after: str, *, line: bool, python: bool) -> str:
    """Returns the part of `text` to offer between `before` and `after`.

    Args:
        text: what a model wrote there.
        before: the file up to the cursor.
        after: the file from the cursor on.
        line: nothing beyond the end of the cursor's line is wanted.
        python: the file is Python.
    """
    if line:
        text = text.partition("\n")[0]
    text = text[: block_end(text, before, python=python)]
    text = text[: repetition(text, before, after)]
    if not python:  # where it is, what parses decides
        text = text[: closing(text, after.partition("\n")[0])]
    # The file has a line break of its own here.
    return text if after.partition("\n")[0].strip() else text.rstrip()


def block_end(text: str, before: str, *, python: bool) -> int:
    """Returns where, in `text`, the block of the cursor ends.

    The block is that of the cursor's line, or of the first line that is not blank: it ends before
    the first line that is indented less. A statement that was begun before the cursor and opens a
    block is all that is finished: it ends before the first line that is not indented more, its own
    clauses aside. At the margin a block ends before a definition, and at a blank line.
    """
    head = begun(before, python=python)
    # A blank line with the cursor at its start says nothing about where the block stands.
    base = len(head) if head.isspace() else -1
    opens = blank = decorated = False
    for start, line in _statements(head + text, python=python):
        if not line.strip():
            blank = True
            continue
        indent, word = len(line) - len(line.lstrip()), _first_word(line)
        if base < 0 or start == 0:
            base, opens = indent, bool(head.strip()) and line.rstrip().endswith(":")
        else:
            finished = indent == base and opens and word not in CLAUSES
            another = blank or (word in DEFINITIONS and not decorated)
            if indent < base or finished or (indent == 0 and not opens and another):
                return start - len(head)
        blank, decorated = False, word == "@"
    return len(text)


def begun(before: str, *, python: bool) -> str:
    """Returns the beginning of the cursor's statement: its line, and in Python those before it
    that an open bracket or string holds together with it. All else of `before` is the same to
    `block_end`."""
    starts = [start for start, continued in read(before)[1] if not continued] if python else []
    return before[starts[-1] :] if starts else before if python else before.rpartition("\n")[2]


def _statements(text: str, *, python: bool) -> list[tuple[int, str]]:
    """Returns (where it begins, its text) of each statement of `text`, of each blank line too."""
    if python:
        starts = [0, *(start for start, continued in read(text)[1] if not continued)]
    else:
        starts = [0, *(place + 1 for place, character in enumerate(text) if character == "\n")]
    ends = [*starts[1:], len(text) + 1]
    return [(start, text[start : end - 1]) for start, end in zip(starts, ends, strict=True)]


def repetition(text: str, before: str, after: str) -> int:
    """Returns where `text` begins to repeat the lines that follow the cursor.

    It does where all its last lines are the next lines of the file (the very last may be cut
    short), or so many that it is no chance. Blank lines do not count.
    """
    head = before.rpartition("\n")[2]
    rest, _, below = after.partition("\n")
    following = [line.rstrip() for line in below.split("\n") if line.strip()]
    if rest.strip() and not head.strip():
        following.insert(0, (head + rest).rstrip())
    lines = text.split("\n")
    lines[0] = head + lines[0]
    start = 0
    for number, line in enumerate(lines):
        own = number > 0 or not head.strip()
        if own and line.strip() and _repeats(lines[number:], following):
            return start
        start += len(line) + 1 - (len(head) if number == 0 else 0)
    return len(text)


def closing(text: str, rest: str) -> int:
    """Returns where `text` begins to close brackets again that the rest of its line closes.

    Brackets in strings and comments count as any.
    """
    depth = least = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        least = min(least, depth)
    if least < 0:
        for size in range(min(len(rest), len(text)), 0, -1):
            if text.endswith(rest[:size]):
                return len(text) - size
    return len(text)


def _repeats(lines: Sequence[str], following: Sequence[str]) -> bool:
    said = [line.rstrip() for line in lines if line.strip()]
    equal = 0
    while equal < min(len(said), len(following)) and said[equal] == following[equal]:
        equal += 1
    if equal == len(said) or len("".join("".join(said[:equal]).split())) > CHANCE:
        return True
    # All of them are equal but the last, which was cut short.
    last = said[-1]
    short = len(last.strip()) >= SHORT and equal == len(said) - 1 < len(following)
    return short and following[equal].startswith(last)


def _first_word(line: str) -> str:
    stripped = line.strip()
    if stripped.startswith("@"):
        return "@"
    length = next((i for i, c in enumerate(stripped) if not c.isalnum() and c != "_"), None)
    return stripped[:length]
