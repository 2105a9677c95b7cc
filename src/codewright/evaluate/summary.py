"""What an evaluation found, counted: the scores, the statuses, the references, the speed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright.evaluate.folder import Identity
from codewright.evaluate.harness import Graded
from codewright.evaluate.passk import PassAtK, curve_ks, score
from codewright.evaluate.records import Record
from codewright.types.judging import Candidate, Mode, Problem, Status, Verdict

ORDER: tuple[Status, ...] = (
    "passed",
    "failed",
    "error",
    "timeout",
    "memory",
    "crashed",
    "refused",
)
"""Statuses in the order in which they are listed and stacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All that the reports are made of. `seconds` is the wall time of this run."""

    title: str
    identity: Identity
    problems: Sequence[Problem]
    candidates: Mapping[str, Sequence[Candidate]]
    graded: Graded
    scores: PassAtK
    curve: PassAtK
    isolation: tuple[str, ...]
    mode: Mode
    seconds: float
    selection: Mapping[str, Any] | None = None

    def scored(self) -> list[tuple[str, Sequence[Record]]]:
        """Returns the problems that have samples, with the record of each sample."""
        return [(task, records) for task, records in self.graded.candidates.items() if records]


def conclude(
    title: str,
    identity: Identity,
    problems: Sequence[Problem],
    candidates: Mapping[str, Sequence[Candidate]],
    graded: Graded,
    *,
    ks: Sequence[int],
    seed: int,
    isolation: tuple[str, ...],
    mode: Mode,
    seconds: float,
    selection: Mapping[str, Any] | None = None,
) -> Result:
    """Returns the result of a graded benchmark: pass@k for `ks`, and for the curve."""
    counts = [counted(records) for records in graded.candidates.values() if records]
    least = min((n for n, _ in counts), default=0)
    return Result(
        title=title,
        identity=identity,
        problems=problems,
        candidates=candidates,
        graded=graded,
        scores=score(counts, ks, seed=seed),
        curve=score(counts, curve_ks(least), seed=seed),
        isolation=isolation,
        mode=mode,
        seconds=seconds,
        selection=selection,
    )


def counted(records: Sequence[Record]) -> tuple[int, int]:
    """Returns (samples, passes)."""
    return len(records), sum(record.verdict.status == "passed" for record in records)


def summary(result: Result, files: Sequence[Path]) -> dict[str, Any]:
    """Returns the summary as one JSON object.

    `programs_per_second` is over all samples, duplicates included, and over the judging of the
    candidates alone, in this run and in those that it resumed. `judged` and `reused` count
    distinct programs of this run.
    """
    graded, scored = result.graded, result.scored()
    programs = sum(len(records) for _, records in scored)
    distinct = {record.key: record for _, records in scored for record in records}
    judging = graded.candidate_stage.seconds
    references = graded.references
    return {
        "benchmark": result.identity.benchmark,
        "pass_at_k": {str(k): value for k, value in result.scores.values.items()},
        "intervals": {str(k): list(ends) for k, ends in result.scores.intervals.items()},
        "left_out": {str(k): why for k, why in result.scores.left_out.items()},
        "problems": len(scored),
        "problems_without_samples": len(result.problems) - len(scored),
        "references": len(references),
        "reference_pass": sum(r.verdict.status == "passed" for r in references.values()),
        "reference_failures": [
            {"task_id": task, "status": record.verdict.status, "evidence": why(record.verdict)}
            for task, record in references.items()
            if record.verdict.status != "passed"
        ],
        "programs": programs,
        "distinct_programs": len(distinct),
        "judged": graded.candidate_stage.judged,
        "reused": graded.candidate_stage.reused,
        "programs_per_second": round(programs / judging, 1) if judging else None,
        "seconds": {
            "references": round(graded.reference_stage.seconds, 3),
            "judging": round(judging, 3),
            "total": round(result.seconds, 3),
        },
        "isolation": list(result.isolation),
        "levels": dict(Counter(record.verdict.level for _, each in scored for record in each)),
        "mode": result.mode,
        "statuses": statuses(result),
        "rules": rules(result),
        "identity": result.identity.facts(),
        "files": [str(path) for path in files],
        **_selection(result),
    }


def _selection(result: Result) -> dict[str, Any]:
    """The figures of the choice among candidates: the headline ones, and all of them."""
    if result.selection is None:
        return {}
    heads = ("selected_pass_at_1", "auroc", "ece", "risk_coverage", "confident_error",
             "confident_coverage")  # fmt: skip
    return {
        **{name: result.selection[name] for name in heads},
        "selection": dict(result.selection),
    }


def statuses(result: Result) -> dict[str, int]:
    """Returns how many samples ended with each status that occurs, in the usual order."""
    found = Counter(record.verdict.status for _, each in result.scored() for record in each)
    return {status: found[status] for status in ORDER if found[status]}


def rules(result: Result) -> dict[str, int]:
    """Returns how many programs each rule made, the most common first."""
    return dict(Counter(c.rule for each in result.candidates.values() for c in each).most_common())


def why(verdict: Verdict) -> str:
    """Returns a verdict's evidence in one line of at most 300 characters."""
    evidence = verdict.evidence
    raised = evidence.traceback.strip().rpartition("\n")[2].strip()
    parts = [
        evidence.test,
        f"expected {evidence.expected}, got {evidence.got}" if evidence.expected else "",
        raised,
        # The message of an exception is often the last line of its traceback already.
        "" if evidence.message in raised else evidence.message,
    ]
    line = " ".join("; ".join(part for part in parts if part).split())
    return line if len(line) <= 300 else line[:299] + "…"


def sample_lines(result: Result) -> str:
    """Returns one JSON line per sample: its place, how it was made, which verdict it has."""
    lines = []
    for task, records in result.scored():
        pairs = zip(records, result.candidates[task], strict=True)
        for index, (record, candidate) in enumerate(pairs):
            row = {
                "task_id": task,
                "sample": index,
                "passed": record.verdict.status == "passed",
                "status": record.verdict.status,
                "rule": candidate.rule,
                "key": record.key,
            }
            lines.append(json.dumps(row) + "\n")
    return "".join(lines)
