"""`codewright search` as a user has it: what it prints, its exit codes, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="apsw is not installed; it comes with codewright[repo]")
pytest.importorskip("pathspec", reason="pathspec is not installed; it comes with codewright[repo]")

COMMAND = [str(Path(sys.executable).parent / "codewright"), "search"]
CODE = '''"""Boats."""


class Boat:
    """Floats."""

    def sink(self, depth):
        """Goes down to a depth of water."""
        return -depth  # \x1b[31mred


def test_sinking():
    assert Boat().sink(1) == -1
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "boats"
    (root / "src").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\nname = 'boats'\n")
    (root / "src/boat.py").write_text(CODE)
    return root


def run(root: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd or root,
        env={**os.environ, "XDG_CACHE_HOME": str(root.parent / "cache"), "TERM": "xterm"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_printed_and_the_exit_codes(root: Path) -> None:
    plain = ("--no-tests", "-n", "1", "--embedder", "none")
    found = run(root, "a depth of water", *plain, cwd=root / "src")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert lines[0].startswith("src/boat.py:8  7-9  ")
    assert "words 1" in lines[0]
    assert lines[1] == "  def sink(self, depth)  in Boat"
    assert lines[3].startswith('  >    8          """Goes down')
    assert "\\x1b[31mred" in found.stdout, "what a file holds steers no terminal"
    told = json.loads(run(root, "sink", "--json").stdout)
    assert told["query"] == "sink"
    assert told["state"]
    best = told["hits"][0]
    assert (best["name"], best["kind"], best["first"], best["last"]) == (
        "Boat.sink",
        "method",
        7,
        9,
    )
    assert best["snippet"]["lines"][0] == "    def sink(self, depth):"
    nothing = run(root, "zebra", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["hits"]) == (1, [])
    assert run(root, "zebra").stderr == "nothing was found\n"
    only = run(root, "sink", "--tests", "--json", "--embedder", "none")
    assert [hit["name"] for hit in json.loads(only.stdout)["hits"]] == ["test_sinking"]


def test_an_edit_is_seen_unless_it_may_be_stale(root: Path) -> None:
    assert run(root, "sink").returncode == 0
    (root / "src/boat.py").write_text("def drown():\n    pass\n")
    stale = run(root, "sink", "--stale", "-n", "1")
    assert stale.returncode == 0
    assert stale.stdout.splitlines()[1] == "  def sink(self, depth)  in Boat"
    assert ">" not in stale.stdout, "lines that have changed are not shown"
    assert run(root, "sink", "--embedder", "none").returncode == 1
    assert run(root, "drown").returncode == 0


def test_mistakes_have_hints(root: Path) -> None:
    for words, complaint in (
        ((), "there is nothing to look for"),
        (("x", "--kind", "boat"), "--kind 'boat' is unknown"),
        (("x", "--language", "cobol"), "known: python"),
        (("x", "--root", "nowhere"), "nowhere is no folder"),
        (("x", "--model", "embedded"), "--model is for --outline"),
        (("--outline", "--path", "nowhere"), "nowhere is no folder or file"),
        (("--outline", "--kind", "class"), "no filters"),
        (("x", "--embedder", "abacus"), "there is no embedder 'abacus'"),
        (("x", "-n", "0"), "greater than or equal to 1"),
    ):
        wrong = run(root, *words)
        assert wrong.returncode == 2, words
        assert complaint in wrong.stderr
        assert "hint: " in wrong.stderr
        assert not wrong.stdout


def test_the_graph_brings_what_a_hit_uses(root: Path) -> None:
    more = "\n\ndef scuttle(boat: Boat):\n    # Opens the valves.\n    boat.sink(9)\n"
    (root / "src/boat.py").write_text(CODE + more)
    words = ("open valves", "--embedder", "none", "--json")
    plain = json.loads(run(root, *words).stdout)["hits"]
    assert [hit["name"] for hit in plain] == ["scuttle"]
    hits = json.loads(run(root, *words, "--graph").stdout)["hits"]
    assert hits[0]["name"] == "scuttle"
    (sink,) = [hit for hit in hits if hit["name"] == "Boat.sink"]
    assert list(sink["places"]) == ["ties"]


def test_colours_are_for_terminals(root: Path) -> None:
    assert "\x1b" not in run(root, "sink").stdout
    ours, theirs = pty.openpty()
    environment = {**os.environ, "XDG_CACHE_HOME": str(root.parent / "cache"), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    words = [*COMMAND, "sink", "-n", "1"]
    subprocess.run(words, cwd=root, env=environment, stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "\x1b[35msrc/boat.py:7\x1b[0m" in shown
    assert "\x1b[31m" not in shown


def test_an_outline_as_data(root: Path) -> None:
    words = ("--outline", "--json", "--path", "src")
    plain = json.loads(run(root, *words).stdout)
    assert [(each["level"], each["kind"], each["name"]) for each in plain] == [
        (0, "package", "src"),
        (1, "module", "boat.py"),
        (2, "class", "Boat"),
        (2, "function", "test_sinking"),
    ]
    assert plain[2]["says"] == "Floats"
    found = run(root, "--outline", "sinking", "--json")
    assert json.loads(found.stdout)[-1]["name"] in ("test_sinking", "sink")
