"""The attacks are held as well when an ordinary user judges: user nobody."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.attacks.manifest import load_attacks

ROOT = Path(__file__).resolve().parents[2]


def _system_python() -> str | None:
    """An interpreter that user nobody can run; the one that runs the tests may be root's own."""
    for path in ("/usr/bin/python3", shutil.which("python3") or "", sys.executable):
        code = "import sys; sys.path.insert(0, 'src'); import codewright.types, tomllib"
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [path, "-B", "-c", code], cwd=ROOT, user="nobody", capture_output=True, check=False
            )
            if done.returncode == 0:
                return path
    return None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
def test_attacks_are_held_as_user_nobody() -> None:
    python = _system_python()
    if python is None:
        pytest.skip("no Python 3.11 and no checkout that user nobody can read")
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        done = subprocess.run(
            [python, "-B", "tests/attacks/suite.py", "--harness", "codewright", "--json"],
            cwd=ROOT,
            env={"HOME": home, "PATH": "/usr/bin:/bin", "PYTHONPATH": "src", "LANG": "C.UTF-8"},
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["controls"] == []
    assert len(said["results"]) == len(load_attacks())
    assert [r for r in said["results"] if not r["expected"] or r["harm"]] == []
