"""A cluster of two nodes on this machine, and what judging on it gives.

Used by test_cluster.py as a child process: `python -m tests.sandbox.on_ray` prints one JSON object.
Ray stays out of the tests' own process, where it would leave threads and signal handlers.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from codewright.errors import CodewrightError
from codewright.sandbox.cluster import Cluster
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.types.judging import Job, Verdict
from tests.sandbox.programs import QUICK, double, mixed

_PR_SET_CHILD_SUBREAPER = 36


def descendants() -> dict[int, str]:
    """Pid to command line of every living process that comes from this one."""
    found, parents = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
                    found[int(entry.name)] = command
    mine = {os.getpid()}
    for _ in range(20):
        mine |= {pid for pid, parent in parents.items() if parent in mine}
    return {pid: found[pid] for pid in mine & found.keys() if pid != os.getpid()}


def left(seconds: float, *, of_ours: bool) -> list[str]:
    """The processes that do not end within some seconds: of ours alone, or any."""
    until = time.monotonic() + seconds
    while True:
        commands = descendants().values()
        found = [c for c in commands if not of_ours or "zygote" in c or c.startswith("ray::Node")]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.1)


def actors() -> list[int]:
    return sorted(pid for pid, command in descendants().items() if command.startswith("ray::Node"))


@contextlib.contextmanager
def two_nodes() -> Iterator[Any]:
    """A cluster whose nodes have one CPU each and speak over loopback alone.

    Ray finds the address of its nodes by itself, and by this variable takes loopback's.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Nodes

    with tempfile.TemporaryDirectory(prefix="cw-ray-", ignore_cleanup_errors=True) as folder:
        common = {"num_cpus": 1, "node_ip_address": "127.0.0.1"}
        head = {"include_dashboard": False, "temp_dir": folder}
        nodes = Nodes(initialize_head=True, head_node_args={**common, **head})
        try:
            nodes.add_node(**common)
            yield nodes
        finally:
            nodes.shutdown()


def told(verdicts: list[Verdict]) -> list[Any]:
    """What has to be equal wherever a program is judged: all but times and memory."""
    same = [replace(v, cpu_seconds=0, wall_seconds=0, peak_bytes=0, isolation=()) for v in verdicts]
    return [asdict(v) for v in same]


def equal_to_a_pool(cluster: Cluster) -> dict[str, Any]:
    jobs = mixed()
    found: dict[str, Any] = {"programs": len(jobs)}
    with Pool(workers=2) as pool:
        found["layers"] = [sorted(cluster.isolation), sorted(pool.isolation)]
        for mode in ("fork", "session"):
            found[mode] = [told(list(e.judge(jobs, mode=mode))) for e in (cluster, pool)]
    return found


def lazy_and_cancelled(cluster: Cluster, endless: Job) -> dict[str, Any]:
    read = itertools.count()
    jobs = (replace(endless, program=f"# {next(read)}\n{endless.program}") for _ in iter(int, 1))
    verdicts = cluster.judge(jobs)
    first = [next(verdicts).status for _ in range(2)]
    began = time.monotonic()
    verdicts.close()
    # What was dropped does not hold up what comes next.
    next(cluster.judge([double("def double(x):\n    return 2 * x\n")]))
    return {"first": first, "read": next(read), "seconds": time.monotonic() - began}


def while_judging(cluster: Cluster, job: Job, harm: Any) -> list[str]:
    """The statuses of a batch during which something happens."""
    jobs = [replace(job, program=f"{job.program}\n# {i}") for i in range(400)]
    verdicts = cluster.judge(jobs)
    statuses = [next(verdicts).status]
    harm()
    return [*statuses, *(v.status for v in verdicts)]


def refused(**settings: Any) -> list[str]:
    try:
        with Cluster(**settings):
            return ["nothing"]
    except CodewrightError as error:
        return [type(error).__name__, error.message, error.hint]


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    found: dict[str, Any] = {}
    right = mixed()[0]
    endless = replace(double("while True:\n    pass\n"), limits=replace(QUICK, cpu_seconds=0.03))
    with two_nodes() as nodes:
        with Cluster(address=nodes.address) as cluster:
            found["nodes"], found["workers"] = len(cluster.nodes), cluster.workers
            found["equal"] = equal_to_a_pool(cluster)
            found["lazy"] = lazy_and_cancelled(cluster, endless)
            before = actors()
            found["killed"] = while_judging(
                cluster, right, lambda: os.kill(before[0], signal.SIGKILL)
            )
            found["replaced"] = [len(set(before) & set(actors())), len(actors())]
            names = set(cluster.nodes)
            (leaving,) = nodes.worker_nodes
            nodes.add_node(num_cpus=1, node_ip_address="127.0.0.1")
            found["lost"] = while_judging(cluster, right, lambda: nodes.remove_node(leaving))
            found["taken on"] = [len(names & set(cluster.nodes)), len(cluster.nodes)]
        found["left"] = left(5, of_ours=True)
        found["no package"] = refused(
            address=nodes.address, environment=Environment(packages=("no-such-package",))
        )
        found["no policy"] = refused(address=nodes.address, isolation="none")
        found["left after refusing"] = left(5, of_ours=True)
    found["left of ray"] = left(10, of_ours=False)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
