"""One progress on stderr for work that goes through stages, some of them again and again."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from codewright import console


class Watching:
    """Shows the stage that a piece of work says it is in. A context manager, and callable."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stage = ""
        self._bar: console.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Takes the name of the stage, how many of its units are done, and how many there are."""
        if self._bar is None or stage != self._stage or done < self._bar.done:
            self._open.close()
            self._stage = stage
            self._bar = self._open.enter_context(
                console.progress(stage, total=total or None, unit="done")
            )
            # What was done before, in an earlier round, is no work of this one.
            self._bar.done = done
        self._bar.advance(done - self._bar.done)
