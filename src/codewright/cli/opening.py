"""What all commands about a repository share: its root, its index, and what was left out of it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from codewright import console
from codewright.cli.embedders import open_embedder
from codewright.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from codewright.repo.ingest import Report
    from codewright.repo.reading import Reader
    from codewright.repo.registry import Languages
    from codewright.repo.store import Store

READING = "3"
"""Changes when a reader gives something else than it did: indexes are then made anew."""
COLLECTED = (50_000, 20, 100)
"""After how many new objects garbage is looked for, and how many such looks later farther back."""
_MARKS = (".git", "pyproject.toml")
_NEEDED = {"apsw": "apsw", "pathspec": "pathspec"}


def need_repo() -> None:
    """Raises MissingExtra where a package that every index needs is not installed."""
    for module, package in _NEEDED.items():
        if find_spec(module) is None:
            raise MissingExtra(package, "repo")


def root_of(start: Path | None) -> Path:
    """Returns the folder to index: `start`, or the nearest one upwards that looks like a root.

    Without `start`, a folder that git ignores, as an installed library often is, is its own root.

    Raises:
        DataError: `start` is no folder.
    """
    if start is not None:
        if not start.is_dir():
            raise DataError(f"{start} is no folder", hint="name a folder with code")
        return start.resolve()
    from codewright.repo import git

    here = Path.cwd()
    folder = marked(here)
    if folder is None or (folder != here and git.ignored(here)):
        return here
    return folder


def marked(start: Path) -> Path | None:
    """Returns the nearest folder upwards, `start` included, that looks like a repository's root."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return None


def cache() -> Path:
    """Returns the folder of all indexes."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "codewright" / "index"


def languages() -> Languages:
    """Returns what is read here."""
    need_repo()
    from codewright.repo.languages.extractors import extractor_of
    from codewright.repo.languages.packages import GRAMMARS
    from codewright.repo.reading import PlainReader, ScanReader, ThreadReader
    from codewright.repo.registry import TEXTS, Languages, TextExtractor
    from codewright.repo.remembered_words import RememberedWords

    words = RememberedWords()
    readers: dict[str, Reader] = {"python": ScanReader(words)}
    for language, package in sorted(GRAMMARS.items()):
        # Without its grammar a language is skipped, and that is said.
        if find_spec("tree_sitter") and find_spec(package.replace("-", "_")):
            readers[language] = ThreadReader(partial(extractor_of, language), words)
    for text in TEXTS:
        readers[text] = PlainReader(TextExtractor(text), words)
    return Languages(readers=readers, version=f"{READING}: {' '.join(sorted(readers))}")


@contextmanager
def opened(root: Path | None, embedder: str = "none", *, stale: bool = False) -> Iterator[Store]:
    """Opens the index of a repository, up to date unless it may be stale.

    Args:
        root: as for `root_of`.
        embedder: makes the vectors of what is updated.
        stale: answer from what is there; what was never indexed is indexed all the same.
    """
    with bare(root, embedder) as store:
        if not stale or not store.complete:
            store.update()
        settle()
        yield store


def settle() -> None:
    """Lets the garbage collector look at less, and less often.

    What was imported and opened so far stays until the process ends. An answer makes tens of
    thousands of objects and hardly a cycle; looking for some was half of the slowest answers.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED)


@contextmanager
def bare(root: Path | None, embedder: str = "none") -> Iterator[Store]:
    """Opens the index of a repository as it is; an update makes vectors by the embedder."""
    need_repo()
    from codewright.repo.store import Store

    maker = open_embedder(embedder)
    with Store.open(root_of(root), cache(), languages(), console.say, maker) as store:
        yield store


def say_skipped(report: Report) -> None:
    """Says which files the index leaves out, and why."""
    for reason, paths in report.skipped.items():
        some = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        console.say(f"skipped, {reason}: {counted(len(paths), 'file')} ({some})")


def counted(count: int, noun: str) -> str:
    """Returns a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
