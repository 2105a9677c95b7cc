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

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from codewright.errors import DataError
from codewright.files import json_text, read_bytes, reading, write_whole
from codewright.model.config import ModelConfig
from codewright.model.folder import json_object, placed
from codewright.model.quantize import dequantize, quantize
from codewright.model.transformer import Decoder

Storage = Literal["float32", "bfloat16", "int8"]

FORMAT = "codewright-checkpoint"
VERSION = 1
CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
SHARD = re.compile(r"model-\d{5}\.safetensors")
SCALE = ".scale"
PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".ckpt"})


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
    content = read_config(folder)
    config = ModelConfig.from_dict(content["model"])
    with torch.device("meta"):
        model = Decoder(config)
    pieces = _read_pieces(folder)
    model.to_empty(device="cpu")
    model.to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(_take(pieces, name, tuple(parameter.shape), folder))
    if pieces:
        raise DataError(f"{folder} holds {min(pieces)}, which its config has no place for")
    return model, content["extra"]


def read_config(folder: Path) -> dict[str, Any]:
    """Returns what config.json of a checkpoint says, checked but for the model's config.

    Raises:
        DataError: the folder is no checkpoint of ours.
    """
    path = folder / CONFIG
    if not path.is_file():
        hint = "a checkpoint is a folder with a config.json, as train writes it"
        for found in sorted(folder.iterdir()) if folder.is_dir() else ():
            if found.suffix in PICKLES:
                hint = f"{found.name} is a pickle, which runs what it reads: use safetensors"
        raise DataError(f"{folder} is no checkpoint", hint=hint)
    content = json_object(path)
    if content.get("format") != FORMAT:
        hint = ""
        if "model_type" in content:
            hint = "it looks like a Hugging Face folder, which is imported first"
        raise DataError(f"{path} is not of a codewright checkpoint", hint=hint)
    if content.get("version") != VERSION or content.get("storage") not in get_args(Storage):
        raise DataError(f"{path} was written by another version of codewright", hint="upgrade")
    if not isinstance(content.get("model"), dict) or not isinstance(content.get("extra"), dict):
        raise DataError(f"{path} lacks the model's config")
    return content


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


def _read_pieces(folder: Path) -> dict[str, dict[int, Tensor]]:
    """Returns all pieces by tensor name and first row."""
    weight_map = json_object(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict):
        raise DataError(f"{folder / INDEX} has no weight_map")
    pieces: dict[str, dict[int, Tensor]] = {}
    for file in sorted({str(file) for file in weight_map.values()}):
        if not SHARD.fullmatch(file):
            raise DataError(f"{folder / INDEX} names {file!r}, which is no file of weights")
        path = folder / file
        with reading(path):
            path.open("rb").close()
        try:
            with safe_open(path, framework="pt") as opened:
                for key in opened.keys():  # noqa: SIM118
                    if weight_map.get(key) != file:
                        raise DataError(f"{path} holds {key}, which is not in {INDEX}")
                    name, _, first = key.partition("@")
                    row = int(first) if first.isdecimal() else 0
                    pieces.setdefault(name, {})[row] = opened.get_tensor(key)
        except SafetensorError as error:
            raise DataError(f"{path} is broken: {error}", hint="copy it again") from None
    return pieces


def _take(
    pieces: dict[str, dict[int, Tensor]], name: str, shape: tuple[int, ...], folder: Path
) -> Tensor:
    """Removes one tensor from `pieces` and returns it joined and multiplied out."""
    value = _join(pieces, name, shape, folder)
    if value.dtype == torch.int8:
        value = dequantize(value, _join(pieces, name + SCALE, (*shape[:-1], 1), folder))
    return value


def _join(
    pieces: dict[str, dict[int, Tensor]], name: str, shape: tuple[int, ...], folder: Path
) -> Tensor:
    found = pieces.pop(name, {})
    rows, parts = 0, []
    for first, part in sorted(found.items()):
        if first != rows:
            break
        parts.append(part)
        rows += len(part)
    if len(parts) != len(found) or rows != shape[0]:
        raise DataError(
            f"{folder} lacks {name}" + (f": it has {rows} of its {shape[0]} rows" if found else ""),
            hint="copy the whole folder again",
        )
    whole = parts[0] if len(parts) == 1 else torch.cat(parts)
    if tuple(whole.shape) != shape:
        raise DataError(
            f"{name} in {folder} is {list(whole.shape)}, where its config asks for {list(shape)}"
        )
    return whole
