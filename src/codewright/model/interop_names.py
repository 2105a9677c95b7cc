"""Where each of our tensors lies among a Hugging Face family's.

Ours are fused where one product is faster than three, so a tensor of theirs is a slice of one of
ours. Matrices are [output, input] on both sides.

Legend: D width, E experts, F inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from codewright.model.config import ModelConfig
from codewright.model.interop_config import Family

Index = tuple[int | slice, ...]


class Place(NamedTuple):
    """Their tensor `theirs` is `ours[part]`."""

    ours: str
    theirs: str
    part: Index


def places(config: ModelConfig, name: Family) -> Iterator[Place]:
    """Yields every tensor of a family, in the order of its layers."""
    norms = ("weight", "bias") if config.norm == "layer" else ("weight",)
    yield Place("embedding.weight", "model.embed_tokens.weight", ())
    for layer in range(config.layers):
        ours, theirs = f"layers.{layer}", f"model.layers.{layer}"
        for kind in norms:
            yield Place(f"{ours}.attention_norm.{kind}", f"{theirs}.input_layernorm.{kind}", ())
        yield from _attention(config, f"{ours}.attention", f"{theirs}.self_attn")
        for kind in norms:
            place = f"{theirs}.post_attention_layernorm.{kind}"
            yield Place(f"{ours}.feed_forward_norm.{kind}", place, ())
        if config.experts is not None:
            yield from _experts(config, f"{ours}.feed_forward", f"{theirs}.block_sparse_moe")
        else:
            yield from _feed_forward(config, f"{ours}.feed_forward", f"{theirs}.mlp")
    for kind in norms:
        yield Place(f"norm.{kind}", f"model.norm.{kind}", ())
    if not config.tied:
        yield Place("head.weight", "lm_head.weight", ())


def _attention(config: ModelConfig, ours: str, theirs: str) -> Iterator[Place]:
    shape = config.attention
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    for kind in ("weight", "bias") if shape.qkv_bias else ("weight",):
        start = 0
        for letter, rows in (("q", query), ("k", key), ("v", key)):
            index = (slice(start, start + rows),)
            yield Place(f"{ours}.qkv.{kind}", f"{theirs}.{letter}_proj.{kind}", index)
            start += rows
    for kind in ("weight", "bias") if shape.out_bias else ("weight",):
        yield Place(f"{ours}.out.{kind}", f"{theirs}.o_proj.{kind}", ())
    if shape.qk_norm:
        for letter in ("q", "k"):
            yield Place(f"{ours}.{letter}_norm.weight", f"{theirs}.{letter}_norm.weight", ())


def _feed_forward(config: ModelConfig, ours: str, theirs: str) -> Iterator[Place]:
    inner = config.feed_forward.width
    gated = config.feed_forward.activation == "swiglu"
    for kind in ("weight", "bias") if config.feed_forward.bias else ("weight",):
        if gated:
            gate, value = (slice(0, inner),), (slice(inner, 2 * inner),)
            yield Place(f"{ours}.up.{kind}", f"{theirs}.gate_proj.{kind}", gate)
            yield Place(f"{ours}.up.{kind}", f"{theirs}.up_proj.{kind}", value)
        else:
            yield Place(f"{ours}.up.{kind}", f"{theirs}.c_fc.{kind}", ())
        down = "down_proj" if gated else "c_proj"
        yield Place(f"{ours}.down.{kind}", f"{theirs}.{down}.{kind}", ())


def _experts(config: ModelConfig, ours: str, theirs: str) -> Iterator[Place]:
    assert config.experts is not None
    inner = config.feed_forward.width
    yield Place(f"{ours}.gate.weight", f"{theirs}.gate.weight", ())
    for expert in range(config.experts.count):
        place = f"{theirs}.experts.{expert}"
        yield Place(f"{ours}.up_EFD", f"{place}.w1.weight", (expert, slice(0, inner)))
        yield Place(f"{ours}.up_EFD", f"{place}.w3.weight", (expert, slice(inner, 2 * inner)))
        yield Place(f"{ours}.down_EDF", f"{place}.w2.weight", (expert,))


def unfuse(name: str) -> str | None:
    """Returns ours for a fused expert tensor of transformers 5, whose shape it has; else None."""
    for theirs, ours in (
        (".mlp.experts.gate_up_proj", ".feed_forward.up_EFD"),
        (".mlp.experts.down_proj", ".feed_forward.down_EDF"),
        (".mlp.gate.weight", ".feed_forward.gate.weight"),
    ):
        if name.endswith(theirs):
            return name.removesuffix(theirs).removeprefix("model.") + ours
    return None
