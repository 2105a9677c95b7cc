"""Listens where hostile programs call, knocks where they listen, keeps a secret to be stolen."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.machine import MOUTH_PORT

PORT = 17653
SECRET = ".attack-suite-secret"
_ABSTRACT = "\0attack-suite-ear"
_ON_DISK = "/tmp/attack-suite-ear"
_MOUTH = "\0attack-suite-mouth"
_KNOCK_SECONDS = 0.05
_ADDRESSES: tuple[tuple[int, int, str | tuple[str, int]], ...] = (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", PORT)),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", PORT)),
    (socket.AF_INET6, socket.SOCK_DGRAM, ("::1", PORT)),
    (socket.AF_UNIX, socket.SOCK_STREAM, _ABSTRACT),
    (socket.AF_UNIX, socket.SOCK_DGRAM, _ABSTRACT + "-dgram"),
    (socket.AF_UNIX, socket.SOCK_STREAM, _ON_DISK),
)
# Not the ones by which a user ends the suite.
_SIGNALS = (signal.SIGWINCH, signal.SIGUSR1)


@dataclass(slots=True)
class Ears:
    """Open for as long as a suite runs.

    Raises:
        OSError: the port is taken, as by another run of the suite.
    """

    _signals: list[str] = field(default_factory=list)
    _ears: list[socket.socket] = field(default_factory=list)
    _handlers: dict[int, object] = field(default_factory=dict)
    _secret: Path = field(default_factory=lambda: Path(os.path.expanduser("~")) / SECRET)
    _knocker: int = 0
    _knocks: socket.socket | None = None

    def __enter__(self) -> Ears:
        with contextlib.suppress(OSError):
            os.unlink(_ON_DISK)
        for family, kind, address in _ADDRESSES:
            with contextlib.ExitStack() as undo:
                ear = undo.enter_context(socket.socket(family, kind))
                if kind == socket.SOCK_STREAM and family != socket.AF_UNIX:
                    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    ear.bind(address)
                except OSError:
                    if family == socket.AF_INET6:
                        continue
                    raise
                if kind == socket.SOCK_STREAM:
                    ear.listen(64)
                ear.setblocking(False)
                undo.pop_all()
                self._ears.append(ear)
        self._start_knocker()
        for number in _SIGNALS:
            self._handlers[number] = signal.signal(number, self._note)
        with contextlib.suppress(OSError):
            self._secret.write_text("attack-suite: nobody but the owner may read this\n")
            self._secret.chmod(0o600)
        return self

    def _note(self, number: int, frame: object) -> None:
        self._signals.append(signal.Signals(number).name)

    def _start_knocker(self) -> None:
        """A process that tries to reach what hostile programs open, and tells when it did."""
        mine, theirs = socket.socketpair()
        self._knocker = os.fork()
        if self._knocker == 0:
            mine.close()
            _knock(theirs)
            os._exit(0)
        theirs.close()
        mine.setblocking(False)
        self._knocks = mine

    def heard(self) -> list[str]:
        """What was heard since the last time, as sentences."""
        harm = set()
        for ear in self._ears:
            try:
                if ear.type == socket.SOCK_STREAM:
                    ear.accept()[0].close()
                else:
                    ear.recv(100)
            except OSError:
                continue
            where = "a Unix socket" if ear.family == socket.AF_UNIX else "the network"
            harm.add(f"reached {where}")
        assert self._knocks is not None
        with contextlib.suppress(BlockingIOError):
            if self._knocks.recv(1000):
                harm.add("could be reached from outside")
        if self._signals:
            harm.add(f"signalled the suite ({', '.join(sorted(set(self._signals)))})")
            self._signals.clear()
        return sorted(harm)

    def __exit__(self, *_: object) -> None:
        for ear in self._ears:
            ear.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._knocks is not None:
            self._knocks.close()
            os.kill(self._knocker, signal.SIGKILL)
            os.waitpid(self._knocker, 0)
        for path in (self._secret, _ON_DISK):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _knock(tell: socket.socket) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_KNOCK_SECONDS)
        for family, address in (
            (socket.AF_INET, ("127.0.0.1", MOUTH_PORT)),
            (socket.AF_UNIX, _MOUTH),
        ):
            with socket.socket(family) as visitor, contextlib.suppress(OSError):
                visitor.settimeout(0.2)
                visitor.connect(address)
                tell.send(b"k")
