"""Checkpoints: a folder with the config, the weights in safetensors, and the tokenizer.

    config.json                    the model's config, how weights are stored, what the caller adds
    model-00001.safetensors …      the weights, each file at most `file_bytes` of them
    model.safetensors.index.json   which file holds which piece
    tokenizer.json                 as it was given

A tensor larger than a file is split by rows; a piece is called NAME@FIRST_ROW. In the forms "int8"
and "int4" a matrix NAME has its scales in NAME.scale, one for each row or each `group` of inputs:
float32, and bfloat16 in four bits, where two weights are a byte. A folder is written whole or not
at all: it is made beside its place and moved there in one step, also over an older checkpoint.
Reading refuses everything that is not safetensors, so that a checkpoint cannot run code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as to_safetensors
from torch import Tensor

from codewright.errors import ConfigError, DataError
from codewright.files import json_text, read_bytes, write_whole
from codewright.model.folder import placed
from codewright.model.packed import PackedLinear
from codewright.model.packing import multiplied, pack
from codewright.model.quantize import INT8, Quantized, Scheme, dequantize, quantize
from codewright.model.stored import (
    CONFIG,
    FORMAT,
    GROUPED_VERSION,
    INDEX,
    SCALE,
    SHARD,
    TOKENIZER,
    VERSION,
    Storage,
    Stored,
)
from codewright.model.transformer import Decoder

FILE_BYTES = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What `save` wrote."""

    files: int
    """Files of weights."""
    bytes: int
    max_error: float
    """The largest difference of a stored weight from the one in the model."""


def save(
    folder: Path,
    model: Decoder,
    tokenizer_path: Path | None = None,
    extra: Mapping[str, Any] | None = None,
    *,
    storage: Storage = "float32",
    group: int = 0,
    quantized: Mapping[str, Quantized] | None = None,
    file_bytes: int = FILE_BYTES,
) -> Saved:
    """Writes a checkpoint to `folder`, whole or not at all.

    Args:
        folder: a new or empty folder, or an older checkpoint, which is replaced.
        model: its parameters may be on any device. Of a compiled model, the module itself: what
            `torch.compile` wraps around it (unlike `Module.compile`) renames the parameters.
        tokenizer_path: a tokenizer.json to keep with it.
        extra: JSON values that `load` gives back.
        storage: the form of the weights.
        group: of int8 and int4, the inputs that share a scale; 0 for a whole row.
        quantized: matrices by name that are rounded already; others are rounded to nearest.
        file_bytes: the most bytes in a file of weights, its header aside.

    Raises:
        ConfigError: a matrix does not divide into such groups.
        DataError: the folder holds other files.
        MachineError: it cannot be written.
    """
    scheme = None if storage in ("float32", "bfloat16") else _scheme(storage, group)
    stored, error = _stored(model, storage, scheme, quantized or {})
    shards = list(_shards(stored, file_bytes))
    with placed(folder, _is_ours) as temporary:
        weight_map = {}
        for number, shard in enumerate(shards, start=1):
            name = f"model-{number:05}.safetensors"
            write_whole(temporary / name, to_safetensors(shard, metadata={"format": "pt"}))
            weight_map.update(dict.fromkeys(shard, name))
        size = sum(piece.nbytes for shard in shards for piece in shard.values())
        index = {"metadata": {"total_size": size}, "weight_map": weight_map}
        write_whole(temporary / INDEX, json_text(index))
        if tokenizer_path is not None:
            write_whole(temporary / TOKENIZER, read_bytes(tokenizer_path))
        head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "storage": storage}
        if scheme not in (None, INT8):
            head |= {"version": GROUPED_VERSION, "group": group}
        content = {**head, "model": model.config.to_dict(), "extra": dict(extra or {})}
        write_whole(temporary / CONFIG, json_text(content))
    return Saved(files=len(shards), bytes=size, max_error=error)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[Decoder, dict[str, Any]]:
    """Reads a checkpoint.

    Args:
        folder: what `save` wrote.
        dtype: of the parameters; weights in few bits are multiplied out.

    Returns:
        The model, on the CPU and in training mode, and `extra`.

    Raises:
        DataError: the folder is no checkpoint, or a file of it is missing, broken, or holds
            other tensors than the config asks for.
        ConfigError: the config does not fit.
    """
    stored = Stored(folder)
    with torch.device("meta"):
        model = Decoder(stored.config)
    _fill(model, stored, dtype)
    return model, stored.extra


