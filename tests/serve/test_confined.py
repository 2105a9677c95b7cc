"""Every way out of the roots that a path can try."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from codewright.errors import UserError
from codewright.serve.confined import Roots


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """One root with files and traps, another, and a secret beside them."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one / "deep", two, tmp_path / "one-more"):
        folder.mkdir(parents=True)
    (one / "a.py").write_text("a = 1\n")
    (one / "deep" / "b.py").write_text("b = 2\n")
    (two / "c.py").write_text("c = 3\n")
    (tmp_path / "secret.txt").write_text("hunter2")
    (tmp_path / "one-more" / "secret.txt").write_text("hunter2")
    (one / "link").symlink_to(tmp_path / "secret.txt")
    (one / "relative").symlink_to("../secret.txt")
    (one / "out").symlink_to(tmp_path)
    (one / "chain").symlink_to("link")
    (one / "loop").symlink_to("loop")
    (one / "inside").symlink_to("deep/b.py")
    (one / "across").symlink_to(two / "c.py")
    (one / "proc").symlink_to("/proc/self")
    os.mkfifo(one / "pipe")
    return tmp_path


def test_files_of_the_roots_are_read(world: Path):
    (world / "alias").symlink_to("one")
    roots = Roots([world / "alias", world / "two"])
    for path, wanted in {
        "a.py": "a = 1\n",
        "./deep/../a.py": "a = 1\n",
        "deep/b.py": "b = 2\n",
        "inside": "b = 2\n",
        "across": "c = 3\n",
        str(world / "one" / "a.py"): "a = 1\n",
        str(world / "two" / "c.py"): "c = 3\n",
    }.items():
        found = roots.read(path, most=100)
        assert (found.name, found.data) == (Path(path).name, wanted.encode())


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "deep/../../secret.txt",
        "../one-more/secret.txt",
        "{world}/secret.txt",
        "{world}/one-more/secret.txt",
        "{world}/one/../secret.txt",
        "link",
        "relative",
        "chain",
        "out/secret.txt",
        "out/one-more/secret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        "proc/environ",
        "/proc/self/root{world}/secret.txt",
        "/proc/self/cwd/../secret.txt",
        "/dev/zero",
        "~/.ssh/id_rsa",
        "file:///etc/passwd",
        "loop",
        "missing.py",
        "a.py/b",
        "",
        "a.py\0.txt",
        "x" * 5000,
        "deep",
        ".",
        "pipe",
    ],
)
def test_nothing_else_is(world: Path, path: str):
    began = time.monotonic()
    with pytest.raises(UserError) as caught:
        Roots([world / "one", world / "two"]).read(path.format(world=world), most=100)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert time.monotonic() - began < 5, "a pipe is not waited for"


def test_what_is_outside_is_not_told_apart_from_what_is_not_there(world: Path):
    roots = Roots([world / "one"])

    def said(path: str) -> str:
        with pytest.raises(UserError) as caught:
            roots.read(path, most=100)
        return caught.value.message.replace(path, "PATH")

    assert said("../secret.txt") == said("../nothing.txt") == said("link") == said("missing.py")


def test_the_kernels_files_are_none_even_in_a_root():
    for path in ("/proc/self/environ", "/proc/self/mem", "/sys/kernel/notes", "/dev/urandom"):
        with pytest.raises(UserError, match="there is no file"):
            Roots([Path("/")]).read(path, most=100)


def test_a_large_file_is_refused_and_not_read(world: Path):
    with (world / "one" / "large").open("wb") as file:
        file.truncate(1 << 40)
    roots = Roots([world / "one"])
    with pytest.raises(UserError, match="more than 1000 bytes"):
        roots.read("large", most=1000)
    assert len(roots.read("a.py", most=6).data) == 6
    with pytest.raises(UserError, match="more than 5"):
        roots.read("a.py", most=5)


def test_a_link_that_changes_while_it_is_read_gives_nothing_away(world: Path):
    place, spare = world / "one" / "turning", world / "one" / "spare"
    place.symlink_to("a.py")
    done = threading.Event()

    def turn() -> None:
        for number in range(1 << 20):
            if done.is_set():
                return
            spare.symlink_to("../secret.txt" if number % 2 else "a.py")
            spare.rename(place)

    thread = threading.Thread(target=turn)
    thread.start()
    roots, seen, refused = Roots([world / "one"]), set(), 0
    try:
        for _ in range(2000):
            try:
                seen.add(roots.read("turning", most=100).data)
            except UserError:
                refused += 1
    finally:
        done.set()
        thread.join()
    assert seen == {b"a = 1\n"}
    assert refused


def test_a_root_has_to_be_a_folder(world: Path):
    for path in (world / "one" / "a.py", world / "none"):
        with pytest.raises(UserError, match="is no folder"):
            Roots([path])
