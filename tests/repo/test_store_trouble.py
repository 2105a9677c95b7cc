"""A store goes on, and says what it met: damage, full disks, read-only folders, odd files."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from codewright.errors import DataError, MachineError
from codewright.repo import schema
from codewright.repo.store import Store
from tests.repo.stores import dump, languages, memory, store

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = "def load(path):\n    return open(path)\n\n\nclass A:\n    def go(self):\n        load(1)\n"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    for number in range(30):
        path = folder / f"p{number % 3}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CODE + f"VALUE_{number} = {number}\n" * 20)
    return folder


def file_of(root: Path, cache: Path) -> Path:
    with store(root, cache) as index:
        index.update()
        assert index.place is not None
        return index.place


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 4096):
        data[at + 100 : at + 300] = random.Random(at).randbytes(200)
    path.write_bytes(data)


def newer(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(schema.MIGRATIONS) + 1)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda path: path.write_bytes(b"this is no database" * 1000), "damaged"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)), ""),
        (cut, "damaged"),
        (garble, "damaged"),
        (newer, "newer"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_made_anew(root, tmp_path, damage, word):
    place = file_of(root, tmp_path / "cache")
    damage(place)
    said: list[str] = []
    with store(root, tmp_path / "cache", said) as index:
        index.update()
        assert dump(index) == dump(memory(root))
    assert len(said) == 1
    assert word in said[0]
    assert "anew" in said[0]
    with store(root, tmp_path / "cache", said) as index:
        assert index.complete
    assert len(said) == 1


def test_damage_that_shows_while_reading_is_said_and_mended_by_the_next_update(root, tmp_path):
    cache = tmp_path / "cache"
    place = file_of(root, cache)
    said: list[str] = []
    with store(root, cache, said) as index:
        connection = apsw.Connection(str(place))
        connection.execute("UPDATE said SET facts = zeroblob(length(facts))")
        connection.close()
        with pytest.raises(MachineError, match="damaged"):
            index.facts(index.files()[0].content)
    assert said == []
    with store(root, cache, said) as index:
        index.update()
        assert dump(index) == dump(memory(root))
    assert len(said) == 1


def test_other_readers_make_the_index_anew(root, tmp_path):
    file_of(root, tmp_path)
    said: list[str] = []
    with Store.open(root, tmp_path, languages("2"), said.append) as index:
        assert not index.complete
    assert "otherwise" in said[0]


FULL = """
import resource, signal, sys
from pathlib import Path
from codewright.errors import MachineError
from tests.repo.stores import store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    with store(Path(sys.argv[1]), Path(sys.argv[2])) as index:
        index.update()
except MachineError as error:
    print(error.message, error.hint)
    sys.exit(3)
"""


@pytest.mark.parametrize("room", [2_000, 60_000, 150_000, 400_000])
def test_a_full_disk_is_said_and_the_state_before_is_whole(root, tmp_path, room):
    cache = tmp_path / "cache"
    file_of(root, cache)
    with store(root, cache) as index:
        before = index.state
    rng = random.Random(room)
    for number in range(60):
        words = " ".join(f"w{rng.randrange(10**6)}" for _ in range(400))
        (root / f"more{number}.py").write_text(f"{CODE}TEXT = '''{words}'''\n")
    command = [sys.executable, "-c", FULL, str(root), str(cache), str(room)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stdout or "no space" in done.stdout
    said: list[str] = []
    with store(root, cache, said) as index:
        assert said == []
        assert index.state == before
        assert len(index.files()) == 30
        index.update()
        assert dump(index) == dump(memory(root))


def test_a_cache_that_cannot_be_written_is_replaced_by_memory(root, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    said: list[str] = []
    with store(root, blocked / "cache", said) as index:
        index.update()
        assert index.place is None
        assert dump(index) == dump(memory(root))
    assert "in memory" in said[0]


WRITER = """
import sys
from pathlib import Path
from tests.repo.stores import store
with store(Path(sys.argv[1]), Path(sys.argv[2])) as index:
    for _ in range(int(sys.argv[3])):
        index.update()
        assert index.files() and index.match(["load"], 5) is not None
