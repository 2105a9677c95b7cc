"""`codewright evaluate` from the command line, on the real judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codewright.evaluate.benchmarks import load
from tests.dying import killed
from tests.evaluate.made import home
from tests.generate.server import KEY, running

CODET = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"


@pytest.fixture
def data() -> Path:
    folder = home().folder
    assert folder is not None
    return folder


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "codewright", "evaluate", *map(str, words)]


def run(*words: object, code: int = 0, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | settings.pop("env", {})
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env=environment, timeout=250, **settings
    )
    assert done.returncode == code, done.stderr
    return done


def told(*words: object, **settings: Any) -> dict[str, Any]:
    """Runs with --json and returns the one object on stdout."""
    found = json.loads(run(*words, "--json", "--workers", 2, **settings).stdout)
    assert isinstance(found, dict)
    return found


def samples_file(path: Path, wrong: int = 3) -> Path:
    """Writes two samples for each of HumanEval's first problems; some of them are wrong."""
    rows = []
    for i, problem in enumerate(load("humaneval", home())[:6]):
        body = problem.reference.removeprefix(problem.prompt)
        rows.append({"task_id": problem.id, "completion": body})
        bad = "    return 'wrong'\n"
        rows.append({"task_id": problem.id, "completion": bad if i < wrong else body + "\n# x\n"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_samples_are_graded_and_everything_is_said_and_written(data: Path, tmp_path: Path):
    samples = samples_file(tmp_path / "s.jsonl")
    out = tmp_path / "out"
    words = ("humaneval", "--samples", samples, "--out", out, "--limit", 6, "--k", "2,1,3")
    first = told(*words)
    assert first["benchmark"] == "humaneval"
    assert first["pass_at_k"] == {"1": 0.75, "2": 1.0}
    assert first["left_out"] == {"3": "6 of 6 problems have fewer than 3 samples"}
    assert (first["references"], first["reference_pass"], first["reference_failures"]) == (6, 6, [])
    assert (first["programs"], first["distinct_programs"], first["judged"]) == (12, 9, 9)
    assert first["statuses"] == {"passed": 9, "failed": 3}
    assert first["programs_per_second"] > 0
    assert "seccomp" in first["isolation"]
    assert first["levels"] == {"isolated": 12}
    assert first["rules"] == {"whole": 9, "cut at #": 3}
    assert [Path(name).name for name in first["files"]] == [
        "run.json", "results.jsonl", "samples.jsonl", "summary.json", "report.html",
    ]  # fmt: skip
    assert all(Path(name).stat().st_size for name in first["files"])
    assert json.loads((out / "summary.json").read_text())["pass_at_k"] == first["pass_at_k"]

    again = run(*words)
    assert "75.00%" in again.stdout
    assert "references: 6 of 6 pass" in again.stderr
    assert f"resuming in {out}" in again.stderr
    resumed = told(*words)
    assert (resumed["judged"], resumed["reused"]) == (0, 9)
    for name in ("pass_at_k", "intervals", "statuses", "programs_per_second"):
        assert resumed[name] == first[name]

    refused = run(*words, "--mode", "fork", code=2)
    assert "mode was 'session', is 'fork'" in refused.stderr
    assert "--fresh" in refused.stderr
    anew = told(*words, "--mode", "fork", "--fresh")
    assert (anew["judged"], anew["mode"], anew["pass_at_k"]) == (9, "fork", first["pass_at_k"])


def test_references_alone(data: Path, tmp_path: Path):
    found = told("mbpp-sanitized", "--problems", "2,3", cwd=tmp_path)
    assert (found["references"], found["reference_pass"]) == (2, 2)
    assert (found["programs"], found["pass_at_k"]) == (0, {})
    assert all((tmp_path / name).is_file() for name in found["files"])
    assert found["files"][0].startswith("runs/mbpp-sanitized-")


def test_killed_at_half_it_ends_with_the_same_numbers(data: Path, tmp_path: Path):
    if not (data / CODET).is_file():
        pytest.skip("CODEWRIGHT_DATA has no CodeT samples")
    words = ("humaneval", "--samples", data / CODET, "--limit", 8, "--n", 60)
    whole = told(*words, "--out", tmp_path / "whole")
    out = tmp_path / "out"
    lines = out / "results.jsonl"
    done = whole["distinct_programs"] // 2
    killed("-m", "tests.dying", lines.name, 8 + done, *command(*words, "--out", out)[3:])
    assert lines.read_bytes().count(b"\n") == 8 + done
    resumed = told(*words, "--out", out)
    assert (resumed["judged"], resumed["reused"]) == (whole["distinct_programs"] - done, done)
    for name in ("pass_at_k", "intervals", "programs", "reference_pass"):
        assert resumed[name] == whole[name]


def test_a_model_behind_a_server(data: Path, tmp_path: Path):
    with running() as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        words = ("humaneval", "--model", "openai/good", "--limit", 3, "--n", 2)
        chat = told(*words, "--out", tmp_path / "chat", env=env)
        assert chat["programs"] == 6
        assert [Path(name).name for name in chat["files"]][1] == "generated.jsonl"
        assert {body["temperature"] for body in server.bodies} == {0.8}
        asked = len(server.bodies)
        told(*words, "--out", tmp_path / "chat", env=env)
        assert len(server.bodies) == asked
        told(*words, "--complete", "--out", tmp_path / "plain", env=env)
        assert "prompt" in server.bodies[-1]
        broke = run(*words, "--budget", 50, "--out", tmp_path / "poor", env=env, code=2)
        assert "budget of 50 tokens" in broke.stderr
        denied = run("humaneval", "--model", "openai/locked", "--out", tmp_path / "no", env=env,
                     code=2)  # fmt: skip
        assert "OPENAI_API_KEY" in denied.stderr
    for path in tmp_path.rglob("*.*"):
        assert KEY not in path.read_text()
    assert KEY not in broke.stderr + denied.stderr


def test_a_recording_is_a_model_too(data: Path, tmp_path: Path):
    samples = samples_file(tmp_path / "s.jsonl")
    found = told("humaneval", "--model", f"recorded/{samples}", "--n", 1, "--out", tmp_path / "o")
    assert found["pass_at_k"] == {"1": 1.0}
    assert (found["problems"], found["problems_without_samples"]) == (6, 158)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["humanevil"], "known: humaneval, humanevalplus, mbpp, mbpp-sanitized, mbppplus"),
        (["humaneval", "--samples", "none.jsonl"], "none.jsonl does not exist"),
        (["humaneval", "--samples", "."], "is a folder"),
        (["humaneval", "--samples", "broken.jsonl"], "broken.jsonl, line 2: not JSON"),
        (["humaneval", "--samples", "other.jsonl"], "Mbpp/1, Mbpp/2"),
        (["humaneval", "--samples", "empty.jsonl"], "holds no samples"),
        (["humaneval", "--samples", "x", "--model", "y"], "exclude each other"),
        (["humaneval", "--model", "gpt"], "known forms: recorded/FILE, openai/NAME"),
        (["humaneval", "--problems", "0,nine"], "no problem is called 'nine'"),
        (["humaneval", "--k", "1,x"], "--k '1,x' is no list"),
        (["humaneval", "--k", "0"], "--k '0' is no list"),
        (["humaneval", "--mode", "fast"], "session or fork"),
        (["humaneval", "--isolation", "none", "--limit", "1"], "no isolation policy"),
        (["humaneval", "--packages", "no-such-package", "--limit", "1"], "no-such-package"),
        (["humaneval", "--n", "0"], "--n"),
        ([], "argument"),
    ],
)
def test_bad_input_is_refused_with_a_hint(data: Path, tmp_path: Path, words, complaint: str):
    row = json.dumps({"task_id": "Mbpp/1", "completion": ""})
    (tmp_path / "broken.jsonl").write_text(f'{row}\n{{"task_id": \n')
    (tmp_path / "other.jsonl").write_text(f"{row}\n{row.replace('/1', '/2')}\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    done = run(*words, code=2, cwd=tmp_path)
    assert done.stdout == ""
    assert complaint in done.stderr
    assert "error: " in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_is_not_there_is_named(tmp_path: Path):
    done = run("mbpp", code=2, env={"CODEWRIGHT_DATA": str(tmp_path)})
    assert "mbpp.jsonl.gz does not exist" in done.stderr
    assert "CODEWRIGHT_DATA" in done.stderr
