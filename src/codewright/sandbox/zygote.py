"""The fork server: one process in a jail that forks once for every program.

It is started by `server.py`, builds its jail, imports what programs commonly use, and then obeys
orders from its control socket (sequenced packets of JSON, descriptors beside them).

A `fork` order starts one fork. A `series` order lets the examiner at the other end of the link ask
for forks itself, one for each program, so that whoever gave the order need not be woken between
them: `n` asks for the next (its channel comes back), `s` says that the present one is long in
answering, `e` that no more are wanted. How forks ended is reported in batches.

It is trusted code, but it holds no tests and no expected values.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import posix
import random
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from codewright.sandbox import jail, syscalls
from codewright.sandbox.descent import rehearse
from codewright.sandbox.nursery import Ended, Nursery, Role

_PACKET = 1 << 16
_MAX_DESCRIPTORS = 8
_RESERVED = 16
_BATCH = 16
_LEAVE_SECONDS = 0.05


class Zygote:
    """The server's state: its jail, its one living fork, and the series that is on."""

    def __init__(self, control: socket.socket, spec: dict[str, Any]) -> None:
        self._control = control
        self._spec = spec
        self._layers: jail.Layers = {}
        self._roles: dict[str, Role] = {}
        self._poller = select.poll()
        self._link: socket.socket | None = None
        self._series: dict[str, Any] | None = None
        self._next_wanted = False
        self._successor: tuple[dict[str, Any], list[int]] | None = None
        self._ended: list[Ended] = []

    def build(self) -> None:
        """Builds the jail and leaves this process as its only inhabitant."""
        private = jail.enter_namespaces(
            self._layers, self._ask_maps, switch_user=self._spec["switch_user"]
        )
        if private:
            self._become_init()
            socket.sethostname("sandbox")
            jail.build_root(self._spec, self._layers)
        mounted = self._layers.get("mount") == ""
        jail.lock(self._layers)
        jail.set_limits({"RLIMIT_CORE": 0}, self._layers)
        self._nursery = Nursery(
            self._spec,
            self._layers,
            private=private,
            scratch=["/tmp", "/build"] if mounted else [self._spec["fallback_scratch"]],
            poller=self._poller,
        )

    def _ask_maps(self) -> None:
        self._control.send(json.dumps({"op": "map", "pid": os.getpid()}).encode())
        if json.loads(self._control.recv(_PACKET))["op"] != "mapped":
            raise OSError("the user maps were not written")

    def _become_init(self) -> None:
        """Forks the init of the new pid namespace; the outer process only waits for it."""
        outer = os.getpid()
        pid = os.fork()
        if pid:
            self._control.close()
            _, status = os.waitpid(pid, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        # Seen from the new namespace an outer parent is 0; 1 would mean it died meanwhile.
        assert os.getpid() == 1, f"not the init below {outer}"
        assert os.getppid() == 0, f"orphan of {outer}"

    def load_roles(self) -> None:
        """Imports what the forks will play; afterwards the package is out of sight."""
        for role, where in self._spec["roles"].items():
            self._roles[role] = _find(where)()
        sys.path[:] = [*self._spec["path"], *(["/packages"] if self._spec["packages"] else [])]

    def warm(self) -> None:
        """Imports what programs use, so that no fork pays for it."""
        missing: dict[str, str] = {}
        for name in self._spec["preload"]:
            try:
                importlib.import_module(name)
            except ImportError as error:
                missing[name] = str(error)
        # `server.py` had it silenced while modules were imported.
        os.register_at_fork = posix.register_at_fork
        rehearse()
        for role in self._roles.values():
            role.rehearse()
        random.seed(0)
        gc.collect()
        gc.freeze()
        self._send({"op": "ready", "layers": self._layers, "missing": missing})

    def _send(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())

    def serve(self) -> NoReturn:
        """Obeys orders until the control socket closes."""
        control = self._control.fileno()
        self._poller.register(control, select.POLLIN)
        while True:
            watch = self._nursery.watch
            ready = {fd for fd, _ in self._poller.poll(watch.pause_ms() if watch else None)}
            # Orders first: a request on the link may belong to an order that came before it.
            if control in ready:
                self._obey()
            if watch is not None and watch.pidfd in ready:
                self._reap()
            if self._link is not None and self._link.fileno() in ready:
                self._hear()
            if self._nursery.watch is not None:
                self._nursery.watch.check()

    def _obey(self) -> None:
        data, fds, _, _ = socket.recv_fds(self._control, _PACKET, _MAX_DESCRIPTORS)
        if not data:
            os._exit(0)
        order = json.loads(data)
        match order["op"]:
            case "fork" if self._nursery.watch is not None:
                # Its predecessor is no longer wanted.
                self._successor = (order, fds)
                self._nursery.watch.kill("asked")
            case "fork":
                self._nursery.fork(self._roles[order["role"]], order, fds)
            case "link":
                self._unlink()
                self._link = socket.socket(fileno=fds[0])
                self._poller.register(fds[0], select.POLLIN)
            case "series":
                self._series = order
            case "stop":
                self._end_series("asked")
            case "renew" | "kill" as what:
                watch = self._nursery.watch
                if watch is not None and watch.number == order["id"]:
                    watch.renew() if what == "renew" else watch.kill("asked")
            case _:
                raise ValueError(f"no such order: {order['op']}")

    def _unlink(self) -> None:
        if self._link is not None:
            self._poller.unregister(self._link)
            self._link.close()
            self._link = None

    def _hear(self) -> None:
        """The examiner asks for something."""
        assert self._link is not None
        asked = self._link.recv(1)
        watch = self._nursery.watch
        if asked == b"":
            self._unlink()
        elif asked == b"s":
            if watch is not None:
                watch.suspect()
                if self._series is not None and self._series["hurry"]:
                    watch.hurry(self._series["hurry"])
        elif asked == b"e":
            self._end_series("")
        elif watch is None:
            self._fork_next()
        else:
            self._next_wanted = True
            watch.leave(_LEAVE_SECONDS)

    def _fork_next(self) -> None:
        """Forks the next program of the series and sends its channel over the link."""
        self._next_wanted = False
        if self._series is None or self._link is None:
            return
        near, far = socket.socketpair()
        with near:
            self._nursery.fork(self._roles["candidate"], self._series, [far.detach()])
            socket.send_fds(self._link, [b"c"], [near.fileno()])

    def _end_series(self, why: str) -> None:
        self._series = None
        self._next_wanted = False
        watch = self._nursery.watch
        if watch is None:
            self._report()
        elif why:
            watch.kill(why)
        else:
            watch.leave(_LEAVE_SECONDS)

    def _reap(self) -> None:
        self._ended.append(self._nursery.reap())
        if self._successor is not None:
            order, fds = self._successor
            self._successor = None
            self._nursery.fork(self._roles[order["role"]], order, fds)
        elif self._next_wanted:
            self._fork_next()
        if self._series is None or len(self._ended) >= _BATCH:
            self._report()

    def _report(self) -> None:
        """Says how forks ended, and whether the series is over."""
        over = self._series is None and self._nursery.watch is None
        self._send({"op": "ended", "forks": self._ended, "over": over})
        self._ended = []


def _find(where: str) -> Any:
    """What `module:name` names."""
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)


def main(fd: int) -> NoReturn:
    """Entry point of the process that `server.py` starts; `fd` is the control socket.

    When the starter dies the control socket closes, and the server leaves with all it forked.
    """
    control = socket.socket(fileno=fd)
    # With the low numbers taken, no descriptor that comes later is in the way of a fork's own.
    while os.open("/dev/null", os.O_RDWR) < _RESERVED:
        pass
    spec = json.loads(control.recv(_PACKET))
    zygote = Zygote(control, spec)
    zygote.load_roles()
    zygote.build()
    zygote.warm()
    zygote.serve()
