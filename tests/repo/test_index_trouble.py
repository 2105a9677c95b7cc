"""`codewright index` on folders that are large, odd, or closed: it goes on and says what it left.

The command runs as a user runs it, in a process of its own. Who runs the tests may be the
superuser, for whom no file is closed: then the command runs as nobody, in folders that are open.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codewright.repo import ingest
from tests.repo.stores import store

pytest.importorskip("apsw", reason="the index is SQLite, from the repo extra")

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = 20_000
NOBODY = 65534
CODE = "def load(path):\n    return open(path)\n"


AS_NOBODY = """
import encodings.cp437, os, sys  # names in an archive of vectors are in that
from codewright.cli.main import main, run, COMMANDS
# What the command imports has to be there before: nobody may not read where Python is.
os.environ["XDG_CACHE_HOME"] = sys.argv[1] + "/own"
sys.stdout = open(os.devnull, "w")
assert run(["index", sys.argv[1], "--json"], COMMANDS) == 0
sys.stdout = sys.__stdout__
os.environ["XDG_CACHE_HOME"] = sys.argv[2]
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[3]))
sys.argv[1:] = ["index", sys.argv[4], "--json"]
main()
"""


def index(root: Path, cache: Path, *, warm: Path | None = None) -> dict[str, Any]:
    """Runs the command, and returns what it says, with what it said beside that.

    Args:
        root: the folder.
        cache: where indexes are.
        warm: a folder to be indexed first, in the same process, before that becomes nobody's.
    """
    command = [sys.executable, "-m", "codewright", "index", str(root), "--json"]
    if warm is not None:
        command = [sys.executable, "-c", AS_NOBODY, str(warm), str(cache), str(NOBODY), str(root)]
    place = {**os.environ, "XDG_CACHE_HOME": str(cache), "HOME": str(cache)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=place, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told | {"said": done.stderr}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *(each for each in folder.rglob("*") if each.is_dir())]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_many_small_files_are_all_read_and_looked_at_once_more(tmp_path):
    root = tmp_path / "root"
    for folder in range(FILES // 100):
        place = root / f"p{folder % 20}" / f"q{folder}"
        place.mkdir(parents=True)
        for number in range(100):
            name = f"f{folder}_{number}"
            (place / f"{name}.py").write_text(f"def {name}(x):\n    return x + {number}\n")
    began = time.monotonic()
    told = index(root, tmp_path / "cache")
    cold = time.monotonic() - began
    assert (told["files"], told["added"], told["read"]["files"]) == (FILES, FILES, FILES)
    assert told["lines"] == 2 * FILES
    assert told["skipped"] == {}
    began = time.monotonic()
    again = index(root, tmp_path / "cache")
    warm = time.monotonic() - began
    assert (again["read"]["files"], again["added"], again["changed"]) == (0, 0, 0)
    assert again["state"] == told["state"]
    assert warm < max(cold / 2, 5), (warm, cold)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert peak < 2_000_000, f"{peak} KB"


def test_a_generated_file_loops_and_encodings_are_said_and_the_rest_is_read(tmp_path):
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "good.py").write_text(CODE)
    with (root / "generated.py").open("wb") as file:
        for number in range(50):
            file.write(b"VALUE_%d = [\n" % number + b"    123456789,\n" * 66_600 + b"]\n")
    assert (root / "generated.py").stat().st_size > 49_000_000
    (root / "a" / "up").symlink_to("..", target_is_directory=True)
    (root / "a" / "b" / "self").symlink_to("self")
    (root / "x.py").symlink_to("y.py")
    (root / "y.py").symlink_to("x.py")
    (root / "gone.py").symlink_to("nowhere.py")
    texts = {
        "utf8.py": "größe = 'ß'\n".encode(),
        "bom.py": b"\xef\xbb\xbf" + "länge = 1\n".encode(),
        "latin.py": "# -*- coding: latin-1 -*-\nmaß = 'é'\n".encode("latin-1"),
        "cyrillic.py": "# coding: cp1251\nимя = 'я'\n".encode("cp1251"),
        "crlf.py": b"def lines():\r\n    return 1\r\n",
        "wrong.py": b"def before():\n    pass\n\n\nx = '\xff\xfe'\n\n\ndef behind():\n    pass\n",
        "nonsense.py": b"# coding: no-such-code\ndef named():\n    pass\n",
    }
    for name, data in texts.items():
        (root / name).write_bytes(data)
    (root / "wide.py").write_bytes("wide = 1\n".encode("utf-16"))
    told = index(root, tmp_path / "cache")
    assert told["files"] == len(texts) + 1
    assert told["seconds"] < 30
    reasons = {path: why for why, paths in told["skipped"].items() for path in paths}
    assert reasons.pop("generated.py") == "larger than 2 MB"
    assert reasons.pop("wide.py") == "binary"
    links = {"a/up", "a/b/self", "x.py", "y.py", "gone.py"}
    assert reasons == dict.fromkeys(links, "symbolic link")
    for why in ("larger than 2 MB", "binary", "symbolic link"):
        assert why in told["said"]
    with store(root, tmp_path / "other") as by_reference:
        by_reference.update()
        names = ("größe", "länge", "maß", "имя", "lines", "before", "behind", "named", "load")
        assert {name for name in names if by_reference.defining(name)} == set(names)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users are those of Unix")
def test_closed_files_and_a_folder_that_is_only_read_are_said(open_folder, tmp_path):
    warm = tmp_path if os.geteuid() == 0 else None
    (tmp_path / "a.py").write_text(CODE)
    root, cache = open_folder / "root", open_folder / "cache"
    (root / "closed").mkdir(parents=True)
    (root / "closed" / "in.py").write_text(CODE)
    (root / "open.py").write_text(CODE)
    (root / "secret.py").write_text("password = 1\n")
    cache.mkdir()
    if warm is not None:
        os.chown(cache, NOBODY, NOBODY)
    (root / "secret.py").chmod(0)
    (root / "closed").chmod(0)
    root.chmod(0o555)
    before = sorted(os.listdir(root))
    told = index(root, cache, warm=warm)
    assert told["files"] == 1
    assert told["skipped"] == {"unreadable: Permission denied": ["closed", "secret.py"]}
    assert "Permission denied" in told["said"]
    assert sorted(os.listdir(root)) == before, "nothing is written into the folder"
    (root / "secret.py").chmod(0o644)
    (root / "closed").chmod(0o755)
    told = index(root, cache, warm=warm)
    assert (told["files"], told["skipped"], told["read"]["files"]) == (3, {}, 1), "two are alike"
    # A cache that may not be written: the index is kept in memory, and the answer is the same.
    shutil.rmtree(cache)
    cache.mkdir(mode=0o555)
    cache.chmod(0o555)
    apart = index(root, cache, warm=warm)
    assert (apart["files"], apart["state"], apart["bytes"]) == (3, told["state"], 0)
    assert "in memory" in apart["said"]


KILLED = """
import os, signal, sys
from codewright.cli.main import main
from codewright.repo import ingest

ingest.BATCH_FILES = 50
left = [3]
end = ingest.Transaction.__exit__

def counted(self, kind, *rest):
    end(self, kind, *rest)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

ingest.Transaction.__exit__ = counted
main()
"""


def test_a_killed_first_index_goes_on_after_what_it_wrote(tmp_path):
    root, cache, count = tmp_path / "root", tmp_path / "cache", 300
    for number in range(count):
        path = root / f"p{number % 7}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def f{number}():\n    return {number}\n")
        os.utime(path, (1_600_000_000, 1_600_000_000))
    time.sleep(2 * ingest.RACY / 1e9)  # what changed so lately would be read again in any case
    command = [sys.executable, "-c", KILLED, "index", str(root)]
    place = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    process = subprocess.run(
        command, env=place, cwd=REPOSITORY, check=False, timeout=60, capture_output=True
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    told = index(root, cache)
    assert told["files"] == count
    assert 0 < told["read"]["files"] < count, "what was written is not read again"
    assert told["read"]["files"] % 50 == 0
    fresh = index(root, tmp_path / "fresh")
    assert fresh["read"]["files"] == count
    assert (fresh["state"], fresh["lines"]) == (told["state"], told["lines"])
