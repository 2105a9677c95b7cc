"""The demo's candidates are what their names say, by the plainest possible judge.

That judge runs program and tests in one interpreter and believes its exit code. It tells right
from wrong, and both hostile programs fool it: this is what the demo is there to show.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.resources import files

import pytest

DEMO = files("codewright") / "data" / "demo"
CANDIDATES = sorted(
    entry.name.removesuffix(".py")
    for entry in DEMO.iterdir()
    if entry.name.endswith(".py") and entry.name != "tests.py"
)


def plain_judge(program: str) -> bool:
    together = program + "\n" + (DEMO / "tests.py").read_text(encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-I", "-c", together], capture_output=True, timeout=60, check=False
    )
    return result.returncode == 0


def test_the_demo_has_every_kind():
    kinds = [name.split("_")[0] for name in CANDIDATES]
    assert (kinds.count("right"), kinds.count("wrong"), kinds.count("hostile")) == (3, 2, 2)
    assert len(kinds) == 7
    assert "lit_seconds" in (DEMO / "problem.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_does_what_its_name_says(name):
    program = (DEMO / f"{name}.py").read_text(encoding="utf-8")
    kind = name.split("_")[0]
    assert (ast.get_docstring(ast.parse(program)) or "").startswith(f"{kind.capitalize()}: ")
    assert plain_judge(program) is (kind != "wrong")


def test_an_absent_answer_fails():
    assert not plain_judge("")
    assert not plain_judge("def lit_seconds(pattern, seconds):\n    return 0\n")
    assert not plain_judge("raise SystemExit(1)\n")
