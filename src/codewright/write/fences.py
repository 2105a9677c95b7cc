"""Fenced code blocks in a model's answer (CommonMark, section 4.5), closed or broken off.

Fences of tildes are left out: models do not write them, and underlined titles look like them.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t]*(`{3,})[ \t]*([^\s`]*)[^\n`]*$", re.MULTILINE)

PYTHON = frozenset({"", "python", "python3", "py", "py3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The code between two fences, without the indentation that all of it shares."""

    code: str
    language: str

    @property
    def python(self) -> bool:
        return self.language.lower() in PYTHON


def first_fence(text: str) -> int | None:
    """Returns where the line of the first fence begins, or None."""
    found = _FENCE.search(text)
    return found.start() if found else None


def split_blocks(text: str) -> list[Block]:
    """Returns the fenced blocks of `text`, in order; the last may lack its closing fence."""
    blocks: list[Block] = []
    lines: list[str] = []
    fence = language = ""
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line.rstrip("\r\n"))
        if found and not fence:
            fence, language, lines = found[1], found[2], []
        elif found and found[1].startswith(fence) and not found[2]:
            blocks.append(_block(lines, language))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        blocks.append(_block(lines, language))
    return blocks


def _block(lines: list[str], language: str) -> Block:
    return Block(code=textwrap.dedent("".join(lines)), language=language)
