"""`codewright tokenizer`: every kind of source, what is said, and what is refused."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codewright.cli import tokenizer as command
from codewright.cli.main import COMMANDS, run
from codewright.corpus import shards
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.layout import FIRST_MERGE
from codewright.types.document import Document

CODE = "def add_two(first, second):\n    return first + second\n\n\n"


def done(capsys, *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["tokenizer", *map(str, words)], COMMANDS) == code
    return capsys.readouterr()


def told(capsys, *words: object) -> dict[str, Any]:
    found = json.loads(done(capsys, *words, "--json")[0])
    assert isinstance(found, dict)
    return found


@pytest.fixture
def sources(tmp_path) -> dict[str, Path]:
    """The same two documents in every form that there is."""
    folder = tmp_path / "folder"
    (folder / "deep" / ".hidden").mkdir(parents=True)
    (folder / "a.py").write_text(CODE)
    (folder / "deep" / "b.py").write_text(CODE * 2)
    (folder / "deep" / ".hidden" / "c.py").write_text("HIDDEN" * 99)
    (folder / "notes.txt").write_text("NOTES" * 99)
    texts = [CODE, CODE * 2]
    plain, packed = tmp_path / "rows.jsonl", tmp_path / "rows.jsonl.gz"
    plain.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    packed.write_bytes(
        gzip.compress(b"\n".join(json.dumps({"content": t}).encode() for t in texts))
    )
    cleaned = (
        Document(text=text, path=f"{i}.py", licence="MIT", origin="x==1")
        for i, text in enumerate(texts)
    )
    shards.write(tmp_path / "corpus", cleaned)
    return {"folder": folder, "rows": plain, "gzip": packed, "corpus": tmp_path / "corpus"}


def test_every_kind_of_source_gives_the_same_tokenizer(capsys, sources, tmp_path):
    digests = set()
    for name, source in sources.items():
        out = tmp_path / name / "tokenizer.json"
        found = told(capsys, "train", "--from", source, "--vocabulary", 310, "--out", out)
        assert found["documents"] == 2
        assert found["characters"] == 3 * len(CODE)
        assert found["vocabulary"] == 310 == Tokenizer.load(out).vocabulary
        assert found["sha256"] == Tokenizer.load(out).sha256
        digests.add(found["sha256"])
    files = ["--from", sources["folder"] / "a.py", "--from", sources["folder"] / "deep" / "b.py"]
    found = told(capsys, "train", *files, "--vocabulary", 310, "--out", tmp_path / "t.json")
    assert digests == {found["sha256"]}


def test_it_says_what_it_did(capsys, sources, tmp_path, monkeypatch):
    (sources["folder"] / "latin.py").write_bytes(b"# \xe9\n")
    monkeypatch.setattr(command, "HELD_EVERY", 2)
    out = tmp_path / "t.json"
    words = ["train", "--from", sources["folder"], "--vocabulary", 9000, "--out", out]
    said, talk = done(capsys, *words)
    assert f"{out}: " in said
    assert f"learned from 1 document, {len(CODE) / 1000:.1f} kB" in said
    assert "nothing left to merge" in said
    assert "1 file is no UTF-8" in said
    assert "bytes a token on documents held back" in said
    assert "learning the merges" in talk
    assert told(capsys, *words)["left_out"] == 1


def test_a_share_is_always_the_same_share(capsys, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": f"x_{i} = {i}\n"}) + "\n" for i in range(90)))
    words = ["train", "--from", rows, "--vocabulary", 300, "--out", tmp_path / "t.json"]
    half = told(capsys, *words, "--share", 0.5)
    assert 20 < half["documents"] < 70
    assert told(capsys, *words, "--share", 0.5)["sha256"] == half["sha256"]
    assert told(capsys, *words)["documents"] == 90


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--from", "none"], "none does not exist"),
        (["train", "--from", "empty"], "nothing to learn from in empty"),
        (["train", "--from", "bad.jsonl"], "bad.jsonl, line 2: no text"),
        (["train", "--from", "worse.jsonl"], "worse.jsonl, line 1: not JSON"),
        (["train", "--from", "a.py", "--vocabulary", 99], "a vocabulary of 99 is too small"),
        (["train"], "missing option '--from'"),
        (["show", "x", "--tokenizer", "none.json"], "none.json does not exist"),
        (["show", "x", "--tokenizer", "a.py"], "a.py is no tokenizer.json"),
        (["show", "--tokenizer", "a.py"], "give a text or --file"),
        (["show", "x", "--file", "a.py"], "give a text or --file"),
        ([], "missing command"),
        (["tell"], "no such command 'tell'"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_written(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("a.py").write_text(CODE)
    Path("bad.jsonl").write_text('{"text": "a"}\n{"texts": "b"}\n')
    Path("worse.jsonl").write_text("{\n")
    out, said = done(capsys, *words, code=2)
    assert out == ""
    assert said.splitlines()[-2].startswith(f"error: {message}")
    assert said.splitlines()[-1].startswith("hint: ")
    assert not Path("tokenizer.json").exists()


@pytest.fixture
def made(tmp_path, capsys, sources) -> Path:
    path = tmp_path / "t.json"
    told(capsys, "train", "--from", sources["rows"], "--vocabulary", 400, "--out", path)
    return path


def test_the_tokens_of_a_text_are_shown(capsys, made, tmp_path):
    known = Tokenizer.load(made)
    text = "def add_two(x):\n\treturn  'é'"
    ids = known.encode(text)
    said, _ = done(capsys, "show", text, "--tokenizer", made)
    *shown, numbers, summary = said.splitlines()
    assert numbers == " ".join(map(str, ids))
    assert summary == f"{len(ids)} tokens, 29 bytes, {29 / len(ids):.2f} bytes a token"
    assert "".join(shown).startswith("│def│·add│_two│(")
    assert "\\xc3│\\xa9" in shown[-1]
    assert shown[-2].endswith("⏎")
    found = told(capsys, "show", text, "--tokenizer", made)
    assert [token["id"] for token in found["tokens"]] == ids
    assert b"".join(bytes.fromhex(token["bytes"]) for token in found["tokens"]) == text.encode()
    (tmp_path / "raw").write_bytes(b"\xff\x00\n")
    found = told(capsys, "show", "--file", tmp_path / "raw", "--tokenizer", made)
    assert [token["id"] for token in found["tokens"]] == [32 + 255, 32, 32 + 10]
    (tmp_path / "raw").write_bytes(b"")
    found = told(capsys, "show", "--file", tmp_path / "raw", "--tokenizer", made)
    assert found == {"bytes": 0, "bytes_per_token": None, "tokens": []}
    assert "0 tokens" in done(capsys, "show", "--file", tmp_path / "raw", "--tokenizer", made)[0]


def test_a_text_can_come_from_stdin_and_cannot_steer_the_terminal(made):
    text = "x\x1b[2J<|endoftext|>\r"
    shown = subprocess.run(
        [sys.executable, "-m", "codewright", "tokenizer", "show", "-", "--tokenizer", made],
        input=text.encode(), capture_output=True, check=True, timeout=60,
    ).stdout.decode()  # fmt: skip
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "\\x1b" in shown
    assert min(map(int, shown.splitlines()[-2].split())) >= 32


def test_a_missing_library_is_named_with_its_extra(capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    for words in (["show", "x"], ["train", "--from", "."]):
        _, said = done(capsys, *words, code=3)
        assert said == (
            "error: tokenizers is not installed\nhint: pip install 'codewright[local]'\n"
        )


def test_the_smallest_vocabulary_is_the_bytes(capsys, sources, tmp_path):
    words = ["train", "--from", sources["rows"], "--out", tmp_path / "t.json"]
    assert told(capsys, *words, "--vocabulary", FIRST_MERGE)["vocabulary"] == FIRST_MERGE
