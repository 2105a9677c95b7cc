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
BUDGET = "train.budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was decided once. peak: operations per second of one process, and where that is from."""

    steps: int
    tokens_per_step: int
    flops_per_token: float
    peak: float
    peak_source: str


def claim(
    out: Path,
    settings: Mapping[str, Any],
    world: World,
    start: Callable[[], Run],
    *,
    extends: bool = False,
) -> Run:
    """Returns what `out` was begun with, or begins it with what `start` decides.

    `start` runs in all processes, and the first one's word counts.

    Args:
        extends: a step does not depend on how many there will be, so a run that is there may be
            given a larger budget.

    Raises:
        DataError: the folder belongs to a run with other settings; the message names one.
    """
    path = out / RUN
    plain = json.loads(json.dumps(settings, default=str))
    told = _read(path) if path.is_file() else None
    # All have looked before one of them writes.
    barrier(world)
    if told is None:
        decided = asdict(start())
        if world.leads:
            write_whole(path, json_text(_told(plain, decided)))
    elif other := [each for each in _differences(told["settings"], plain, "") if not _free(each)]:
        fixed = [each for each in other if not (extends and _under(each[0], BUDGET))]
        if fixed:
            name, before, now = fixed[0]
            raise DataError(
                f"{out} holds a run with {name} = {before}, not {now}",
                hint="go on with the settings it began with, or name another folder",
            )
        steps, planned = start().steps, told["decided"]["steps"]
        if steps < planned:
            raise DataError(
                f"{out} holds a run of {planned} steps, not {steps}",
                hint="a budget can grow, not shrink: name another folder",
            )
        if world.leads:
            decided = {**told["decided"], "steps": steps}
            write_whole(path, json_text(_told(plain, decided)))
    barrier(world)
    return Run(**_read(path)["decided"])


def _told(settings: Mapping[str, Any], decided: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "settings": settings, "decided": decided}


def _free(difference: tuple[str, Any, Any]) -> bool:
    return any(_under(difference[0], free) for free in FREE)


def _under(name: str, table: str) -> bool:
    return name == table or name.startswith(f"{table}.")


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
