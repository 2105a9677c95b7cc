"""The one fork of a server that lives at a time: started, watched, reaped, cleaned up after."""

from __future__ import annotations

import os
import select
import time
from typing import Any, NoReturn, Protocol

from codewright.sandbox import jail, syscalls
from codewright.sandbox.descent import Descent
from codewright.sandbox.watch import Watch


class Role(Protocol):
    """What forks do. Made once, in the server."""

    def rehearse(self) -> None:
        """Makes ready, in the server, what every fork would have to."""

    def play(self, order: dict[str, Any]) -> None:
        """Does it, in a fork that has given up its privileges."""


Ended = tuple[int, int, str, float, float, int]
"""Number of the order, exit code (negative: the signal), why it was killed, CPU seconds, wall
seconds, peak memory in bytes."""


class Nursery:
    """Forks programs, one after the other, each with empty scratch folders.

    Args:
        spec: the server's.
        layers: which layers of the jail hold.
        private: whether mounts and process numbers are this server's own.
        scratch: folders that programs may write.
        poller: is told of the fork's process descriptor.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        layers: jail.Layers,
        *,
        private: bool,
        scratch: list[str],
        poller: select.poll,
    ) -> None:
        self._spec = spec
        self._layers = layers
        self._private = private
        self._scratch = scratch
        self._poller = poller
        self._descent = Descent(spec, layers)
        self._ruleset = jail.make_ruleset(layers, spec, scratch)
        self._self = os.pidfd_open(os.getpid())
        self._touched: dict[str, int] = {}
        self.watch: Watch | None = None
        self._remember()

    def fork(self, role: Role, order: dict[str, Any], fds: list[int]) -> None:
        """Starts a program's process; closes the descriptors here.

        Args:
            order: `id`, `limits`, `targets` (the numbers that `fds` get), `watch`, and what the
                role wants to know.
        """
        assert self.watch is None, "one fork at a time"
        self._clean(keep_build=order.get("keep_build", False))
        if self._private:
            # Joining one's own namespace again is what lets unshare make the next one.
            syscalls.setns(self._self, syscalls.CLONE_NEWPID)
            syscalls.unshare(syscalls.CLONE_NEWPID)
        cwd = "/build" if order.get("cwd") == "/build" else self._scratch[0]
        plan = self._descent.plan(order, fds, self._ruleset, cwd)
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _become_program(plan, role, order)
        for fd in fds:
            os.close(fd)
        self.watch = Watch(order["id"], pid, order["limits"], order["watch"], started)
        self._poller.register(self.watch.pidfd, select.POLLIN)

    def reap(self) -> Ended:
        """Takes leave of the fork, which has ended."""
        watch = self.watch
        assert watch is not None
        self._poller.unregister(watch.pidfd)
        os.close(watch.pidfd)
        _, status, usage = os.wait4(watch.pid, 0)
        self.watch = None
        return (
            watch.number,
            os.waitstatus_to_exitcode(status),
            watch.why,
            usage.ru_utime + usage.ru_stime,
            time.monotonic() - watch.started,
            usage.ru_maxrss * 1024,
        )

    def _clean(self, *, keep_build: bool) -> None:
        """Gives the next program empty scratch folders."""
        dirty = [p for p in self._scratch if os.stat(p).st_ctime_ns != self._touched[p]]
        if keep_build:
            dirty = [p for p in dirty if p != "/build"]
        if not dirty:
            return
        if self._layers["mount"] != "":
            _empty(self._scratch[0])
            self._remember()
            return
        os.chdir("/")
        for path in dirty:
            syscalls.umount(path)
            jail.mount_scratch(path, self._spec["tmp_bytes"])
        if self._ruleset >= 0:
            # The old rules name the folders that are gone.
            os.close(self._ruleset)
            self._ruleset = jail.make_ruleset({}, self._spec, self._scratch)
        self._remember()

    def _remember(self) -> None:
        # A folder's change time moves with every entry made or removed, and nobody can set it.
        self._touched = {p: os.stat(p).st_ctime_ns for p in self._scratch}


def _become_program(plan: syscalls.Plan, role: Role, order: dict[str, Any]) -> NoReturn:
    """In the fork: gives up every privilege and plays the role."""
    try:
        plan.run()
        role.play(order)
    except BaseException as error:  # boundary: the fork must never go on as a server
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(70)
    os._exit(0)


def _empty(folder: str) -> None:
    for path, names, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(path, name))
        for name in names:
            full = os.path.join(path, name)
            (os.unlink if os.path.islink(full) else os.rmdir)(full)
