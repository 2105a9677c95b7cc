"""One GGUF file for llama.cpp: weights, tokenizer and what it must know of the model.

The tokens, their ids and the merges are ours, so token ids mean the same on both sides. How text
is cut into pieces before merging is chosen there by name from a fixed list, and ours is not on
it: `PRE` is the nearest, `_AS_IT_STANDS` mends what can be mended, and docs/export.md says how far
that comes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, LlamaFileType, TokenType
from numpy.typing import NDArray

from codewright.errors import DataError
from codewright.files import cannot_write, read_bytes
from codewright.model.config import ModelConfig
from codewright.model.gguf_names import architecture, tensors
from codewright.model.transformer import Decoder
from codewright.tokens import special
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.chat import TEMPLATE

Weights = Literal["f32", "f16", "bf16", "q8_0"]

PRE = "superbpe"
"""The pre-tokeniser of llama.cpp that cuts code most nearly as ours does: at numbers alone."""

_AS_IT_STANDS = re.compile(r"[\r\n]+[ \t]*| ?[^\s\w]?_*\d", re.ASCII)
"""Tokens that llama.cpp is told to take wherever their text stands, before it cuts and merges: line
breaks with their indent, and digits with what goes before them. Our pieces begin there."""

_KINDS = {
    "f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}
_BLOCK = 32
"""Weights that share a scale in q8_0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `write` wrote."""

    architecture: str
    bytes: int
    max_error: float
    """The largest difference of a weight in the file, read back, from the model's."""


def write(
    path: Path, model: Decoder, tokenizer_path: Path, *, name: str, weights: Weights = "f16"
) -> Written:
    """Writes a GGUF file, whole or not at all, and reads it back.

    Args:
        path: the file.
        model: what is written.
        tokenizer_path: its tokenizer.json.
        name: what llama.cpp calls the model.
        weights: how matrices are stored; vectors are f32, and so are matrices that q8_0 cannot
            hold because their width is no multiple of 32.

    Raises:
        ConfigError: llama.cpp cannot run the model.
        DataError: the tokenizer is broken, or has more tokens than the model.
        MachineError: the file cannot be written.
    """
    arch, _ = architecture(model.config)
    tokenizer = Tokenizer.load(tokenizer_path)
    if tokenizer.vocabulary > model.config.vocabulary:
        raise DataError(
            f"{tokenizer_path} has {tokenizer.vocabulary} tokens, and the model "
            f"{model.config.vocabulary}",
            hint="name the tokenizer that the model was trained with",
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = GGUFWriter(temporary, arch)
        writer.add_name(name)
        writer.add_file_type(_KINDS[weights][1])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _describe(writer, model.config)
        _tokens(writer, tokenizer, tokenizer_path, model.config.vocabulary)
        for key, tensor, kind in _stored(model, weights):
            packed = gguf.quants.quantize(tensor, kind)
            writer.add_tensor(key, packed, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        error = _error(temporary, model, weights)
        _synced(temporary)
        os.replace(temporary, path)
    except OSError as error_:
        raise cannot_write(path, error_) from None
    finally:
        temporary.unlink(missing_ok=True)
    return Written(architecture=arch, bytes=path.stat().st_size, max_error=error)


def read_tensor(reader: GGUFReader, index: int) -> tuple[str, NDArray[np.float32]]:
    """Returns the name and the float32 values of one tensor of a file."""
    tensor = reader.tensors[index]
    shape = tuple(int(size) for size in reversed(tensor.shape))
    return tensor.name, gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)


def _stored(
    model: Decoder, weights: Weights
) -> Iterator[tuple[str, NDArray[np.float32], GGMLQuantizationType]]:
    """Yields each tensor with the form that it is stored in."""
    for key, tensor in tensors(model):
        kind = _KINDS[weights][0]
        odd = kind == GGMLQuantizationType.Q8_0 and tensor.shape[-1] % _BLOCK
        if tensor.dim() == 1 or odd or ".ffn_gate_inp." in key:  # llama.cpp wants that one in f32
            kind = GGMLQuantizationType.F32
        yield key, tensor.to("cpu", torch.float32).contiguous().numpy(), kind


def _error(path: Path, model: Decoder, weights: Weights) -> float:
    """Reads a file back: returns the largest difference of a weight."""
    reader = GGUFReader(path)
    read = dict(read_tensor(reader, index) for index in range(len(reader.tensors)))
    worst = 0.0
    for key, exact, _ in _stored(model, weights):
        assert read[key].shape == exact.shape, key
        worst = max(worst, float(np.abs(read[key] - exact).max()))
    return worst


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _describe(writer: GGUFWriter, config: ModelConfig) -> None:
    attention, rotary = config.attention, config.rotary
    writer.add_vocab_size(config.vocabulary)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.feed_forward.width)
    writer.add_head_count(attention.heads)
    writer.add_head_count_kv(attention.kv_heads)
    writer.add_key_length(attention.head_dim)
    writer.add_value_length(attention.head_dim)
    if config.norm == "layer":
        writer.add_layer_norm_eps(config.norm_eps)
    else:
        writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_rope_dimension_count(attention.head_dim)
    writer.add_rope_freq_base(rotary.base)
    if rotary.scaling in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(rotary.scaling))
        writer.add_rope_scaling_factor(rotary.factor)
    if rotary.scaling == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rotary.original_context)
    if config.experts is not None:
        writer.add_expert_count(config.experts.count)
        writer.add_expert_used_count(config.experts.active)


def _tokens(writer: GGUFWriter, tokenizer: Tokenizer, path: Path, vocabulary: int) -> None:
    model = json.loads(read_bytes(path))["model"]
    names = sorted(model["vocab"], key=model["vocab"].__getitem__)
    kinds = [TokenType.NORMAL] * len(names)
    for token, text in enumerate(special.SPECIAL):
        names[token] = text
        reserved = text.startswith("<|reserved_")
        kinds[token] = TokenType.UNUSED if reserved else TokenType.CONTROL
    for token in range(special.SLOTS, len(names)):
        text = tokenizer.token_bytes(token).decode("utf-8", "replace")
        if _AS_IT_STANDS.fullmatch(text):
            names[token], kinds[token] = text, TokenType.USER_DEFINED
    spare = vocabulary - len(names)  # rows of the embedding that no token has
    names += [f"<|unused_{number}|>" for number in range(spare)]
    kinds += [TokenType.UNUSED] * spare
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE)
    writer.add_token_list(names)
    writer.add_token_types(kinds)
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"])
    known = set(names)
    # What is taken as it stands is never merged.
    writer.add_token_merges([" ".join(pair) for pair in pairs if "".join(pair) in known])
    writer.add_bos_token_id(special.END)
    writer.add_eos_token_id(special.END)
    writer.add_eot_token_id(special.TURN_END)
    writer.add_pad_token_id(special.PAD)
    writer.add_add_bos_token(False)
    for key, token in (
        ("pre", special.PREFIX),
        ("suf", special.SUFFIX),
        ("mid", special.MIDDLE),
        ("pad", special.PAD),
        ("rep", special.REPOSITORY),
        ("sep", special.FILE),
    ):
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", token)
    writer.add_chat_template(TEMPLATE)
