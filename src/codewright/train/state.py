"""Checkpoints of a run: written whole, kept few, and resumed bit for bit.

    checkpoints/step-00000200/
        config.json, model-….safetensors      the model, as model/checkpoint.py writes it
        optimizer-00001.safetensors …         every optimiser's tensors, in float32 as they are
        training.json                         the step, the measures, the optimisers' numbers
        random-0.json …                       random states of each process

A folder appears under its name only once everything in it is on disk. The position in the data is
the step, since a batch is a pure function of it. What is spread over processes is gathered: one
process can go on with what four have written, and the other way round.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.optim import Optimizer

from codewright.errors import DataError
from codewright.files import json_text, read_bytes, write_whole
from codewright.model import checkpoint
from codewright.model.transformer import Decoder
from codewright.train.distributed import World, barrier, spread_like, whole

FORMAT = 1
FILE_BYTES = 16_000_000
TRAINING = "training.json"
_NAME = re.compile(r"step-(\d{8})")
_AGAIN = "remove the folder: the run goes on from the one before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a checkpoint says of its run. held: the held-out loss measured last, in nats."""

    step: int
    tokens: int = 0
    held: float | None = None
    seconds: float = 0.0


def save(
    folder: Path,
    training: Training,
    model: Decoder,
    optimizers: Sequence[Optimizer],
    world: World,
    *,
    tokenizer: Path | None = None,
    file_bytes: int = FILE_BYTES,
) -> Path:
    """Writes the checkpoint of a step into `folder`, and returns its path. All processes call it.

    Raises:
        MachineError: the disk is full, or the folder cannot be written.
    """
    target = folder / f"step-{training.step:08d}"
    parts = folder / f".{target.name}.part"
    states = _random_states(world.device)
    weights = {name: whole(p.detach()) for name, p in model.named_parameters()}
    tensors, numbers = _optimizer_state(model, optimizers)
    if world.leads:
        shutil.rmtree(parts, ignore_errors=True)
        _write_model(parts, model, weights, tokenizer, file_bytes)
    barrier(world)
    write_whole(parts / f"random-{world.rank}.json", json.dumps(states))
    if world.leads:
        for number, pieces in enumerate(_files(tensors, file_bytes), start=1):
            write_whole(parts / f"optimizer-{number:05d}.safetensors", save_tensors(pieces))
        told = {
            "format": FORMAT,
            "step": training.step,
            "tokens": training.tokens,
            "held": training.held,
            "seconds": training.seconds,
            "world": world.size,
            "optimizers": _names(optimizers),
            "numbers": numbers,
            "tensors": len(tensors),
        }
        write_whole(parts / TRAINING, json_text(told))
    barrier(world)
    if world.leads:
        shutil.rmtree(target, ignore_errors=True)
        os.replace(parts, target)
        _sync(folder)
    barrier(world)
    return target


def restore(
    folder: Path, model: Decoder, optimizers: Sequence[Optimizer], world: World
) -> Training:
    """Puts the checkpoint in `folder` into model, optimisers and random generators.

    Raises:
        DataError: it is damaged, or belongs to another model or optimiser.
    """
    told = _told(folder)
    if told["optimizers"] != _names(optimizers):
        raise DataError(
            f"{folder} was trained by {' and '.join(told['optimizers'])}",
            hint="resume with the settings that the run began with",
        )
    saved, _ = checkpoint.load(folder, dtype=torch.float32)
    weights = dict(saved.named_parameters())
    kept = _read_tensors(folder)
    if len(kept) != told["tensors"]:
        raise DataError(f"{folder} lacks a file of the optimiser", hint=_AGAIN)
    names = {id(p): name for name, p in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(spread_like(weights[name].to(world.device), parameter))
    for place, optimizer in enumerate(optimizers):
        _restore_optimizer(optimizer, str(place), names, kept, told["numbers"])
    mine = folder / f"random-{world.rank}.json"
    if mine.is_file():  # absent where more processes go on than wrote
        _set_random_states(json.loads(read_bytes(mine)), world.device)
    return _training(told)


def restore_weights(folder: Path, model: Decoder) -> None:
    """Puts only the weights of a checkpoint into `model`, to begin another run from them."""
    saved, _ = checkpoint.load(folder, dtype=torch.float32)
    model.load_state_dict(saved.state_dict())


def checkpoints(folder: Path) -> list[Path]:
    """Returns the whole checkpoints in `folder`, the oldest first."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def latest(folder: Path) -> Path | None:
    """Returns the newest checkpoint, None where there is none."""
    return next(reversed(checkpoints(folder)), None)


def best(folder: Path) -> Path | None:
    """Returns the checkpoint with the lowest held-out loss, the newest where none was measured."""
    measured = [(held, path) for path in checkpoints(folder) if (held := _held(path)) is not None]
    return min(measured)[1] if measured else latest(folder)


def prune(folder: Path, keep: int) -> None:
    """Removes all checkpoints but the last `keep` and the best, and what a killed run left."""
    for left in folder.glob(".step-*.part"):
        shutil.rmtree(left, ignore_errors=True)
    wanted = {*checkpoints(folder)[-max(keep, 1) :], best(folder)}
    for path in checkpoints(folder):
        if path not in wanted:
            # Renamed first: a half-removed folder must not look like a checkpoint.
            gone = path.with_name(f".{path.name}.part")
            os.replace(path, gone)
            shutil.rmtree(gone, ignore_errors=True)


def _held(path: Path) -> float | None:
    return _training(_told(path)).held


def _told(folder: Path) -> dict[str, Any]:
    path = folder / TRAINING
    try:
        told = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}", hint=_AGAIN) from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise DataError(f"{path} is of another version, or something else", hint=_AGAIN)
    return told


def _training(told: dict[str, Any]) -> Training:
    return Training(**{name: told[name] for name in ("step", "tokens", "held", "seconds")})


def _write_model(
    folder: Path,
    model: Decoder,
    weights: dict[str, Tensor],
    tokenizer: Path | None,
    file_bytes: int,
) -> None:
    # A model that is spread over processes cannot be written as it is: a plain one is filled.
    with torch.device("meta"):
        plain = Decoder(model.config)
    plain.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            parameter.copy_(weights[name])
    checkpoint.save(folder, plain, tokenizer, file_bytes=file_bytes)


def _optimizer_state(
    model: Decoder, optimizers: Sequence[Optimizer]
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Returns the tensors and the plain numbers that the optimisers keep, by place and name."""
    names = {id(p): name for name, p in model.named_parameters()}
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, float] = {}
    for place, optimizer in enumerate(optimizers):
        for parameter, kept in optimizer.state.items():
            for key, value in kept.items():
                name = f"{place}:{names[id(parameter)]}:{key}"
                if isinstance(value, Tensor):
                    tensors[name] = whole(value.detach()).cpu()
                elif value is not None:
                    numbers[name] = value
    return tensors, numbers


