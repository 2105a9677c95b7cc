"""The harness: each distinct program once, whatever happens in between, with the same result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from codewright.errors import MachineError, WorkerError
from codewright.evaluate.harness import Graded, Harness
from codewright.evaluate.records import Journal, Record
from codewright.files import RowLog
from codewright.types.judging import Candidate, Job, Limits, Mode, Problem, Verdict
from tests.dying import killed
from tests.evaluate.made import BROKEN, RAISES, RIGHT, WRONG, candidate, problem
from tests.reference.plain import Plain
from tests.test_files import small_files

ROOT = Path(__file__).resolve().parents[2]


def run(path: Path, executor, problems, candidates, *, mode: Mode = "fork", cpu=None) -> Graded:
    with RowLog(path) as log:
        return Harness(executor, Journal(log), mode=mode, cpu_seconds=cpu).run(problems, candidates)


def statuses(graded: Graded) -> dict[str, list[str]]:
    return {task: [r.verdict.status for r in each] for task, each in graded.candidates.items()}


def test_references_come_first_and_every_candidate_has_a_verdict(tmp_path: Path):
    problems = [problem(0), problem(2, reference=WRONG), problem(4)]
    candidates = {
        "Made/0": [candidate(RIGHT), candidate(WRONG)],
        "Made/2": [candidate(BROKEN), candidate(RAISES), candidate(RIGHT)],
    }
    plain = Plain()
    graded = run(tmp_path / "r", plain, problems, candidates)
    assert {t: r.verdict.status for t, r in graded.references.items()} == {
        "Made/0": "passed",
        "Made/2": "failed",
        "Made/4": "passed",
    }
    assert statuses(graded) == {
        "Made/0": ["passed", "failed"],
        "Made/2": ["error", "error", "passed"],
        "Made/4": [],
    }
    assert [job.program for job in plain.judged[:3]] == [RIGHT, WRONG, RIGHT]
    assert (graded.candidate_stage.judged, graded.candidate_stage.reused) == (5, 0)
    assert graded.candidate_stage.seconds > 0


def test_equal_programs_are_judged_once_and_neighbours_share_a_problem(tmp_path: Path):
    problems = [problem(0), problem(1)]
    each = [candidate(RIGHT), candidate(WRONG), candidate(RIGHT, "cut at #"), candidate(RIGHT)]
    plain = Plain()
    graded = run(tmp_path / "r", plain, problems, {"Made/0": each, "Made/1": each})
    assert statuses(graded) == {
        t: ["passed", "failed", "passed", "passed"] for t in ("Made/0", "Made/1")
    }
    # The same program under other tests is another job.
    order = [job.tests for job in plain.judged[2:]]
    assert order == [problems[0].tests] * 2 + [problems[1].tests] * 2
    assert graded.candidates["Made/0"][0].samples == (0, 2, 3)
    assert graded.candidates["Made/0"][3] is graded.candidates["Made/0"][0]


def test_a_second_run_judges_nothing(tmp_path: Path):
    problems = [problem(n) for n in range(3)]
    candidates = {p.id: [candidate(RIGHT), candidate(WRONG)] for p in problems}
    first = run(tmp_path / "r", Plain(), problems, candidates)
    idle = Plain()
    again = run(tmp_path / "r", idle, problems, candidates)
    assert idle.judged == []
    assert again.candidates == first.candidates
    assert again.references == first.references
    assert (again.candidate_stage.judged, again.candidate_stage.reused) == (0, 6)
    assert again.candidate_stage.seconds == pytest.approx(first.candidate_stage.seconds, abs=0.01)


def test_another_mode_limit_or_isolation_is_judged_anew(tmp_path: Path):
    problems, candidates = [problem(0)], {"Made/0": [candidate(RIGHT)]}
    run(tmp_path / "r", Plain(), problems, candidates, cpu=5.0)
    same = Plain()
    run(tmp_path / "r", same, problems, candidates, cpu=5.0)
    assert len(same.judged) == 0
    other = Plain()
    run(tmp_path / "r", other, problems, candidates, cpu=6.0)
    assert len(other.judged) == 1
    run(tmp_path / "r", other, problems, candidates, mode="session", cpu=6.0)
    assert len(other.judged) == 3


class Canned:
    """An executor that judges by rule, and can be made to stop or to say too little."""

    isolation = ("canned",)

    def __init__(self, *, cpu: float = 0.1, peak: int = 0, give: int = 10**9) -> None:
        self.jobs: list[Job] = []
        self._cpu, self._peak, self._give = cpu, peak, give

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        for job in jobs:
            if len(self.jobs) == self._give:
                return
            self.jobs.append(job)
            yield Verdict(
                status="passed" if job.program == RIGHT else "failed",
                cpu_seconds=self._cpu,
                peak_bytes=self._peak,
                mode=mode,
            )


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [(0.0, 0.25), (0.001, 0.25), (0.1, 2.0), (0.5, 10.0), (1.0, 12.0), (15.0, 40.0)],
)
def test_time_limits_come_from_the_reference(tmp_path: Path, cpu: float, expected: float):
    canned = Canned(cpu=cpu)
    run(tmp_path / "r", canned, [problem(0)], {"Made/0": [candidate(WRONG)]})
    reference, judged = canned.jobs
    assert reference.limits.cpu_seconds == 60
    assert judged.limits.cpu_seconds == pytest.approx(expected)
    run(tmp_path / "s", canned, [problem(0)], {"Made/0": [candidate(WRONG)]}, cpu=3.0)
    assert canned.jobs[-1].limits.cpu_seconds == 3.0


def test_a_failed_or_missing_reference_sets_no_limit(tmp_path: Path):
    for reference in (WRONG, ""):
        canned = Canned(cpu=0.0)
        path = tmp_path / f"r{len(reference)}"
        graded = run(
            path, canned, [problem(0, reference=reference)], {"Made/0": [candidate(RIGHT)]}
        )
        assert canned.jobs[-1].limits == Limits()
        assert len(graded.references) == bool(reference)


def test_memory_follows_a_large_reference(tmp_path: Path):
    canned = Canned(peak=3 << 30)
    run(tmp_path / "r", canned, [problem(0)], {"Made/0": [candidate(WRONG)]})
    assert canned.jobs[-1].limits.memory_bytes == 6 << 30


def test_silence_of_the_executor_is_an_error_and_loses_nothing(tmp_path: Path):
    problems = [problem(n) for n in range(5)]
    candidates = {p.id: [candidate(WRONG)] for p in problems}
    with pytest.raises(WorkerError, match="gave 2 verdicts for 5"):
        run(tmp_path / "r", Canned(give=7), problems, candidates)
    rest = Canned()
    graded = run(tmp_path / "r", rest, problems, candidates)
    assert len(rest.jobs) == 3
    assert graded.candidate_stage.reused == 2


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path):
    problems = [problem(n) for n in range(20)]
    candidates = {p.id: [candidate(WRONG)] for p in problems}
    with small_files(8000), pytest.raises(MachineError, match="no space left"):
        run(tmp_path / "r", Canned(), problems, candidates)
    kept = (tmp_path / "r").read_bytes()
    assert kept.endswith(b"}\n")
    rest = Canned()
    graded = run(tmp_path / "r", rest, problems, candidates)
    assert len(rest.jobs) == 40 - kept.count(b"\n")
    assert (tmp_path / "r").read_bytes().startswith(kept)
    assert graded.candidates == run(tmp_path / "r", Canned(), problems, candidates).candidates


def work() -> tuple[list[Problem], dict[str, list[Candidate]]]:
    """Returns 12 problems with 6 candidates each, 4 of them distinct and slow enough to count."""
    problems = [problem(n) for n in range(12)]
    slow = "import time\ntime.sleep(0.02)\n"
    each = [candidate(slow + text) for text in (RIGHT, WRONG, RAISES, BROKEN, RIGHT, WRONG)]
    return problems, {p.id: each for p in problems}


SCRIPT = """
import sys
from pathlib import Path
from tests.dying import die_after
from tests.evaluate.test_harness import run, work
from tests.reference.plain import Plain
die_after("results.jsonl", int(sys.argv[2]))
run(Path(sys.argv[1]), Plain(), *work())
"""


def without_times(records: Iterable[Record]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(r.key, r.verdict.status, r.samples) for r in records]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_run_killed_and_started_again_ends_the_same_and_judges_nothing_twice(
    tmp_path: Path, share: float
):
    problems, candidates = work()
    path = tmp_path / "results.jsonl"
    total = 12 + 12 * 4
    done = int(share * total)
    killed("-c", SCRIPT, path, done)
    path.write_bytes(path.read_bytes() + b'{"key": "torn')  # as if the kill had hit a write
    assert path.read_bytes().count(b"\n") == done

    plain = Plain()
    resumed = run(path, plain, problems, candidates)
    assert len(plain.judged) == total - done
    whole = run(tmp_path / "whole.jsonl", Plain(), problems, candidates)
    assert statuses(resumed) == statuses(whole)
    for task, each in whole.candidates.items():
        # Limits follow the reference's time, so keys may differ between two whole runs.
        assert [r.samples for r in resumed.candidates[task]] == [r.samples for r in each]
    assert len(path.read_bytes().splitlines()) == total
