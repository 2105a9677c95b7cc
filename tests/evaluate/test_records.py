"""Verdicts as rows: what is kept, and what makes two verdicts the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import DataError
from codewright.evaluate.records import (
    TEXT_CAP,
    Journal,
    Record,
    digest_of,
    from_row,
    job_key,
    to_row,
)
from codewright.files import RowLog
from codewright.types.judging import (
    AssertTests,
    CallPair,
    CallTests,
    Evidence,
    Job,
    Limits,
    Status,
    SuiteTests,
    Verdict,
)

words = st.text(max_size=20)
seconds = st.floats(0, 1e6).map(lambda value: round(value, 3))
verdicts = st.builds(
    Verdict,
    status=st.sampled_from(get_args(Status)),
    evidence=st.builds(Evidence, **{f.name: words for f in dataclasses.fields(Evidence)}),
    level=st.sampled_from(["isolated", "shared"]),
    mode=st.sampled_from(["fork", "session"]),
    isolation=st.lists(words).map(tuple),
    cpu_seconds=seconds,
    wall_seconds=seconds,
    peak_bytes=st.integers(0, 1 << 50),
)
records = st.builds(
    Record,
    key=words,
    task=words,
    role=st.sampled_from(["reference", "candidate"]),
    verdict=verdicts,
    samples=st.lists(st.integers(0, 999)).map(tuple),
    rule=words,
    sitting=st.integers(1, 99),
    at=seconds,
)


@given(records)
def test_law_a_record_comes_back_as_it_went(record: Record):
    assert from_row(json.loads(json.dumps(to_row(record))), "here") == record


def test_long_evidence_is_cut():
    verdict = Verdict(status="failed", evidence=Evidence(output="x" * 10**6))
    row = to_row(Record(key="k", task="t", role="candidate", verdict=verdict))
    assert row["evidence"] == {"output": "x" * TEXT_CAP}


@pytest.mark.parametrize(
    "row", [{}, {"key": "k"}, {"key": "k", "task_id": "t", "role": "r", "sitting": 1, "at": 0}]
)
def test_a_row_of_something_else_is_refused(row):
    with pytest.raises(DataError, match=r"file, line 3: not a record") as caught:
        from_row(row, "file, line 3")
    assert "--fresh" in caught.value.hint


def test_the_key_depends_on_all_that_a_verdict_depends_on():
    tests = AssertTests(code="assert f()", preamble="g = 1")
    job = Job(program="def f(): return 1", tests=tests, entry_point="f")
    key = job_key(job, digest_of(tests), "fork", ("pid", "user"))
    assert key == job_key(job, digest_of(tests), "fork", ("user", "pid"))
    others = [
        job_key(dataclasses.replace(job, **change), digest_of(tests), "fork", ("pid", "user"))
        for change in (
            {"program": "def f(): return 1 "},
            {"program": "\ud800"},
            {"entry_point": "g"},
            {"language": "c"},
            {"limits": Limits(cpu_seconds=9.5)},
            {"limits": Limits(memory_bytes=1)},
        )
    ]
    others.append(job_key(job, digest_of(tests), "session", ("pid", "user")))
    others.append(job_key(job, digest_of(tests), "fork", ("pid",)))
    others += [
        job_key(job, digest_of(each), "fork", ("pid", "user"))
        for each in (
            AssertTests(code="assert f() ", preamble="g = 1"),
            AssertTests(code="assert f()"),
            SuiteTests(code="assert f()"),
            CallTests(pairs=(CallPair(args=(1,), expected=1),)),
            CallTests(pairs=(CallPair(args=(1,), expected=True),)),
            CallTests(pairs=(CallPair(args=(1,), expected=1.0),)),
        )
    ]
    assert len({key, *others}) == len(others) + 1


def test_a_journal_knows_its_records_and_counts_its_sittings(tmp_path: Path):
    verdict = Verdict(status="passed")
    for sitting in (1, 2, 3):
        with RowLog(tmp_path / "results.jsonl") as log:
            journal = Journal(log)
            assert journal.sitting == sitting
            assert len(journal.records) == sitting - 1
            journal.append(
                Record(
                    key=f"k{sitting}",
                    task="t",
                    role="candidate",
                    verdict=verdict,
                    sitting=journal.sitting,
                )
            )
            assert journal.records[f"k{sitting}"].verdict == verdict
