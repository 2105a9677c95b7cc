"""A smaller model of a larger one: heads with their queries, inner channels and layers go.

What goes is what matters least on calibration text. For heads and channels that is the first-order
change of the loss if their output a were zero, Σ_tokens |Σ_i a_i · ∂L/∂a_i| over the numbers i of
the structure (Michel et al. 2019, "Are Sixteen Heads Really Better than One?", equation 2; for
channels Molchanov et al. 2019, with i a single one). For layers it is how far they turn the
residual stream, 1 - mean cos(x_in, x_out) (block influence: Men et al. 2024, "ShortGPT").

Every layer keeps the same number of heads and channels, since a config has one number for all;
which ones is each layer's own. What is left computes what the whole would with those weights zero.
Nothing is trained here.

Legend: L layers, G key heads, F inner channels, B rows, T tokens, V vocabulary, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle

from codewright.errors import ConfigError
from codewright.model.config import ModelConfig
from codewright.model.feed_forward import FeedForward
from codewright.model.transformer import Decoder, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What stays; 0 for all. heads: of keys and values, each with its queries."""

    heads: int = 0
    inner: int = 0
    layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """What each structure is worth; larger is more."""

    heads_LG: Tensor
    inner_LF: Tensor
    layers_L: Tensor


def importance(
    model: Decoder, ids_BT: Tensor, *, advance: Callable[[], None] | None = None
) -> Importance:
    """Measures on rows of text; `advance` is called after each row.

    Raises:
        ConfigError: the model has experts.
    """
    config = model.config
    if config.experts is not None:
        raise ConfigError("a model with experts cannot be pruned by structure")
    heads_LG = torch.zeros(config.layers, config.attention.kv_heads)
    inner_LF = torch.zeros(config.layers, config.feed_forward.width)
    turned_L = torch.zeros(config.layers)
    hooks: list[RemovableHandle] = []
    for place, layer in enumerate(model.layers):
        assert isinstance(layer, Layer)
        assert isinstance(layer.feed_forward, FeedForward)
        hooks += [
            layer.attention.out.register_forward_pre_hook(partial(_weigh, heads_LG[place])),
            layer.feed_forward.down.register_forward_pre_hook(partial(_weigh, inner_LF[place])),
            layer.register_forward_hook(partial(_turn, turned_L[place])),
        ]
    tokens = 0
    try:
        with torch.enable_grad():
            for row_T in ids_BT:
                logits_TV = model.logits(model(row_T[None, :-1]).hidden_BTD)[0]
                loss = F.cross_entropy(logits_TV.float(), row_T[1:], reduction="sum")
                # Of one parameter, so that gradients pass and none is kept.
                torch.autograd.grad(loss, [model.embedding.weight])
                tokens += len(row_T) - 1
                if advance is not None:
                    advance()
    finally:
        for hook in hooks:
            hook.remove()
    return Importance(heads_LG=heads_LG, inner_LF=inner_LF, layers_L=turned_L / tokens)


def prune(model: Decoder, keep: Keep, worth: Importance) -> Decoder:
    """Returns a model of what is worth most.

    Raises:
        ConfigError: more is to stay than there is.
    """
    layers = _best(worth.layers_L, keep.layers or model.config.layers)
    smaller = Decoder(shape(model.config, keep, layers))
    with torch.no_grad():
        for name, parameter in smaller.named_parameters():
            if not name.startswith("layers."):
                parameter.copy_(model.get_parameter(name))
                continue
            _, new, inside = name.split(".", 2)
            old = layers[int(new)]
            heads = _best(worth.heads_LG[old], keep.heads or len(worth.heads_LG[old]))
            inner = _best(worth.inner_LF[old], keep.inner or len(worth.inner_LF[old]))
            whole = model.get_parameter(f"layers.{old}.{inside}")
            parameter.copy_(_part(model.config, inside, whole, heads, inner))
    return smaller.train(model.training)


def shape(config: ModelConfig, keep: Keep, layers: list[int]) -> ModelConfig:
    """Returns the config of what is left, with `layers` those that stay.

    Raises:
        ConfigError: more is to stay than there is, or nothing.
    """
    attention, inner = config.attention, config.feed_forward
    for name, wanted, there in (
        ("heads", keep.heads, attention.kv_heads),
        ("inner", keep.inner, inner.width),
        ("layers", keep.layers, config.layers),
    ):
        if not 0 <= wanted <= there:
            raise ConfigError(
                f"{name} {wanted} cannot stay: there are {there}", hint=f"1 to {there}"
            )
    each, heads = attention.heads // attention.kv_heads, keep.heads or attention.kv_heads
    before = sum(layer < attention.window_from for layer in layers)
    return replace(
        config,
        layers=len(layers),
        attention=replace(attention, heads=heads * each, kv_heads=heads, window_from=before),
        feed_forward=replace(inner, width=keep.inner or inner.width),
    )


def _part(
    config: ModelConfig, inside: str, whole: Tensor, heads: list[int], inner: list[int]
) -> Tensor:
    """Returns the rows or columns of a layer's parameter that stay."""
    attention, width = config.attention, config.feed_forward.width
    each = attention.heads // attention.kv_heads * attention.head_dim
    queries = _spans(heads, each)
    module = inside.rpartition(".")[0]
    if module == "attention.qkv":
        keys, first = _spans(heads, attention.head_dim), attention.heads * attention.head_dim
        second = first + attention.kv_heads * attention.head_dim
        return whole[torch.cat((queries, first + keys, second + keys))]
    if module == "feed_forward.up":
        rows = torch.tensor(inner)
        gated = config.feed_forward.activation == "swiglu"
        return whole[torch.cat((rows, width + rows)) if gated else rows]
    if inside == "attention.out.weight":
        return whole[:, queries]
    if inside == "feed_forward.down.weight":
        return whole[:, torch.tensor(inner)]
    return whole


def _spans(places: list[int], size: int) -> Tensor:
    """Returns the indices of blocks of `size` at these places."""
    return (torch.tensor(places)[:, None] * size + torch.arange(size)).flatten()


def _best(worth: Tensor, count: int) -> list[int]:
    """Returns the places of the largest, in their order; of equals the first."""
    chosen: list[int] = worth.argsort(descending=True, stable=True)[:count].sort()[0].tolist()
    return chosen


def _weigh(sums: Tensor, part: torch.nn.Module, given: tuple[Any, ...]) -> None:
    """Adds |Σ a · ∂L/∂a| of a layer's inputs to `sums`, when the gradient comes."""
    x_BTD = given[0]
    kept_BTD = x_BTD.detach()

    def add(gradient_BTD: Tensor) -> None:
        change = (kept_BTD * gradient_BTD).reshape(-1, len(sums), x_BTD.shape[-1] // len(sums))
        sums.add_(change.sum(-1).abs().sum(0))

    x_BTD.register_hook(add)


def _turn(sum_: Tensor, part: torch.nn.Module, given: tuple[Any, ...], out: Any) -> None:
    """Adds 1 - cos of what went in and came out, of every token."""
    cosine_BT = F.cosine_similarity(given[0].detach(), out[0].detach(), dim=-1)
    sum_.add_((1 - cosine_BT).sum())
