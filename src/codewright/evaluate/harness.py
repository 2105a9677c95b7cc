"""Judging a benchmark: the references first, then every candidate, each distinct program once.

    with RowLog(folder / "results.jsonl") as log:
        graded = Harness(executor, Journal(log), mode="session").run(problems, candidates)

The harness decides what is judged, in which order and under which limits. It does not judge (an
`Executor` does), does not make programs, and does not compute scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from codewright.errors import WorkerError
from codewright.evaluate.records import Journal, Record, Role, digest_of, job_key
from codewright.types.judging import Candidate, Executor, Job, Limits, Mode, Problem

REFERENCE_LIMITS = Limits(cpu_seconds=60.0, wall_seconds=60.0, memory_bytes=4 << 30)
"""References are trusted to end; the slowest known takes 15 s, the largest 2.3 GB."""

LEAST_CPU = 0.25
"""Seconds that any program may compute: a passing one that is no slower needs a fraction."""

Watch = Callable[[int], None]
"""Told how many more programs have a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The verdicts of one stage by key, how many were judged now, and how long judging took.

    `seconds` adds up all the runs that wrote to the journal, this one included.
    """

    judged: int
    reused: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What a run of the harness found.

    `references` holds a record for each problem that has a reference, `candidates` one for each
    candidate, in the candidates' order; equal programs share a record.
    """

    references: Mapping[str, Record]
    candidates: Mapping[str, Sequence[Record]]
    reference_stage: Stage
    candidate_stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A program that needs a verdict."""

    key: str
    task: str
    samples: tuple[int, ...]
    rule: str
    job: Job


class Harness:
    """Grades candidates of problems with an executor, and keeps each verdict in a journal."""

    def __init__(
        self,
        executor: Executor,
        journal: Journal,
        *,
        mode: Mode,
        cpu_seconds: float | None = None,
    ) -> None:
        """`cpu_seconds` is the limit of every candidate; None takes it from the reference."""
        self._executor = executor
        self._journal = journal
        self._mode = mode
        self._cpu_seconds = cpu_seconds

    def grade_references(
        self, problems: Sequence[Problem], watch: Watch
    ) -> tuple[dict[str, Record], Stage]:
        """Returns the record of each problem's reference solution, by the problem's id.

        Raises:
            MachineError: the executor or the disk gave out; what was judged is kept.
        """
        tasks = []
        for problem in problems:
            if problem.reference:
                job = _job(problem, problem.reference, REFERENCE_LIMITS)
                key = self._key(job, digest_of(problem.tests))
                tasks.append(_Task(key=key, task=problem.id, samples=(), rule="as is", job=job))
        stage = self._judge(tasks, "reference", watch)
        return {task.task: self._journal.records[task.key] for task in tasks}, stage

    def grade_candidates(
        self,
        problems: Sequence[Problem],
        candidates: Mapping[str, Sequence[Candidate]],
        references: Mapping[str, Record],
        watch: Watch,
    ) -> tuple[dict[str, list[Record]], Stage]:
        """Returns a record for each candidate; raises as `grade_references`.

        The programs of a problem are submitted one after the other, so that an executor can let
        them share what is the same for all of them.
        """
        tasks: dict[str, _Task] = {}
        keys: dict[str, list[str]] = {}
        for problem in problems:
            digest = digest_of(problem.tests)
            limits = self.limits(references.get(problem.id))
            keys[problem.id] = []
            for index, candidate in enumerate(candidates.get(problem.id, ())):
                job = _job(problem, candidate.program, limits)
                key = self._key(job, digest)
                keys[problem.id].append(key)
                known = tasks.get(key)
                if known is None:
                    tasks[key] = _Task(
                        key=key, task=problem.id, samples=(index,), rule=candidate.rule, job=job
                    )
                else:
                    tasks[key] = replace(known, samples=(*known.samples, index))
        stage = self._judge(list(tasks.values()), "candidate", watch)
        records = self._journal.records
        return {task: [records[key] for key in each] for task, each in keys.items()}, stage

    def run(
        self,
        problems: Sequence[Problem],
        candidates: Mapping[str, Sequence[Candidate]],
        watch: Watch = lambda _: None,
    ) -> Graded:
        """Grades references and candidates; raises as `grade_references`."""
        references, reference_stage = self.grade_references(problems, watch)
        graded, candidate_stage = self.grade_candidates(problems, candidates, references, watch)
        return Graded(
            references=references,
            candidates=graded,
            reference_stage=reference_stage,
            candidate_stage=candidate_stage,
        )

    def limits(self, reference: Record | None) -> Limits:
        """Returns what a candidate may use, seen from what the reference used.

        Twenty times the reference's CPU time, which loses no pass on a machine of any speed; a
        slow reference is given less room (10 s more than its double), or hundreds of endless
        programs would take hours. Memory is at least 1 GiB and twice the reference's peak.
        """
        usual = Limits()
        if reference is None or reference.verdict.status != "passed":
            return replace(usual, cpu_seconds=self._cpu_seconds or usual.cpu_seconds)
        used = reference.verdict.cpu_seconds
        cpu = self._cpu_seconds or max(LEAST_CPU, min(20 * used, 10.0 + 2 * used))
        memory = max(usual.memory_bytes, 2 * reference.verdict.peak_bytes)
        return replace(usual, cpu_seconds=round(cpu, 3), memory_bytes=memory)

    def _key(self, job: Job, digest: str) -> str:
        return job_key(job, digest, self._mode, self._executor.isolation)

    def _judge(self, tasks: Sequence[_Task], role: Role, watch: Watch) -> Stage:
        """Gets a verdict for each task that the journal has none for, and writes it down."""
        missing = [task for task in tasks if task.key not in self._journal.records]
        watch(len(tasks) - len(missing))
        began = time.monotonic()
        verdicts = self._executor.judge(_jobs(missing), mode=self._mode) if missing else iter(())
        judged = 0
        for task, verdict in zip(missing, verdicts, strict=False):
            self._journal.append(
                Record(
                    key=task.key,
                    task=task.task,
                    role=role,
                    samples=task.samples,
                    rule=task.rule,
                    verdict=verdict,
                    sitting=self._journal.sitting,
                    at=time.monotonic() - began,
                )
            )
            judged += 1
            watch(1)
        if judged < len(missing):
            raise WorkerError(
                f"the executor gave {judged} verdicts for {len(missing)} programs",
                hint="run the same command again: what was judged is kept",
            )
        return Stage(judged=judged, reused=len(tasks) - judged, seconds=self._seconds(role))

    def _seconds(self, role: Role) -> float:
        """Returns the seconds of judging that the journal's verdicts of `role` took, all runs."""
        ends: dict[int, float] = {}
        for record in self._journal.records.values():
            if record.role == role:
                ends[record.sitting] = max(record.at, ends.get(record.sitting, 0.0))
        return sum(ends.values())


def _jobs(tasks: Sequence[_Task]) -> Iterator[Job]:
    for task in tasks:
        yield task.job


def _job(problem: Problem, program: str, limits: Limits) -> Job:
    return Job(
        program=program,
        tests=problem.tests,
        entry_point=problem.entry_point,
        language=problem.language,
        limits=limits,
    )
