"""`codewright export`: every form, what is said, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from codewright.cli.main import COMMANDS, run
from codewright.generate.registry import embedded
from codewright.generate.settings import FIM
from codewright.model import checkpoint, interop
from codewright.tokens.bpe import Tokenizer
from tests.model.shapes import changed, config, decoder, tokens

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

CODE = "def add_two(first, second):\n    return first + second\n\n\n"
SHAPE = changed(config(biases="qkv"), vocabulary=330)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    Tokenizer.train([CODE * 9], vocabulary=320).save(folder / "tokenizer.json")
    checkpoint.save(folder / "one", decoder(SHAPE), folder / "tokenizer.json", {"step": 3})
    checkpoint.save(folder / "bare", decoder(SHAPE))
    return folder


def done(capsys, *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["export", *map(str, words)], COMMANDS) == code
    return capsys.readouterr()


def told(capsys, *words: object) -> dict[str, Any]:
    found = json.loads(done(capsys, *words, "--json")[0])
    assert isinstance(found, dict)
    return found


FAMILIES = {
    "llama": config(),
    "mistral": config(window=9),
    "qwen2": SHAPE,
    "qwen3": config(qk_norm=True),
    "starcoder2": config(norm="layer", activation="gelu_tanh"),
    "mixtral": config(experts=4),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_exported_loads_in_transformers_with_its_tokenizer(capsys, made, tmp_path, family):
    transformers = pytest.importorskip("transformers")
    shape = changed(FAMILIES[family], vocabulary=330)
    checkpoint.save(tmp_path / "one", decoder(shape), made / "tokenizer.json")
    found = told(capsys, tmp_path / "one", "--to", "huggingface", "--out", tmp_path / "hf")
    assert found["family"] == family
    assert found["max_error"] == 0.0
    assert found["tokenizer"] is True
    assert found["parameters"] == shape.parameters()
    assert found["bytes"] == sum(path.stat().st_size for path in (tmp_path / "hf").iterdir())
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf").eval()
    # transformers 5 has a tokenizer of its own for every Qwen2, whatever the folder says.
    kind = transformers.PreTrainedTokenizerFast if family == "qwen2" else transformers.AutoTokenizer
    theirs = kind.from_pretrained(tmp_path / "hf")
    ids = Tokenizer.load(made / "tokenizer.json").encode(CODE)
    length = len(ids)
    assert theirs(CODE)["input_ids"] == ids
    assert (model.config.eos_token_id, model.config.pad_token_id) == (0, 4)
    ours = decoder(shape)
    with torch.no_grad():
        wanted = ours.logits(ours(torch.tensor([ids])).hidden_BTD)
        torch.testing.assert_close(model(torch.tensor([ids])).logits, wanted, atol=1e-4, rtol=0)
        text = model.generate(torch.tensor([ids]), max_new_tokens=20, do_sample=False)[0].tolist()
        for _ in text[len(ids) :]:
            ids.append(int(ours.logits(ours(torch.tensor([ids])).hidden_BTD)[0, -1].argmax()))
    assert text == ids
    assert text[-1] == 0 or len(text) == length + 20
    said, _ = done(capsys, tmp_path / "one", "--to", "huggingface", "--out", tmp_path / "hf")
    assert ("PreTrainedTokenizerFast" in said) == (family == "qwen2")


def test_the_embedded_model_says_the_same_in_transformers(capsys, tmp_path):
    transformers = pytest.importorskip("transformers")
    told(capsys, "embedded", "--to", "huggingface", "--out", tmp_path / "hf")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    ours, _ = checkpoint.load(embedded())
    ids = Tokenizer.load(embedded() / "tokenizer.json").encode("def area(width, height):\n    ")
    given = tokenizer("def area(width, height):\n    ", return_tensors="pt")
    assert given["input_ids"][0].tolist() == ids
    with torch.no_grad():
        text = theirs.generate(**given, max_new_tokens=30, do_sample=False)[0].tolist()
        for _ in text[len(ids) :]:
            ids.append(int(ours.logits(ours(torch.tensor([ids])).hidden_BTD)[0, -1].argmax()))
    assert text == ids
    assert tokenizer.decode(text) == Tokenizer.load(embedded() / "tokenizer.json").decode(
        text, special=True
    )


def test_a_hugging_face_folder_comes_back_as_a_checkpoint(capsys, made, tmp_path):
    for weights in ("f32", "bf16", "f16"):
        out = tmp_path / weights
        words = ("--to", "huggingface", "--out", out, "--weights", weights, "--file-bytes", 20000)
        there = told(capsys, made / "one", *words)
        assert (there["max_error"] == 0) == (weights == "f32")
        assert len(list(out.glob("*.safetensors"))) > 1
        back = told(capsys, out, "--to", "checkpoint", "--out", tmp_path / f"{weights} back")
        assert back["max_error"] == 0
        model, extra = checkpoint.load(tmp_path / f"{weights} back")
        assert model.config == SHAPE
        assert extra == {}
        same = interop.read(out)
        assert all(map(torch.equal, model.parameters(), same.parameters()))
        text = (tmp_path / f"{weights} back" / "tokenizer.json").read_bytes()
        assert text == (made / "tokenizer.json").read_bytes()


def test_a_checkpoint_is_made_small(capsys, made, tmp_path):
    words = ("--to", "checkpoint", "--out", tmp_path / "s", "--weights", "int8", "--fim", "spm")
    found = told(capsys, made / "one", *words)
    model, extra = checkpoint.load(tmp_path / "s")
    exact = decoder(SHAPE)
    pairs = zip(model.parameters(), exact.parameters(), strict=True)
    assert found["max_error"] == max((a - b).abs().max().item() for a, b in pairs) > 0
    assert extra == {"step": 3, FIM: "spm"}
    ids = tokens(SHAPE, 1, 20)
    with torch.no_grad():
        near = (model(ids).hidden_BTD - exact(ids).hidden_BTD).abs().max()
    assert 0 < near < 0.5


@pytest.mark.parametrize("weights", ["f32", "q8_0"])
def test_a_gguf_file_is_written(capsys, made, tmp_path, weights):
    out = tmp_path / "deep" / "m.gguf"
    words = [made / "one", "--to", "gguf", "--out", out, "--weights", weights]
    found = told(capsys, *words)
    assert found["architecture"] == "qwen2"
    assert (found["max_error"] == 0) == (weights == "f32")
    assert found["bytes"] == out.stat().st_size
    assert out.read_bytes().startswith(b"GGUF")
    assert os.listdir(out.parent) == ["m.gguf"]
    said, _ = done(capsys, *words)
    assert f"{out}: qwen2, 0.0 M parameters in {weights}, 0." in said
    assert "llama.cpp cuts text into tokens otherwise" in said
    done(capsys, made / "bare", *words[1:], "--tokenizer", made / "tokenizer.json")


def test_it_says_what_it_did(capsys, made, tmp_path):
    said, _ = done(capsys, made / "bare", "--to", "huggingface", "--out", tmp_path / "hf")
    first, second, third = said.splitlines()
    assert first.startswith(f"{tmp_path / 'hf'}: qwen2, 0.0 M parameters in f32, 0.")
    assert second == "read back: every weight is the same"
    assert third == "without a tokenizer: the checkpoint has none"
    words = ("--to", "huggingface", "--out", tmp_path / "hf", "--weights", "bf16")
    said, _ = done(capsys, made / "one", *words)
    assert "read back: no weight differs by more than 0.00" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["one", "--to", "huggingface", "--weights", "q8_0"], "huggingface has no weights in q8_0"),
        (["one", "--to", "gguf", "--weights", "int8"], "gguf has no weights in int8"),
        (["one", "--to", "checkpoint", "--weights", "f16"], "it takes f32, bf16, int8"),
        (["one", "--to", "onnx"], "--help"),
        (["one"], "--to"),
        (["none", "--to", "gguf"], "is no checkpoint"),
        (["bare", "--to", "gguf"], "name one by --tokenizer"),
        (["one", "--to", "gguf", "--file-bytes", "9"], "a GGUF is one file"),
        (["one", "--to", "huggingface", "--fim", "spm"], "huggingface has no place for --fim"),
        (["one", "--to", "checkpoint", "--fim", "x"], "--fim"),
        (["one", "--to", "huggingface", "--tokenizer", "no.json"], "does not exist"),
    ],
)
def test_what_cannot_be_is_refused(capsys, made, tmp_path, words, complaint):
    _, talk = done(capsys, made / words[0], *words[1:], "--out", tmp_path / "out", code=2)
    assert complaint in talk
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_home_is_refused(capsys, tmp_path):
    checkpoint.save(tmp_path / "odd", decoder(config(norm="layer")))
    words = [tmp_path / "odd", "--to", "huggingface", "--out", tmp_path / "hf"]
    _, talk = done(capsys, *words, code=2)
    assert "no Hugging Face family can express this model" in talk
    assert not (tmp_path / "hf").exists()


def test_a_folder_with_other_files_is_left_alone(capsys, made, tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    for form in ("huggingface", "checkpoint"):
        _, talk = done(capsys, made / "one", "--to", form, "--out", tmp_path, code=2)
        assert "holds thesis.tex" in talk
    _, talk = done(capsys, made / "one", "--to", "gguf", "--out", tmp_path, code=2)
    assert "is a folder" in talk
    assert (tmp_path / "thesis.tex").read_text() == "years"


def test_a_missing_package_names_its_extra(capsys, made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    monkeypatch.setattr(
        "codewright.cli.export.find_spec", lambda name: None if name == "gguf" else name
    )
    _, talk = done(capsys, made / "one", "--to", "gguf", "--out", tmp_path / "m.gguf", code=3)
    assert "gguf is not installed" in talk
    assert "codewright[train]" in talk
