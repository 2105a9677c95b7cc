"""Limits of one running fork: CPU time by its own clock, idleness past the wall limit.

CPU time is what counts, because wall time depends on what else the machine does. Past its wall
limit a fork that hardly computed for half a second is idle (asleep, stopped, waiting for nobody)
and is killed; one that computes, however starved, keeps its budget up to a last backstop.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

_IDLE_WINDOW = 0.5
_IDLE_CPU = 0.01
_BACKSTOP = 12.0


class Watch:
    """One fork and what it has used.

    Args:
        number: the order's number.
        pid: the fork, in this process's pid namespace.
        limits: `cpu_seconds` and `wall_seconds`.
        mode: `wall` watches both; `cpu` leaves waiting to somebody who knows whom it waits for.
        started: monotonic time of the fork, seconds.
    """

    def __init__(
        self, number: int, pid: int, limits: dict[str, Any], mode: str, started: float
    ) -> None:
        self.number = number
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.started = started
        self.why = ""
        self._clock = (~pid << 3) | 2
        self._cpu_limit = limits["cpu_seconds"]
        self._cpu_before = 0.0
        self._wall_limit = limits["wall_seconds"] if mode == "wall" else float("inf")
        self._wall_from = started
        self._used = 0.0
        self._window: tuple[float, float] | None = None
        self._leaves_by = float("inf")

    def pause_ms(self) -> float:
        """How long the server may sleep before the next check, in milliseconds."""
        now = time.monotonic()
        until = now + max(self._cpu_limit - self._used, 0.001)
        until = min(until, self._wall_from + self._wall_limit + 0.001)
        if self._window is not None:
            until = self._window[0] + _IDLE_WINDOW
        until = min(until, self._leaves_by)
        return float(max(until - now, 0.001) * 1000)

    def check(self) -> None:
        """Kills the fork if it is past a limit."""
        now = time.monotonic()
        try:
            self._used = time.clock_gettime(self._clock) - self._cpu_before
        except OSError:
            return
        if now >= self._leaves_by:
            self.kill("asked")
        elif self._used >= self._cpu_limit:
            self.kill("cpu")
        elif self._window is not None and now >= self._window[0] + _IDLE_WINDOW:
            idle = self._used - self._window[1] < _IDLE_CPU
            self._window = None
            if idle:
                self.kill("idle")
        if now - self._wall_from > self._wall_limit:
            if now - self._wall_from > _BACKSTOP * self._wall_limit:
                self.kill("wall")
            elif self._window is None:
                self._window = (now, self._used)

    def suspect(self) -> None:
        """Somebody has waited too long for it: is it idle?"""
        if self._window is None:
            self._window = (time.monotonic(), self._used_now())

    def hurry(self, seconds: float) -> None:
        """From now on it may compute for at most this long."""
        self._used = self._used_now()
        self._cpu_limit = min(self._cpu_limit, self._used + seconds)

    def leave(self, seconds: float) -> None:
        """Its work is done: it has this long to leave by itself."""
        self._leaves_by = time.monotonic() + seconds

    def renew(self) -> None:
        """Starts the CPU budget anew."""
        self._cpu_before += self._used_now()
        self._used = 0.0
        self._window = None

    def _used_now(self) -> float:
        try:
            return time.clock_gettime(self._clock) - self._cpu_before
        except OSError:
            return self._used

    def kill(self, why: str) -> None:
        """Ends the fork and, with its pid namespace, all that it started."""
        if not self.why:
            self.why = why
        os.kill(self.pid, signal.SIGKILL)
