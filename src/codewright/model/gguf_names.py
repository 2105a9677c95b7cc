"""Which llama.cpp architecture can run a config, and how it names and arranges the tensors.

llama.cpp names architectures after families: "llama" (also for Mistral and Mixtral), "qwen2",
"qwen3", "starcoder2". Its "llama" pairs neighbouring dimensions for rotary positions where we and
`transformers` pair dimension i with i + K/2, so there the rows of query and key are reordered.
None of the four applies a sliding window.

Legend: D width, E experts, F inner width, H heads, K head dim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from codewright.errors import ConfigError
from codewright.model.config import ModelConfig
from codewright.model.frequencies import frequencies
from codewright.model.interop import to_tensors
from codewright.model.interop_config import Family, family
from codewright.model.transformer import Decoder

_OUTSIDE = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}
_INSIDE = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
    "block_sparse_moe.gate": "ffn_gate_inp",
}
_EXPERT = {"w1": "ffn_gate_exps", "w2": "ffn_down_exps", "w3": "ffn_up_exps"}


def architecture(config: ModelConfig) -> tuple[str, Family]:
    """Returns llama.cpp's architecture for a config, and the family whose names it goes by.

    Raises:
        ConfigError: none computes what the model computes; the message says why.
    """
    name = family(config)
    arch = "llama" if name in ("llama", "mistral", "mixtral") else name
    attention, rotary = config.attention, config.rotary
    window = attention.window
    problems = {
        "it would ignore the sliding window": window is not None and window < config.context,
        "it has all biases": arch == "starcoder2" and not attention.qkv_bias,
        "its heads share the width out between them": arch in ("qwen2", "starcoder2")
        and attention.heads * attention.head_dim != config.width,
        "it has tanh-GELU only": config.feed_forward.activation == "gelu",
        "its attention has no biases": arch == "qwen3" and attention.qkv_bias,
        "it has the llama3 scaling for llama alone": rotary.scaling == "llama3" and arch != "llama",
        "its yarn has other constants": rotary.scaling == "yarn" and not _plain_yarn(config),
    }
    for text, holds in problems.items():
        if holds:
            raise ConfigError(
                f"llama.cpp's {arch} cannot run this model: {text}",
                hint="export it to huggingface instead; docs/export.md lists what has a home",
            )
    return arch, name


def _plain_yarn(config: ModelConfig) -> bool:
    rotary = config.rotary
    constants = (rotary.beta_fast, rotary.beta_slow, rotary.attention_factor, rotary.truncate)
    return constants == (32.0, 1.0, None, True) and rotary.factor >= 1


def tensors(model: Decoder) -> Iterator[tuple[str, Tensor]]:
    """Yields llama.cpp's tensors by name, in the model's dtype."""
    arch, name = architecture(model.config)
    shape = model.config.attention
    experts: dict[str, list[Tensor]] = {}
    for theirs, tensor in to_tensors(model, name).items():
        expert = re.fullmatch(r"model\.layers\.(\d+)\..*\.experts\.\d+\.(w\d)\.weight", theirs)
        if expert is not None:
            key = f"blk.{expert[1]}.{_EXPERT[expert[2]]}.weight"
            experts.setdefault(key, []).append(tensor)
        elif arch == "llama" and ".q_proj." in theirs:
            yield _named(theirs), _interleaved(tensor, shape.heads)
        elif arch == "llama" and ".k_proj." in theirs:
            yield _named(theirs), _interleaved(tensor, shape.kv_heads)
        else:
            yield _named(theirs), tensor
    for key, parts in experts.items():
        yield key, torch.stack(parts)
    if model.config.rotary.scaling == "llama3":
        rotary = model.config.rotary
        plain_J, _ = frequencies(replace(rotary, scaling="none"), shape.head_dim)
        turned_J, _ = frequencies(rotary, shape.head_dim)
        yield "rope_freqs.weight", torch.from_numpy(plain_J / turned_J)


def _named(theirs: str) -> str:
    stem, _, kind = theirs.rpartition(".")
    if stem in _OUTSIDE:
        return f"{_OUTSIDE[stem]}.{kind}"
    _, _, layer, inside = stem.split(".", 3)
    return f"blk.{layer}.{_INSIDE[inside]}.{kind}"


def _interleaved(rows: Tensor, heads: int) -> Tensor:
    """Puts row i + K/2 of each head behind its row i."""
    halves = rows.reshape(heads, 2, -1, *rows.shape[1:])
    return halves.transpose(1, 2).reshape(rows.shape)
