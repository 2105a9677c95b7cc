"""What differs between two states, by what a person would say of the edit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from codewright.errors import UnknownName
from codewright.repo import git
from codewright.repo.difference_report import as_data, lines
from codewright.repo.states import differences, side
from codewright.repo.watch import follow
from tests.repo.stores import store

OLD = {
    "tools.py": """\
def load(path):
    data = open(path).read()
    return data


def parse(text):
    rows = text.split()
    return rows


def stays():
    return 1


class Reader:
    def go(self):
        return load("x")

    def stop(self):
        return None
""",
    "use.py": "from tools import load\n\n\ndef main():\n    load('y')\n",
    "old.py": "def leaves():\n    one = 1\n    return one\n\n\nLIMIT = 3\n",
    "same.py": "def same():\n    return 0\n",
}
NEW = {
    "tools.py": """\
def load(path, mode="r"):
    data = open(path).read()
    return data


def parse_rows(text):
    rows = text.split()
    return rows


def stays():
    return 2


class Source:
    def go(self):
        return load("x")

    def stop(self):
        return None


def fresh():
    return 3
""",
    "use.py": "from tools import load\n\n\ndef main():\n    load('y')\n",
    "new.py": "def leaves():\n    one = 1\n    return one\n",
    "kept/same.py": "def same():\n    return 0\n",
}


def write(root: Path, files: dict[str, str]) -> None:
    root.mkdir(exist_ok=True)
    for path in root.rglob("*.py"):
        path.unlink()
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)


def told(index, old, new):
    found = as_data(differences(side(index, old), side(index, new)), {})
    names = {what: [one["name"] for one in found[what]] for what in ("added", "removed")} | {
        what: [(pair["old"]["name"], pair["new"]["name"]) for pair in found[what]]
        for what in ("moved", "renamed", "signature", "body")
    }
    return found["files"], names, lines(found, 5)


EXPECTED = {
    "added": ["fresh"],
    "removed": ["LIMIT"],
    "moved": [("leaves", "leaves")],
    "renamed": [("Reader", "Source"), ("parse", "parse_rows")],
    "signature": [("load", "load")],
    "body": [("stays", "stays")],
}


def same(names):
    assert {what: sorted(each) for what, each in names.items()} == EXPECTED


def run(root, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def test_states_and_commits_differ_by_what_was_done(tmp_path):
    root = tmp_path / "root"
    write(root, OLD)
    run(root, "init", "-q")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "one")
    with store(root, tmp_path / "cache") as index:
        index.update()
        first = index.state
        write(root, NEW)
        index.update()
        files, names, text = told(index, "now~1", "now")
        assert files == {
            "added": ["new.py"],
            "removed": ["old.py"],
            "changed": ["tools.py"],
            "moved": [["same.py", "kept/same.py"]],
        }
        same(names)
        assert "    - def load(path)" in text
        same(told(index, first[:6], index.state)[1])
        same(told(index, "HEAD", "now")[1])
        back = told(index, "now", "HEAD")[1]
        assert back["added"] == ["LIMIT"]
        assert back["removed"] == ["fresh"]
        run(root, "add", "-A")
        run(root, "commit", "-qm", "two")
        assert told(index, "HEAD", "now")[2][1:] == ["  nothing differs"]
        for unknown in ("now~9", "nowhere", "--output=x", "now~x"):
            with pytest.raises(UnknownName):
                side(index, unknown)
    with store(root, tmp_path / "other") as anew:  # which knows no content of the first commit
        anew.update()
        same(told(anew, "HEAD~1", "HEAD")[1])


def test_a_repository_cannot_make_git_run_anything(tmp_path):
    root, mark = tmp_path / "root", tmp_path / "ran"
    write(root, OLD)
    run(root, "init", "-q")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "one")
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.alternateRefsCommand",
        "diff.external",
        "filter.x.clean",
        "filter.x.process",
        "credential.helper",
    ):
        run(root, "config", key, str(script))
    run(root, "config", "filter.x.required", "true")
    (root / ".gitattributes").write_text("*.py filter=x\n")
    for hook in ("post-index-change", "pre-commit", "post-checkout"):
        (root / ".git" / "hooks").mkdir(exist_ok=True)
        (root / ".git" / "hooks" / hook).symlink_to(script)
    (root / "use.py").write_text("x = 1\n")
    with store(root, tmp_path / "cache") as index:
        index.update()
        (root / "use.py").write_text("x = 2\n")
        index.update(["use.py"])
        told(index, "HEAD", "now")
    assert not mark.exists()


def test_a_work_tree_that_is_said_to_be_elsewhere_is_not_followed(tmp_path):
    root, secret = tmp_path / "root", tmp_path / "secret"
    write(root, OLD)
    write(secret, {"key.py": "KEY = 1\n"})
    run(root, "init", "-q")
    run(root, "config", "core.worktree", str(secret))
    assert not git.has_work_tree(root.resolve())
    (root / "out").symlink_to(secret)
    with store(root, tmp_path / "cache") as index:
        index.update()
        assert sorted(file.path for file in index.files()) == sorted(OLD)
        assert index.update(["../secret/key.py", "out/key.py"]).added == 0


def test_a_watch_reports_each_change(tmp_path):
    root = tmp_path / "root"
    write(root, OLD)
    with store(root, tmp_path / "cache") as index:
        index.update()
        stop = threading.Event()
        seen = []

        def edit() -> None:
            (root / "use.py").write_text("def main():\n    return 7\n")

        timer = threading.Timer(1.0, edit)
        timer.start()
        for report in follow(index, stop):
            seen.append((report.added, report.changed, report.removed))
            stop.set()
        timer.join()
        assert seen == [(0, 1, 0)]
        assert index.mentioning("load")[0].path == "tools.py"


def codewright(root: Path, cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codewright", "index", *words],
        cwd=root,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_updates_counts_and_compares(tmp_path):
    root, cache = tmp_path / "root", tmp_path / "cache"
    write(root, OLD)
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (root / "odd.py").write_bytes(b"\0\1")
    done = codewright(root, cache, "--json")
    first = json.loads(done.stdout)
    assert (first["files"], first["added"], first["changed"]) == (5, 5, 0)
    assert first["skipped"] == {"binary": ["odd.py"]}
    assert "skipped, binary: 1 file (odd.py)" in done.stderr
    write(root, NEW)
    (root / "kept").mkdir(exist_ok=True)
    again = codewright(root / "kept", cache)
    assert "2 added, 1 changed, 2 removed" in again.stdout
    found = json.loads(codewright(root, cache, "diff", "--json").stdout)
    (load,) = found["signature"]
    assert [(use["path"], use["line"], use["in"]) for use in load["users"]] == [
        ("tools.py", 17, "Source.go"),
        ("use.py", 1, ""),
        ("use.py", 5, "main"),
    ]
    shown = codewright(root, cache, "diff", first["state"][:5]).stdout
    assert "      use.py:5 in main" in shown
    stats = json.loads(codewright(root, cache, ".", "--stats", "--json").stdout)
    assert stats["languages"]["python"]["files"] == 4
    assert stats["kinds"]["function"] == 7
    assert [state["name"] for state in stats["states"]][-1] == first["state"]
    assert "python" in codewright(root, cache, "--stats").stdout
    wrong = codewright(root, cache, "diff", "nowhere")
    assert wrong.returncode == 2
    assert "hint: " in wrong.stderr
    assert codewright(root, cache, "no/folder").returncode == 2
