"""The fork server: one process in a jail that forks once for every program.

It is started by `server.py`, builds its jail, imports what programs commonly use, and then obeys
orders from its control socket (sequenced packets of JSON, descriptors beside them). One fork
lives at a time; the server watches its CPU time, kills it at its limits, reaps it, and reports
how it ended. Where a fork left files behind, the scratch folders are replaced before the next.

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
import time
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from codewright.sandbox import jail, syscalls
from codewright.sandbox.descent import Descent, rehearse
from codewright.sandbox.watch import Watch

_PACKET = 1 << 16
_MAX_DESCRIPTORS = 8
_RESERVED = 16


class Role(Protocol):
    """What forks do. Made once, in the server."""

    def rehearse(self) -> None:
        """Makes ready, in the server, what every fork would have to."""

    def play(self, order: dict[str, Any]) -> None:
        """Does it, in a fork that has given up its privileges."""



class Zygote:
    """The server's state: its jail, and the one fork that is alive."""

    def __init__(self, control: socket.socket, spec: dict[str, Any]) -> None:
        self._control = control
        self._spec = spec
        self._layers: jail.Layers = {}
        self._private = False
        self._ruleset = -1
        self._pidfd = -1
        self._watch: Watch | None = None
        self._scratch = ["/tmp", "/build"]
        self._roles: dict[str, Role] = {}
        self._poller = select.poll()

    def build(self) -> None:
        """Builds the jail and leaves this process as its only inhabitant."""
        self._private = jail.enter_namespaces(self._layers, self._ask_maps)
        if self._private:
            self._become_init()
            socket.sethostname("sandbox")
            jail.build_root(self._spec, self._layers)
        if self._layers.get("mount") != "":
            self._scratch = [self._spec["fallback_scratch"]]
        self._pidfd = os.pidfd_open(os.getpid())
        jail.lock(self._layers)
        self._ruleset = jail.make_ruleset(self._layers, self._spec, self._scratch)
        jail.set_limits({"RLIMIT_CORE": 0}, self._layers)
        self._descent = Descent(self._spec, self._layers)

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
        assert os.getpid() == 1 and os.getppid() == 0, f"orphan of {outer}"

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
            watch = self._watch
            for fd, _ in self._poller.poll(watch.pause_ms() if watch else None):
                if fd == control:
                    self._obey()
                else:
                    self._reap()
            if self._watch is not None:
                self._watch.check()

    def _obey(self) -> None:
        data, fds, _, _ = socket.recv_fds(self._control, _PACKET, _MAX_DESCRIPTORS)
        if not data:
            os._exit(0)
        order = json.loads(data)
        match order["op"]:
            case "fork":
                self._fork(order, fds)
            case "stalled":
                if self._watch is not None and self._watch.number == order["id"]:
                    self._watch.suspect()
            case "renew":
                if self._watch is not None and self._watch.number == order["id"]:
                    self._watch.renew()
            case "kill":
                if self._watch is not None and self._watch.number == order["id"]:
                    self._watch.kill("asked")
            case _:
                raise ValueError(f"no such order: {order['op']}")

    def _fork(self, order: dict[str, Any], fds: list[int]) -> None:
        assert self._watch is None, "one fork at a time"
        self._clean(keep_build=order.get("keep_build", False))
        if self._private:
            # Joining one's own namespace again is what lets unshare make the next one.
            syscalls.setns(self._pidfd, syscalls.CLONE_NEWPID)
            syscalls.unshare(syscalls.CLONE_NEWPID)
        cwd = "/build" if order.get("cwd") == "/build" else self._scratch[0]
        plan = self._descent.plan(order, fds, self._ruleset, cwd)
        play = self._roles[order["role"]].play
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _become_program(plan, play, order)
        for fd in fds:
            os.close(fd)
        self._watch = Watch(order["id"], pid, order["limits"], order["watch"], started)
        self._poller.register(self._watch.pidfd, select.POLLIN)

    def _reap(self) -> None:
        watch = self._watch
        assert watch is not None
        self._poller.unregister(watch.pidfd)
        os.close(watch.pidfd)
        _, status, usage = os.wait4(watch.pid, 0)
        self._watch = None
        code = os.waitstatus_to_exitcode(status)
        self._send(
            {
                "op": "exit",
                "id": watch.number,
                "code": code,
                "why": watch.why,
                "cpu": usage.ru_utime + usage.ru_stime,
                "wall": time.monotonic() - watch.started,
                "peak": usage.ru_maxrss * 1024,
            }
        )

    def _clean(self, *, keep_build: bool) -> None:
        """Gives the next program empty scratch folders."""
        dirty = [
            p for p in self._scratch
            if not (keep_build and p == "/build") and any(True for _ in os.scandir(p))
        ]  # fmt: skip
        if not dirty:
            return
        if self._layers.get("mount") != "":
            _empty(self._scratch[0])
            return
        os.chdir("/")
        for path in dirty:
            syscalls.umount(path)
            jail.mount_scratch(path, self._spec["tmp_bytes"])
        if self._ruleset >= 0:
            # The old rules name the folders that are gone.
            os.close(self._ruleset)
            self._ruleset = jail.make_ruleset({}, self._spec, self._scratch)


def _become_program(plan: syscalls.Plan, play: Callable[..., None], order: Any) -> NoReturn:
    """In the fork: gives up every privilege and plays the role."""
    try:
        plan.run()
        play(order)
    except BaseException as error:  # boundary: the fork must never go on as a server
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(70)
    os._exit(0)


def _find(where: str) -> Any:
    """What `module:name` names."""
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)


def _empty(folder: str) -> None:
    for path, names, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(path, name))
        for name in names:
            full = os.path.join(path, name)
            (os.unlink if os.path.islink(full) else os.rmdir)(full)


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
