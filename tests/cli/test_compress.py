"""`codewright compress`: every way, what is said and measured, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from codewright.cli.compress_work import COMPRESSED
from codewright.cli.main import COMMANDS, run
from codewright.model import checkpoint
from codewright.model.stored import Stored
from codewright.model.transformer import Decoder
from codewright.train.score import sampled
from tests.train import made


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    made.packed(folder / "packed", rows=40, held=8)
    model = Decoder(made.config(), generator=torch.Generator().manual_seed(0))
    (folder / "tokenizer.json").write_text("{}")
    checkpoint.save(folder / "one", model, folder / "tokenizer.json", {"fim": "spm"})
    return folder


def done(capsys, *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["compress", *map(str, words)], COMMANDS) == code
    return capsys.readouterr()


def told(capsys, *words: object) -> dict[str, Any]:
    found = json.loads(done(capsys, *words, "--json")[0])
    assert isinstance(found, dict)
    return found


def test_four_bits_by_gptq_are_written_measured_and_told(capsys, place, tmp_path):
    text = ("--calibration", place / "packed", "--rows", 8, "--score", 8)
    form = ("--to", "int4", "--group", 16)
    found = told(capsys, place / "one", *form, *text, "--out", tmp_path / "gptq")
    assert (found["method"], found["group"], found["rows"]) == ("gptq", 16, 8)
    stored = Stored(tmp_path / "gptq")
    assert (stored.storage, stored.group) == ("int4", 16)
    assert stored.extra["fim"] == "spm"
    (step,) = stored.extra[COMPRESSED]
    assert step == {"bits": 4, "group": 16, "method": "gptq", "rows": 8}
    assert (tmp_path / "gptq" / "tokenizer.json").read_text() == "{}"
    exact, read = (checkpoint.load(path)[0] for path in (place / "one", tmp_path / "gptq"))
    assert found["bits_per_byte_before"] == sampled(exact, place / "packed", rows=8)
    assert found["bits_per_byte"] == sampled(read, place / "packed", rows=8)
    plain = told(capsys, place / "one", *form, "--method", "rtn", "--out", tmp_path / "rtn")
    assert plain["weight_bytes"] == found["weight_bytes"] < found["parameters"]
    other, _ = checkpoint.load(tmp_path / "rtn")
    pairs = zip(read.parameters(), other.parameters(), strict=True)
    assert any(not torch.equal(*pair) for pair in pairs)
    again = told(
        capsys, tmp_path / "rtn", *form, "--method", "rtn", "--out", tmp_path / "twice", "--json"
    )
    assert again["weight_bytes"] == plain["weight_bytes"]
    for path in tmp_path.glob("rtn/model-*"):
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes()
    said, _ = done(capsys, place / "one", *form, *text, "--out", tmp_path / "gptq")
    assert "in int4 by gptq, groups of 16" in said
    assert "bits per byte: " in said


def test_structures_zeros_and_bits_go_together(capsys, place, tmp_path):
    shape = made.config()
    found = told(
        capsys,
        *(place / "one", "--calibration", place / "packed", "--rows", 4, "--out", tmp_path / "out"),
        *("--keep", "inner=32", "--keep", "layers=1", "--sparsity", "2:4", "--to", "int8"),
    )
    model, extra = checkpoint.load(tmp_path / "out")
    assert (model.config.layers, model.config.feed_forward.width) == (1, 32)
    assert found["parameters"] == model.config.parameters() < shape.parameters()
    assert found["zeros"] == 0.5
    for name, parameter in model.named_parameters():
        if name.startswith("layers.") and parameter.dim() > 1:
            assert ((parameter.reshape(-1, 4) == 0).sum(1) >= 2).all()
    assert extra[COMPRESSED][0]["keep"] == {"heads": 0, "inner": 32, "layers": 1}
    said, _ = done(
        capsys, tmp_path / "out", "--sparsity", "0.7", "--to", "bfloat16", "--out", tmp_path / "two"
    )
    assert "70.0% of the layers' weights, by magnitude" in said
    assert len(checkpoint.load(tmp_path / "two")[1][COMPRESSED]) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--to", "int4", "--group", "48"], "no group has 48 weights"),
        (["--to", "int4", "--method", "rtn"], "which groups of 64 do not divide"),
        (["--to", "int4", "--group", "16", "--method", "gptq"], "--method rtn needs none"),
        (["--to", "bfloat16", "--group", "16"], "bfloat16 is not rounded to a grid"),
        (["--to", "int2"], "--help"),
        (["--keep", "inner=16"], "--calibration"),
        (["--keep", "inner=0", "--calibration", "packed"], "says nothing"),
        (["--keep", "width=3", "--calibration", "packed"], "heads=N, inner=N, layers=N"),
        (["--keep", "inner=1", "--keep", "inner=2", "--calibration", "packed"], "each once"),
        (["--keep", "heads=99", "--calibration", "packed"], "heads 99 cannot stay"),
        (["--keep", "layers=99", "--calibration", "packed"], "layers 99 cannot stay"),
        (["--sparsity", "half"], "says nothing"),
        (["--sparsity", "0.5", "--by", "wanda"], "--by magnitude needs none"),
        (["--score", "3"], "--calibration"),
        (["--sparsity", "0.5", "--calibration", "nowhere"], "pack.json"),
        (["--rows", "0"], "--rows"),
    ],
)
def test_what_cannot_be_is_refused(capsys, place, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(place)
    _, talk = done(capsys, place / "one", *words, "--out", tmp_path / "out", code=2)
    assert complaint in talk
    assert not (tmp_path / "out").exists()


def test_half_a_file_foreign_rows_and_a_missing_package(capsys, place, tmp_path, monkeypatch):
    half = tmp_path / "half"
    checkpoint.save(half, checkpoint.load(place / "one")[0], storage="int4", group=16)
    weights = (half / "model-00001.safetensors").read_bytes()
    (half / "model-00001.safetensors").write_bytes(weights[: len(weights) // 2])
    _, talk = done(capsys, half, "--to", "int8", "--out", tmp_path / "out", code=2)
    assert "is broken" in talk
    facts = json.loads((place / "packed" / "pack.json").read_text())
    made.packed(tmp_path / "packed")
    (tmp_path / "packed" / "pack.json").write_text(json.dumps({**facts, "vocabulary": 999}))
    words = (place / "one", "--to", "int8", "--calibration", tmp_path / "packed")
    _, talk = done(capsys, *words, "--out", tmp_path / "out", code=2)
    assert "999 tokens" in talk
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("codewright.cli.compress.find_spec", lambda name: None)
    _, talk = done(capsys, place / "one", "--to", "int8", "--out", tmp_path / "out", code=3)
    assert "codewright[local]" in talk
