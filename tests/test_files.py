"""Rows and whole files: what is broken is named, what was written stays."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import DataError, MachineError
from codewright.files import RowLog, json_text, read_bytes, read_rows, write_whole

ROWS = [{"a": 1}, {"b": "ü\n\ud800"}, {"c": [None, 1.5]}]


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file may grow beyond `limit` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def text_of(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("end", [b"", b"\n\n  \n"])
def test_rows_are_read_packed_or_not(tmp_path: Path, pack, end):
    path = tmp_path / "any.name"
    path.write_bytes(pack(b"\n" + text_of(ROWS) + end))
    assert list(read_rows(path)) == [(2, ROWS[0]), (3, ROWS[1]), (4, ROWS[2])]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"a": 1}\n{"b": \n', "line 2: not JSON"),
        (b'{"a": 1}\n\n[1, 2]\n', "line 3: a list where an object was expected"),
        (b"3\n", "line 1: a int where an object"),
        (b'{"a": "\xff"}\n', "line 1: not JSON"),
        (b"[" * 100_000, "line 1: not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "line 1: not JSON"),
        (b"\x1f\x8b\x08 not really", "damaged gzip archive"),
        (gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-20], "damaged gzip archive"),
    ],
)
def test_what_is_broken_is_named_with_its_place(tmp_path: Path, content: bytes, complaint: str):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint) as caught:
        list(read_rows(path))
    assert str(path) in caught.value.message
    assert len(caught.value.message) + len(caught.value.hint) < 500


def test_what_is_no_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        read_bytes(tmp_path / "none")
    with pytest.raises(DataError, match="is a folder"):
        read_bytes(tmp_path)


rows = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8)), max_size=8
)


@given(rows, rows, st.integers(0, 10_000))
def test_law_a_log_torn_anywhere_keeps_every_whole_row(tmp_path_factory, first, second, cut):
    path = tmp_path_factory.mktemp("log") / "rows.jsonl"
    with RowLog(path) as log:
        for row in first:
            log.append(row)
    content = path.read_bytes()
    kept = content[: cut % (len(content) + 1)]
    path.write_bytes(kept)
    whole = kept.count(b"\n")
    with RowLog(path) as log:
        assert [row for _, row in log.rows] == first[:whole]
        assert log.torn == (not kept.endswith(b"\n") and bool(kept))
        for row in second:
            log.append(row)
    assert [row for _, row in read_rows(path)] == first[:whole] + second


def test_a_broken_line_within_a_log_is_an_error_and_is_left_alone(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n{"b"\n{"c": 3}\n')
    with pytest.raises(DataError, match="line 2: not JSON"):
        RowLog(path)
    assert path.read_bytes().count(b"\n") == 3
    path.write_bytes(b'{"a": 1}\n')
    with RowLog(path):  # the lock of the failed try is gone
        pass


def test_only_one_process_writes_to_a_log(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    with RowLog(path) as log:
        log.append({"a": 1})
        with pytest.raises(DataError, match="another run is writing"):
            RowLog(path)
    with RowLog(path) as log:
        assert len(log.rows) == 1


def test_a_row_that_does_not_fit_leaves_the_log_as_it_was(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    with RowLog(path) as log:
        with small_files(1000):
            log.append({"text": "x" * 600})
            with pytest.raises(MachineError, match="no space left") as caught:
                log.append({"text": "y" * 600})
            assert "what was written is kept" in caught.value.hint
            log.append({"text": "z"})
        log.append({"text": "y" * 600})
    assert [row["text"][0] for _, row in read_rows(path)] == ["x", "z", "y"]


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        path = disk / "rows.jsonl"
        written = 0
        with RowLog(path) as log, contextlib.suppress(MachineError):
            while written < 1000:
                log.append({"number": written, "text": "x" * 500})
                written += 1
        assert 50 < written < 200
        assert [row["number"] for _, row in read_rows(path)] == list(range(written))
        with pytest.raises(MachineError, match="no space left"):
            write_whole(disk / "big", "x" * 100_000)
        assert [entry.name for entry in disk.iterdir()] == ["rows.jsonl"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITER = """
import os, sys
from pathlib import Path
from codewright.files import RowLog
with RowLog(Path(sys.argv[1])) as log:
    print("ready", flush=True)
    for number in range(10**9):
        log.append({"number": number, "text": "x" * 300})
"""


def test_a_writer_that_is_killed_leaves_whole_rows(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        with writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            before = path.stat().st_size
            while path.stat().st_size < before + 20_000:
                pass
            writer.kill()
    with RowLog(path) as log:
        numbers = [row["number"] for _, row in log.rows]
    restarts = [i for i, number in enumerate(numbers) if number == 0]
    assert len(restarts) == 3
    assert numbers == [i - max(r for r in restarts if r <= i) for i in range(len(numbers))]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "deep" / "down" / "file"
    write_whole(path, "first \ud800")
    assert path.read_text() == "first \\ud800"
    with small_files(1000), pytest.raises(MachineError, match="no space left"):
        write_whole(path, b"x" * 5000)
    assert path.read_text() == "first \\ud800"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="cannot be written") as caught:
        write_whole(tmp_path / "file" / "below", "x")
    assert caught.value.hint
    with pytest.raises(MachineError, match="cannot be written"):
        RowLog(tmp_path / "file" / "below")


def test_json_for_files_says_no_nonsense():
    assert json.loads(json_text({"a": ["\ud800", 1]})) == {"a": ["\ud800", 1]}
    with pytest.raises(ValueError, match="JSON"):
        json_text(float("nan"))
