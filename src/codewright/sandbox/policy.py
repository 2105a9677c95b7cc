"""How much isolation must hold before a program may run. A policy never weakens by itself."""

from __future__ import annotations

from dataclasses import dataclass

from codewright.errors import IsolationError, UnknownName

_NAMESPACES = ("mount", "pid", "network", "ipc", "uts")
_ALWAYS = ("no_new_privs", "seccomp", "landlock", "rlimits")

HOW_TO_GET = {
    "user": "sysctl user.max_user_namespaces=10000, and on some systems "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container, allow nested namespaces",
    "mount": "comes with user namespaces, or run as root; needs Linux 5.12",
    "pid": "comes with user namespaces, or run as root",
    "network": "comes with user namespaces, or run as root",
    "ipc": "comes with user namespaces, or run as root",
    "uts": "comes with user namespaces, or run as root",
    "no_new_privs": "Linux 3.5",
    "seccomp": "a kernel with CONFIG_SECCOMP_FILTER, on x86-64 or arm64",
    "landlock": "Linux 5.13 with landlock among its security modules "
    "(boot option lsm=landlock,...)",
    "rlimits": "raise the hard limits of this shell (ulimit -H)",
    "cgroup": "run as root, or have a delegated cgroup "
    "(systemd-run --user --scope -p Delegate=yes)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A name and the layers that must hold under it."""

    name: str
    required: tuple[str, ...]
    meaning: str


POLICIES = {
    p.name: p
    for p in (
        Policy(
            name="default",
            required=(*_NAMESPACES, *_ALWAYS),
            meaning="namespaces, seccomp, Landlock, limits",
        ),
        Policy(
            name="strict",
            required=("user", *_NAMESPACES, *_ALWAYS, "cgroup"),
            meaning="everything, user namespaces and a memory cgroup included",
        ),
        Policy(
            name="landlock",
            required=_ALWAYS,
            meaning="seccomp, Landlock and limits are enough (no namespaces)",
        ),
    )
}


def find(name: str) -> Policy:
    """The policy of a name.

    Raises:
        UnknownName: there is none.
    """
    if name not in POLICIES:
        raise UnknownName(
            f"no isolation policy is called {name!r}", hint=f"known: {', '.join(POLICIES)}"
        )
    return POLICIES[name]


def demand(policy: Policy, layers: dict[str, str]) -> tuple[str, ...]:
    """The layers that hold.

    Args:
        layers: layer to the reason why it is missing, empty where it holds.

    Raises:
        IsolationError: a layer that the policy requires is missing.
    """
    missing = [name for name in policy.required if layers.get(name, "not tried") != ""]
    if missing:
        reasons = "; ".join(f"{name} ({layers.get(name, 'not tried')})" for name in missing)
        weaker = [
            p.name for p in POLICIES.values()
            if all(layers.get(name, "not tried") == "" for name in p.required)
        ]  # fmt: skip
        # User namespaces are what brings the others to an ordinary user.
        lacks_user = missing[0] in _NAMESPACES and layers.get("user", "not tried") != ""
        hint = HOW_TO_GET["user" if lacks_user else missing[0]]
        if weaker:
            hint += f"; or, if that is isolation enough, --isolation {weaker[0]}"
        raise IsolationError(f"the isolation policy {policy.name!r} lacks {reasons}", hint=hint)
    return tuple(name for name, reason in layers.items() if reason == "")
