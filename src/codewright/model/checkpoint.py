"""Checkpoints: a folder with the config, the weights in safetensors, and the tokenizer.

    config.json                    the model's config, how weights are stored, what the caller adds
    model-00001.safetensors …      the weights, each file at most `file_bytes` of them
    model.safetensors.index.json   which file holds which piece
    tokenizer.json                 as it was given

A tensor larger than a file is split by rows; a piece is called NAME@FIRST_ROW. In the form
"int8" a matrix NAME has its scales in NAME.scale. A folder is written whole or not at all: it is
made beside its place and moved there in one step, also over an older checkpoint. Reading refuses
everything that is not safetensors, so that a checkpoint cannot run code.
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

from codewright.files import json_text, read_bytes, write_whole
from codewright.model.folder import placed
from codewright.model.quantize import dequantize, quantize
from codewright.model.stored import (
    CONFIG,
    FORMAT,
    INDEX,
    SCALE,
    SHARD,
    TOKENIZER,
    VERSION,
    Storage,
    Stored,
)
from codewright.model.transformer import Decoder


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
    file_bytes: int = 16_000_000,
) -> Saved:
    """Writes a checkpoint to `folder`, whole or not at all.

    Args:
        folder: a new or empty folder, or an older checkpoint, which is replaced.
        model: its parameters may be on any device. Of a compiled model, the module itself: what
            `torch.compile` wraps around it (unlike `Module.compile`) renames the parameters.
        tokenizer_path: a tokenizer.json to keep with it.
        extra: JSON values that `load` gives back.
        storage: the form of the weights.
        file_bytes: the most bytes in a file of weights, its header aside.

    Raises:
        DataError: the folder holds other files.
        MachineError: it cannot be written.
    """
    stored, error = _stored(model, storage)
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
        head = {"format": FORMAT, "version": VERSION, "storage": storage}
        content = {**head, "model": model.config.to_dict(), "extra": dict(extra or {})}
        write_whole(temporary / CONFIG, json_text(content))
    return Saved(files=len(shards), bytes=size, max_error=error)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[Decoder, dict[str, Any]]:
    """Reads a checkpoint.

    Args:
        folder: what `save` wrote.
        dtype: of the parameters; int8 weights are multiplied out.

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
    model.to_empty(device="cpu")
    model.to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(_tensor(*stored.take(name, tuple(parameter.shape))))
    stored.finish()
    return model, stored.extra


def _is_ours(name: str) -> bool:
    return name in (CONFIG, INDEX, TOKENIZER) or SHARD.fullmatch(name) is not None


def _stored(model: Decoder, storage: Storage) -> tuple[dict[str, Tensor], float]:
    """Returns the tensors to write, by name, and the largest error of their form."""
    stored: dict[str, Tensor] = {}
    error = 0.0
    for name, parameter in model.named_parameters():
        assert not name.startswith("_orig_mod."), "save the module that was compiled"
        exact = parameter.detach().cpu().contiguous()
        if storage == "int8" and exact.dim() > 1:
            value, scale = quantize(exact)
            stored[name], stored[name + SCALE] = value, scale
            read = dequantize(value, scale)
        else:
            read = exact.to(torch.bfloat16 if storage == "bfloat16" else torch.float32)
            stored[name] = read
        if exact.numel():
            error = max(error, (read.float() - exact.float()).abs().max().item())
    return stored, error


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
    """Returns what was stored as a tensor, multiplied out where it has a scale."""
    if scale is not None:
        return dequantize(torch.from_numpy(value), torch.from_numpy(scale))
    if value.dtype == np.uint16:
        return torch.from_numpy(value).view(torch.bfloat16)
    return torch.from_numpy(value)
