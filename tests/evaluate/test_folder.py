"""A folder belongs to one evaluation."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.evaluate.folder import (
    REPORT,
    RESULTS,
    RUN,
    Identity,
    claim,
    file_digest,
    problems_digest,
)
from tests.evaluate.made import WRONG, problem

IDENTITY = Identity(
    benchmark="made",
    problems="3 (abc)",
    samples="s.jsonl (def)",
    settings={"mode": "fork", "cpu": "by the reference"},
    version="0.1.0",
)


def test_a_folder_is_taken_once_and_resumed_by_the_same(tmp_path: Path):
    folder = tmp_path / "new" / "run"
    assert claim(folder, IDENTITY, fresh=False) is False
    assert json.loads((folder / RUN).read_text()) == IDENTITY.facts()
    (folder / RESULTS).write_text("{}\n")
    assert claim(folder, IDENTITY, fresh=False) is True
    assert (folder / RESULTS).read_text() == "{}\n"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"benchmark": "other"}, "benchmark was 'made', is 'other'"),
        ({"problems": "2 (xyz)"}, "problems was"),
        ({"samples": "s.jsonl (000)"}, r"samples was 's.jsonl \(def\)'"),
        ({"settings": {"mode": "session", "cpu": "1 s"}}, "mode was 'fork', is 'session'; cpu"),
        ({"settings": {"mode": "fork"}}, "cpu was 'by the reference', is None"),
        ({"version": "0.2.0"}, "version was"),
    ],
)
def test_another_evaluation_is_refused_and_nothing_is_touched(tmp_path, change, complaint):
    claim(tmp_path, IDENTITY, fresh=False)
    (tmp_path / RESULTS).write_text("{}\n")
    other = dataclasses.replace(IDENTITY, **change)
    with pytest.raises(DataError, match=complaint) as caught:
        claim(tmp_path, other, fresh=False)
    assert "--fresh" in caught.value.hint
    assert (tmp_path / RESULTS).read_text() == "{}\n"
    assert other.digest() != IDENTITY.digest()


def test_fresh_forgets_the_old_results_and_only_them(tmp_path: Path):
    claim(tmp_path, IDENTITY, fresh=False)
    for name in (RESULTS, REPORT, "mine.txt"):
        (tmp_path / name).write_text("x")
    other = dataclasses.replace(IDENTITY, version="9")
    assert claim(tmp_path, other, fresh=True) is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", RUN]


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_a_damaged_folder_is_not_guessed_at(tmp_path: Path, content: str):
    (tmp_path / RUN).write_text(content)
    with pytest.raises(DataError, match=r"run\.json"):
        claim(tmp_path, IDENTITY, fresh=False)
    (tmp_path / RUN).unlink()
    (tmp_path / RESULTS).write_text("{}\n")
    with pytest.raises(DataError, match="nobody knows what it is of"):
        claim(tmp_path, IDENTITY, fresh=False)


def test_digests_see_content_not_packing(tmp_path: Path):
    plain, packed = tmp_path / "a", tmp_path / "b"
    plain.write_bytes(b"x" * 100)
    packed.write_bytes(gzip.compress(b"x" * 100))
    assert file_digest(plain).split()[1] == file_digest(packed).split()[1]
    problems = [problem(0), problem(1)]
    digest = problems_digest(problems)
    assert digest.startswith("2 (")
    assert digest == problems_digest([problem(0), problem(1)])
    assert digest != problems_digest([problem(0), problem(1, reference=WRONG)])
    assert digest != problems_digest(problems[::-1])
