"""`evaluate --select METHOD`: one program chosen for each problem, and how that choice fares."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright import console
from codewright.errors import UnknownName, UserError
from codewright.evaluate import benchmarks
from codewright.evaluate.cases import Known, cases
from codewright.evaluate.fetch import Home
from codewright.evaluate.folder import CASES
from codewright.evaluate.harness import Graded
from codewright.evaluate.selection import cross_fitted, selected, summary
from codewright.evaluate.written import beside, written_tests
from codewright.files import RowLog
from codewright.types.behaviour import Observer
from codewright.types.judging import Candidate, Problem
from codewright.verify.examples import examples
from codewright.verify.select import METHODS
from codewright.verify.study import Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """How one program is to be chosen. method: "" where none is."""

    method: str
    tests: Path | None
    examples: bool
    seed: int


def check(choosing: Choosing, samples: Path | None, model: str) -> None:
    """Refuses what cannot be done, before anything is.

    Raises:
        UserError: no such method, or nothing to choose from.
    """
    if not choosing.method:
        if choosing.tests is not None:
            raise UserError("--written-tests is for --select", hint="--select best")
        return
    if choosing.method not in METHODS:
        raise UnknownName(
            f"--select {choosing.method!r} is unknown", hint=f"known: {', '.join(METHODS)}"
        )
    if samples is None and not model:
        raise UserError("--select has nothing to choose from", hint="--samples FILE or --model")


def choose(
    choosing: Choosing,
    problems: Sequence[Problem],
    candidates: Mapping[str, Sequence[Candidate]],
    graded: Graded,
    *,
    everything: Sequence[Problem],
    home: Home,
    samples: Path | None,
    observer: Observer,
    folder: Path,
) -> dict[str, Any]:
    """Chooses for every problem and returns the figures, with the seconds that it took.

    Args:
        everything: all of the benchmark's problems; a file of tests may be for any of them.

    Raises:
        DataError: a file is missing or broken.
        MachineError: as `observer` raises; what was done is kept in `folder`.
    """
    began = time.monotonic()
    known = _known(choosing, problems, everything, home, samples)
    total = sum(len(candidates.get(problem.id, ())) for problem in problems)
    with (
        RowLog(folder / CASES) as log,
        console.progress("observing", total=total, unit="candidates") as bar,
    ):
        seen = cases(
            problems,
            candidates,
            known,
            observer=observer,
            settings=Assessment(seed=choosing.seed),
            log=log,
            watch=bar.advance,
        )
    if not seen:
        raise UserError("--select has nothing to choose from", hint="no problem has samples")
    truths = {
        name: [record.verdict.status == "passed" for record in graded.candidates[name]]
        for name in seen
    }
    trusts, weights = cross_fitted(seen, truths, choosing.seed)
    told = summary(selected(choosing.method, seen, truths, trusts, weights), seed=choosing.seed)
    told["examples"] = sum(bool(known[name].examples) for name in seen)
    told["written_tests"] = sum(len(known[name].tests) for name in seen)
    told["seconds"] = round(time.monotonic() - began, 3)
    return told


def _known(
    choosing: Choosing,
    problems: Sequence[Problem],
    everything: Sequence[Problem],
    home: Home,
    samples: Path | None,
) -> dict[str, Known]:
    path = choosing.tests
    if path is None and samples is not None:
        path = beside(samples)
        if path is not None:
            console.say(f"tests that the model wrote: {path}")
    tests: Mapping[str, tuple[str, ...]] = {}
    if path is not None:
        tests = written_tests(path, everything, lambda: benchmarks.test_prompts(home))
    return {
        problem.id: Known(
            prompt=problem.prompt,
            examples=examples(problem.prompt, problem.entry_point) if choosing.examples else (),
            tests=tests.get(problem.id, ()),
        )
        for problem in problems
    }
