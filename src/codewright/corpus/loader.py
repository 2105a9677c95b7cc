"""Batches of packed rows: a pure function of the seed, the step, the rank and the world.

`Loader.batch(step)` takes the rows at places `step · batch · world …` of an endless sequence: all
rows in a shuffled order, then all rows in another, and so on. Ranks take neighbouring slices of the
same global batch, so two ranks of batch b together see what one of batch 2b sees, and to resume is
to know the number of the step. A batch may span the border of two epochs; no row is left out.

The order is a sort by SplitMix64 (Steele, Lea and Flood 2014) of the row's number, seed and epoch.
It does not depend on numpy's generators, whose streams may change from version to version.

Files are memory-mapped, and only numpy is needed. Nothing here makes rows (pack.py does) or reads
what is in them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.errors import ConfigError, DataError
from codewright.files import read_bytes

PACK, HELD = "pack.json", "held.json"
FORMAT = 1
_AGAIN = "pack the corpus again"


class Loader:
    """The training rows of a packed folder, in batches."""

    def __init__(
        self, folder: Path, *, batch: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        """Maps the files of `folder`.

        Args:
            batch: rows a step on this rank.
            rank, world: this process among those that train together.

        Raises:
            ConfigError: batch, rank or world make no sense.
            DataError: the folder holds no packed rows, or a file is missing or cut short.
        """
        if batch < 1 or world < 1 or not 0 <= rank < world:
            raise ConfigError(f"no batch of {batch} rows for rank {rank} of {world}")
        self.facts = _facts(folder / PACK)
        self._files = _Files(folder, self.facts)
        if not self._files.rows:
            raise DataError(f"{folder} holds no rows to train on", hint="give it more text")
        self.rows: int = self._files.rows
        self.tokens: int = self.facts["tokens"]
        self.context: int = self.facts["context"]
        self._batch, self._seed, self._rank, self._world = batch, seed, rank, world
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    @property
    def batches_per_epoch(self) -> int:
        """Steps until every row was seen at least once."""
        return math.ceil(self.rows / (self._batch * self._world))

    def batch(self, step: int) -> NDArray[np.integer[Any]]:
        """Returns the rows of `step` (from 0): [batch, context + 1], uint16 or uint32."""
        assert step >= 0
        first = (step * self._world + self._rank) * self._batch
        picked = [self._row_at(place) for place in range(first, first + self._batch)]
        return self._files.take(picked)

    def verify(self) -> None:
        """Reads every file and compares it with the hash written when it was packed.

        Raises:
            DataError: a file is not what was packed; the message names it.
        """
        self._files.verify()

    def _row_at(self, place: int) -> int:
        epoch, index = divmod(place, self.rows)
        if epoch != self._epoch:
            self._order = permutation(self.rows, seed=self._seed, epoch=epoch)
            self._epoch = epoch
        return int(self._order[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Held-out text of one directory: its name, its tokens to predict, its bytes."""

    name: str
    tokens: int
    bytes: int
    documents: int


class HeldOut:
    """The rows kept from training, for perplexity and bits per byte by directory.

    A row begins with END and holds documents of one group, each with END behind it; every token
    but the row's first is to be predicted, PAD is not. A group's bits per byte are the sum of
    -log2 p over the tokens of its rows, divided by its bytes. END is counted as a token and has no
    byte, so saying where a file ends is paid for. A document longer than a row is cut, and the
    parts do not see each other.
    """

    def __init__(self, folder: Path) -> None:
        """Maps the held-out files of a packed folder.

        Raises:
            DataError: the folder holds no packed rows, or a file is missing or cut short.
        """
        facts = _facts(folder / PACK)
        held = _facts(folder / HELD)
        self._files = _Files(folder, {**facts, "files": held["files"], "rows": held["rows"]})
        self.rows: int = self._files.rows
        self.context: int = facts["context"]
        self.groups = tuple(
            Group(
                name=group["name"],
                tokens=group["tokens"],
                bytes=group["bytes"],
                documents=group["documents"],
            )
            for group in held["groups"]
        )
        counts = [group["rows"] for group in held["groups"]]
        self.group_of_row: NDArray[np.int64] = np.repeat(np.arange(len(counts)), counts)
        if len(self.group_of_row) != self.rows:
            raise DataError(f"{folder / HELD} counts other rows than its files hold", hint=_AGAIN)

    def take(self, rows: NDArray[np.int64] | list[int]) -> NDArray[np.integer[Any]]:
        """Returns the given rows: [len(rows), context + 1]."""
        return self._files.take([int(row) for row in rows])

    def verify(self) -> None:
        """As `Loader.verify`."""
        self._files.verify()


def permutation(rows: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Returns the order of the rows in an epoch, the same on every machine."""
    mask = (1 << 64) - 1
    start = _mix_scalar((seed & mask) ^ _mix_scalar(epoch & mask))
    keys = np.arange(rows, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(keys ^ (keys >> np.uint64(31)), kind="stable")


def _mix_scalar(value: int) -> int:
    mask = (1 << 64) - 1
    value = (value + 0x9E3779B97F4A7C15) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)


class _Files:
    """The rows of several files as one table."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self._folder, self._facts = folder, facts
        self._maps = []
        for file in facts["files"]:
            self._maps.append(_map(folder / file["name"], file["rows"], facts["context"] + 1))
        self._starts = np.cumsum([0, *(len(rows) for rows in self._maps)])
        self.rows = int(self._starts[-1])
        if self.rows != facts["rows"]:
            raise DataError(f"{folder} holds {self.rows} rows, not {facts['rows']}", hint=_AGAIN)

    def take(self, picked: list[int]) -> NDArray[np.integer[Any]]:
        width = self._facts["context"] + 1
        taken = np.empty((len(picked), width), self._maps[0].dtype if self._maps else np.uint16)
        for place, row in enumerate(picked):
            file = int(np.searchsorted(self._starts, row, side="right")) - 1
            taken[place] = self._maps[file][row - int(self._starts[file])]
        return taken

    def verify(self) -> None:
        for file in self._facts["files"]:
            path = self._folder / file["name"]
            if hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
                raise DataError(f"{path} is damaged: its hash differs", hint=_AGAIN)


def _map(path: Path, rows: int, width: int) -> NDArray[np.integer[Any]]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint=_AGAIN) from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}", hint=_AGAIN) from None
    if mapped.shape != (rows, width) or mapped.dtype not in (np.uint16, np.uint32):
        raise DataError(
            f"{path} holds {mapped.dtype} of shape {mapped.shape}, not {rows} rows of {width}",
            hint=_AGAIN,
        )
    assert isinstance(mapped, np.ndarray)
    return mapped


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}", hint=_AGAIN) from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise DataError(f"{path} is of another version, or something else", hint=_AGAIN)
    return facts
