"""What is known of a repository, as everything but the store reads it.

The store (`store.py`) is an `Index`, and so is a plain reading of all files into memory, which
tests compare it with. Paths are relative to `root`, with `/`, whatever the machine. Nothing here
looks into other files: what a name means elsewhere is `resolve.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from codewright.repo.facts import Definition, Facts


class File(NamedTuple):
    """One file of the present state. content: equal for equal contents, by which facts are kept."""

    path: str
    content: int
    language: str
    lines: int
    size: int


class Found(NamedTuple):
    """One piece that a search found. score: higher is better, of one search only."""

    file: File
    chunk: int
    """A number of its own, stable while its content is."""
    ordinal: int
    first: int
    last: int
    score: float


class Symbol(NamedTuple):
    """One definition in its file."""

    file: File
    ordinal: int
    definition: Definition


class Index(Protocol):
    """A repository in one state."""

    @property
    def root(self) -> Path:
        """The folder."""
        ...

    @property
    def state(self) -> str:
        """Names what the files are: equal contents under equal paths give an equal name."""
        ...

    def files(self) -> Sequence[File]:
        """Returns all files, by path."""
        ...

    def file(self, path: str) -> File | None:
        """Returns one file."""
        ...

    def facts(self, content: int) -> Facts:
        """Returns what a content says; quick for one that was asked for lately."""
        ...

    def text(self, path: str) -> str:
        """Returns a file's text as it was indexed.

        Raises:
            DataError: the file has gone or changed since.
        """
        ...

    def defining(self, name: str, most: int | None = None) -> Sequence[tuple[File, int]]:
        """Returns the first `most` places of a name, as file and ordinal, by path and place."""
        ...

    def mentioning(self, name: str) -> Sequence[File]:
        """Returns the files with a reference of that last name, by path."""
        ...

    def together(self, name: str, others: Sequence[str]) -> Mapping[str, int]:
        """Returns in how many contents each of some names is mentioned where `name` is too.

        A name that never is stands for 0 and is left out.
        """
        ...

    def names(self, prefix: str, limit: int) -> Sequence[str]:
        """Returns names that are defined and begin so, in order."""
        ...

    def match(self, words: Sequence[str], limit: int) -> Sequence[Found]:
        """Returns the pieces with any of the words, best first by BM25 with weights for fields."""
        ...

    def chunks(self, file: File) -> Sequence[Found]:
        """Returns a file's pieces in their order, score 0."""
        ...

    def kept(self, key: str) -> bytes | None:
        """Returns what was kept under a key for this very state, such as ranks."""
        ...

    def keep(self, key: str, value: bytes) -> None:
        """Keeps something derived from this state until the state changes."""
        ...
