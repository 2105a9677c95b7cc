"""The summary counts right, and the reports show it without trusting a word of a program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.evaluate import html, plots, report
from codewright.evaluate.folder import Identity
from codewright.evaluate.harness import Graded, Stage
from codewright.evaluate.passk import score
from codewright.evaluate.records import Record
from codewright.evaluate.summary import ORDER, Result, conclude, sample_lines, summary, why
from codewright.svg import Scale, steps_to
from codewright.types.judging import Evidence, Status, Verdict
from tests.evaluate.made import candidate, problem
from tests.pages import check_page

EVIL = "</code><script>alert(1)</script>&'\"\x1b[31m<img src=x onerror=alert(1)>"


def record(task: str, status: Status, number: int, *, words: str = "", cpu=0.01) -> Record:
    return Record(
        key=f"{task}-{number}",
        task=task,
        role="candidate",
        verdict=Verdict(
            status=status,
            evidence=Evidence(message=words, traceback=f"  line 1\n{words}" if words else ""),
            cpu_seconds=cpu,
        ),
    )


def result(rows: dict[str, list[Status]], *, words: str = "", references=None) -> Result:
    problems = [problem(n) for n in range(len(rows))]
    graded = Graded(
        references=references
        if references is not None
        else {p.id: record(p.id, "passed", -1) for p in problems},
        candidates={
            task: [record(task, status, i, words=words) for i, status in enumerate(each)]
            for task, each in rows.items()
        },
        reference_stage=Stage(judged=2, reused=0, seconds=0.5),
        candidate_stage=Stage(judged=4, reused=1, seconds=2.0),
    )
    candidates = {
        task: [candidate("x", "whole" if i else "as is") for i, _ in enumerate(each)]
        for task, each in rows.items()
    }
    return conclude(
        "Made <up>",
        Identity(benchmark="made", problems="2", samples=f"s {EVIL}", settings={}, version="1"),
        problems,
        candidates,
        graded,
        ks=(1, 2, 10),
        seed=0,
        isolation=("user", "pid"),
        mode="session",
        seconds=3.0,
    )


USUAL: dict[str, list[Status]] = {
    "Made/0": ["passed", "passed", "failed", "error"],
    "Made/1": ["timeout", "passed", "memory"],
    "Made/2": [],
}


def test_the_summary_counts_right():
    references = {
        "Made/0": record("Made/0", "passed", -1),
        "Made/1": record("Made/1", "failed", -1, words="ValueError: no"),
    }
    told = summary(result(USUAL, references=references), [Path("out/report.html")])
    json.dumps(told, allow_nan=False)
    assert told["pass_at_k"]["1"] == pytest.approx((0.5 + 1 / 3) / 2)
    assert told["pass_at_k"]["2"] == pytest.approx((5 / 6 + 2 / 3) / 2)
    assert list(told["pass_at_k"]) == ["1", "2"] == list(told["intervals"])
    assert told["left_out"] == {"10": "2 of 2 problems have fewer than 10 samples"}
    assert (told["problems"], told["problems_without_samples"]) == (2, 1)
    assert (told["references"], told["reference_pass"]) == (2, 1)
    assert told["reference_failures"] == [
        {"task_id": "Made/1", "status": "failed", "evidence": "ValueError: no"}
    ]
    assert (told["programs"], told["distinct_programs"]) == (7, 7)
    assert (told["judged"], told["reused"]) == (4, 1)
    assert told["programs_per_second"] == 3.5
    assert told["seconds"] == {"references": 0.5, "judging": 2.0, "total": 3.0}
    assert told["statuses"] == {"passed": 3, "failed": 1, "error": 1, "timeout": 1, "memory": 1}
    assert list(told["statuses"]) == [s for s in ORDER if s in told["statuses"]]
    assert told["rules"] == {"whole": 5, "as is": 2}
    assert told["levels"] == {"isolated": 7}
    assert told["isolation"] == ["user", "pid"]
    assert told["files"] == ["out/report.html"]


def test_each_sample_has_a_line():
    lines = [json.loads(line) for line in sample_lines(result(USUAL)).splitlines()]
    assert len(lines) == 7
    assert lines[4] == {
        "task_id": "Made/1",
        "sample": 0,
        "passed": False,
        "status": "timeout",
        "rule": "as is",
        "key": "Made/1-0",
    }


def test_the_page_stands_alone_and_escapes_everything():
    failing = {"Made/1": record("Made/1", "error", -1, words=EVIL)}
    page = html.page(result(USUAL, words=EVIL, references=failing))
    check_page(page)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "<script" not in page
    assert "Made &lt;up&gt;" in page
    for words in ("pass@1", "pass@2", "0/1", "References that fail", "All 2 problems"):
        assert words in page
    assert page.count("<svg") >= 5


@given(
    st.lists(st.lists(st.sampled_from(ORDER), max_size=6), min_size=1, max_size=6),
    st.text(max_size=30),
)
def test_law_any_outcome_makes_a_sound_page_and_table(rows, words):
    made = result({f"Made/{i}": each for i, each in enumerate(rows)}, words=words)
    page = html.page(made)
    check_page(page)
    for numeral in re.findall(r' d="([^"]*)"', page):
        assert "nan" not in numeral
        assert "inf" not in numeral
    told = summary(made, [])
    assert report.lines("Made", told)


def test_references_alone_make_a_page_too():
    made = result({"Made/0": [], "Made/1": []})
    told = summary(made, [])
    assert told["pass_at_k"] == {}
    assert told["programs"] == 0
    check_page(html.page(made))
    assert "references  2 of 2 pass" in report.lines("Made", told)


def test_the_table_on_the_terminal_says_what_a_reader_needs():
    references = {"Made/1": record("Made/1", "failed", -1, words="ValueError: no")}
    made = result(USUAL, references=references)
    lines = report.lines("Made", summary(made, [Path("out/report.html")]))
    for words in (
        "Made: 7 programs for 2 problems",
        "41.67%",
        "pass@10 is left out: 2 of 2 problems have fewer than 10 samples",
        "1 problems have no samples",
        "0 of 1 pass",
        "reference of Made/1: failed: ValueError: no",
        "out/report.html",
        "user, pid",
    ):
        assert words in lines
    assert max(len(line) for line in lines.splitlines()) <= 100
    assert "\x1b" not in lines


def test_evidence_in_a_line():
    evidence = Evidence(
        test="assert f(1)\n  == 2", expected="2", got="3", traceback="  line 1\nKeyError: 'a'"
    )
    line = why(Verdict(status="failed", evidence=evidence))
    assert line == "assert f(1) == 2; expected 2, got 3; KeyError: 'a'"
    long = why(Verdict(status="failed", evidence=Evidence(message="x" * 999)))
    assert len(long) == 300
    assert why(Verdict(status="passed")) == ""
    named = Evidence(traceback="  line 1\nNameError: name 'a'", message="NameError")
    assert why(Verdict(status="error", evidence=named)) == "NameError: name 'a'"


@pytest.mark.parametrize(
    ("status", "evidence", "cause"),
    [
        ("failed", Evidence(message="KeyError"), "wrong result"),
        ("error", Evidence(traceback="  x\npkg.OddError: bad", message="m"), "OddError"),
        ("error", Evidence(message="StopIteration"), "StopIteration"),
        ("error", Evidence(message="?"), "error"),
        ("timeout", Evidence(), "too slow"),
        ("crashed", Evidence(), "crashed"),
    ],
)
def test_causes(status: Status, evidence: Evidence, cause: str):
    verdict = Verdict(status=status, evidence=evidence)
    assert html.cause(Record(key="k", task="t", role="candidate", verdict=verdict))[0] == cause


@given(st.floats(1e-6, 1e9))
def test_law_axis_steps_are_few_even_and_reach_far_enough(high: float):
    steps = steps_to(high)
    assert steps[0] == 0
    assert 2 <= len(steps) <= 6
    assert steps[-1] <= high * 1.0001
    assert steps[-1] >= high / 2.6


def test_scales_run_between_their_ends_even_without_a_range():
    scale = Scale(low=1, high=100, start=0, end=10, log=True)
    assert [scale(1), scale(10), scale(100)] == pytest.approx([0, 5, 10])
    assert Scale(low=3, high=3, start=0, end=10)(3) == 5


@pytest.mark.parametrize("problems", [1, 164, 974])
@pytest.mark.parametrize("samples", [1, 10, 200])
def test_the_map_stays_small(problems: int, samples: int):
    rows = [(f"P/{i}", [ORDER[(i * j) % 7] for j in range(samples)]) for i in range(problems)]
    drawn = plots.heat_map(rows)
    assert len(drawn) < 900_000
    assert drawn.count("<title>") == problems


def test_the_curve_marks_what_was_asked():
    drawn = plots.curve(score([(20, 5), (20, 9)], (1, 2, 5, 10, 20), seed=0), [1, 10, 100])
    assert "pass@1 " in drawn
    assert "pass@10 " in drawn
    assert "pass@100" not in drawn
