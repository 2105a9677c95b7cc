"""Verdicts on disk: one JSON line each, written as they come, read again when a run is resumed.

A verdict is known by its key, the hash of all that it depends on: tests, program, entry point,
language, limits, mode, and the layers of isolation that held.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from codewright.errors import DataError
from codewright.files import RowLog
from codewright.types.judging import Evidence, Job, Mode, Tests, Verdict

FORMAT = 1
"""Raised when a record or a key changes its meaning, so that old ones are not taken for new."""

TEXT_CAP = 2000
"""Characters kept of each piece of evidence."""

Role = Literal["reference", "candidate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One verdict, and what it was for.

    `samples` are the places of this program among its problem's candidates: equal programs are
    judged once. `sitting` counts the runs that wrote to the file, `at` is how many seconds of
    judging (references and candidates apart) that run had done.
    """

    key: str
    task: str
    role: Role
    verdict: Verdict
    samples: tuple[int, ...] = ()
    rule: str = ""
    sitting: int = 1
    at: float = 0.0


def digest_of(tests: Tests) -> str:
    """Returns a hash of `tests`, which may be megabytes and are shared by many programs."""
    return _digest([type(tests).__name__, repr(tests)])


def job_key(job: Job, digest: str, mode: Mode, isolation: Sequence[str]) -> str:
    """Returns the key of a verdict on `job`, whose tests have the hash `digest`."""
    limits = dataclasses.astuple(job.limits)
    what = [job.program, job.entry_point, job.language]
    return _digest([FORMAT, digest, what, limits, mode, sorted(isolation)])


def _digest(value: object) -> str:
    # ASCII with escapes, because a program may hold characters that UTF-8 cannot.
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:32]


class Journal:
    """The records in a file, by key; the last one of a key counts."""

    def __init__(self, log: RowLog) -> None:
        """Takes an open log and reads its rows.

        Raises:
            DataError: a row is not a record.
        """
        self._log = log
        self.records: dict[str, Record] = {}
        for where, row in log.rows:
            record = from_row(row, where)
            self.records[record.key] = record
        self.sitting = 1 + max((record.sitting for record in self.records.values()), default=0)

    def append(self, record: Record) -> None:
        """Writes `record` down; raises as `RowLog.append`."""
        row = to_row(record)
        self._log.append(row)
        # As a resumed run will read it: limits follow from records, to the last digit.
        self.records[record.key] = from_row(row, "")


def to_row(record: Record) -> dict[str, Any]:
    """Returns `record` as plain JSON values; lists and texts that are empty are left out."""
    verdict = record.verdict
    evidence = {
        name: text[:TEXT_CAP] for name, text in dataclasses.asdict(verdict.evidence).items() if text
    }
    optional = {
        "samples": list(record.samples),
        "rule": record.rule,
        "isolation": list(verdict.isolation),
        "evidence": evidence,
    }
    return {
        "key": record.key,
        "task_id": record.task,
        "role": record.role,
        "status": verdict.status,
        "level": verdict.level,
        "mode": verdict.mode,
        "cpu_seconds": round(verdict.cpu_seconds, 6),
        "wall_seconds": round(verdict.wall_seconds, 6),
        "peak_bytes": verdict.peak_bytes,
        "sitting": record.sitting,
        "at": round(record.at, 3),
        **{name: value for name, value in optional.items() if value},
    }


def from_row(row: dict[str, Any], where: str) -> Record:
    """Returns the record in a row; `where` opens the message of the error it raises.

    Raises:
        DataError: the row is not a record.
    """
    try:
        return Record(
            key=row["key"],
            task=row["task_id"],
            role=row["role"],
            samples=tuple(row.get("samples", ())),
            rule=row.get("rule", ""),
            sitting=row["sitting"],
            at=row["at"],
            verdict=Verdict(
                status=row["status"],
                evidence=Evidence(**row.get("evidence", {})),
                level=row["level"],
                mode=row["mode"],
                isolation=tuple(row.get("isolation", ())),
                cpu_seconds=row["cpu_seconds"],
                wall_seconds=row["wall_seconds"],
                peak_bytes=row["peak_bytes"],
            ),
        )
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{where}: not a record of this version ({error})",
            hint="start over with --fresh, or name another folder with --out",
        ) from None
