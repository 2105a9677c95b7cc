"""Weights that stay in few bits: on disk, in a layer, and in both runners."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops
from codewright.engine.torch_runner import TorchRunner
from codewright.errors import ConfigError, DataError
from codewright.generate.runners import open_runner
from codewright.generate.settings import Local
from codewright.model import checkpoint, stored
from codewright.model.packed import PackedLinear
from codewright.model.quantize import Scheme, dequantize, quantize
from codewright.model.stored import Stored
from tests.engine.test_native import SHAPES
from tests.kernels import RUNNERS, needs_kernels
from tests.model.shapes import EVERY, config, decoder, tokens

GREEDY = Sampling(temperature=0)
FORMS = [("int8", 0), ("int8", 16), ("int4", 0), ("int4", 16)]


@pytest.mark.parametrize("case", ["llama", "multi-head, untied", "starcoder2", "mixtral"])
@pytest.mark.parametrize(("storage", "group"), FORMS)
def test_few_bits_are_near_and_saving_them_again_changes_nothing(case, storage, group, tmp_path):
    model = decoder(EVERY[case])
    form = {"storage": storage, "group": group, "file_bytes": 700}
    saved = checkpoint.save(tmp_path / "one", model, **form)
    once, _ = checkpoint.load(tmp_path / "one")
    scheme = Scheme(bits=int(storage[3:]), group=group)
    for name, exact in model.named_parameters():
        read = once.get_parameter(name)
        if exact.dim() == 1:
            assert torch.equal(exact, read)
        else:
            assert torch.equal(read, dequantize(*quantize(exact.detach(), scheme.of(name))))
    again = checkpoint.save(tmp_path / "two", once, **form)
    assert (again.max_error, again.bytes) == (0.0, saved.bytes)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    head = json.loads((tmp_path / "one" / "config.json").read_text())
    # What a reader of the first version knows is written as before.
    plain = (storage, group) == ("int8", 0)
    assert (head["version"], "group" in head) == ((1, False) if plain else (2, True))


def test_four_bits_are_half_of_eight(tmp_path):
    shape = config(tied=True)
    sizes = {
        name: checkpoint.save(tmp_path / name, decoder(shape), storage=name).bytes
        for name in ("int8", "int4")
    }
    tables = shape.vocabulary * (shape.width + 4)
    layers = sum(
        p.numel() for n, p in decoder(shape).named_parameters() if p.dim() > 1 and n[0] == "l"
    )
    vectors = sum(4 * p.numel() for p in decoder(shape).parameters() if p.dim() == 1)
    rows = sum(len(p) for n, p in decoder(shape).named_parameters() if p.dim() > 1 and n[0] == "l")
    assert sizes["int8"] == tables + vectors + layers + 4 * rows
    assert sizes["int4"] == tables + vectors + layers // 2 + 2 * rows


@pytest.mark.parametrize("rows", [1, 5, 32, 33, 200])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("group", [0, 16, 32, 64])
@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_is_the_multiplied_one(rows, bits, group, bias):
    random = torch.Generator().manual_seed(rows)
    small = quantize(torch.randn(48, 192, generator=random), Scheme(bits=bits, group=group))
    added = torch.randn(48, generator=random) if bias else None
    x = torch.randn(rows, 2, 192, generator=random)[:, :1]
    exact = torch.nn.functional.linear(x, dequantize(*small), added)
    layer = PackedLinear(small, added, bits=bits, dtype=torch.float32)
    assert torch.equal(layer(x), exact)
    half = PackedLinear(small, added, bits=bits, dtype=torch.bfloat16)
    off = (half(x.bfloat16()).float() - exact).abs().max() / exact.abs().max()
    assert off < 0.02


@pytest.fixture(scope="module", params=FORMS, ids=str)
def small(request, tmp_path_factory):
    """A checkpoint in few bits, the same multiplied out, and what it is in torch."""
    torch.manual_seed(1)
    model = checkpoint.Decoder(SHAPES["llama"]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3) if parameter.dim() > 1 else parameter.normal_(0.5, 0.3)
    folder = tmp_path_factory.mktemp("small")
    storage, group = request.param
    checkpoint.save(folder / "few", model, storage=storage, group=group)
    read, _ = checkpoint.load(folder / "few")
    checkpoint.save(folder / "full", read)
    return folder, storage, read.eval()


def greedy(runner, prompt, room=40):
    """Returns the tokens that are most probable, one after the other."""
    engine = Engine(runner, [bytes([each % 256]) for each in range(runner.vocabulary)], ())
    (text,) = engine.add(Ask(prompt=prompt, room=room, sampling=GREEDY, stops=Stops([])))
    while engine.busy:
        engine.step()
    return text.ids


@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_says_the_same_of_few_bits_and_of_them_multiplied_out(small, name):
    folder, _, _ = small
    settings = Local(runner=name, precision="float32", device="cpu", threads=1)
    texts = []
    for place in (folder / "few", folder / "full"):
        runner = open_runner(place, Stored(place), settings, rows=2)
        texts.append(greedy(runner, [5, 9, 2, 77]))
        runner.close()
    assert texts[0] == texts[1]
    assert len(texts[0]) > 4


def test_torch_keeps_them_and_says_the_same_in_float32(small):
    folder, storage, exact = small
    packed, extra = checkpoint.load_packed(folder / "few", torch.float32)
    assert extra == {}
    assert sum(isinstance(part, PackedLinear) for part in packed.modules()) == 12
    ids = tokens(exact.config, 2, 50)
    with torch.no_grad():
        assert torch.equal(packed(ids).hidden_BTD, exact(ids).hidden_BTD)
    texts = [greedy(TorchRunner(each, blocks=16), [5, 9, 2, 77]) for each in (packed, exact)]
    assert texts[0] == texts[1]
    half, _ = checkpoint.load_packed(folder / "few", torch.bfloat16)
    settings = Local(runner="torch", precision=storage, device="cpu")
    runner = open_runner(folder / "few", Stored(folder / "few"), settings, rows=1)
    assert greedy(runner, [5, 9, 2, 77], room=3)
    assert runner.name.endswith(f", {storage} weights)")
    with torch.no_grad():
        near = half(ids).hidden_BTD.float() - exact(ids).hidden_BTD
    assert near.abs().max() < 0.1 * exact(ids).hidden_BTD.abs().max()


@needs_kernels
def test_native_takes_int4_as_int8_and_rows_as_they_are(small):
    from codewright.engine.native import _weights

    folder, _, exact = small
    auto = open_runner(folder / "few", Stored(folder / "few"), Local(runner="native"), rows=1)
    assert auto.name.endswith("int8)")
    auto.close()
    name = "layers.0.attention.out.weight"
    weight = exact.get_parameter(name).detach().numpy()
    value, scale = _weights(*Stored(folder / "few").take(name, weight.shape), "int8")
    off = np.abs(value * scale[:, None] - weight)
    assert (off <= 0.501 * np.abs(weight).max(1, keepdims=True) / 127).all()
    groups = json.loads((folder / "few" / "config.json").read_text()).get("group", 0)
    assert (off.max() == 0) == (groups == 0)


def test_a_runner_refuses_what_it_does_not_multiply(small):
    folder, storage, _ = small
    other = "int4" if storage == "int8" else "int8"
    for place, settings, complaint in (
        ("few", Local(runner="torch", precision=other), f"which is {storage}"),
        ("full", Local(runner="torch", precision=storage), "which is float32"),
        ("few", Local(runner="native", precision="int4"), "does not multiply int4"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            open_runner(folder / place, Stored(folder / place), settings, rows=1)
    with pytest.raises(DataError, match=r"the weights in .* are float32"):
        checkpoint.load_packed(folder / "full", torch.float32)


def test_a_broken_checkpoint_is_told(tmp_path):
    folder = tmp_path / "out"
    checkpoint.save(folder, decoder(config()), storage="int4", group=16)
    file, head = folder / "model-00001.safetensors", folder / "config.json"
    weights, said = file.read_bytes(), head.read_text()

    def refused(complaint: str) -> None:
        for read in (checkpoint.load, lambda place: checkpoint.load_packed(place, torch.float32)):
            with pytest.raises(DataError, match=complaint):
                read(folder)
        file.write_bytes(weights)
        head.write_text(said)
        save_file(load_file(file), file)
        (folder / stored.INDEX).write_text(
            json.dumps({"weight_map": dict.fromkeys(load_file(file), file.name)})
        )

    def changed(name: str, tensor: torch.Tensor | None) -> None:
        tensors = {key: each for key, each in load_file(file).items() if key != name}
        save_file(tensors | ({} if tensor is None else {name: tensor}), file)
        index = {"weight_map": dict.fromkeys(load_file(file), file.name)}
        (folder / stored.INDEX).write_text(json.dumps(index))

    qkv = "layers.0.attention.qkv.weight"
    file.write_bytes(weights[: len(weights) // 2])
    refused("is broken")
    for wrong in ('"version": 1', '"version": 3'):
        head.write_text(said.replace('"version": 2', wrong))
        refused("another version")
    for wrong in ('"group": "16"', '"group": -1', '"group": null'):
        head.write_text(said.replace('"group": 16', wrong))
        refused("another version")
    head.write_text(said.replace('"group": 16', '"group": 32'))
    refused(re.escape("asks for [64, 1]") + "|no groups of 32")
    head.write_text(said.replace("int4", "int8"))
    refused("where its config asks for|no four bits can be")
    changed(qkv + ".scale", None)
    refused(f"lacks {qkv}.scale")
    changed("norm.weight", torch.ones(32, dtype=torch.uint8))
    refused("no four bits can be")
    changed(qkv, load_file(file)[qkv][:40].clone())
    refused(f"lacks {qkv}: it has 40 of its 64 rows")
    changed(qkv, load_file(file)[qkv][:, :8].clone())
    refused("where its config asks for")
    changed(qkv + ".scale", load_file(file)[qkv + ".scale"].to(torch.int8))
    refused("without scales")
    checkpoint.load(folder)
    with pytest.raises(ConfigError, match="48 inputs, which groups of 32"):
        checkpoint.save(tmp_path / "no", decoder(config()), storage="int4", group=32)
    with pytest.raises(ConfigError, match="no group has 48"):
        checkpoint.save(tmp_path / "no", decoder(config()), storage="int8", group=48)
    assert not (tmp_path / "no").exists()
