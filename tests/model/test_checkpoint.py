"""Checkpoints: what is written is read back, whole or not at all, and nothing else is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from codewright.errors import ConfigError, DataError, MachineError
from codewright.model import checkpoint, stored
from codewright.model.transformer import Decoder
from tests.model.shapes import EVERY, changed, config, decoder, tokens

CASES = ["llama", "multi-head, untied", "starcoder2", "qwen3", "mixtral"]


def same(one: Decoder, two: Decoder) -> bool:
    pairs = zip(one.state_dict().items(), two.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("file_bytes", [600, 3000, 16_000_000])
def test_what_is_saved_is_loaded(case, file_bytes, tmp_path):
    model = decoder(EVERY[case])
    (tmp_path / "tokenizer.json").write_text("{}")
    extra = {"step": 7, "name": "é"}
    saved = checkpoint.save(
        tmp_path / "a" / "b", model, tmp_path / "tokenizer.json", extra, file_bytes=file_bytes
    )
    files = sorted((tmp_path / "a" / "b").glob("model-*.safetensors"))
    assert saved.files == len(files)
    assert saved.max_error == 0.0
    assert saved.bytes == 4 * model.config.parameters()
    row = max(4 * each.numel() // len(each) for each in model.parameters())
    for file in files:
        assert sum(each.nbytes for each in load_file(file).values()) <= max(file_bytes, row)
    loaded, found = checkpoint.load(tmp_path / "a" / "b")
    assert same(loaded, model)
    assert loaded.config == model.config
    assert found == extra
    assert torch.equal(loaded.rotary.cos_PJ, model.rotary.cos_PJ)
    assert (tmp_path / "a" / "b" / "tokenizer.json").read_text() == "{}"
    assert os.listdir(tmp_path / "a") == ["b"]


@pytest.mark.parametrize("case", CASES)
def test_eight_bits_are_near_and_saving_them_again_changes_nothing(case, tmp_path):
    model = decoder(EVERY[case])
    saved = checkpoint.save(tmp_path / "one", model, storage="int8", file_bytes=2000)
    once, _ = checkpoint.load(tmp_path / "one")
    worst = 0.0
    for exact, read in zip(model.parameters(), once.parameters(), strict=True):
        worst = max(worst, (exact - read).abs().max().item())
        if exact.dim() == 1:
            assert torch.equal(exact, read)
    assert saved.max_error == worst > 0
    assert saved.bytes < 1.6 * model.config.parameters()
    again = checkpoint.save(tmp_path / "two", once, storage="int8", file_bytes=2000)
    assert again.max_error == 0.0
    names = sorted(os.listdir(tmp_path / "one"))
    assert names == sorted(os.listdir(tmp_path / "two"))
    for name in names:
        one, two = (tmp_path / each / name for each in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), name


def test_bfloat16_is_stored_and_loaded(tmp_path):
    model = decoder(config())
    checkpoint.save(tmp_path / "out", model, storage="bfloat16")
    loaded, _ = checkpoint.load(tmp_path / "out", torch.bfloat16)
    half = decoder(config()).bfloat16()
    assert same(loaded, half)
    ids = tokens(model.config, 1, 9)
    with torch.no_grad():
        assert torch.equal(loaded(ids).hidden_BTD, half(ids).hidden_BTD)


def test_saving_over_an_older_checkpoint_replaces_it(tmp_path):
    one, two = decoder(config(), seed=1), decoder(config(tied=False), seed=2)
    checkpoint.save(tmp_path / "out", one, file_bytes=1000)
    checkpoint.save(tmp_path / "out", two)
    assert same(checkpoint.load(tmp_path / "out")[0], two)
    assert len(list((tmp_path / "out").glob("model-*"))) == 1
    assert os.listdir(tmp_path) == ["out"]


def test_nothing_but_a_checkpoint_is_replaced(tmp_path):
    model = decoder(config())
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years")
    with pytest.raises(DataError, match=r"holds thesis\.tex"):
        checkpoint.save(tmp_path / "home", model)
    with pytest.raises(DataError, match="is a file"):
        checkpoint.save(tmp_path / "home" / "thesis.tex", model)
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years"
    (tmp_path / "empty").mkdir()
    checkpoint.save(tmp_path / "empty", model)
    with pytest.raises(MachineError, match="cannot be written"):
        checkpoint.save(tmp_path / "home" / "thesis.tex" / "x", model)


WRITER = """
import os, pathlib, signal, sys, time
import torch
from codewright.model import checkpoint
from tests.model.shapes import config, decoder

torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[1])
models = [decoder(config(kv_heads=kv_heads)) for kv_heads in (1, 2)]
for moment in range(20):
    child = os.fork()
    while child == 0:
        for number, model in enumerate(models):
            checkpoint.save(folder, model, extra={"number": number}, file_bytes=3000)
    while not folder.exists():
        time.sleep(0.001)
    time.sleep(0.007 * moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    loaded, extra = checkpoint.load(folder)
    wanted = models[extra["number"]].state_dict()
    assert all(torch.equal(each, wanted[name]) for name, each in loaded.state_dict().items())
    print(extra["number"], *sorted(os.listdir(folder.parent)), flush=True)
"""


def test_a_killed_writer_leaves_a_whole_checkpoint(tmp_path):
    """A process saves without end, and is killed at many moments; what lies there is read."""
    result = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    seen = [line.split() for line in result.stdout.splitlines()]
    assert len(seen) == 20
    assert any(".out.tmp" in names for _, *names in seen), "no kill came in the middle"
    checkpoint.save(tmp_path / "out", decoder(config()))  # what the killed left is no obstacle
    assert os.listdir(tmp_path) == ["out"]


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    one, two = decoder(config(), seed=1), decoder(config(), seed=2)
    checkpoint.save(tmp_path / "out", one, file_bytes=1000)
    written = []

    def fail_at_five(path, content):
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    monkeypatch.setattr(checkpoint, "write_whole", fail_at_five)
    with pytest.raises(MachineError, match="no space left"):
        checkpoint.save(tmp_path / "out", two, file_bytes=1000)
    assert same(checkpoint.load(tmp_path / "out")[0], one)
    assert os.listdir(tmp_path) == ["out"]


def rewrite(folder, change):
    """Applies `change` to the tensors of the only file of weights."""
    file = folder / "model-00001.safetensors"
    tensors = change(load_file(file))
    save_file(tensors, file)
    index = {"weight_map": dict.fromkeys(tensors, file.name)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def without(name):
    return lambda tensors: {key: each for key, each in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without("norm.weight"), "lacks norm.weight"),
        (without("layers.1.attention.qkv.weight"), "lacks layers.1.attention.qkv.weight"),
        (lambda t: {**t, "more": torch.ones(2)}, "holds more, which its config has no place for"),
        (lambda t: {**t, "norm.weight": torch.ones(31)}, "it has 31 of its 32 rows"),
        (
            lambda t: {**t, "embedding.weight": torch.ones(61, 31)},
            "[61, 31], where its config asks for [61, 32]",
        ),
        (
            lambda t: {**t, "norm.weight": torch.ones(32, dtype=torch.int8)},
            "lacks norm.weight.scale",
        ),
    ],
)
def test_wrong_tensors_are_named(change, complaint, tmp_path):
    checkpoint.save(tmp_path / "out", decoder(config()))
    rewrite(tmp_path / "out", change)
    with pytest.raises(DataError, match=re.escape(complaint)):
        checkpoint.load(tmp_path / "out")


def test_a_missing_row_of_a_split_tensor_is_named(tmp_path):
    checkpoint.save(tmp_path / "out", decoder(config()), file_bytes=1024)
    index = json.loads((tmp_path / "out" / stored.INDEX).read_text())
    assert index["weight_map"]["embedding.weight@8"] == "model-00002.safetensors"
    index["weight_map"] = {
        key: name for key, name in index["weight_map"].items() if name != "model-00002.safetensors"
    }
    (tmp_path / "out" / stored.INDEX).write_text(json.dumps(index))
    with pytest.raises(DataError, match="lacks embedding\\.weight: it has 8 of its 61 rows"):
        checkpoint.load(tmp_path / "out")


def test_broken_folders_are_told_apart(tmp_path):
    folder = tmp_path / "out"
    checkpoint.save(folder, decoder(config()))
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)

    def breaking(name, content):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            checkpoint.load(folder)
        return f"{caught.value.message} ({caught.value.hint})"

    weights = (kept / "model-00001.safetensors").read_bytes()
    index = (kept / stored.INDEX).read_bytes()
    evil = index.replace(b"model-00001.safetensors", b"../model-00001.safetensors")
    old = (kept / "config.json").read_bytes()
    assert "does not exist" in breaking("model-00001.safetensors", None)
    assert "is broken" in breaking("model-00001.safetensors", weights[:-1])
    assert "is broken" in breaking("model-00001.safetensors", b"\x80\x04.")
    assert "does not exist" in breaking(stored.INDEX, None)
    assert "is not JSON" in breaking(stored.INDEX, b"{")
    assert "has no weight_map" in breaking(stored.INDEX, b"{}")
    assert "no file of weights" in breaking(stored.INDEX, evil)
    assert "which is not in" in breaking(
        stored.INDEX, index.replace(b'"norm.weight": ', b'"norm.wight": ')
    )
    assert "is no checkpoint" in breaking("config.json", None)
    assert "is not JSON" in breaking("config.json", b"\xff")
    assert "Hugging Face" in breaking("config.json", b'{"model_type": "llama"}')
    assert "another version" in breaking("config.json", old.replace(b'n": 1', b'n": 2'))
    assert "another version" in breaking("config.json", old.replace(b"float32", b"pickle"))
    with pytest.raises(DataError, match="is no checkpoint"):
        checkpoint.load(tmp_path / "none")


def test_pickles_are_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match="is no checkpoint") as caught:
        checkpoint.load(tmp_path)
    assert "pickle" in caught.value.hint
    (tmp_path / "model.pt").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(DataError) as caught:
        checkpoint.load(tmp_path)
    assert "pickle" in caught.value.hint


def test_a_config_that_does_not_fit_is_a_config_error(tmp_path):
    checkpoint.save(tmp_path / "out", decoder(config()))
    path = tmp_path / "out" / "config.json"
    content = json.loads(path.read_text())
    content["model"]["attention"]["kv_heads"] = 3
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="cannot share"):
        checkpoint.load(tmp_path / "out")


@settings(deadline=None, max_examples=10)
@given(st.integers(200, 9000))
def test_any_size_of_file_holds_the_same_weights(file_bytes):
    import pathlib
    import tempfile

    model = decoder(changed(config(), layers=1))
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / "out"
        checkpoint.save(place, model, file_bytes=file_bytes)
        assert same(checkpoint.load(place)[0], model)


def test_a_compiled_wrapper_is_not_saved(tmp_path):
    wrapped = torch.compile(decoder(config()), backend="eager")
    with pytest.raises(AssertionError, match="module that was compiled"):
        checkpoint.save(tmp_path / "out", wrapped)
    assert not (tmp_path / "out").exists()
