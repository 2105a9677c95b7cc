"""Cases of a benchmark's problems: every candidate observed on inputs, each problem's case kept.

A case takes seconds to make; a run that is started again finds those that its log holds. The hidden
tests of a problem play no part here.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.errors import DataError
from codewright.files import RowLog
from codewright.types.behaviour import Observer
from codewright.types.judging import CallPair, Candidate, Problem
from codewright.verify.behaviour import classes
from codewright.verify.case import Case
from codewright.verify.study import Assessment, study


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a problem beside its candidates.

    prompt: what they were written for. examples: the user's. tests: assertions that a model wrote.
    """

    prompt: str
    examples: tuple[CallPair, ...] = ()
    tests: tuple[str, ...] = ()


def cases(
    problems: Sequence[Problem],
    candidates: Mapping[str, Sequence[Candidate]],
    known: Mapping[str, Known],
    *,
    observer: Observer,
    settings: Assessment,
    log: RowLog,
    watch: Callable[[int], None],
) -> dict[str, Case]:
    """The case of each problem that has candidates; those that `log` holds are not made again.

    Args:
        watch: told how many more candidates are done.

    Raises:
        DataError: a row of `log` is no case.
        MachineError: as `observer` raises; what was done is in `log`.
    """
    kept = {}
    for where, row in log.rows:
        try:
            kept[str(row["key"])] = _case(row["case"])
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise DataError(
                f"{where}: not the case of a problem ({error})", hint="start over with --fresh"
            ) from None
    made = {}
    for problem in problems:
        mine, what = candidates.get(problem.id, ()), known[problem.id]
        if not mine:
            continue
        key = _key(problem, mine, what, settings)
        if key not in kept:
            studied = study(
                what.prompt, problem.entry_point, mine, executor=observer, examples=what.examples,
                tests=what.tests, settings=settings,
            )  # fmt: skip
            kept[key] = studied.case
            log.append({"key": key, "task": problem.id, "case": _row(studied.case)})
        made[problem.id] = kept[key]
        watch(len(mine))
    return made


def _key(
    problem: Problem, candidates: Sequence[Candidate], what: Known, settings: Assessment
) -> str:
    weighed = replace(settings, method="", trust=None, ask=False)
    parts = [problem.id, what.prompt, repr(what.examples), repr(what.tests), repr(weighed)]
    parts += [candidate.program for candidate in candidates]
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


_ARRAYS = ("table", "values", "held", "passes", "counts", "weights", "nodes", "texts",
           "normed")  # fmt: skip


def _row(case: Case) -> dict[str, Any]:
    arrays: tuple[NDArray[Any], ...] = (
        case.table, case.values, case.held, case.passes, case.counts, case.weights, case.nodes,
        case.texts, case.normed,
    )  # fmt: skip
    return {name: _packed(array) for name, array in zip(_ARRAYS, arrays, strict=True)}


def _packed(array: NDArray[Any]) -> list[Any]:
    data = zlib.compress(np.ascontiguousarray(array).tobytes())
    return [array.dtype.str, list(array.shape), base64.b64encode(data).decode()]


def _case(row: Mapping[str, Any]) -> Case:
    arrays = {name: _unpacked(*row[name]) for name in _ARRAYS}
    table = arrays["table"]
    return Case(**arrays, classes=tuple(classes(table)))


def _unpacked(dtype: str, shape: list[int], text: str) -> NDArray[Any]:
    if dtype not in ("<i4", "|b1", "<f8", "<i8"):
        raise ValueError(f"no such type of array: {dtype}")
    data = zlib.decompress(base64.b64decode(text))
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape).copy()
