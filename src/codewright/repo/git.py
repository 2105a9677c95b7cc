"""Asks git about a repository that nobody trusts.

A repository's own configuration can name programs that git would run (a file system monitor,
hooks, transports, filters); none of them is run from here: what git is asked needs none, and what
could start one is turned off on the command line, which outranks the repository. Only reading:
nothing here changes a repository, not even its index.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which

from codewright.errors import DataError

_SAFE = (
    "--no-optional-locks",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.untrackedCache=keep"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.sshCommand=false"),
    *("-c", "core.alternateRefsCommand=false"),
    *("-c", "credential.helper="),
    *("-c", "protocol.allow=never"),
    *("-c", "core.pager=cat"),
    *("-c", "core.quotePath=false"),
    *("-c", "submodule.recurse=false"),
)


def command(root: Path, *words: str) -> Sequence[str]:
    """Returns the command line of a git that runs nothing which the repository names."""
    return ["git", "-C", str(root), *_SAFE, *words]


def environment() -> Mapping[str, str]:
    """Returns this process's environment without what could point git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }


def answer(root: Path, *words: str) -> bytes | None:
    """Returns what git prints, or None where it fails or is not installed."""
    if which("git") is None:
        return None
    done = subprocess.run(
        command(root, *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def has_work_tree(root: Path) -> bool:
    """True where `root` is in a work tree of git, and is not itself ignored by it."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            top = answer(root, "rev-parse", "--show-toplevel")
            if top is None or Path(os.fsdecode(top.rstrip(b"\n"))) != folder:
                return False  # not a repository, or one whose work tree is said to be elsewhere
            return folder == root or not ignored(root)
    return False


def ignored(folder: Path) -> bool:
    """True where git is told to ignore a folder."""
    # `check-ignore` takes no literal paths, and fails where it is told to.
    words = ("--no-literal-pathspecs", "check-ignore", "-q", ".")
    return answer(folder, *words) is not None


def listed(root: Path, paths: Sequence[str] = ()) -> Sequence[bytes] | None:
    """Returns the files that git knows or would take, below `root`; None where it cannot say."""
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths)
    out = answer(root, *words)
    return None if out is None else sorted(set(out.split(b"\0")) - {b""})


def commit(root: Path, name: str) -> str | None:
    """Returns the id of the commit that a name means, None where it means none."""
    if name.startswith("-"):
        return None
    found = answer(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return found.decode().strip() if found else None


def tree(root: Path, revision: str) -> Mapping[str, str]:
    """Returns a commit's files below `root`: path → object id. Links and submodules are left out.

    Raises:
        DataError: git does not say.
    """
    out = answer(root, "ls-tree", "-r", "-z", revision)
    if out is None:
        raise DataError(f"git cannot list {revision}", hint="look at it with git log")
    files = {}
    for row in out.split(b"\0"):
        head, _, path = row.partition(b"\t")
        if head[:6] in (b"100644", b"100755"):
            files[os.fsdecode(path)] = head.split(b" ")[2].decode()
    return files


def blobs(root: Path, ids: Iterable[str]) -> Iterator[bytes]:
    """Yields the contents of blobs, in order, out of one git process.

    Raises:
        DataError: one is missing.
    """
    with subprocess.Popen(
        command(root, "cat-file", "--batch"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for each in ids:
            process.stdin.write(each.encode() + b"\n")
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) != 3:
                raise DataError(
                    f"git does not have the content {each}",
                    hint="the clone holds only a part: git fetch --refetch --unshallow gets it",
                )
            data = process.stdout.read(int(head[2]))
            process.stdout.read(1)
            yield data
        process.stdin.close()
