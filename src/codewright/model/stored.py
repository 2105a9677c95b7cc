"""What a checkpoint folder holds, as arrays: read and checked here, built into a network elsewhere.

The folder's form is told in `checkpoint.py`. No torch here, so that a runner without it can read a
model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from codewright.errors import DataError
from codewright.files import read_bytes
from codewright.model.config import ModelConfig
from codewright.model.folder import json_object
from codewright.model.packing import unpack

Storage = Literal["float32", "bfloat16", "int8", "int4"]

FORMAT = "codewright-checkpoint"
VERSION = 1
GROUPED_VERSION = 2
"""What has groups of scales, or four bits, which readers of the first version do not know."""
CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
SHARD = re.compile(r"model-\d{5}\.safetensors")
SCALE = ".scale"
PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".ckpt"})

DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "BF16": np.dtype("<u2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}
"""numpy has no bfloat16: its bits are taken for what they are, sixteen of them."""

Pieces = dict[str, dict[int, NDArray[Any]]]
"""Arrays by the name of the tensor and their first row in it."""


class Stored:
    """The arrays of one checkpoint. Each is taken once."""

    def __init__(self, folder: Path) -> None:
        """Reads the folder.

        Raises:
            DataError: it is no checkpoint, or a file of it is missing or broken.
            ConfigError: the config does not fit.
        """
        content = read_config(folder)
        self.config = ModelConfig.from_dict(content["model"])
        self.storage: Storage = content["storage"]
        self.group: int = content["group"] if content["version"] == GROUPED_VERSION else 0
        self.extra: dict[str, Any] = content["extra"]
        self._folder = folder
        self._pieces = _read_pieces(folder)

    def take(
        self, name: str, shape: tuple[int, ...]
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Returns one tensor in the form in which it is stored, and its scales where it has any.

        float32, or the bits of bfloat16 as uint16, or int8 with float32 scales […, groups]; what
        is stored in four bits comes as int8 too.

        Raises:
            DataError: it is missing, incomplete, or of another shape.
        """
        kinds = {part.dtype for part in self._pieces.get(name, {}).values()}
        four = np.dtype(np.uint8) in kinds
        if four and (self.storage != "int4" or len(shape) < 2 or shape[-1] % 2):
            raise DataError(f"{name} in {self._folder} is in bytes, where no four bits can be")
        if four:
            value = unpack(self._join(name, (*shape[:-1], shape[-1] // 2)))
        else:
            value = self._join(name, shape)
        if value.dtype != np.int8:
            return value, None
        # In a checkpoint of four bits, what stayed in eight has a scale for each row.
        grouped = self.group > 0 and (four or self.storage == "int8")
        if grouped and shape[-1] % self.group:
            raise DataError(f"{name} in {self._folder} has no groups of {self.group}")
        return value, self._scale(name, shape, shape[-1] // self.group if grouped else 1)

    def finish(self) -> None:
        """Says that everything has been taken.

        Raises:
            DataError: something is left.
        """
        if self._pieces:
            left = min(self._pieces)
            raise DataError(f"{self._folder} holds {left}, which its config has no place for")

    def _scale(self, name: str, shape: tuple[int, ...], groups: int) -> NDArray[np.float32]:
        scale = self._join(name + SCALE, (*shape[:-1], groups))
        if scale.dtype not in (np.float32, np.uint16) or len(shape) < 2:
            raise DataError(f"{name} in {self._folder} is int8 without scales of its rows")
        return floats(scale)

    def _join(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        found = self._pieces.pop(name, {})
        rows, parts = 0, []
        kinds = {(part.shape[1:], part.dtype, part.ndim > 0) for part in found.values()}
        if len(kinds) > 1 or not all(there for _, _, there in kinds):
            raise DataError(f"the pieces of {name} in {self._folder} do not go together")
        for first, part in sorted(found.items()):
            if first != rows:
                break
            parts.append(part)
            rows += len(part)
        if len(parts) != len(found) or rows != shape[0]:
            only = f": it has {rows} of its {shape[0]} rows" if found else ""
            raise DataError(
                f"{self._folder} lacks {name}{only}", hint="copy the whole folder again"
            )
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if whole.shape != shape:
            raise DataError(
                f"{name} in {self._folder} is {list(whole.shape)}, "
                f"where its config asks for {list(shape)}"
            )
        return whole


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
    if not _known(content):
        raise DataError(f"{path} was written by another version of codewright", hint="upgrade")
    if not isinstance(content.get("model"), dict) or not isinstance(content.get("extra"), dict):
        raise DataError(f"{path} lacks the model's config")
    return content


def floats(values: NDArray[Any]) -> NDArray[np.float32]:
    """Returns float32 numbers of what is stored as float32 or as the bits of bfloat16."""
    if values.dtype == np.uint16:
        return np.ascontiguousarray((values.astype(np.uint32) << 16).view(np.float32))
    return np.ascontiguousarray(values, dtype=np.float32)


def _known(content: Mapping[str, Any]) -> bool:
    """Tells whether the form of the weights is one of ours."""
    version, storage, group = (content.get(key) for key in ("version", "storage", "group"))
    if version == GROUPED_VERSION:
        return storage in ("int8", "int4") and type(group) is int and group >= 0
    return version == VERSION and storage in get_args(Storage) and storage != "int4"


def _read_pieces(folder: Path) -> Pieces:
    """Returns all pieces by tensor name and first row."""
    weight_map = json_object(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict):
        raise DataError(f"{folder / INDEX} has no weight_map")
    pieces: Pieces = {}
    for file in sorted({str(file) for file in weight_map.values()}):
        if not SHARD.fullmatch(file):
            raise DataError(f"{folder / INDEX} names {file!r}, which is no file of weights")
        path = folder / file
        try:
            opened = deserialize(read_bytes(path))  # type: ignore[no-untyped-call]
        except SafetensorError as error:
            raise DataError(f"{path} is broken: {error}", hint="copy it again") from None
        for key, entry in opened:
            if weight_map.get(key) != file:
                raise DataError(f"{path} holds {key}, which is not in {INDEX}")
            name, _, first = key.partition("@")
            row = int(first) if first.isdecimal() else 0
            pieces.setdefault(name, {})[row] = _array(entry, path, key)
    return pieces


def _array(entry: Mapping[str, Any], path: Path, key: str) -> NDArray[Any]:
    if entry["dtype"] not in DTYPES:
        raise DataError(f"{key} in {path} is {entry['dtype']}, and no checkpoint has that")
    # A copy: what is read from bytes cannot be written to, which torch warns about.
    flat: NDArray[Any] = np.frombuffer(bytearray(entry["data"]), dtype=DTYPES[entry["dtype"]])
    return flat.reshape(entry["shape"])