def load_packed(folder: Path, dtype: torch.dtype) -> tuple[Decoder, dict[str, Any]]:
    """Reads a checkpoint whose weights are in few bits, and leaves those of linear layers so.

    Raises as `load` does, and gives the same; what the linear layers are is `PackedLinear`.
    """
    stored = Stored(folder)
    if stored.storage not in ("int8", "int4"):
        raise DataError(
            f"the weights in {folder} are {stored.storage}",
            hint="codewright compress makes a checkpoint with weights in int8 or int4",
        )
    with torch.device("meta"):
        model = Decoder(stored.config)
    kept = {}
    for name, part in list(model.layers.named_modules(prefix="layers")):
        if isinstance(part, torch.nn.Linear):
            value, scale = stored.take(f"{name}.weight", tuple(part.weight.shape))
            if scale is None:
                raise DataError(f"{name}.weight in {folder} is not in {stored.storage}")
            small = Quantized(torch.from_numpy(value), torch.from_numpy(scale))
            bias = None
            if part.bias is not None:
                bias = _tensor(*stored.take(f"{name}.bias", tuple(part.bias.shape)))
            bits = 8 if stored.storage == "int8" else 4
            kept[name] = PackedLinear(small, bias, bits=bits, dtype=dtype)
            _put(model, name, torch.nn.Identity())
    _fill(model, stored, dtype)
    for name, linear in kept.items():
        _put(model, name, linear)
    return model, stored.extra


def _fill(model: Decoder, stored: Stored, dtype: torch.dtype) -> None:
    """Reads what parameters of a model on the meta device are left in `stored`."""
    model.to_empty(device="cpu")
    model.to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(_tensor(*stored.take(name, tuple(parameter.shape))))
    stored.finish()


def _put(model: Decoder, name: str, part: torch.nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    model.get_submodule(parent).add_module(leaf, part)


def _is_ours(name: str) -> bool:
    return name in (CONFIG, INDEX, TOKENIZER) or SHARD.fullmatch(name) is not None


def _scheme(storage: Storage, group: int) -> Scheme:
    try:
        return Scheme(bits=4 if storage == "int4" else 8, group=group)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _stored(
    model: Decoder, storage: Storage, scheme: Scheme | None, quantized: Mapping[str, Quantized]
) -> tuple[dict[str, Tensor], float]:
    """Returns the tensors to write, by name, and the largest error of their form."""
    stored: dict[str, Tensor] = {}
    error = 0.0
    for name, parameter in model.named_parameters():
        assert not name.startswith("_orig_mod."), "save the module that was compiled"
        exact = parameter.detach().cpu().contiguous()
        if scheme is not None and exact.dim() > 1:
            form = scheme.of(name)
            form.check(name, exact.shape[-1])
            small = quantized.get(name) or quantize(exact, form)
            stored[name], stored[name + SCALE] = _in_bytes(small, form)
            read = dequantize(*small)
        else:
            read = exact.to(torch.bfloat16 if storage == "bfloat16" else torch.float32)
            stored[name] = read
        if exact.numel():
            error = max(error, (read.float() - exact.float()).abs().max().item())
    return stored, error


def _in_bytes(small: Quantized, form: Scheme) -> tuple[Tensor, Tensor]:
    """Returns numbers and scales as they are written."""
    if form.bits == 8:
        return small.value, small.scale
    short = small.scale.to(torch.bfloat16)
    assert torch.equal(short.float(), small.scale), "scales of four bits are bfloat16"
    return torch.from_numpy(pack(small.value.numpy())), short


def _shards(tensors: Mapping[str, Tensor], limit: int) -> Iterator[dict[str, Tensor]]:
    """Yields files' contents in order, each at most `limit` bytes, but at least one row."""
    shard: dict[str, Tensor] = {}
    size = 0
    for name, tensor in tensors.items():
        for key, piece in _pieces(name, tensor, limit):
            if shard and size + piece.nbytes > limit:
                yield shard
                shard, size = {}, 0
            shard[key] = piece
            size += piece.nbytes
    yield shard


def _pieces(name: str, tensor: Tensor, limit: int) -> Iterator[tuple[str, Tensor]]:
    rows = len(tensor)
    step = max(1, limit * rows // tensor.nbytes)
    if step >= rows:
        yield name, tensor
        return
    for first in range(0, rows, step):
        yield f"{name}@{first}", tensor[first : first + step]


def _tensor(value: NDArray[Any], scale: NDArray[np.float32] | None) -> Tensor:
    """Returns what was stored as a tensor, multiplied out where it has scales."""
    if scale is not None:
        return torch.from_numpy(multiplied(value, scale))
    if value.dtype == np.uint16:
        return torch.from_numpy(value).view(torch.bfloat16)
    return torch.from_numpy(value)
