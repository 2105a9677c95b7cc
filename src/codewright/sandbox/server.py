"""The starter's handle of a fork server: starts it, gives orders, hears how forks ended."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import codewright.sandbox
from codewright.errors import WorkerError
from codewright.sandbox.cgroups import Cgroup
from codewright.sandbox.environment import Environment, layout
from codewright.sandbox.jail import INNER_UID
from codewright.types.judging import Limits

# As root, programs run as a user that owns nothing and nobody.
_OUTER_UID = 1_612_345_678
_PACKET = 1 << 16
_START_SECONDS = 60.0
_ANSWER_SECONDS = 20.0
_TMP_BYTES = 256 << 20
# Modules of the standard library ask to be called at every fork (random, threading, logging). It
# would cost each fork half its time and mend nothing: the server has one thread, and its forks
# want the same state. So nobody's wish is heard until the server is warm.
_BOOT = (
    "import os, sys; os.register_at_fork = lambda **_: None; sys.path.insert(0, sys.argv[1]); "
    "from codewright.sandbox.zygote import main; main(int(sys.argv[2]))"
)
_ENVIRON = {
    "PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "MPLCONFIGDIR": "/tmp", "MPLBACKEND": "Agg",
}  # fmt: skip
_serial = itertools.count()

PROGRAM_ROLES = {
    "candidate": "codewright.sandbox.guest:Stage",
    "witness": "codewright.sandbox.witness:Witness",
    "script": "codewright.sandbox.script:Script",
    "command": "codewright.sandbox.script:Command",
}
EXAMINER_ROLES = {"examiner": "codewright.sandbox.examiner:Stage"}


class ServerGone(Exception):
    """The fork server has died."""


class ForkServer:
    """A fork server in its jail.

    Args:
        environment: what its forks run on.
        roles: role to `module:class` (see `zygote.Role`).
        memory_bytes: ceiling over the whole server, for the cgroup.
        core: the processor to keep to, or None for all.
    """

    def __init__(
        self,
        environment: Environment,
        roles: dict[str, str],
        memory_bytes: int,
        core: int | None = None,
    ) -> None:
        self._layout = layout(environment)
        self.version: str = self._layout["version"]
        self.layers: dict[str, str] = {}
        self._ids = itertools.count()
        self._scratch = tempfile.mkdtemp(prefix="codewright-")
        os.chmod(self._scratch, 0o777)
        self._cgroup = Cgroup(f"{os.getpid()}-{next(_serial)}", memory_bytes, 1024)
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        root = str(Path(codewright.sandbox.__file__).parents[2])
        command = [self._layout["python"], "-S", "-s", "-P", "-B", "-X", "utf8"]
        try:
            self._process = subprocess.Popen(
                [*command, "-c", _BOOT, root, str(far.fileno())],
                pass_fds=[far.fileno()],
                env=_ENVIRON,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError as error:
            self._forget()
            raise WorkerError(f"the fork server cannot be started: {error}") from error
        finally:
            far.close()
        self._cgroup.add(self._process.pid)
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        self._send(self._spec(roles))

    def _spec(self, roles: dict[str, str]) -> dict[str, Any]:
        return {
            **self._layout,
            "roles": roles,
            "tmp_bytes": _TMP_BYTES,
            "fallback_scratch": self._scratch,
            "switch_user": _can_switch_user(),
            "outer_uid": _OUTER_UID,
        }

    def wait_ready(self) -> None:
        """Waits until the jail stands; fills `layers`.

        Raises:
            WorkerError: it could not be built.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.control], [], [], left)[0]:
                raise self._failed("it did not answer in time")
            try:
                message = self.receive()
            except ServerGone:
                raise self._failed("it died while starting") from None
            if message["op"] == "map":
                self._write_maps(message["pid"])
                continue
            if message["missing"]:
                names = ", ".join(message["missing"])
                raise self._failed(f"modules to preload are missing: {names}")
            self.layers = {**message["layers"], "cgroup": self._cgroup.missing}
            return

    def _failed(self, why: str) -> WorkerError:
        self._errors.seek(0)
        text = self._errors.read()[-2000:].decode("utf-8", "replace").strip()
        self.close()
        return WorkerError(
            f"the fork server did not start: {why}" + (f"\n{text}" if text else ""),
            hint="codewright doctor says what this machine offers",
        )

    def _write_maps(self, pid: int) -> None:
        # The server outside its pid namespace is the process that was started.
        assert pid == self._process.pid
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(f"0 0 1\n{INNER_UID} {_OUTER_UID} 1\n")
        self._send({"op": "mapped"})

    def _send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        try:
            data = json.dumps(message).encode()
            if fds:
                socket.send_fds(self.control, [data], fds)
            else:
                self.control.send(data)
        except (BrokenPipeError, ConnectionResetError):
            raise ServerGone from None

    def fork(
        self, role: str, limits: Limits, fds: list[int], targets: list[int], **more: Any
    ) -> int:
        """Orders a fork and returns its number.

        Args:
            role: what it plays.
            fds: descriptors it gets, as the numbers in `targets`.
            more: what the role wants to know; `watch` is `cpu` or `wall` (see `watch.py`).

        Raises:
            ServerGone: the server has died.
        """
        number = next(self._ids)
        order = {"op": "fork", "role": role, **self._order(number, limits, targets), **more}
        self._send(order, fds)
        return number

    def link(self, end: socket.socket) -> None:
        """Gives the server its end of the link to an examiner.

        Raises:
            ServerGone: the server has died.
        """
        self._send({"op": "link"}, [end.fileno()])

    def series(self, limits: Limits, *, hurry: float = 0.0) -> None:
        """Lets the examiner ask for forks with these limits, until it wants no more.

        Args:
            hurry: CPU seconds that are left to a fork once the examiner has found it slow; 0 for
                what its limits say.

        Raises:
            ServerGone: the server has died.
        """
        order = self._order(next(self._ids), limits, [3])
        self._send({"op": "series", "hurry": hurry, **order})

    @staticmethod
    def _order(number: int, limits: Limits, targets: list[int]) -> dict[str, Any]:
        values = {name: getattr(limits, name) for name in _LIMITS}
        return {"id": number, "limits": values, "targets": targets, "watch": "cpu"}

    def stop(self) -> None:
        """Ends the series, and the fork that is alive.

        Raises:
            ServerGone: the server has died.
        """
        self._send({"op": "stop"})

    def tell(self, op: str, number: int) -> None:
        """`renew` or `kill`, about a fork; no effect once it has ended.

        Raises:
            ServerGone: the server has died.
        """
        self._send({"op": op, "id": number})

    def receive(self, seconds: float = _ANSWER_SECONDS) -> dict[str, Any]:
        """The next message; waits for it.

        Raises:
            ServerGone: the server has died, or says nothing for so long.
        """
        if not select.select([self.control], [], [], seconds)[0]:
            raise ServerGone
        try:
            data = self.control.recv(_PACKET)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ServerGone
        message: dict[str, Any] = json.loads(data)
        return message

    def close(self) -> None:
        """Ends the server and everything in its jail, and waits for that."""
        self.control.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self.control.close()
        self._errors.close()
        self._cgroup.remove()
        with contextlib.suppress(OSError):
            os.rmdir(self._scratch)


def _can_switch_user() -> bool:
    """Whether this is a root that can give programs a user of their own.

    Root of a user namespace that maps few users (a rootless container) cannot.
    """
    if os.getuid() != 0 or Path("/proc/self/setgroups").read_text().strip() == "deny":
        return False
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = (int(field) for field in line.split())
        if first <= _OUTER_UID < first + count:
            return True
    return False


_LIMITS = (
    "cpu_seconds", "wall_seconds", "memory_bytes", "processes", "threads", "file_bytes",
    "output_bytes", "open_files",
)  # fmt: skip
