"""Which files of a folder are to be indexed, and which are skipped and why.

In a work tree of git these are the files that git knows or would take; elsewhere all that no
`.gitignore` on the way names, without hidden folders. A symbolic link is never followed, so there
is no way out of the folder and no loop; what it leads to inside is found by its own name. Nothing
is read here but names and sizes; `refusal` looks at a content that somebody else read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from codewright.repo import git
from codewright.repo.stamps import number_of

LARGEST = 2_000_000
"""Bytes of a file that is read."""
LARGEST_TEXT = 500_000
"""Bytes of one that is read as text: more is data, not settings or prose."""
LONG_LINES = 400
"""Mean bytes of a line from which on a file is taken for minified."""

NOT_ENTERED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
GENERATED = frozenset(
    {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock"}
)
_MARKS = (b"@generated", b"DO NOT EDIT", b"Do not edit", b"do not edit")


class Entry(NamedTuple):
    """A file that may be read.

    stamp: changes with its size, times and inode. newest: the later of its times, in ns.
    """

    path: str
    size: int
    stamp: int
    newest: int


class Skip(NamedTuple):
    """A file that is not read. stamp: as of an entry, 0 where it has none."""

    path: str
    reason: str
    size: int = 0
    stamp: int = 0


class Walk:
    """The files of one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.by_git = git.has_work_tree(root)
        self._parents: dict[str, bool] = {}

    def all(self) -> Iterator[Entry | Skip]:
        """Yields every file by path, in no order."""
        self._parents.clear()
        names = git.listed(self.root) if self.by_git else None
        if names is None:
            yield from self._below("", [])
            return
        decoded = [os.fsdecode(name) for name in names]
        environments = [
            path.removesuffix("pyvenv.cfg") for path in decoded if path.endswith("/pyvenv.cfg")
        ]
        for path in decoded:
            found = self._one(path)
            if found is not None and not any(path.startswith(each) for each in environments):
                yield found

    def some(self, paths: Sequence[str], known: Mapping[str, object]) -> Iterator[Entry | Skip]:
        """Yields those of `paths` that are there and not ignored. known: known files are not."""
        self._parents.clear()
        fresh = [path for path in paths if path not in known]
        if fresh and self.by_git:
            listed = git.listed(self.root, fresh)
            allowed = {os.fsdecode(name) for name in listed or ()}
        else:
            allowed = {path for path in fresh if not self._ignored(path)}
        for path in dict.fromkeys(paths):
            found = self._one(path) if path in known or path in allowed else None
            if found is not None:
                yield found

    def _one(self, path: str) -> Entry | Skip | None:
        try:
            path.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            return Skip(shown, "its name is not UTF-8")
        if not self._inside(path.rpartition("/")[0]):
            return Skip(path, "behind a symbolic link")
        try:
            status = os.lstat(self.root / path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Skip(path, f"unreadable: {error.strerror}")
        return _entry(path, status)

    def _inside(self, folder: str) -> bool:
        """True where no part of the way to a folder is a symbolic link, nor leads upwards."""
        if not folder:
            return True
        known = self._parents.get(folder)
        if known is None:
            above, _, name = folder.rpartition("/")
            known = name not in ("", ".", "..") and self._inside(above)
            known = known and not os.path.islink(self.root / folder)
            self._parents[folder] = known
        return known

    def _below(
        self, folder: str, specs: Sequence[tuple[str, GitIgnoreSpec]]
    ) -> Iterator[Entry | Skip]:
        pending = [(folder, specs)]
        while pending:
            folder, specs = pending.pop()
            own = _ignore_file(self.root / folder)
            specs = [*specs, (folder, own)] if own is not None else specs
            try:
                with os.scandir(self.root / folder) as scan:
                    entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield Skip(folder or ".", f"unreadable: {error.strerror}")
                continue
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if not _not_entered(entry.name, self.root / path) and not _matches(
                        path + "/", specs
                    ):
                        pending.append((path, specs))
                elif not _matches(path, specs):
                    found = self._one(path)
                    if found is not None:
                        yield found

    def _ignored(self, path: str) -> bool:
        """True where a walk of a folder without git would not come to a path."""
        specs: list[tuple[str, GitIgnoreSpec]] = []
        folder = ""
        for name in path.split("/"):
            own = _ignore_file(self.root / folder)
            if own is not None:
                specs.append((folder, own))
            folder = f"{folder}/{name}" if folder else name
            if folder == path:
                break
            if _not_entered(name, self.root / folder) or _matches(folder + "/", specs):
                return True
        return _matches(path, specs)


def refusal(path: str, language: str, data: bytes) -> str:
    """Returns why a content is not indexed, "" where it is."""
    if b"\0" in data[:8000]:
        return "binary"
    if path.rpartition("/")[2] in GENERATED:
        return "generated"
    lines = data.count(b"\n") + 1
    if len(data) > 5_000 and len(data) / lines > LONG_LINES and language != "markdown":
        return "minified or data: very long lines"
    if len(data) > LARGEST // 4 and any(mark in data[:1000] for mark in _MARKS):
        return "generated"
    return ""


def _entry(path: str, status: os.stat_result) -> Entry | Skip:
    size = status.st_size
    if stat.S_ISREG(status.st_mode):
        if size > LARGEST:
            return Skip(path, f"larger than {LARGEST // 1_000_000} MB", size, number_of(status))
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        return Entry(path, size, number_of(status), newest)
    if stat.S_ISLNK(status.st_mode):
        return Skip(path, "symbolic link")
    if stat.S_ISDIR(status.st_mode):
        return Skip(path, "a repository of its own")
    return Skip(path, "no regular file")


def _ignore_file(folder: Path) -> GitIgnoreSpec | None:
    path = folder / ".gitignore"
    try:
        if path.is_symlink() or not path.is_file():
            return None
        return GitIgnoreSpec.from_lines(path.read_text("utf-8", "replace").splitlines())
    except (OSError, ValueError):
        return None


def _not_entered(name: str, folder: Path) -> bool:
    return name.startswith(".") or name in NOT_ENTERED or os.path.isfile(folder / "pyvenv.cfg")


def _matches(path: str, specs: Sequence[tuple[str, GitIgnoreSpec]]) -> bool:
    """True where the innermost file that says anything of a path ignores it."""
    for folder, spec in reversed(specs):
        said = spec.check_file(path[len(folder) + 1 :] if folder else path).include
        if said is not None:
            return said
    return False
