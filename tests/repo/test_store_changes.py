"""However the files came to be what they are, a store says the same as one that is made anew.

Random edits, moves, copies and deletions, told by path or found by a look at everything, with the
updates between them ended at random moments by a killed process.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.repo import bm25, history
from codewright.repo.store import Store
from codewright.repo.words import words
from tests.reference import index as reference
from tests.repo.stores import dump, found, memory, store

REPOSITORY = Path(__file__).resolve().parents[2]
PATHS = ["a.py", "b.py", "deep/a.py", "deep/er/c.py", "notes.md", "deep/ü.py"]
TEXTS = [
    "",
    "def load(path):\n    return open(path)\n",
    "def load(path, mode):\n    value = open(path, mode)\n    return value\n",
    "import a\n\n\nclass Loader:\n    def load(self):\n        return a.load(self.path)\n",
    "from a import load as lad\nVALUE = lad('x')\n",
    "def broken(:\n    load(1)\n",
    "# The heading\n\nIt tells how to load.\n\n## Another\n\nOf the value.\n",
    "x = 1\r\ndef übel(): return x\r\n",
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(PATHS), st.sampled_from(TEXTS)),
        st.tuples(st.just("move"), st.sampled_from(PATHS), st.sampled_from(PATHS)),
        st.tuples(st.just("copy"), st.sampled_from(PATHS), st.sampled_from(PATHS)),
        st.tuples(st.just("delete"), st.sampled_from(PATHS), st.just("")),
        st.tuples(st.just("drop"), st.sampled_from(["deep", "deep/er"]), st.just("")),
        st.tuples(st.just("update"), st.booleans(), st.just("")),
        st.tuples(st.just("reopen"), st.just(""), st.just("")),
    ),
    max_size=25,
)


def apply(root: Path, kind: str, one: str, other: str) -> list[str]:
    """Makes a change and returns the paths that it touched."""
    source = root / one
    if kind == "write":
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(other.encode())
        return [one]
    if kind == "delete":
        source.unlink(missing_ok=True)
        return [one]
    if kind == "drop":
        shutil.rmtree(source, ignore_errors=True)
        return [one]
    if source.is_file() and one != other:
        (root / other).parent.mkdir(parents=True, exist_ok=True)
        (os.replace if kind == "move" else shutil.copy2)(source, root / other)
        return [one, other]
    return []


@settings(max_examples=25)
@given(STEPS)
def test_after_any_changes_a_store_equals_a_rebuild_and_the_plain_index(steps):
    with TemporaryDirectory() as folder:
        root, cache = Path(folder, "root"), Path(folder, "cache")
        root.mkdir()
        index = store(root, cache)
        touched: list[str] = []
        states = {}
        for kind, one, other in steps:
            if kind == "update":
                index.update(touched if one else None)
                states[index.state] = {file.path: index.text(file.path) for file in index.files()}
                touched = []
            elif kind == "reopen":
                index.close()
                index = store(root, cache)
            else:
                touched += apply(root, kind, one, other)
        index.update()
        now = dump(index)
        with store(root, Path(folder, "other")) as anew:
            anew.update()
            assert now == dump(anew)
            assert sizes(index) == sizes(anew)
        assert now == dump(memory(root))
        for state in index.states():
            if state.name in states:
                kept = {path: index.facts(n) for path, n in index.manifest(state.number).items()}
                assert kept.keys() == states[state.name].keys()
                lines = {path: len(text.splitlines()) for path, text in states[state.name].items()}
                assert {path: facts.lines for path, facts in kept.items()} == lines
        index.close()


def sizes(index: Store) -> dict[str, int]:
    """Returns how many rows there are of what only the present has."""
    tables = ("names", "defined", "mentioned", "pieces")
    rows = {table: index._rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    rows["files"] = index._rows("SELECT count(*) FROM files")[0][0]
    return rows


def test_contents_go_when_no_kept_state_has_them(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    root = tmp_path / "root"
    root.mkdir()
    with store(root, tmp_path / "cache") as index:
        for number in range(8):
            (root / "a.py").write_text(f"def f{number}():\n    pass\n")
            index.update(["a.py"])
        assert [state.number for state in index.states()] == [8, 7, 6]
        assert index._rows("SELECT count(*) FROM contents")[0][0] == 3
        assert index._rows("SELECT count(*) FROM said")[0][0] == 3
        first = index.manifest(6)["a.py"]
        assert index.facts(first).definitions[1].name == "f5"
        (root / "a.py").write_text("def f5():\n    pass\n")  # back to one of them
        index.update(["a.py"])
        assert index.file("a.py").content == first
        assert dump(index) == dump(memory(root))


def test_what_is_kept_goes_with_its_state(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("x = 1\n")
    with store(root, tmp_path / "cache") as index:
        index.update()
        index.keep("ranks", b"1")
        index.update()
        assert index.kept("ranks") == b"1"
        (root / "a.py").write_text("x = 2\n")
        index.update()
        assert index.kept("ranks") is None


CHILD = """
import sys
from pathlib import Path
from codewright.repo import ingest
from tests.repo.stores import store
ingest.BATCH_FILES = 20
with store(Path(sys.argv[1]), Path(sys.argv[2])) as index:
    print("open", flush=True)
    while True:
        index.update()
        print("done", flush=True)
"""


def make_files(root: Path, rng: random.Random, count: int) -> None:
    for _ in range(count):
        path = root / f"p{rng.randrange(12)}" / f"m{rng.randrange(12)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and rng.random() < 0.3:
            path.unlink()
            continue
        name = rng.choice(["load", "save", "value", "path"])
        path.write_text(f"def {name}_{rng.randrange(99)}(value):\n    return {name}(value)\n" * 5)


@pytest.mark.parametrize("seed", range(3))
def test_a_process_killed_at_any_moment_leaves_a_whole_state(tmp_path, seed):
    rng = random.Random(seed)
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    make_files(root, rng, 150)
    for turn in range(6):
        command = [sys.executable, "-c", CHILD, str(root), str(cache)]
        child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, env=os.environ)
        assert child.stdout.readline() == b"open\n"
        until = time.monotonic() + rng.random() * (0.4 if turn else 0.2)
        while time.monotonic() < until:
            make_files(root, rng, 3)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        said: list[str] = []
        with store(root, cache, said) as index:
            assert said == [], "a kill is no damage"
            index._rows("SELECT * FROM files")
            if index.complete:
                known = {state.name for state in index.states()}
                assert index.state in known
            if rng.random() < 0.5:
                index.update()
                assert dump(index) == dump(memory(root))
    with store(root, cache) as index, store(root, tmp_path / "other") as anew:
        index.update()
        anew.update()
        assert dump(index) == dump(anew)
        assert sizes(index) == sizes(anew)


def test_words_of_half_of_many_pieces_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(bm25, "MANY", 10)
    monkeypatch.setattr(reference, "MANY", 10)
    root = tmp_path / "root"
    make_files(root, random.Random(1), 80)
    (root / "z.py").write_text("def lonely():\n    return value\n")
    with store(root, tmp_path / "cache") as index:
        index.update()
        plain = memory(root)
        for text in (b"value", b"lonely value", b"load return", b"value return", b"path return x1"):
            query = words(text).split()
            assert found(index, query) == found(plain, query) != []
            assert found(index, query, 3)[0][4] == found(plain, query, 3)[0][4]
        lonely = words(b"lonely").split()
        assert len(index.match([*lonely, "return"], 99)) == 1
        assert index.match(lonely, 0) == index.match(["", '"'], 5) == []
