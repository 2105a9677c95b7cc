"""Whose folder a run is, and what was fixed when it began: `run.json`.

A run that is started again has to go on with the settings it began with, or its schedule and data
would no longer be those that its weights come from. Nothing here trains.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codewright.errors import DataError
from codewright.files import json_text, read_bytes, write_whole
from codewright.train.distributed import World, barrier

RUN = "run.json"
FORMAT = 1
FREE = frozenset({"train.watch", "train.compute.threads"})
"""Settings that may change while a run goes on: they do not decide what is learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was decided once. peak: operations per second of one process, and where that is from."""

    steps: int
    tokens_per_step: int
    flops_per_token: float
    peak: float
    peak_source: str


def claim(out: Path, settings: Mapping[str, Any], world: World, start: Callable[[], Run]) -> Run:
    """Returns what `out` was begun with, or begins it with what `start` decides.

    `start` runs in all processes, and the first one's word counts.

    Raises:
        DataError: the folder belongs to a run with other settings; the message names one.
    """
    path = out / RUN
    plain = json.loads(json.dumps(settings, default=str))
    begun = path.is_file()
    barrier(world)
    if not begun:
        decided = asdict(start())
        if world.leads:
            told = {"format": FORMAT, "settings": plain, "decided": decided}
            write_whole(path, json_text(told))
    barrier(world)
    told = _read(path)
    for name, before, now in _differences(told["settings"], plain, ""):
        if not any(name == free or name.startswith(f"{free}.") for free in FREE):
            raise DataError(
                f"{out} holds a run with {name} = {before}, not {now}",
                hint="go on with the settings it began with, or name another folder",
            )
    return Run(**told["decided"])


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}", hint="name another folder") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise DataError(f"{path} is of another version, or something else")
    return told


def _differences(before: Any, now: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        yield name, before, now
