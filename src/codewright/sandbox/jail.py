"""The jail around a fork server: what it and all its programs can see and reach.

Runs inside the process that becomes the server, after it was started and before it forks. Each
layer is tried; what the machine does not offer is named in `Layers` and never passed over in
silence. Whether what holds is enough is for the policy (`policy.py`) to say, outside.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Any

from codewright.sandbox import landlock, seccomp, syscalls

LAYERS = (
    "user", "mount", "pid", "network", "ipc", "uts",
    "no_new_privs", "seccomp", "landlock", "rlimits", "cgroup",
)  # fmt: skip
INNER_UID = 1000
_NAMESPACES = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_TMPFS = syscalls.MS_NOSUID | syscalls.MS_NODEV
# A place to build the new root on; it must not lie above anything that has to stay visible.
_MOUNT_POINTS = ("/tmp", "/mnt", "/media", "/srv", "/opt", "/var/tmp")

Layers = dict[str, str]
"""Layer to the reason why it is missing; the empty string where it holds."""


def enter_namespaces(layers: Layers, ask_maps: Callable[[], None], *, switch_user: bool) -> bool:
    """Moves this process into new namespaces and maps its user.

    Args:
        layers: gets an entry for each namespace.
        ask_maps: asks the starter of this process to write its user maps, and waits.
        switch_user: whether programs get a user of their own, which only root can map.

    Returns:
        Whether mounts and processes are private now.
    """
    uid, gid = os.getuid(), os.getgid()
    if switch_user:
        os.setgroups([])
    try:
        syscalls.unshare(_NAMESPACES | syscalls.CLONE_NEWUSER)
        layers["user"] = ""
    except OSError as error:
        layers["user"] = f"unshare: {error.strerror}"
        try:
            # Root needs no user namespace for the others.
            syscalls.unshare(_NAMESPACES)
        except OSError as refused:
            for name in ("mount", "pid", "network", "ipc", "uts"):
                layers[name] = f"unshare: {refused.strerror}"
            return False
    if layers["user"] == "":
        if switch_user:
            ask_maps()
        else:
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{INNER_UID} {uid} 1")
            _write("/proc/self/gid_map", f"{INNER_UID} {gid} 1")
    for name in ("pid", "network", "ipc", "uts"):
        layers[name] = ""
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def build_root(spec: dict[str, Any], layers: Layers) -> None:
    """Makes a new root that holds only what the spec names, and moves into it.

    The spec's keys: `readable` (host paths), `hidden` (folders below them to cover with nothing),
    `packages` (host paths that appear below /packages), `tmp_bytes`.
    """
    try:
        _build_root(spec)
        layers["mount"] = ""
    except OSError as error:
        layers["mount"] = str(error)


def _build_root(spec: dict[str, Any]) -> None:
    readable = _outermost(spec["readable"])
    root = next(
        p for p in _MOUNT_POINTS
        if os.path.isdir(p) and not any(r == p or r.startswith(p + "/") for r in _sources(spec))
    )  # fmt: skip
    syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", root, "tmpfs", _TMPFS, "mode=755,size=1m")
    for path in readable:
        _show(path, root + path)
    for path in spec["hidden"]:
        if os.path.isdir(root + path):
            syscalls.mount("tmpfs", root + path, "tmpfs", _TMPFS, "mode=755,size=4k")
    for path in spec["packages"]:
        _show(path, f"{root}/packages/{os.path.basename(path)}")
    os.makedirs(root + "/dev", exist_ok=True)
    for name in _DEVICES:
        if os.path.exists(f"/dev/{name}"):
            open(f"{root}/dev/{name}", "w").close()
            syscalls.mount(f"/dev/{name}", f"{root}/dev/{name}", "", syscalls.MS_BIND)
    os.symlink("/tmp", f"{root}/dev/shm")
    os.makedirs(f"{root}/etc", exist_ok=True)
    for name, text in _ETC.items():
        _write(f"{root}/etc/{name}", text)
    for folder in ("tmp", "build", ".old"):
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    syscalls.pivot_root(root, f"{root}/.old")
    os.chdir("/")
    syscalls.umount("/.old")
    os.rmdir("/.old")
    # No nodev for all: /dev/null is a device. What is shown gets it in `_show`.
    syscalls.mount_attributes("/", syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID)
    for folder in ("tmp", "build"):
        mount_scratch(f"/{folder}", spec["tmp_bytes"])


_ETC = {
    "passwd": f"sandbox:x:{INNER_UID}:{INNER_UID}::/tmp:/bin/sh\n",
    "group": f"sandbox:x:{INNER_UID}:\n",
    "hosts": "127.0.0.1 localhost\n",
}


def _sources(spec: dict[str, Any]) -> list[str]:
    return [*spec["readable"], *spec["packages"]]


def _outermost(paths: list[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if os.path.lexists(path) and not any(path.startswith(k + "/") for k in kept):
            kept.append(path)
    return kept


def _show(path: str, target: str) -> None:
    """Makes a host path appear at `target`, read-only; a symbolic link appears as one."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        open(target, "w").close()
    syscalls.mount(path, target, "", syscalls.MS_BIND | syscalls.MS_REC)
    wanted = syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV
    syscalls.mount_attributes(target, wanted)


def mount_scratch(path: str, size: int) -> None:
    """Mounts an empty tmpfs of at most `size` bytes that everybody may write."""
    inodes = max(1000, size >> 14)
    syscalls.mount("tmpfs", path, "tmpfs", _TMPFS, f"mode=1777,size={size},nr_inodes={inodes}")


def lock(layers: Layers) -> None:
    """Takes on, for good, what every program shall have too: no_new_privs and a filter."""
    try:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        layers["no_new_privs"] = ""
    except OSError as error:
        layers["no_new_privs"] = str(error)
    if not seccomp.supported():
        layers["seccomp"] = f"no filter is written for {syscalls.MACHINE}"
        return
    try:
        seccomp.Filter(seccomp.zygote_filter()).install()
        layers["seccomp"] = ""
    except OSError as error:
        layers["seccomp"] = str(error)


def make_ruleset(layers: Layers, spec: dict[str, Any], scratch: list[str]) -> int:
    """The Landlock ruleset of the programs; -1 where there is no Landlock."""
    if layers.get("mount") == "":
        readable = [f"/{name}" for name in os.listdir("/") if name not in ("tmp", "build", "proc")]
    else:
        readable = [p for p in [*spec["readable"], *spec["packages"]] if os.path.exists(p)]
    try:
        fd = landlock.ruleset([p for p in readable if os.path.exists(p)], [*scratch, "/dev/null"])
        layers["landlock"] = ""
    except OSError as error:
        layers["landlock"] = error.strerror or str(error)
        return -1
    return fd


def set_limits(limits: dict[str, int], layers: Layers) -> None:
    """Resource limits that every program inherits; `limits` maps `RLIMIT_*` names to values."""
    try:
        for name, value in limits.items():
            kind = getattr(resource, name)
            hard = resource.getrlimit(kind)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(kind, (value, value))
        layers["rlimits"] = ""
    except (OSError, ValueError) as error:
        layers["rlimits"] = str(error)
