"""Sources that lie open: plain folders, git checkouts, notebooks, rows of JSONL.

The licence of a folder is what its LICENSE file is recognised as, else what the recipe says. Of a
checkout only tracked files are read. git is asked without the checkout's own hooks and helpers.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from codewright.corpus.licences import from_text
from codewright.corpus.recipe import SourceConfig
from codewright.corpus.sources_installed import TEXT_BYTES, is_licence
from codewright.corpus.steps import Drops
from codewright.corpus.unit import SHEBANG, Choice, Unit, pieces, read_file, safe, stamp_of, walk
from codewright.errors import DataError, MachineError
from codewright.files import read_rows
from codewright.types.document import Document

SKIP = frozenset({"__pycache__", "node_modules", "site-packages"})
GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def folder(number: int, source: SourceConfig, choice: Choice) -> Iterator[Unit]:
    """Yields the units of a plain folder.

    Raises:
        DataError: it is no folder.
    """
    root = _folder(source)
    files = [(path, count) for path, count in walk(root, SKIP) if _python(root, path, choice)]
    yield from _units(number, source, root.resolve().name, files, "")


def checkout(number: int, source: SourceConfig, choice: Choice) -> Iterator[Unit]:
    """Yields the units of a git checkout: its tracked files, as they lie there.

    Raises:
        DataError: it is no checkout.
        MachineError: git is not installed.
    """
    root = _folder(source)
    commit = _git(root, "rev-parse", "HEAD").strip().decode("ascii", "replace")
    listed = _git(root, "ls-files", "-z").decode("utf-8", "surrogateescape").split("\0")
    files = []
    for path in sorted(filter(safe, listed)):
        try:
            found = os.lstat(root / path)
        except OSError:
            continue  # tracked, and deleted in the checkout
        if stat.S_ISREG(found.st_mode) and _python(root, path, choice):
            files.append((path, found.st_size))
    origin = f"{root.resolve().name}@{commit[:12]}"
    yield from _units(number, source, origin, files, commit)


def rows(number: int, source: SourceConfig) -> Iterator[Unit]:
    """Yields one unit for each JSONL file: the path itself, or those of the folder.

    Raises:
        DataError: there is no such file.
    """
    assert source.path is not None
    found = [source.path]
    if source.path.is_dir():
        found = sorted(
            path
            for path in source.path.iterdir()
            if path.name.endswith((".jsonl", ".jsonl.gz")) and path.is_file()
        )
    if not found or not all(path.is_file() for path in found):
        raise DataError(f"{source.path} holds no JSONL file", hint="name a .jsonl or .jsonl.gz")
    for path in found:
        size = path.stat().st_size
        yield Unit(
            source=number,
            kind="rows",
            origin=path.name.partition(".")[0],
            place=path,
            licence=source.licence,
            size=size,
            stamp=stamp_of([(path.name, size)]),
        )


def read_unit_rows(unit: Unit, source: SourceConfig, drops: Drops) -> Iterator[Document]:
    """Yields the documents of a JSONL file; a row without text is refused."""
    names = {key: source.fields.get(key, key) for key in ("text", "path", "licence", "origin")}
    for number, row in read_rows(unit.place):
        place = f"{unit.place.name}:{number}"
        values = {key: row.get(name) for key, name in names.items()}
        text = values["text"]
        if not isinstance(text, str) or not _encodes(text):
            drops.refuse(place, unit.origin, 0, "no-text")
            continue
        told = {key: value for key, value in values.items() if isinstance(value, str) and value}
        yield Document(
            text=text.replace("\r\n", "\n").replace("\r", "\n"),
            path=told.get("path", place),
            licence=told.get("licence", unit.licence),
            origin=told.get("origin", unit.origin),
        )


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _folder(source: SourceConfig) -> Path:
    assert source.path is not None
    if not source.path.is_dir():
        raise DataError(f"{source.path} is no folder", hint="name a folder that exists")
    return source.path


def _python(root: Path, path: str, choice: Choice) -> bool:
    if choice.takes(path):
        return True
    if "." in path.rpartition("/")[2] or not choice.takes(path + ".py"):
        return False
    try:
        with open(root / path, "rb") as file:
            return SHEBANG.match(file.read(100)) is not None
    except OSError:
        return False


def _units(
    number: int,
    source: SourceConfig,
    origin: str,
    files: Iterable[tuple[str, int]],
    commit: str,
) -> Iterator[Unit]:
    root = _folder(source)
    licence = _licence(root) or source.licence
    for paths, count in pieces(files):
        stats = [(path, os.lstat(root / path).st_mtime_ns) for path in paths]
        yield Unit(
            source=number,
            kind="files",
            origin=origin,
            place=root,
            licence=licence,
            files=paths,
            size=count,
            stamp=stamp_of(stats, commit, str(count)),
        )


def _licence(root: Path) -> str:
    names = sorted(name for name in os.listdir(root) if is_licence(name))
    found = []
    for name in names[:8]:
        path = root / name
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                found.append(from_text(file.read(TEXT_BYTES).decode("utf-8", "replace")))
    return " AND ".join(dict.fromkeys(filter(None, found)))


def _git(root: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(
            [*GIT, "-C", str(root), *words],
            env={name: value for name, value in os.environ.items() if name[:4] != "GIT_"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
    except FileNotFoundError:
        raise MachineError("git is not installed", hint="install git") from None
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DataError(
            f"{root} is no git checkout: {why[0] if why else 'git failed'}",
            hint='clone it first, or use kind = "folder"',
        )
    return done.stdout


def read_files(unit: Unit, drops: Drops) -> Iterator[tuple[str, bytes]]:
    """Yields (path, bytes) of the files of a unit that lie open."""
    for path in unit.files:
        raw = read_file(unit, path, drops)
        if raw is not None:
            yield path, raw
