"""No hostile program gets a pass from Codewright, and none does harm.

The suite itself is tested too: it must see a pass that is forged and harm that was done.
"""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks import machine, table
from tests.attacks.ears import PORT, Ears
from tests.attacks.harnesses import Harness, codewright
from tests.attacks.manifest import KINDS, PROGRAMS, Attack, load_attacks, load_tasks
from tests.attacks.suite import check_controls, descends, run_attack

ATTACKS = load_attacks()
STATUSES = {"failed", "error", "timeout", "memory", "crashed", "refused"}


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    with Ears() as open_ears:
        yield open_ears


@pytest.fixture(scope="module")
def judge(ears: Ears) -> Iterator[Harness]:
    before = machine.take()
    with codewright() as harness:
        yield harness
    after = machine.processes()
    left = [c for p, c in after.items() if p not in before.processes and _from_here(p[0])]
    assert left == [], "the pool left processes behind"


def _from_here(pid: int) -> bool:
    return pid != os.getpid() and descends(pid, os.getpid())


def test_honest_programs_are_judged_rightly(judge: Harness) -> None:
    """Without this the suite could be passed by a harness that passes nothing."""
    assert check_controls(judge) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_is_held(attack: Attack, judge: Harness, ears: Ears) -> None:
    result = run_attack(judge, attack, ears, strict=False)
    assert result.status != "passed"
    assert result.harm == ()
    assert result.status in attack.statuses


def test_honest_programs_are_judged_rightly_after_all_attacks(judge: Harness) -> None:
    assert check_controls(judge) == []


def test_manifest_names_every_program_and_no_pass_is_expected() -> None:
    assert {a.name for a in ATTACKS} == {p.stem for p in PROGRAMS.glob("*.py")}
    assert len(ATTACKS) >= 40
    for attack in ATTACKS:
        assert attack.kind in KINDS
        assert attack.statuses
        assert set(attack.statuses) <= STATUSES
        assert attack.tries, f"{attack.name} does not say what it tries"
        assert ast.parse(attack.program)


def test_tests_and_cases_of_each_problem_agree() -> None:
    for task in load_tasks().values():
        space: dict[str, object] = {}
        exec(task.reference + task.tests, space)
        function = space[task.name]
        assert callable(function)
        assert [function(*args) for args, _ in task.cases] == [wanted for _, wanted in task.cases]
        with pytest.raises(AssertionError):
            exec(task.wrong + task.tests, {})


def test_suite_sees_a_gullible_harness(ears: Ears) -> None:
    def gullible(program: str, tests: str, entry_point: str) -> str:
        return "passed"

    assert len(check_controls(gullible)) == len(load_tasks())
    result = run_attack(gullible, ATTACKS[0], ears, strict=False)
    assert result.breach
    assert not result.expected


def test_suite_sees_harm(ears: Ears, tmp_path: Path) -> None:
    sleeper = []

    def harmed(program: str, tests: str, entry_point: str) -> str:
        Path("/tmp/attack-suite-test").write_text("x")
        with socket.socket() as caller:
            caller.connect(("127.0.0.1", PORT))
        sleeper.append(subprocess.Popen(["sleep", "60"], executable=shutil.which("sleep"), env={}))
        sleeper.append(
            subprocess.Popen(["/bin/sh", "-c", "read line", "attack-suite"], stdin=subprocess.PIPE)
        )
        os.kill(os.getpid(), 28)
        return "failed"

    try:
        result = run_attack(harmed, ATTACKS[0], ears, strict=False)
    finally:
        Path("/tmp/attack-suite-test").unlink()
        for process in sleeper:
            process.kill()
            process.communicate()
    assert result.breach
    told = " ".join(result.harm)
    for what in ("1 processes left", "1 files written", "the network", "SIGWINCH"):
        assert what in told


def test_suite_calls_a_harness_that_raises_broken(ears: Ears) -> None:
    def fragile(program: str, tests: str, entry_point: str) -> str:
        raise ValueError("forged bytes")

    result = run_attack(fragile, ATTACKS[0], ears, strict=False)
    assert result.status == "broken"
    assert result.breach


def test_table_has_a_row_for_each_attack() -> None:
    text = table.render()
    for attack in ATTACKS:
        assert f"`{attack.name}`" in text
