"""Ray: two nodes on this machine judge as one pool does, lose an actor and a node, leave nothing.

Ray runs in a child process (`on_ray.py`); each test looks at a part of what it found.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from codewright.sandbox.node import chunks
from codewright.types.judging import AssertTests, Job, Limits
from tests.evaluate.made import home
from tests.sandbox.programs import double, mixed, statuses

REPOSITORY = Path(__file__).resolve().parents[2]
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed (extra: ray)"
)


def python(*words: object, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=REPOSITORY,
        env=environment | changes,
        check=False,
    )


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    done = python("-m", "tests.sandbox.on_ray")
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@needs_ray
def test_two_nodes_judge_as_one_pool_does(found: dict[str, Any]) -> None:
    assert (found["nodes"], found["workers"]) == (2, 2)
    equal = found["equal"]
    assert equal["layers"][0] == equal["layers"][1]
    assert "seccomp" in equal["layers"][0]
    for mode in ("fork", "session"):
        cluster, pool = equal[mode]
        assert cluster == pool
        assert [verdict["status"] for verdict in cluster] == statuses()
    assert {verdict["mode"] for verdict in equal["fork"][0]} == {"fork"}
    assert {verdict["mode"] for verdict in equal["session"][0]} == {"fork", "session"}
    assert {verdict["level"] for verdict in equal["fork"][0]} == {"isolated", "shared"}


@needs_ray
def test_jobs_are_read_as_verdicts_are_taken_and_closing_cancels(found: dict[str, Any]) -> None:
    lazy = found["lazy"]
    assert lazy["first"] == ["timeout", "timeout"]
    assert lazy["read"] <= 1100
    assert lazy["seconds"] < 10


@needs_ray
def test_a_lost_actor_or_node_costs_no_verdict(found: dict[str, Any]) -> None:
    assert found["killed"] == ["passed"] * 400
    assert found["replaced"] == [1, 2]
    assert found["lost"] == ["passed"] * 400
    assert found["taken on"] == [1, 2]


@needs_ray
def test_what_a_node_refuses_is_told_as_a_pool_would(found: dict[str, Any]) -> None:
    kind, message, hint = found["no package"]
    assert (kind, "no-such-package" in message, "pip install" in hint) == (
        "UnknownName",
        True,
        True,
    )
    kind, message, hint = found["no policy"]
    assert (kind, "'none'" in message, "default" in hint) == ("UnknownName", True, True)


@needs_ray
def test_nothing_stays_behind(found: dict[str, Any]) -> None:
    assert found["left"] == []
    assert found["left after refusing"] == []
    assert found["left of ray"] == []


@needs_ray
def test_evaluate_starts_a_ray_of_its_own_and_ends_it(tmp_path: Path) -> None:
    home()
    words = ("-m", "codewright", "evaluate", "humaneval", "--limit", 3, "--json")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t-") as short:
        changes = {"TMPDIR": short}
        whole = python(*words, "--ray", "--workers", 1, "--out", tmp_path / "ray", **changes)
        assert whole.returncode == 0, whole.stderr
        assert os.listdir(short) == []
    told = json.loads(whole.stdout)
    assert (told["references"], told["reference_pass"]) == (3, 3)
    assert "seccomp" in told["isolation"]
    # The records of one are those of the other: nothing is judged twice.
    again = json.loads(python(*words, "--workers", 1, "--out", tmp_path / "ray").stdout)
    assert again["reference_pass"] == 3
    assert [Path(name).name for name in again["files"]] == [Path(n).name for n in told["files"]]


@needs_ray
def test_an_address_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    home()
    words = ("evaluate", "humaneval", "--limit", 1, "--out", tmp_path / "out")
    done = python("-m", "codewright", *words, "--ray-address", "127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no Ray cluster answers at 127.0.0.1:1" in done.stderr
    assert "hint: " in done.stderr


def test_without_ray_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from codewright.errors import MissingExtra\n"
        "from codewright.sandbox.cluster import Cluster\n"
        "try:\n    Cluster()\n"
        "except MissingExtra as error:\n    print(error.message, '|', error.hint)\n"
    )
    done = python("-c", code)
    assert done.stdout == "ray is not installed | pip install 'codewright[ray]'\n", done.stderr


def test_importing_the_cluster_imports_no_ray() -> None:
    done = python("-c", "import sys, codewright.sandbox.cluster; print('ray' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_chunks_hold_neighbours_with_the_same_tests_and_keep_the_order() -> None:
    jobs = mixed()
    found = list(chunks(iter(jobs), "session"))
    assert [job for chunk in found for job in chunk.jobs()] == jobs
    assert [len(chunk.programs) for chunk in found] == [14, 5, 6, 3]
    assert all(chunk.mode == "session" for chunk in found)
    assert all(job.tests is chunk.tests for chunk in found for job in chunk.jobs())

    one = double("pass")
    other = Job(program="pass", tests=one.tests, entry_point="double", limits=Limits())
    third = Job(program="pass", tests=AssertTests(code="pass"), entry_point="double")
    sizes = [len(c.programs) for c in chunks([one, one, other, one, third, third], "fork")]
    assert sizes == [2, 1, 1, 2]
    assert [len(c.programs) for c in chunks([one] * 150, "fork")] == [64, 64, 22]
    assert list(chunks([], "fork")) == []


def test_chunks_are_read_no_further_than_they_must_be() -> None:
    read = []

    def jobs() -> Any:
        while True:
            read.append(1)
            yield double("pass")

    source = chunks(jobs(), "fork")
    next(source)
    assert len(read) == 65
