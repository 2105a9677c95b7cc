"""Pruning: what is left is what the whole computes with zeros, and what goes matters least."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from codewright.errors import ConfigError
from codewright.model import checkpoint
from codewright.model.gptq import gptq
from codewright.model.prune import Importance, Keep, importance, prune
from codewright.model.quantize import Scheme
from codewright.model.sparse import Sparsity, kept, sparsify
from tests.model.shapes import EVERY, config, decoder, tokens

CASES = ["multi-head, untied", "qwen2", "qwen3", "starcoder2", "all biases", "exact gelu"]


def made_up(model, seed: int) -> Importance:
    random, shape = torch.Generator().manual_seed(seed), model.config
    return Importance(
        heads_LG=torch.rand(shape.layers, shape.attention.kv_heads, generator=random),
        inner_LF=torch.rand(shape.layers, shape.feed_forward.width, generator=random),
        layers_L=torch.rand(shape.layers, generator=random),
    )


def zeroed(model, keep: Keep, worth: Importance):
    """Makes the columns zero by which what goes would be heard, and lets layers do nothing."""
    shape = model.config
    size = shape.attention.heads // shape.attention.kv_heads * shape.attention.head_dim
    for place, layer in enumerate(model.layers):
        heads = worth.heads_LG[place].argsort(descending=True)[keep.heads or 99 :]
        inner = worth.inner_LF[place].argsort(descending=True)[keep.inner or 999 :]
        with torch.no_grad():
            for head in heads:
                layer.attention.out.weight[:, head * size : (head + 1) * size] = 0
            layer.feed_forward.down.weight[:, inner] = 0
            if place in worth.layers_L.argsort(descending=True)[keep.layers or 99 :]:
                for part in (layer.attention.out, layer.feed_forward.down):
                    for parameter in part.parameters():
                        parameter.zero_()
    return model


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=6)
@given(st.integers(0, 2), st.sampled_from([0, 1, 17, 48]), st.integers(0, 3), st.integers(0, 99))
def test_what_is_left_is_the_whole_with_zeros(case, heads, inner, layers, seed):
    model = decoder(EVERY[case])
    keep = Keep(heads=heads, inner=inner, layers=layers)
    worth = made_up(model, seed)
    ids = tokens(model.config, 2, 30)
    smaller = prune(model, keep, worth)
    assert smaller.config.parameters() == sum(each.numel() for each in smaller.parameters())
    with torch.no_grad():
        wanted = zeroed(model, keep, worth)(ids).hidden_BTD
        torch.testing.assert_close(smaller(ids).hidden_BTD, wanted, atol=2e-4, rtol=1e-4)


def test_windows_stay_with_their_layers_and_a_smaller_model_is_stored(tmp_path):
    model = decoder(EVERY["qwen2"])  # a window of 7 from layer 1 on
    worth = made_up(model, 0)
    for gone, windows in ((0, [7, 7]), (2, [None, 7])):
        order = torch.ones(3)
        order[gone] = 0
        worth = Importance(heads_LG=worth.heads_LG, inner_LF=worth.inner_LF, layers_L=order)
        smaller = prune(model, Keep(layers=2, inner=16), worth)
        assert [smaller.config.window(layer) for layer in range(2)] == windows
        checkpoint.save(tmp_path / str(gone), smaller, storage="int4", group=16)
        read, _ = checkpoint.load(tmp_path / str(gone))
        assert read.config == smaller.config


@pytest.mark.parametrize("case", ["qwen2", "starcoder2"])
def test_importance_is_the_first_order_change_of_the_loss(case):
    """Against gates on heads and channels, one token's loss and one structure at a time."""
    model, ids = decoder(EVERY[case]), tokens(config(), 2, 12)
    worth = importance(model, ids)
    shape = model.config
    for place in range(shape.layers):
        layer = model.layers[place]
        for part, table in (
            (layer.attention.out, worth.heads_LG),
            (layer.feed_forward.down, worth.inner_LF),
        ):
            count = table.shape[1]
            total = torch.zeros(count)
            for row in ids:
                gates = torch.ones(len(row) - 1, count, requires_grad=True)

                def gated(part, given, gates=gates):
                    x = given[0]
                    return (x * gates.repeat_interleave(x.shape[-1] // gates.shape[1], 1),)

                hook = part.register_forward_pre_hook(gated)
                logits = model.logits(model(row[None, :-1]).hidden_BTD)[0]
                hook.remove()
                loss = F.cross_entropy(logits, row[1:], reduction="sum")
                total += torch.autograd.grad(loss, gates)[0].abs().sum(0)
            torch.testing.assert_close(table[place], total, atol=1e-3, rtol=1e-3)
    assert (worth.layers_L > 0).all()
    with torch.no_grad():  # a layer that does nothing turns nothing
        for part in (model.layers[1].attention.out, model.layers[1].feed_forward.down):
            for parameter in part.parameters():
                parameter.zero_()
    assert importance(model, ids).layers_L[1].abs() < 1e-5
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_cannot_be_pruned_is_said():
    model = decoder(config())
    worth = made_up(model, 0)
    for keep, complaint in (
        (Keep(heads=3), "heads 3 cannot stay: there are 2"),
        (Keep(inner=49), "inner 49"),
        (Keep(layers=9), "layers 9"),
        (Keep(inner=-1), "inner -1"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            prune(model, keep, worth)
    mixtral = decoder(EVERY["mixtral"])
    with pytest.raises(ConfigError, match="experts"):
        importance(mixtral, tokens(mixtral.config, 1, 8))


@given(st.integers(0, 999), st.sampled_from([(1, 4), (2, 4), (3, 4), (1, 2), (4, 8)]))
def test_of_every_few_the_largest_stay(seed, pattern):
    score = torch.rand(6, 48, generator=torch.Generator().manual_seed(seed))
    keep, of = pattern
    mask = kept(score, Sparsity(keep=keep, of=of), rows=True)
    groups, scores = mask.reshape(-1, of), score.reshape(-1, of)
    assert (groups.sum(1) == keep).all()
    lowest = torch.where(groups == 1, scores, 9).amin(1)
    assert (lowest >= torch.where(groups == 0, scores, -1).amax(1)).all()


@given(st.integers(0, 999), st.floats(0.01, 0.99))
def test_a_share_is_of_each_row_or_of_the_matrix(seed, share):
    score = torch.rand(6, 48, generator=torch.Generator().manual_seed(seed))
    by_row = kept(score, Sparsity(share=share), rows=True)
    assert ((by_row == 0).sum(1) == round(share * 48)).all()
    whole = kept(score, Sparsity(share=share), rows=False)
    assert (whole == 0).sum() == round(share * 288)
    if 0 < whole.sum() < 288:
        assert score[whole == 1].min() >= score[whole == 0].max()


def test_wanda_sees_inputs_and_magnitude_does_not():
    """A small weight on a large input stays by one and goes by the other."""
    off = {}
    for by in ("magnitude", "wanda"):
        model, exact = decoder(config()), decoder(config())
        for each in (model, exact):
            with torch.no_grad():
                each.layers[0].attention_norm.weight[::4] *= 30
        ids = tokens(model.config, 16, 50)
        share = sparsify(model, Sparsity(keep=2, of=4), by, ids)
        assert share == 0.5
        with torch.no_grad():
            off[by] = (model(ids).hidden_BTD - exact(ids).hidden_BTD).square().mean()
        weight = model.layers[0].attention.qkv.weight
        gram = torch.eye(weight.shape[1])
        small = gptq(weight.detach(), gram, Scheme(bits=4, group=16))
        assert (small.value[weight == 0] == 0).all()
        if by == "wanda":
            assert (weight.reshape(-1, 4)[:, 0] != 0).float().mean() > 0.9
    assert off["wanda"] < off["magnitude"]


def test_a_sparsity_is_read():
    assert Sparsity.parse("0.5") == Sparsity(share=0.5)
    assert Sparsity.parse("2:4") == Sparsity(keep=2, of=4)
    for wrong in ("", "1.5", "0.0", "4:2", "0:4", "4:4", "2:", "half", "-0.5", "0.5:1", "1e-1"):
        with pytest.raises(ConfigError, match="says nothing"):
            Sparsity.parse(wrong)
    with pytest.raises(ConfigError, match="no multiple of 7"):
        sparsify(decoder(config()), Sparsity(keep=1, of=7), "magnitude")
