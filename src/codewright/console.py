"""What a person reads goes to stderr, what a program reads goes to stdout.

Everything printed here may contain text that an untrusted program wrote, so control characters
leave as visible escapes: no program can move the cursor, recolour the terminal or hide a line.
Progress appears on anything over two seconds: a bar on a terminal, elsewhere a plain line every
few seconds. It runs no thread, because a sandbox forks and a fork beside threads can deadlock.

This module does not decide exit codes and does not lay out reports.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

from codewright.errors import CodewrightError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Listener = Callable[[str, int, int | None], None]
"""Is told what is being done, how much of it is, and of how much; what it raises ends the work."""
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)

SHOW_AFTER = 2.0
"""Seconds of work before progress is worth a line."""
REDRAW_EVERY = 0.1
"""Seconds between two drawings of the bar on a terminal."""
LINE_EVERY = 5.0
"""Seconds between two plain lines where there is no terminal."""

# Control characters but tab and newline, lone surrogates, and the marks that reorder text
# (Boucher and Anderson, "Trojan Source", 2021).
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Returns `text` with every character that could steer a terminal written as an escape."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def say(text: str = "") -> None:
    """Prints a line to stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def print_text(text: str) -> None:
    """Prints text for a reader of stdout, without a change but that of `printable`."""
    print(printable(text), flush=True)


def print_json(value: Any) -> None:
    """Prints one JSON value to stdout: a single line, or indented when a person is looking.

    Pure ASCII, so that it survives any locale, and lone surrogates in a program's output too.

    Raises:
        ValueError: a number in it is NaN or infinite, which JSON cannot say.
        TypeError: something in it has no JSON form.
    """
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, indent=indent, allow_nan=False), flush=True)


def print_error(error: CodewrightError) -> None:
    """Prints `error: …` and, where there is one, `hint: …` to stderr."""
    _labelled("error", error.message, colour=31)
    if error.hint:
        _labelled("hint", error.hint, colour=36)


def _labelled(label: str, text: str, *, colour: int) -> None:
    head = f"{label}:"
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        head = f"\x1b[1;{colour}m{head}\x1b[0m"
    print(f"{head} {printable(text)}", file=sys.stderr, flush=True)


class Progress:
    """Counts work that has been done, and shows it once the work takes a while.

    Made by `progress`. Nothing is drawn but from inside `advance`: whoever waits for long
    calls `advance(0)` now and then.
    """

    def __init__(
        self,
        description: str,
        total: int | None,
        unit: str,
        stream: TextIO,
        clock: Callable[[], float],
    ) -> None:
        self.done = 0
        self.total = total
        self._description = printable(description)
        self._unit = unit
        self._stream = stream
        self._clock = clock
        self._started = clock()
        self._next = self._started + SHOW_AFTER
        self._bar: RichProgress | None = None
        self._shown = False

    def advance(self, count: int = 1) -> None:
        """Adds `count` units to the work done, and draws if it is time to."""
        self.done += count
        _tell(self._description, self.done, self.total)
        now = self._clock()
        if now < self._next:
            return
        self._shown = True
        if self._stream.isatty():
            self._next = now + REDRAW_EVERY
            self._draw()
        else:
            self._next = now + LINE_EVERY
            self._line(now - self._started)

    def close(self) -> None:
        """Removes the bar; a progress that was shown leaves one line with the total."""
        if self._bar is not None:
            self._bar.stop()
        if self._shown:
            seconds = self._clock() - self._started
            text = f"{self._description}: {self.done} {self._unit} in {seconds:.1f} s"
            print(text, file=self._stream, flush=True)

    def _line(self, seconds: float) -> None:
        rate = self.done / seconds
        if self.total:
            share = f"{self.done} of {self.total} {self._unit} ({self.done / self.total:.0%})"
        else:
            share = f"{self.done} {self._unit}"
        left = ""
        if self.total and self.done:
            left = f", {max(self.total - self.done, 0) / rate:.0f} s left"
        text = f"{self._description}: {share}, {rate:.1f}/s{left}"
        print(text, file=self._stream, flush=True)

    def _draw(self) -> None:
        if self._bar is None:
            self._bar = self._start_bar()
        self._bar.update(self._bar.task_ids[0], completed=self.done)
        self._bar.refresh()

    def _start_bar(self) -> RichProgress:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self._unit, markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(file=self._stream),
            auto_refresh=False,  # no thread beside a fork
            transient=True,
            redirect_stdout=False,
            get_time=self._clock,
        )
        bar.add_task(self._description, total=self.total)
        bar.start()
        return bar


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Lets somebody else hear too of what is counted here, for as long as this lasts."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def waited(what: str) -> None:
    """Lets whoever listens hear that something still waits, and end that."""
    _tell(what, 0, None)


def _tell(what: str, done: int, total: int | None) -> None:
    listener = _LISTENER.get()
    if listener is not None:
        listener(what, done, total)


@contextmanager
def progress(
    description: str,
    *,
    total: int | None = None,
    unit: str = "items",
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Shows on stderr how far a piece of work is.

    Args:
        description: what is being done, for example "judging".
        total: how many units there are; None where nobody knows.
        unit: what is counted, in the plural.
        stream: where to draw; stderr by default.
        clock: seconds that only grow.
    """
    counter = Progress(description, total, unit, sys.stderr if stream is None else stream, clock)
    try:
        yield counter
    finally:
        counter.close()
