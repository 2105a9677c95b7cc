"""Lines that are remembered are those that were indexed, or none: never those of before an edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from codewright.repo import stamps, texts
from codewright.repo.facts import Facts
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.texts import Texts
from tests.reference.cutter import Chunk
from tests.reference.index import MemoryIndex

LONG_AGO = 1_000_000_000


class NoPieces:
    """Nothing is searched here."""

    def chunks(self, facts: Facts, data: bytes) -> Sequence[Chunk]:
        """Returns nothing."""
        return []


@pytest.fixture
def index(tmp_path: Path) -> MemoryIndex:
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    os.utime(tmp_path / "a.py", (LONG_AGO, LONG_AGO))
    return MemoryIndex(tmp_path, {".py": PythonExtractor()}, NoPieces())


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets files count as old: when its status changed cannot be set."""
    monkeypatch.setattr(stamps, "RACY", -(10**18))


def test_a_file_is_read_once_while_nobody_touches_it(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    known = Texts(index)
    lines = known.lines("a.py")
    assert lines == ["def f():", "    return 1", ""]
    assert known.lines("a.py") is lines


def test_an_edit_of_the_same_size_is_seen_and_taken_back(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    known, path = Texts(index), index.root / "a.py"
    first = known.lines("a.py")
    path.write_text("def f():\n    return 2\n")
    assert known.lines("a.py") is None
    path.write_text("def f():\n    return 1\n")
    assert known.lines("a.py") == first
    path.unlink()
    assert known.lines("a.py") is None


def test_what_was_changed_a_moment_ago_is_read_each_time(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "RACY", 10**19)
    known = Texts(index)
    assert known.lines("a.py") is not known.lines("a.py")


def test_no_more_is_held_than_is_allowed(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    monkeypatch.setattr(texts, "MOST", 30)
    for name in ("b.py", "c.py"):
        (index.root / name).write_text("x = 1\n" * 4)
    index = MemoryIndex(index.root, {".py": PythonExtractor()}, NoPieces())
    known = Texts(index)
    first = known.lines("b.py")
    known.lines("c.py")
    assert known.lines("b.py") == first
    assert known.lines("b.py") is not first
