"""Verdicts on disk: one JSON line each, written as they come, read again when a run is resumed.

A verdict is known by its key, the hash of all that it depends on: tests, program, entry point,
language, limits, mode, and the layers of isolation that held. A line torn by a kill or a full
disk is dropped when the file is opened again; a broken line anywhere else is an error. One
process writes at a time.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codewright.errors import DataError
from codewright.files import cannot_write, parse_row
from codewright.types import Evidence, Job, Mode, Tests, Verdict

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


def tests_digest(tests: Tests) -> str:
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
    """An open file of records. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Opens or makes `path`, reads what it holds and drops a torn last line.

        Raises:
            DataError: another process is writing to it, or a line of it is broken.
            MachineError: it cannot be written.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            self.records, self.torn = self._read()
        except BaseException:
            os.close(self._file)
            raise
        self.sitting = 1 + max((record.sitting for record in self.records.values()), default=0)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def append(self, record: Record) -> None:
        """Writes `record` at the end, whole: if that fails, the file is as it was before.

        Raises:
            MachineError: the disk is full, or the file cannot be written.
        """
        line = (json.dumps(to_row(record), separators=(",", ":")) + "\n").encode("ascii")
        done = 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise cannot_write(self._path, error) from None
        self._end += len(line)
        self.records[record.key] = record

    def _read(self) -> tuple[dict[str, Record], bool]:
        """Returns the records by key, and whether a torn line was dropped."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(
                f"another run is writing to {self._path}",
                hint="wait for it, or name another folder with --out",
            ) from None
        content = self._path.read_bytes()
        whole, _, rest = content.rpartition(b"\n")
        self._end = len(content) - len(rest)
        if rest:
            os.ftruncate(self._file, self._end)
        records = {}
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            record = from_row(line, f"{self._path}, line {number}")
            records[record.key] = record
        return records, bool(rest)


def to_row(record: Record) -> dict[str, Any]:
    """Returns `record` as plain JSON values; fields that say nothing are left out."""
    verdict = record.verdict
    evidence = {
        name: text[:TEXT_CAP] for name, text in dataclasses.asdict(verdict.evidence).items() if text
    }
    row: dict[str, Any] = {
        "key": record.key,
        "task_id": record.task,
        "role": record.role,
        "status": verdict.status,
        "samples": list(record.samples),
        "rule": record.rule,
        "level": verdict.level,
        "mode": verdict.mode,
        "cpu_seconds": round(verdict.cpu_seconds, 6),
        "wall_seconds": round(verdict.wall_seconds, 6),
        "peak_bytes": verdict.peak_bytes,
        "isolation": list(verdict.isolation),
        "sitting": record.sitting,
        "at": round(record.at, 3),
        "evidence": evidence,
    }
    return {name: value for name, value in row.items() if value not in ("", [], {})}


def from_row(line: bytes, where: str) -> Record:
    """Returns the record in a line of JSON; `where` opens the message of the error it raises.

    Raises:
        DataError: the line is not a record.
    """
    row = parse_row(line, where)
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
