"""Text that keeps a program a program: prompt, text and suffix together are Python.

What may follow is asked of `python_program.py` for each token that is drawn; a mask of all tokens
would take thousands of looks. The text may end where prompt and text are a program, and with a
suffix where all three are one; where the suffix was cut off, where it can go on behind them up to
its own end, which is not inside of a string.

A prompt whose first line is indented is taken for the end of a longer one.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codewright.errors import UserError
from codewright.generate.python_program import Program

LONGEST = 64_000
"""Characters of a prompt."""


class PythonRules:
    """The `Rules` of a program."""

    def __init__(self, first: Program, program: Program, suffix: str, *, cut: bool) -> None:
        """`first` is the program before the text, `program` with it; `cut`: the suffix goes on."""
        self._first = first
        self._program = program
        self._suffix = suffix
        self._cut = cut
        self._begun = b""
        """The half of a character that the text ends with."""
        self._ends: bool | None = None

    @classmethod
    def after(cls, prompt: str, suffix: str, *, cut: bool = False) -> PythonRules:
        """Returns the rules for what stands between two texts.

        Raises:
            UserError: the first of them is no beginning of a program.
        """
        prompt = prompt.removeprefix("\ufeff")
        if len(prompt) > LONGEST:
            raise UserError(
                f"a prompt of {len(prompt)} characters is too long to be read as a program",
                hint=f"{LONGEST} at most",
            )
        program = Program(part=True).feed(prompt)
        if program is None:
            raise UserError(
                f"the prompt is no beginning of a Python program: line {_broken(prompt)}",
                hint="mend it, or do without the grammar",
            )
        return cls(program, program, suffix, cut=cut)

    @property
    def complete(self) -> bool:
        if self._ends is None:
            self._ends = not self._begun and self._may_end(self._program)
        return self._ends

    @property
    def over(self) -> bool:
        return False

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns None: each token is asked for by itself."""
        return None

    def takes(self, data: bytes) -> bool:
        """Tells whether bytes may follow."""
        return self._after(data) is not None

    def push(self, token: int, data: bytes) -> None:
        """Takes bytes that may follow."""
        made = self._after(data)
        assert made is not None, "a token that was not permitted"
        self._program, self._begun = made
        self._ends = None

    def whole(self, text: bytes) -> bool:
        """Tells whether all of a text could be `text`."""
        try:
            program = self._first.feed(text.decode("utf-8"))
        except UnicodeDecodeError:
            return False
        return program is not None and self._may_end(program)

    def forced(self) -> Sequence[int]:
        """Returns nothing."""
        return ()

    def fork(self) -> PythonRules:
        """Returns others in the same state."""
        made = PythonRules(self._first, self._program, self._suffix, cut=self._cut)
        made._begun, made._ends = self._begun, self._ends
        return made

    def _may_end(self, program: Program) -> bool:
        if not self._suffix:
            return program.complete()
        behind = program.feed(self._suffix)
        if behind is None:
            return False
        return behind.complete() or (self._cut and not behind.in_string)

    def _after(self, data: bytes) -> tuple[Program, bytes] | None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        whole = self._begun + data
        try:
            text = decoder.decode(whole)
        except UnicodeDecodeError:
            return None
        begun = decoder.getstate()[0]
        if len(begun) > 1 and not _completable(begun):
            return None
        program = self._program.feed(text) if text else self._program
        if program is None or (begun and not program.foreign(begun)):
            return None
        return program, begun


def _completable(begun: bytes) -> bool:
    """Tells whether two bytes or more begin a character: of a surrogate, two do not yet fail."""
    length = 3 if begun[0] < 0xF0 else 4
    try:
        begun.ljust(length, b"\x80").decode()
    except UnicodeDecodeError:
        return False
    return True


def _broken(prompt: str) -> int:
    """Returns the first line with which a text is no beginning of a program any more."""
    lines = prompt.splitlines(keepends=True)
    sound, broken = 0, len(lines)
    while broken - sound > 1:
        middle = (sound + broken) // 2
        if Program(part=True).feed("".join(lines[:middle])) is None:
            broken = middle
        else:
            sound = middle
    return broken
