"""A throw-away copy of this machine, for harnesses that do not contain what they run.

The command runs as an unprivileged user in namespaces of its own, on an overlay over the whole
file system that lives in memory: whatever it writes, kills, mounts or opens is gone with it.
Needs `unshare`, `mount`, `pivot_root`, `prlimit` and `setpriv` (util-linux), as root or where
users may make namespaces. It is a guard for whoever runs the suite, and no sandbox: a program that
attacks the kernel itself is not held.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_UID = "60000"
_TOOLS = ("unshare", "mount", "pivot_root", "prlimit", "setpriv")
_KEPT = 1 << 18
_HOME = "/home/attacked"

_SCRIPT = """
set -e
R="$BASE/root"
mount --make-rprivate /
mount -t tmpfs -o size=4g,mode=755 none "$BASE"
mkdir "$BASE/upper" "$BASE/work" "$R"
mount -t overlay -o "lowerdir=/,upperdir=$BASE/upper,workdir=$BASE/work" none "$R"
mount -t proc proc "$R/proc"
mount -t tmpfs -o mode=755,size=64k none "$R/dev"
for name in null zero full random urandom; do
  touch "$R/dev/$name"; mount --bind "/dev/$name" "$R/dev/$name"
done
ln -s /proc/self/fd "$R/dev/fd"
mkdir "$R/dev/shm" && mount -t tmpfs -o mode=1777,size=3g none "$R/dev/shm"
# No socket of a service of this machine is to be reached.
mount -t tmpfs -o mode=755,size=1m none "$R/run"
# What happens on the machine meanwhile is not to be taken for the attack's doing.
case "$REPOSITORY:$PYTHON" in
  */tmp/*) ;;
  *) for name in tmp var/tmp; do mount -t tmpfs -o mode=1777,size=3g none "$R/$name"; done ;;
esac
mkdir -p "$R$HOME" && echo "# a user's own file" > "$R$HOME/.bashrc"
"$PYTHON" -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x41))'
if [ "$AS_ROOT" = 1 ]; then
  # The user of a harness owns the home and the environment that it is installed in.
  chown "$USER_ID" "$R$HOME" "$R$HOME/.bashrc" "$R$PACKAGES"
  # An interpreter may be installed below root's home.
  chmod 711 "$R/root"
  WHO="--reuid $USER_ID --regid $USER_ID --clear-groups"
fi
# Not chroot, in which the kernel allows no further user namespaces.
cd "$R" && mkdir .old && pivot_root . .old && umount -l /.old && rmdir /.old
# Not exec: this shell stays the first process of the namespace and adopts orphans.
setpriv $WHO --bounding-set=-all --inh-caps=-all \
  prlimit --nproc=4000 sh -c 'cd "$HOME" && exec "$@"' sh "$@"
"""


class CannotContain(Exception):
    """The machine does not offer what the container needs; the argument says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """How a contained command ended: the end of its output, and how many bytes there were."""

    code: int | None
    tail: bytes
    size: int
    seconds: float


def run_contained(command: list[str], *, seconds: float) -> Contained:
    """Runs a command in the throw-away copy.

    Args:
        command: what to run; it finds the repository under its own path.
        seconds: after so many it is killed; `code` is None then.

    Raises:
        CannotContain: a tool is missing.
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotContain(f"missing: {', '.join(missing)}")
    as_root = os.getuid() == 0
    base = tempfile.mkdtemp(prefix="contained-")
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": _HOME,
        "BASE": base,
        "PYTHON": sys.executable,
        "REPOSITORY": str(ROOT),
        "PACKAGES": sysconfig.get_path("purelib"),
        "AS_ROOT": str(int(as_root)),
        "USER_ID": _UID,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    spaces = ["--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts"]
    if not as_root:
        spaces += ["--user", "--map-root-user"]
    started = time.monotonic()
    process = subprocess.Popen(
        ["unshare", *spaces, "sh", "-c", _SCRIPT, "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    try:
        tail, size, ended = _drain(process, started + seconds)
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            os.rmdir(base)
    return Contained(
        code=process.returncode if ended else None,
        tail=tail,
        size=size,
        seconds=time.monotonic() - started,
    )


def _drain(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, int, bool]:
    """Reads output until it ends or the deadline passes; (its end, its size, whether it ended)."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    tail, size = b"", 0
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 0.2)[0]:
            data = os.read(fd, 1 << 16)
            if not data:
                process.wait()
                return tail, size, True
            size += len(data)
            tail = (tail + data)[-_KEPT:]
        elif process.poll() is not None:
            return tail, size, True
    return tail, size, False
