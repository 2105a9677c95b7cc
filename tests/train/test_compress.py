"""Training with rounded weights, and with zeros that stay."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from codewright import config as configs
from codewright.errors import ConfigError
from codewright.model import checkpoint
from codewright.model.calibrate import in_few_bits
from codewright.model.quantize import Scheme, dequantize, quantize
from codewright.model.sparse import Sparsity, sparsify
from codewright.model.transformer import Decoder
from codewright.train.compress import CompressConfig, RoundedLinear, Zeros, prepare
from codewright.train.pretrain import BudgetConfig, TrainConfig, pretrain
from codewright.train.score import sampled
from tests.model.shapes import EVERY, config, decoder, tokens
from tests.train import made, runs

FOUR = CompressConfig(bits=4, group=16)


def test_forward_is_what_will_be_stored_and_the_gradient_passes():
    for bits, group, shape in ((4, 16, config()), (8, 0, EVERY["starcoder2"])):
        model, stored = decoder(shape), decoder(shape)
        in_few_bits(stored, Scheme(bits=bits, group=group), "rtn")
        names = [name for name, _ in model.named_parameters()]
        prepare(CompressConfig(bits=bits, group=group), model)
        assert [name for name, _ in model.named_parameters()] == names
        assert sum(isinstance(part, RoundedLinear) for part in model.modules()) == 12
        ids = tokens(shape, 2, 20)
        losses = []
        for each in (model, stored):
            hidden = each(ids).hidden_BTD
            losses.append(F.cross_entropy(each.logits(hidden).flatten(0, 1), ids.flatten()))
            losses[-1].backward()
        assert torch.equal(*losses)
        for name, parameter in model.named_parameters():
            # Straight through: the gradient of the rounded weight is the exact one's.
            torch.testing.assert_close(parameter.grad, stored.get_parameter(name).grad)


def test_a_run_with_four_bits_is_better_in_four_bits_and_resumes(tmp_path):
    packed = made.packed(tmp_path / "packed", rows=60, held=12)
    first = runs.run(packed, tmp_path / "first", budget=BudgetConfig(steps=80))
    more = {"start": first.checkpoint, "budget": BudgetConfig(steps=40)}
    plain = runs.run(packed, tmp_path / "plain", **more)
    aware = runs.run(packed, tmp_path / "aware", compress=FOUR, **more)
    stopped = pretrain(
        *(runs.settings(compress=FOUR, **more), made.config(), packed, tmp_path / "again"),
        stop_after=0.5,
    )
    assert not stopped.finished
    again = runs.run(packed, tmp_path / "again", compress=FOUR, **more)
    ours, theirs = runs.weights(aware), runs.weights(again)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    scores = {}
    for name, trained in (("plain", plain), ("aware", aware)):
        model, _ = checkpoint.load(trained.checkpoint)
        checkpoint.save(tmp_path / "four" / name, model, storage="int4", group=16)
        read, _ = checkpoint.load(tmp_path / "four" / name)
        scores[name] = sampled(read, packed, rows=12)
    assert scores["aware"] < scores["plain"]


def test_zeros_stay_and_the_rest_learns(tmp_path):
    packed = made.packed(tmp_path / "packed")
    pruned = Decoder(made.config(), generator=torch.Generator().manual_seed(0))
    sparsify(pruned, Sparsity(keep=2, of=4), "magnitude")
    checkpoint.save(tmp_path / "pruned", pruned)
    before = runs.weights(tmp_path / "pruned")
    for name in ("muon", "adamw"):
        keep = CompressConfig(keep_zeros=True, bits=4, group=16)
        more = {"start": tmp_path / "pruned", "compress": keep, "budget": BudgetConfig(steps=8)}
        more["optimizer"] = configs.load(TrainConfig, None, ["optimizer.rate=0.01"]).optimizer
        trained = runs.run(packed, tmp_path / name, **more)
        for key, weight in runs.weights(trained).items():
            if key.startswith("layers.") and weight.dim() > 1:
                assert torch.equal(weight == 0, before[key] == 0)
                assert not torch.equal(weight, before[key])
                read = dequantize(*quantize(weight, Scheme(bits=4, group=16)))
                assert (read[weight == 0] == 0).all()
    loose = runs.run(
        packed, tmp_path / "loose", start=tmp_path / "pruned", budget=BudgetConfig(steps=2)
    )
    assert (runs.weights(loose)["layers.0.attention.qkv.weight"] != 0).all()


def test_what_does_not_go_together_is_refused(tmp_path):
    for words, complaint in (
        (["compress.bits=3"], "train.compress.bits|compress.bits"),
        (["compress.bits=4", "compress.group=48"], "no group has 48"),
        (["compress.group=32"], "a group without bits"),
        (["compress.bit=4"], "unknown key compress.bit"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            configs.load(TrainConfig, None, words)
    assert configs.load(TrainConfig, None, ["compress.bits=4"]).compress == CompressConfig(bits=4)
    assert TrainConfig().compress is None
    with pytest.raises(ConfigError, match="begins without zeros"):
        Zeros(decoder(config()))
    with pytest.raises(ConfigError, match="experts"):
        prepare(FOUR, decoder(EVERY["mixtral"]))
    with pytest.raises(ConfigError, match="48 inputs, which groups of 32"):
        prepare(CompressConfig(bits=4, group=32), decoder(config()))


def test_bits_per_byte_of_some_rows_is_that_of_all_where_all_are_taken(tmp_path):
    from codewright.train.score import score, total

    packed = made.packed(tmp_path / "packed", held=9)
    model = Decoder(made.config(), generator=torch.Generator().manual_seed(0))
    whole = total(score(model, packed, pad=made.PAD, precision="float32")).bits_per_byte
    assert sampled(model, packed, rows=99) == pytest.approx(whole)
    assert sampled(model, packed, rows=3) == pytest.approx(whole, rel=0.05)
