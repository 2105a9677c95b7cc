"""The role of a program that is observed: it meets all inputs in one process.

What each call did is appended to a file as it happens, so that whatever ends the process leaves
what was seen before. This runs in the fork that the program lives in, so nothing it says is
trusted; a program that forges what is written here has changed only what itself is seen to do.

Each call has its own time limit. A timer ticks while calls run; a tick that finds the call too
long raises an exception in it. A call that lets no tick through (one long operation in C) is ended
by a second timer, which the ticks put off and which takes the process with it. So is one that goes
on although it was told.

After all calls are made they are made again, the other way round and with other random numbers:
an outcome that is not the same then is unstable.

Frames of the inputs' file are the packed `[args, kwargs]` of each call. Frames of the outcomes'
file are, for one call after the other, packed `[kind, value, changed, printed]`; after them comes
`["end", indices of the unstable ones]`.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from codewright.sandbox.capture import Capture
from codewright.sandbox.guest import MODULE, PROGRAM_FILE
from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import Packer

PROGRAM_FD, INPUTS_FD, OUTCOMES_FD = 3, 4, 5
HEADER = 4

_TICK = 0.01
# A call that has taken so many times its limit, computed for less than that part of the time and
# given up the processor by itself is not starved, it waits.
_PATIENCE = 3.0
# So many ticks are raised in a call before the process is given up.
_TOLD = 5
# So much of a call's time may pass without a tick before the process is given up.
_UNHEARD = 3.0
_LARGEST = 1 << 16
_PRINTED = 400
_LOADING = 0.5
_MUTABLE = (list, dict, set, bytearray)
# A call that waited is as bad as so many that computed.
_WAITED = 2
# Calls that took longer are not made again, nor any after so many seconds of it.
_QUICK, _AGAIN = 0.005, 0.2
_LATE = b'["t",null,null,""]'


class _Late(BaseException):
    """Raised inside a call that takes too long. No `except Exception` of the program stops it."""


class _Clock:
    """Watches the call that is on.

    Args:
        call_seconds: the CPU time of one call.
    """

    def __init__(self, call_seconds: float) -> None:
        self._call_seconds = self._limit = call_seconds
        self._cpu = self._wall = 0.0
        self._pauses = self._told = 0
        self.running = False
        self.late = False

    def wind(self) -> None:
        """Lets it tick."""
        signal.signal(signal.SIGALRM, self._tick)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
        signal.setitimer(signal.ITIMER_PROF, self._limit * _UNHEARD)

    def start(self, loading: bool = False) -> None:
        """A call begins, or the program is loaded, which may take longer."""
        limit = max(self._call_seconds, _LOADING) if loading else self._call_seconds
        if limit != self._limit:
            self._limit = limit
            signal.setitimer(signal.ITIMER_PROF, self._limit * _UNHEARD)
        self._pauses, self._told = _pauses(), 0
        self._cpu, self._wall = time.process_time(), time.monotonic()
        self.late = False
        self.running = True

    def spent(self) -> float:
        """CPU seconds since the call began."""
        return time.process_time() - self._cpu

    def _tick(self, _signal: int, _frame: types.FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._limit * _UNHEARD)
        if not self.running:
            return
        cpu, wall = self.spent(), time.monotonic() - self._wall
        idle = wall > _PATIENCE * self._limit and cpu < wall / _PATIENCE
        if cpu > self._limit or (idle and _pauses() > self._pauses):
            self.late = True
            self._told += 1
            if self._told > _TOLD:
                signal.signal(signal.SIGPROF, signal.SIG_DFL)
                signal.raise_signal(signal.SIGPROF)
            raise _Late


class Witness:
    """Made once, in the fork server; plays in every fork."""

    def __init__(self) -> None:
        self._capture = Capture()
        self._packer = Packer(lambda _: 0)
        self._unpacker = Unpacker(lambda number: number, lambda reference: reference, str)

    def rehearse(self) -> None:
        """Goes through calls, so that every fork starts warm."""
        clock = _Clock(1.0)
        text = self._packer.text([([3, 1, 2],), {}])
        for _ in range(24):
            for target in (sorted, len, abs):
                self._call(target, text, clock)

    def play(self, order: dict[str, Any]) -> None:
        """Loads the program and makes the calls, from `order["first"]` on."""
        sys.stdout = sys.stderr = self._capture.stream
        self._capture.limit(_PRINTED)
        # Printed once, with the line that it comes from: two programs would never do the same.
        warnings.simplefilter("ignore")
        source = whole(PROGRAM_FD).decode("utf-8", "surrogatepass")
        calls = list(frames(whole(INPUTS_FD)))[order["first"] :]
        clock = _Clock(order["call_seconds"])
        clock.wind()
        try:
            target = self._load(source, order["entry_point"], clock)
        except _Late:
            target = _LATE
        if isinstance(target, bytes):
            for _ in calls:
                _send(target)
            unstable: list[int] = []
        else:
            told = self._make(target, calls, clock, order["most_late"])
            unstable = [order["first"] + at for at in self._make_again(target, calls, told, clock)]
        _send(self._packer.text(["end", unstable]))

    def _load(self, source: str, entry_point: str, clock: _Clock) -> Callable[..., Any] | bytes:
        """The function to call; what every call does where there is none."""
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module
        clock.start(loading=True)
        try:
            exec(compile(source, PROGRAM_FILE, "exec", dont_inherit=True), module.__dict__)
            target = module.__dict__[entry_point]
        except BaseException as error:  # boundary: whatever the program does is its behaviour
            clock.running = False
            name = "NameError" if isinstance(error, KeyError) else _name(error)
            return _LATE if clock.late else self._packer.text(["l", name, None, ""])
        clock.running = False
        self._capture.clear()
        if not callable(target):
            return self._packer.text(["l", "TypeError", None, ""])
        function: Callable[..., Any] = target
        return function

    def _make(
        self, target: Callable[..., Any], calls: list[bytes], clock: _Clock, most_late: int
    ) -> dict[int, bytes]:
        """Makes all calls; returns what quick ones did."""
        told: dict[int, bytes] = {}
        late = 0
        for at, call in enumerate(calls):
            did = self._call(target, call, clock) if late < most_late else _LATE
            late += did is _LATE and (1 if clock.spent() > _QUICK else _WAITED)
            _send(did)
            if did is not _LATE and clock.spent() < _QUICK:
                told[at] = did
        return told

    def _make_again(
        self, target: Callable[..., Any], calls: list[bytes], told: dict[int, bytes], clock: _Clock
    ) -> list[int]:
        """Makes the quick calls once more; returns which did something else."""
        random.seed(1)
        until = time.process_time() + _AGAIN
        unstable = []
        for at, before in reversed(told.items()):
            if time.process_time() > until:
                break
            did = self._call(target, calls[at], clock)
            if did not in (before, _LATE):
                unstable.append(at)
        return unstable

    def _call(self, target: Callable[..., Any], text: bytes, clock: _Clock) -> bytes:
        """What one call did, as a frame's body."""
        args, kwargs = self._unpacker.unpack(text)
        try:
            did = self._attempt(target, args, kwargs, clock)
        except _Late:
            did = _LATE
        clock.running = False
        # A program that catches everything swallows the exception, not that it was late.
        if clock.late:
            did = _LATE
        printed = b'""'
        if self._capture.used:
            printed = self._packer.text(self._capture.text()[:_PRINTED])
            self._capture.clear()
        return did if did is _LATE else b"[%b,%b]" % (did, printed)

    def _attempt(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        clock: _Clock,
    ) -> bytes:
        given = [*enumerate(args), *kwargs.items()]
        mutable = [(key, value) for key, value in given if isinstance(value, _MUTABLE)]
        before = [self._packer.text(value) for _, value in mutable]
        clock.start()
        try:
            value = self._text(target(*args, **kwargs))
            changed = []
            for (key, now), was in zip(mutable, before, strict=True):
                text = self._text(now)
                if text != was:
                    changed.append(b"[%b,%b]" % (self._packer.text(key), text))
            clock.running = False
        except BaseException as error:  # boundary: whatever the program raises is its behaviour
            clock.running = False
            return b'"x",%b,null' % self._packer.text(_name(error))
        return b'"v",%b,[%b]' % (value, b",".join(changed))

    def _text(self, value: Any) -> bytes:
        """The packed value; of a very large one its type, size and digest."""
        text = self._packer.text(value)
        if len(text) <= _LARGEST:
            return text
        kind = type(value).__name__
        digest = hashlib.sha256(text).hexdigest()[:16]
        shown = f"<{kind} of {len(text)} bytes, {digest}>"
        parts = [self._packer.text(part) for part in (0, kind, shown, True)]
        return b'{"h":[%b]}' % b",".join(parts)


def _pauses() -> int:
    """How often this process has waited for something."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


def _name(error: BaseException) -> str:
    """The name of an exception's type, read past what a metaclass may say."""
    name: str = type.__dict__["__name__"].__get__(type(error))
    return name


def _send(body: bytes) -> None:
    os.write(OUTCOMES_FD, len(body).to_bytes(HEADER, "little") + body)


def whole(fd: int) -> bytes:
    """All that a file holds, wherever its offset stands."""
    size = os.fstat(fd).st_size
    return os.pread(fd, size, 0)


def frames(data: bytes) -> Iterator[bytes]:
    """The bodies of whole frames; what follows the last one is left out."""
    at = 0
    while at + HEADER <= len(data):
        end = at + HEADER + int.from_bytes(data[at : at + HEADER], "little")
        if end > len(data):
            return
        yield data[at + HEADER : end]
        at = end
