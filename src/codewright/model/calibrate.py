"""What a model's layers meet on real text, layer by layer, for those that make its weights smaller.

`walk` shows each linear layer with H = Σ x xᵀ over the inputs x that it met. What a visitor does to
a weight reaches the layers behind it, as in GPTQ: they make up for the errors that came in. The
layers of one block are shown together, with the inputs that they had before any of them was
changed.

Legend: B rows of text, T tokens, D width, I inputs of a layer, R outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from codewright.errors import ConfigError
from codewright.model.gptq import gptq
from codewright.model.quantize import Quantized, Scheme, dequantize, quantize
from codewright.model.transformer import Decoder

Method = Literal["rtn", "gptq"]
Visit = Callable[[str, nn.Linear, Tensor], None]
"""`visit(name, layer, gram_II)`: may change the weight in place."""
BATCH = 4
"""Rows that go through a layer at once."""


@torch.no_grad()
def walk(
    model: Decoder, ids_BT: Tensor, visit: Visit, *, advance: Callable[[], None] | None = None
) -> None:
    """Visits the linear layers in the order in which text passes them.

    Args:
        model: float32, on the CPU; nothing of it is changed here.
        ids_BT: rows of text to calibrate on.
        advance: called when a layer of the decoder is done.

    Raises:
        ConfigError: the model has experts, whose inputs nobody can see.
    """
    if model.config.experts is not None:
        raise ConfigError(
            "experts cannot be calibrated", hint="method rtn and magnitude need no calibration"
        )
    rotation = model.rotary(ids_BT.shape[1])
    streams = [model.embedding(part) for part in torch.split(ids_BT, BATCH)]
    for place, layer in enumerate(model.layers):
        prefix = f"layers.{place}"
        linear = {
            name: part
            for name, part in layer.named_modules(prefix=prefix)
            if isinstance(part, nn.Linear)
        }
        grams = {
            name: torch.zeros(part.in_features, part.in_features) for name, part in linear.items()
        }
        hooks = [
            part.register_forward_pre_hook(partial(_add, grams[name]))
            for name, part in linear.items()
        ]
        try:
            for x_BTD in streams:
                layer(x_BTD, rotation, None)
        finally:
            for hook in hooks:
                hook.remove()
        for name, part in linear.items():
            visit(f"{name}.weight", part, grams[name])
        streams = [layer(x_BTD, rotation, None)[0] for x_BTD in streams]
        if advance is not None:
            advance()


def in_few_bits(
    model: Decoder,
    scheme: Scheme,
    method: Method,
    ids_BT: Tensor | None = None,
    *,
    advance: Callable[[], None] | None = None,
) -> dict[str, Quantized]:
    """Rounds the linear layers of a model, in place, and returns their numbers by name.

    Args:
        ids_BT: rows of text, which `gptq` needs.

    Raises:
        ConfigError: a matrix does not divide into such groups, or cannot be calibrated.
    """
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            scheme.of(name).check(name, parameter.shape[-1])
    found: dict[str, Quantized] = {}

    def visit(name: str, part: nn.Linear, gram_II: Tensor) -> None:
        found[name] = gptq(part.weight, gram_II, scheme)
        part.weight.copy_(dequantize(*found[name]))

    if method == "gptq":
        assert ids_BT is not None, "gptq needs text"
        walk(model, ids_BT, visit, advance=advance)
        return found
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 and name.startswith("layers."):
                found[name] = quantize(parameter, scheme)
                parameter.copy_(dequantize(*found[name]))
    return found


def _add(gram_II: Tensor, part: nn.Module, given: tuple[Any, ...]) -> None:
    x_NI = given[0].reshape(-1, gram_II.shape[0])
    gram_II.addmm_(x_NI.T, x_NI)