def _restore_optimizer(
    optimizer: Optimizer,
    place: str,
    names: dict[int, str],
    tensors: dict[str, Tensor],
    numbers: dict[str, float],
) -> None:
    members = {names[id(p)]: p for group in optimizer.param_groups for p in group["params"]}
    for full, value in (*tensors.items(), *numbers.items()):
        where, name, key = full.split(":")
        if where != place:
            continue
        parameter = members[name]
        if isinstance(value, Tensor):
            # Adam's fused kernels want their step counts where the parameters are.
            value = value.to(parameter.device)
            if value.shape == parameter.shape:
                value = spread_like(value, parameter)
        optimizer.state[parameter][key] = value


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    pieces: dict[str, Tensor] = {}
    for path in sorted(folder.glob("optimizer-*.safetensors")):
        try:
            pieces.update(load_tensors(read_bytes(path)))
        except SafetensorError as error:
            raise DataError(f"{path} is damaged: {error}", hint=_AGAIN) from None
    return _joined(pieces)


def _names(optimizers: Sequence[Optimizer]) -> list[str]:
    return [type(optimizer).__name__ for optimizer in optimizers]


def _files(tensors: dict[str, Tensor], limit: int) -> Iterator[dict[str, Tensor]]:
    """Yields what goes into each file: at most `limit` bytes, large tensors cut by rows."""
    pieces: dict[str, Tensor] = {}
    size = 0
    for name, piece in _cut(tensors, limit):
        if pieces and size + piece.nbytes > limit:
            yield pieces
            pieces, size = {}, 0
        pieces[name] = piece
        size += piece.nbytes
    if pieces:
        yield pieces


def _cut(tensors: dict[str, Tensor], limit: int) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in tensors.items():
        if tensor.ndim == 0:
            yield f"{name}@scalar", tensor.reshape(1)
            continue
        rows = max(1, limit * len(tensor) // max(tensor.nbytes, 1))
        for start in range(0, len(tensor), rows):
            yield f"{name}@{start}", tensor[start : start + rows].clone()


def _joined(pieces: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undoes `_cut`."""
    found: dict[str, list[tuple[int, Tensor]]] = {}
    tensors = {}
    for label, piece in pieces.items():
        name, _, start = label.rpartition("@")
        if start == "scalar":
            tensors[name] = piece.reshape(())
        else:
            found.setdefault(name, []).append((int(start), piece))
    for name, parts in found.items():
        parts.sort(key=lambda part: part[0])
        tensors[name] = torch.cat([piece for _, piece in parts])
    return tensors


def _random_states(device: torch.device) -> dict[str, Any]:
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, internal, gauss_next = random.getstate()
    states: dict[str, Any] = {
        "torch": bytes(torch.get_rng_state().tolist()).hex(),
        "numpy": [kind, [int(key) for key in keys], position, has_gauss, gauss],
        "python": [version, list(internal), gauss_next],
    }
    if device.type == "cuda":
        states["cuda"] = bytes(torch.cuda.get_rng_state(device).tolist()).hex()
    return states


def _set_random_states(states: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(torch.tensor(list(bytes.fromhex(states["torch"])), dtype=torch.uint8))
    kind, keys, position, has_gauss, gauss = states["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), position, has_gauss, gauss))
    version, internal, gauss_next = states["python"]
    random.setstate((version, tuple(internal), gauss_next))
    if device.type == "cuda" and "cuda" in states:
        state = torch.tensor(list(bytes.fromhex(states["cuda"])), dtype=torch.uint8)
        torch.cuda.set_rng_state(state, device)


def _sync(folder: Path) -> None:
    """Makes a rename last through a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
