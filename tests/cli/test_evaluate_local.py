"""`codewright evaluate` with a model on this machine: samples kept, gaps filled, runs resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dying import killed
from tests.generate.tiny import make

LIGHT, SINGLE = "humaneval-infilling-random-span-light", "humaneval-infilling-single-line"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not os.environ.get("CODEWRIGHT_DATA"):
        pytest.skip("CODEWRIGHT_DATA names no folder of benchmark data")
    return make(tmp_path_factory.mktemp("tiny"))


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "codewright", "evaluate", *map(str, words), "--workers", "1"]


def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == code, done.stderr
    return done


def told(*words: object) -> dict[str, Any]:
    found = json.loads(run(*words, "--json").stdout)
    assert isinstance(found, dict)
    return found


def kept(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "generated.jsonl").read_text().splitlines()]


def test_samples_are_kept_and_a_killed_run_goes_on(tiny: Path, tmp_path: Path):
    words = ("humaneval", "--model", tiny, "--limit", 12, "-n", 10, "--max-tokens", 60, "--k", "1")
    whole = told(*words, "--out", tmp_path / "whole")
    assert (whole["programs"], whole["problems"]) == (120, 12)
    rows = kept(tmp_path / "whole")
    assert len({row["completion"] for row in rows}) > 100
    assert all(row["log_probability"] < 0 < row["tokens"] for row in rows)
    out = tmp_path / "out"
    killed("-m", "tests.dying", "generated.jsonl", 20, *command(*words, "--out", out)[3:])
    assert len(kept(out)) == 20
    again = told(*words, "--out", out)
    assert again["pass_at_k"] == whole["pass_at_k"]
    assert kept(out) == rows


def test_gaps_are_filled_and_judged(tiny: Path, tmp_path: Path):
    words = (LIGHT, "--model", tiny, "--limit", 4, "--max-tokens", 10, "--out", tmp_path / "gaps")
    found = told(*words)
    assert (found["programs"], found["reference_pass"]) == (4, 4)
    facts = json.loads((tmp_path / "gaps" / "run.json").read_text())
    assert "filled in (in the order of the checkpoint)" in facts["sampling"]
    assert facts["samples"].startswith(str(tiny))
    other = run(*words, "--fim", "spm", code=2)
    assert "belongs to another evaluation" in other.stderr
    first = kept(tmp_path / "gaps")
    told(*words, "--fim", "spm", "--fresh")
    assert kept(tmp_path / "gaps") != first


def test_one_line_is_read_of_recorded_samples_too(tiny: Path, tmp_path: Path):
    rows = [
        {"task_id": "SingleLineInfilling/HumanEval/0/L0",
         "completion": "    for idx, elem in enumerate(numbers):\n    and then on and on"},
        {"task_id": "SingleLineInfilling/HumanEval/0/L1",
         "completion": "        for idx2, elem2 in enumerate(numbers):"},
    ]  # fmt: skip
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = (SINGLE, "--samples", path, "--problems", "0/L0,0/L1")
    assert told(*words, "--out", tmp_path / "own")["pass_at_k"] == {"1": 0.0}
    assert told(*words, "--one-line", "--out", tmp_path / "line")["pass_at_k"] == {"1": 1.0}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((LIGHT, "--one-line"), "--one-line means nothing to humaneval-infilling-random-span-lig"),
        (("humaneval", "--fim", "psm"), "--fim means nothing to humaneval"),
        ((LIGHT, "--fim", "x", "--model", "embedded"), "--fim 'x' is unknown"),
        ((LIGHT, "--fim", "psm", "--model", "openai/x"), "--fim is for models on this machine"),
        ((LIGHT, "--chat", "--model", "embedded"), "shows a model what stands before a gap"),
        (("humaneval", "--chat", "--limit", "1"), "continues text, it does not answer"),
        (("humaneval", "--cot"), "--cot means nothing to humaneval"),
    ],
)
def test_what_cannot_be_asked_is_refused(tiny: Path, tmp_path: Path, words, complaint: str):
    model = () if "--model" in words else ("--model", tiny)
    done = run(*words, *model, "--out", tmp_path / "o", code=2)
    assert complaint in done.stderr
    assert "hint: " in done.stderr
