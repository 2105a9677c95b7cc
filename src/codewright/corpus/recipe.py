"""What a corpus is made of and how: the `[corpus]` table of a recipe.

Every key that these classes do not have is an error. Nothing here reads a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal[
    "installed", "standard-library", "archives", "git", "folder", "jsonl", "notebooks", "exercises"
]

OWN_KEYS: Mapping[str, frozenset[str]] = {
    "installed": frozenset({"path", "stubs"}),
    "standard-library": frozenset(),
    "archives": frozenset({"path", "list", "stubs"}),
    "git": frozenset({"path", "licence", "stubs"}),
    "folder": frozenset({"path", "licence", "stubs"}),
    "jsonl": frozenset({"path", "licence", "fields"}),
    "notebooks": frozenset({"path", "licence"}),
    "exercises": frozenset({"count", "seed"}),
}
"""The keys that mean something to a kind of source, beside those that all kinds have."""

SHARED_KEYS = frozenset({"kind", "exclude", "share", "limit_bytes"})
NEED_PATH = frozenset({"archives", "git", "folder", "jsonl", "notebooks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One place that files come from.

    kind: what is there. path: the site-packages folder (this environment's own where none is
    given), the folder of archives, the checkout, the folder, or the JSONL file or folder of them.
    list: a file of requirements, one a line; only archives of these projects are read.
    licence: the SPDX expression of files that nothing else says the licence of.
    fields: the names under which a JSONL row has text, path, licence, origin.
    stubs: whether `.pyi` files count. count, seed: how many exercises, and which.
    exclude: patterns of paths to leave out, as in a shell. share: the part of the files that is
    read, chosen by their names. limit_bytes: the source ends once that much of it has stayed.
    """

    kind: Kind
    path: Path | None = None
    list: Path | None = None
    licence: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    stubs: bool = False
    count: int = 1000
    seed: int = 0
    exclude: tuple[str, ...] = ()
    share: float = 1.0
    limit_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.kind in NEED_PATH and self.path is None:
            raise ValueError(f"a source of kind {self.kind} needs a path")
        known = OWN_KEYS[self.kind] | SHARED_KEYS
        for each in dataclasses.fields(self):
            default = each.default if each.default is not dataclasses.MISSING else dict[str, str]()
            if each.name not in known and getattr(self, each.name) != default:
                raise ValueError(
                    f"{each.name} means nothing to a source of kind {self.kind}, "
                    f"which takes {', '.join(sorted(known - {'kind'}))}"
                )
        if not 0 < self.share <= 1:
            raise ValueError("share is above 0 and at most 1")
        strange = set(self.fields) - {"text", "path", "licence", "origin"}
        if strange:
            raise ValueError(f"fields names {min(strange)}, which no document has")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterConfig:
    """What a file has to be like. Sizes in bytes of text, shares from 0 to 1.

    least_bytes, most_bytes: the size of a file. longest_line, mean_line: characters; more is
    minified, or data. foreign_letters: the share of letters outside ASCII that still passes.
    literals: the share of the program that may be literal values. permissive: SPDX identifiers
    that are allowed beside the ones that always are. refused: identifiers that are not.
    tests: whether files of tests stay.
    """

    least_bytes: int = 200
    most_bytes: int = 400_000
    longest_line: int = 1_000
    mean_line: float = 100.0
    foreign_letters: float = 0.2
    literals: float = 0.6
    permissive: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    tests: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """The `[corpus]` table.

    sources: where files come from, in order; of two equal files the first one stays.
    quality: files with a lower score are dropped; 0 keeps all. near: from this similarity on, the
    second of two files is dropped; 0 keeps all. decontaminate: whether files that hold parts of
    benchmarks are dropped: never, where the benchmarks are there, or else not at all. fingerprints:
    whether an index for attribution is written. shard_bytes: text in one shard. workers: processes.
    """

    sources: tuple[SourceConfig, ...] = (
        SourceConfig(kind="standard-library"),
        SourceConfig(kind="installed"),
    )
    filters: FilterConfig = FilterConfig()
    quality: float = 0.2
    near: float = 0.8
    decontaminate: Literal["off", "available", "required"] = "available"
    fingerprints: bool = True
    shard_bytes: int = 32_000_000
    workers: int = 2

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("a corpus needs at least one source")
        if self.workers < 1 or self.shard_bytes < 1:
            raise ValueError("workers and shard_bytes are at least 1")
        if not (0 <= self.quality < 1 and 0 <= self.near <= 1):
            raise ValueError("quality and near are shares, from 0 to 1")
