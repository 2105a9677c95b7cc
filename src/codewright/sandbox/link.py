"""The connection to Ray: joins a cluster, or starts one on this machine and takes it away again."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import tempfile
from typing import Any

from codewright.errors import MissingExtra, WorkerError

# What travels is small and short-lived; Ray would set aside a third of the memory.
_STORE_BYTES = 128 << 20


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
            self._folder = tempfile.mkdtemp(prefix="cw-ray-")
            here = {
                "address": "local",
                "num_cpus": cpus or None,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": self._folder,
            }
        try:
            self.ray.init(**here, logging_level=logging.ERROR, log_to_driver=False)
        except (OSError, ValueError, RuntimeError) as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            where = f"no Ray cluster answers at {address}" if address else "Ray does not start here"
            raise WorkerError(
                f"{where}: {error}", hint="ray start --head starts one; ray status shows it"
            ) from error

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
    except ImportError:
        raise MissingExtra("ray", "ray") from None
    return ray
