"""The connection to Ray: joins a cluster, or starts one on this machine and takes it away again."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import socket
import tempfile
from typing import Any

from codewright.errors import MissingExtra, WorkerError

# What travels is small and short-lived; Ray would set aside a third of the memory.
_STORE_BYTES = 128 << 20
_SECONDS = 5.0
_SHORT = 24


class Link:
    """A connection of this process to Ray.

    Args:
        address: of a running cluster; where empty, that of the environment variable RAY_ADDRESS,
            and where that is empty too, Ray is started on this machine and ends with the link.
            A process that is connected already stays as it is, and stays connected.
        cpus: how many a Ray that is started here counts; 0 is as many as there are.

    Raises:
        MissingExtra: Ray is not installed.
        WorkerError: there is no cluster at the address, or Ray does not start.
    """

    def __init__(self, address: str, cpus: int) -> None:
        self.ray: Any = _import_ray()
        self._folder = ""
        self._mine = not self.ray.is_initialized()
        if self._mine:
            self._connect(address or os.environ.get("RAY_ADDRESS", ""), cpus)

    def _connect(self, address: str, cpus: int) -> None:
        here: dict[str, Any] = {"address": address}
        if not address:
            # Ray tells its makers what it is used for unless told not to.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            # Ray's sockets lie deep below; a path of theirs has at most 107 bytes.
            short = None if len(tempfile.gettempdir()) <= _SHORT else "/tmp"
            self._folder = tempfile.mkdtemp(prefix="cw-ray-", dir=short)
            here = {
                "address": "local",
                "num_cpus": cpus or None,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": self._folder,
            }
        elif not _answers(self.ray, address):
            raise _unreachable(f"no Ray cluster answers at {address}", "")
        # Ray would print what befalls its workers to stdout, which is data here.
        worker: Any = importlib.import_module("ray._private.worker")
        worker._worker_logs_enabled = False
        try:
            self.ray.init(**here, logging_level=logging.ERROR, log_to_driver=False)
        except (OSError, ValueError, RuntimeError) as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            where = f"no Ray cluster is at {address}" if address else "Ray does not start here"
            raise _unreachable(where, f": {error}") from error

    def close(self) -> None:
        """Leaves the cluster, and ends it where it was started here."""
        if self._mine:
            self.ray.shutdown()
            self._mine = False
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _import_ray() -> Any:
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.exceptions")
        importlib.import_module("ray.util")
    except ImportError:
        raise MissingExtra("ray", "ray") from None
    return ray


def _unreachable(what: str, why: str) -> WorkerError:
    return WorkerError(f"{what}{why}", hint="ray start --head starts one; ray status shows it")


def _answers(ray: Any, address: str) -> bool:
    """Whether somebody listens at an address; Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return True
    hosts = [host.strip("[]")]
    if hosts[0] in ("127.0.0.1", "localhost", "::1"):
        # Ray takes this for the address by which others know the machine.
        hosts.append(ray.util.get_node_ip_address())
    for each in hosts:
        with contextlib.suppress(OSError), socket.create_connection((each, int(port)), _SECONDS):
            return True
    return False