"""


def ask(index: Store) -> None:
    for file, ordinal in index.defining("load"):
        assert index.facts(file.content).definitions[ordinal].name == "load"
    assert index.match(["load", "path"], 5)


def test_two_processes_and_a_thread_share_an_index(root, tmp_path):
    cache = tmp_path / "cache"
    command = [sys.executable, "-c", WRITER, str(root), str(cache), "30"]
    others = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(2)]
    with store(root, cache) as index:
        index.update()
        reader = threading.Thread(target=lambda: [ask(index) for _ in range(300)])
        reader.start()
        for number in range(30):
            (root / "p0" / "m0.py").write_text(CODE + f"turn = {number}\n")
            index.update(["p0/m0.py"])
        reader.join()
        assert [other.wait() for other in others] == [0, 0]
        assert dump(index) == dump(memory(root))


def test_odd_files_are_skipped_with_a_reason_and_the_rest_is_read(root, tmp_path):
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "link.py").symlink_to("/etc/passwd")
    (root / "big.py").write_bytes(b"x = 1\n" * 9_000_000)
    (root / "data.py").write_bytes(b"x = 1\0\n" * 100)
    (root / "small.xyz").write_bytes(b"x" * 50)
    (root / "min.py").write_bytes(b"x=1;" * 5000)
    (root / "latin.py").write_bytes("# coding: latin-1\ngrün = 'ü'\n".encode("latin-1"))
    (root / "wrong.py").write_bytes(b"def good():\n    pass\n\n\ndef \xff\xfe(:\n")
    os.mkfifo(root / "pipe.py")
    name = os.fsencode(root) + b"/\xff\xfe.py"
    Path(os.fsdecode(name)).write_text("x = 1\n")
    (root / ".gitignore").write_text("ignored/\n!kept.py\n*.gen.py\n")
    (root / "ignored").mkdir()
    (root / "ignored" / "a.py").write_text("hidden = 1\n")
    (root / "x.gen.py").write_text("hidden = 1\n")
    (root / "deep").mkdir()
    (root / "deep" / ".gitignore").write_text("!y.gen.py\n/only.py\n")
    for each in ("y.gen.py", "only.py"):
        (root / "deep" / each).write_text("shown = 1\n")
    (root / "tool").write_text("#!/usr/bin/env python3\ntool = 1\n")
    with store(root, tmp_path / "cache") as index:
        report = index.update()
        reasons = {path: why for why, paths in report.skipped.items() for path in paths}
        assert reasons.pop("loop") == reasons.pop("link.py") == "symbolic link"
        assert "larger" in reasons.pop("big.py")
        assert reasons.pop("data.py") == "binary"
        assert "long lines" in reasons.pop("min.py")
        assert reasons.pop("pipe.py") == "no regular file"
        assert reasons.pop("\\xff\\xfe.py") == "its name is not UTF-8"
        assert reasons.pop("small.xyz") == "of no language that is read"
        assert reasons == {}
        paths = {file.path for file in index.files()}
        assert {"latin.py", "wrong.py", "deep/y.gen.py", "tool", ".gitignore"} <= paths
        assert not {"ignored/a.py", "x.gen.py", "deep/only.py"} & paths
        assert index.file("tool").language == "python"
        assert index.defining("grün")
        assert index.defining("good")
        wrong = index.facts(index.file("wrong.py").content)
        assert wrong.error
        assert not index.defining("hidden")
        assert index.update(["ignored/a.py", "deep/only.py", "x.gen.py"]).added == 0
        again = index.update()
        assert (again.read_files, again.added, again.changed, again.removed) == (0, 0, 0, 0)
        assert again.skipped == report.skipped


def test_an_unreadable_file_is_said_and_tried_again(root, tmp_path):
    path = root / "p0" / "m0.py"
    if os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    path.chmod(0)
    with store(root, tmp_path / "cache") as index:
        report = index.update()
        assert list(report.skipped) == ["unreadable: Permission denied"]
        path.chmod(0o600)
        index.update()
        assert index.file("p0/m0.py") is not None


def test_a_change_that_keeps_size_and_time_is_seen(root, tmp_path):
    path = root / "p0" / "m0.py"
    with store(root, tmp_path / "cache") as index:
        index.update()
        status = path.stat()
        text = path.read_text().replace("load", "save")
        path.write_text(text)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(DataError, match="changed"):
            index.text("p0/m0.py")
        assert index.update().changed == 1
        assert index.text("p0/m0.py") == text


def test_many_files_of_one_content_are_read_as_one(tmp_path):
    root = tmp_path / "root"
    for folder in range(100):
        (root / f"d{folder}").mkdir(parents=True)
        for number in range(30):
            (root / f"d{folder}" / f"f{number}.py").write_bytes(b"x = 1\n")
    with store(root, tmp_path / "cache") as index:
        report = index.update()
        assert report.files == 3000
        assert len({file.content for file in index.files()}) == 1
        assert index.match(["x1"], 5) == []
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000
