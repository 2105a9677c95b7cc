"""Builds a cleaned corpus: a recipe in, a folder of shards with its report out.

Two stages. First every source is cut into units, and each unit goes through the steps that look
at one file at a time, in several processes, to a file of its own under `work/`. Then `joining`
reads these in order, runs the steps that look at the corpus as a whole, and writes the shards;
`report.json` comes last and says that all is there.

A run that was killed goes on with the units that are missing; what it leaves is the same, byte
for byte, but for the times in the report. A folder that was begun with another recipe, or from
other files, is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from codewright import console
from codewright.corpus import joining, shards, sources, work
from codewright.corpus.decontaminate import at_hand
from codewright.corpus.joining import REPORT, Task
from codewright.corpus.pool import start_process
from codewright.corpus.recipe import CorpusConfig
from codewright.errors import DataError, MachineError
from codewright.files import RowLog, json_text, parse_row, write_whole

WORK = "work"
IDENTITY = "identity.json"
LOCK = ".lock"
_MEGA = 1_000_000

Progress = Callable[..., AbstractContextManager[console.Progress]]


def build(
    config: CorpusConfig,
    folder: Path,
    progress: Progress = console.progress,
    *,
    benchmarks: Path | None = None,
    restart: bool = False,
) -> dict[str, Any]:
    """Makes the corpus that `config` describes in `folder`, or goes on making it.

    Args:
        config: the `[corpus]` table of a recipe.
        folder: where it goes.
        progress: shows how far it is, as `console.progress` does.
        benchmarks: the folder of benchmark data that the corpus is to be kept clean of.
        restart: forget what is there, whatever it was made from.

    Returns:
        The report, which is also in `report.json`.

    Raises:
        ConfigError: the benchmarks are required and not there.
        DataError: a source is missing or broken, or `folder` holds another corpus.
        MachineError: the disk is full, a process died, or git is missing.
    """
    if config.decontaminate == "required":
        at_hand(benchmarks, required=True)  # now, not after the first stage
    units = [
        unit
        for number, source in enumerate(config.sources)
        for unit in sources.units(number, source)
    ]
    if not units:
        raise DataError("the sources hold no file", hint="check the paths of the recipe")
    task = Task(config, units, folder / WORK, benchmarks)
    with RowLog(folder / LOCK):  # two runs in one folder would undo each other's work
        for path in folder.glob(".*.tmp"):  # what a killed run was writing
            path.unlink(missing_ok=True)
        claim(folder, identity(task), restart=restart)
        done = folder / REPORT
        if not done.is_file():
            began = time.monotonic()
            _filter(task, progress)
            joining.join(task, folder, progress, filtered=time.monotonic() - began)
        shutil.rmtree(task.place, ignore_errors=True)
        return parse_row(done.read_bytes(), str(done))


def identity(task: Task) -> dict[str, Any]:
    """Returns what a corpus is made from: another identity is another corpus."""
    settings = dataclasses.asdict(task.config)
    del settings["workers"]  # how fast, not what
    settings["benchmarks"] = task.benchmarks is not None
    recipe = json.dumps(settings, default=str, sort_keys=True)
    listed = [[unit.source, unit.origin, unit.licence, unit.stamp] for unit in task.units]
    content = json.dumps([recipe, listed])
    return {
        "recipe": hashlib.sha256(recipe.encode()).hexdigest(),
        "content": hashlib.sha256(content.encode()).hexdigest(),
    }


def claim(folder: Path, wanted: dict[str, Any], *, restart: bool) -> None:
    """Makes `folder` the place of this corpus.

    Raises:
        DataError: it holds, or has begun, another one.
    """
    path = folder / IDENTITY
    if restart:
        forget(folder)
    elif path.is_file():
        found = parse_row(path.read_bytes(), str(path))
        if found != wanted:
            what = "recipe" if found.get("recipe") != wanted["recipe"] else "set of files"
            raise DataError(
                f"{folder} holds a corpus made from another {what}",
                hint="name another folder, or build anew with --restart",
            )
        return
    (folder / WORK).mkdir(parents=True, exist_ok=True)
    write_whole(path, json_text(wanted))


def forget(folder: Path) -> None:
    """Removes what a build makes in `folder`, and nothing else."""
    for name in (*joining.FILES, IDENTITY):
        (folder / name).unlink(missing_ok=True)
    shards.forget(folder)
    shutil.rmtree(folder / WORK, ignore_errors=True)


def _filter(task: Task, progress: Progress) -> None:
    """Does every unit that is not done."""
    limits = joining.Limits(task)
    for number in range(len(task.units)):
        limits.look(number)
    total = sum(unit.size for unit in task.units)
    done = 0
    with progress("filtering", total=-(-total // _MEGA), unit="MB") as bar:
        for number in _done(task, _wanted(task, limits)):
            limits.look(number)
            done += task.units[number].size
            bar.advance(done // _MEGA - bar.done)


def _wanted(task: Task, limits: joining.Limits) -> Iterator[int]:
    """Yields the units to do, asking again before each whether its source has given enough."""
    for number, unit in enumerate(task.units):
        if not work.books_path(task.place, number).is_file() and not limits.reached(unit.source):
            yield number


def _done(task: Task, numbers: Iterator[int]) -> Iterator[int]:
    """Yields the numbers of units as they are done."""
    workers = task.config.workers
    if workers == 1:
        for number in numbers:
            yield work.do(number, task.units[number], task.config, task.place)
        return
    # Started afresh, not forked: a fork would inherit the threads of whoever calls.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=start_process) as pool:
        waiting: set[Future[int]] = set()
        try:
            for number in numbers:
                unit = task.units[number]
                waiting.add(pool.submit(work.do, number, unit, task.config, task.place))
                if len(waiting) > workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from _results(done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _results(done)
        except BrokenProcessPool:
            raise MachineError(
                "a process that filtered files was killed",
                hint="it may have run out of memory; run the same command again to go on",
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _results(done: Sequence[Future[int]] | set[Future[int]]) -> list[int]:
    return [future.result() for future in done]
