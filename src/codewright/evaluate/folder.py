"""The folder of one evaluation: what it belongs to, and the files in it.

run.json         what was evaluated; a folder is resumed only by the same evaluation
generated.jsonl  what a model wrote, as it came (only where a model was asked)
results.jsonl    one line per judged program, as it came
cases.jsonl      what candidates did on inputs, by problem (only where one is chosen)
samples.jsonl    one line per sample, at the end
summary.json     the scores
report.html      the scores for people
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from codewright.errors import DataError
from codewright.evaluate.records import FORMAT
from codewright.files import json_text, parse_row, read_bytes, write_whole
from codewright.types.judging import Problem

RUN, GENERATED, RESULTS = "run.json", "generated.jsonl", "results.jsonl"
CASES = "cases.jsonl"
SAMPLES, SUMMARY, REPORT = "samples.jsonl", "summary.json", "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an evaluation is: two with the same identity have the same verdicts.

    `samples` names the file or the model, `settings` are those that change verdicts or texts.
    """

    benchmark: str
    problems: str
    samples: str
    settings: Mapping[str, str]
    version: str

    def facts(self) -> dict[str, str]:
        """Returns all of it as names and values, in the order in which a person reads them."""
        return {
            "benchmark": self.benchmark,
            "problems": self.problems,
            "samples": self.samples,
            **self.settings,
            "version": self.version,
            "format": str(FORMAT),
        }

    def digest(self) -> str:
        """Returns a short name for it."""
        return hashlib.sha256(json.dumps(self.facts()).encode()).hexdigest()[:8]


def problems_digest(problems: Iterable[Problem]) -> str:
    """Returns the number of `problems` and a hash of all that is in them."""
    digest = hashlib.sha256()
    count = 0
    for problem in problems:
        digest.update(repr(problem).encode("utf-8", "backslashreplace"))
        count += 1
    return f"{count} ({digest.hexdigest()[:12]})"


def file_digest(path: Path) -> str:
    """Returns the name of a samples file and a hash of what it holds, however it is packed.

    Raises:
        DataError: it cannot be read.
    """
    return f"{path.name} ({hashlib.sha256(read_bytes(path)).hexdigest()[:12]})"


def claim(folder: Path, identity: Identity, *, fresh: bool) -> bool:
    """Makes `folder` the place of this evaluation; returns whether it already was.

    With `fresh`, the files of whatever evaluation was there are removed first; other files in
    the folder are never touched.

    Raises:
        DataError: the folder belongs to another evaluation; the message says what differs.
        MachineError: it cannot be written.
    """
    path = folder / RUN
    facts = identity.facts()
    if fresh:
        for name in (RUN, GENERATED, RESULTS, SAMPLES, SUMMARY, REPORT):
            with contextlib.suppress(OSError):
                (folder / name).unlink()
    if path.exists():
        held = parse_row(read_bytes(path), str(path))
        changed = [name for name in {**held, **facts} if held.get(name) != facts.get(name)]
        if changed:
            told = "; ".join(f"{n} was {held.get(n)!r}, is {facts.get(n)!r}" for n in changed[:3])
            raise DataError(
                f"{folder} belongs to another evaluation: {told}",
                hint="name another folder with --out, or start over in this one with --fresh",
            )
        return True
    if (folder / RESULTS).exists():
        raise DataError(
            f"{folder} holds {RESULTS} but no {RUN}, so nobody knows what it is of",
            hint="name another folder with --out, or start over in this one with --fresh",
        )
    write_whole(path, json_text(facts))
    return False
