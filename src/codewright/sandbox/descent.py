"""How a fork of the server becomes a program's process: the calls by which it gives up everything.

They are made ready before the fork (see `syscalls.Plan`) and are the same for all programs with
the same limits, so most plans are made once.
"""

from __future__ import annotations

import resource
from typing import Any

from codewright.sandbox import jail, seccomp
from codewright.sandbox.syscalls import NO_CAPABILITIES, Plan

_INFINITE = resource.RLIM_INFINITY
_REHEARSALS = 24
_KEPT = 32


class Descent:
    """Makes plans.

    Args:
        spec: the server's.
        layers: which layers hold in it.
    """

    def __init__(self, spec: dict[str, Any], layers: jail.Layers) -> None:
        self._spec = spec
        self._layers = layers
        self._plans: dict[tuple[object, ...], Plan] = {}
        self._filters: dict[bool, seccomp.Filter] = {}
        if layers["seccomp"] == "":
            for processes in (False, True):
                self._filters[processes] = seccomp.Filter(
                    seccomp.program_filter(processes=processes)
                )

    def plan(self, order: dict[str, Any], fds: list[int], ruleset: int, cwd: str) -> Plan:
        """The calls for one order.

        Args:
            order: `limits` and `targets`, the numbers that the descriptors get.
            fds: the descriptors, as this process knows them.
            ruleset: the Landlock ruleset, or -1.
            cwd: the folder that the program starts in.
        """
        key = (*order["limits"].values(), *order["targets"], *fds, ruleset, cwd)
        known = self._plans.get(key)
        if known is None:
            if len(self._plans) >= _KEPT:
                self._plans.clear()
            known = self._plans[key] = self._make(order, fds, ruleset, cwd)
        return known

    def _make(self, order: dict[str, Any], fds: list[int], ruleset: int, cwd: str) -> Plan:
        plan = Plan()
        plan.add("setsid")
        for target, fd in zip(order["targets"], fds, strict=True):
            plan.add("dup3", fd, target, 0)
        for kind, value in _limits(order["limits"]):
            hard = resource.getrlimit(kind)[1]
            value = value if hard == _INFINITE else min(value, hard)
            plan.add("prlimit64", 0, kind, value.to_bytes(8, "little") * 2, None)
        plan.add("chdir", cwd.encode() + b"\0")
        if self._spec["switch_user"]:
            uid = jail.INNER_UID if self._layers["user"] == "" else self._spec["outer_uid"]
            plan.add("setresgid", uid, uid, uid)
            plan.add("setresuid", uid, uid, uid)
        else:
            plan.add("capset", *NO_CAPABILITIES)
        if ruleset >= 0:
            plan.add("landlock_restrict_self", ruleset, 0)
        plan.add("close_range", max(order["targets"], default=2) + 1, 0xFFFFFFFF, 0)
        if self._filters:
            plan.add(*self._filters[order["limits"]["processes"] > 0].call)
        return plan


def _limits(limits: dict[str, Any]) -> list[tuple[int, int]]:
    """(`RLIMIT_*`, value) for a program's limits."""
    processes = limits["processes"]
    # Runtimes with a heap of their own reserve far more address space than they use.
    memory = resource.RLIMIT_DATA if processes else resource.RLIMIT_AS
    return [
        # The watch is exact; this is for the case that it cannot act.
        (resource.RLIMIT_CPU, int(limits["cpu_seconds"]) + 2),
        (memory, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        # The server and its waiter count too where they have the same user.
        (resource.RLIMIT_NPROC, limits["threads"] + processes + 8),
    ]


def rehearse() -> None:
    """Walks a plan of harmless calls, so that the walk is warm in every fork."""
    plan = Plan()
    for _ in range(_REHEARSALS):
        plan.add("getpid")
    for _ in range(_REHEARSALS):
        plan.run()
