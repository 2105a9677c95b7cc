"""From a checkpoint and settings to what runs it: C on the CPU, or torch."""

from __future__ import annotations

import os
from pathlib import Path

from codewright import console
from codewright.engine import library
from codewright.engine.native import NativeRunner, unfit
from codewright.engine.runner import BLOCK, Runner
from codewright.errors import ConfigError, MissingKernels
from codewright.generate.settings import Local
from codewright.model.config import ModelConfig
from codewright.model.stored import Stored

CPU_MEMORY, GPU_MEMORY = 4 << 30, 24 << 30
"""Bytes for keys and values at most. On a CPU they are taken as they are written to."""


def open_runner(folder: Path, stored: Stored, settings: Local, *, rows: int) -> Runner:
    """Returns what runs a checkpoint.

    Args:
        folder: the checkpoint.
        stored: what was read from it, of which nothing has been taken.
        settings: which runner is wanted, and how much it may take.
        rows: texts that are written at the same time.

    Raises:
        ConfigError: the settings do not go together, or the model does not fit the runner.
        MissingKernels: native is wanted, and was not built.
        ModuleNotFoundError: torch is wanted, and not installed.
    """
    if settings.runner == "native" or (settings.runner == "auto" and _suits(stored, settings)):
        return _native(stored, settings, rows)
    return _torch(folder, stored, settings, rows)


def _suits(stored: Stored, settings: Local) -> bool:
    """Tells whether the C kernels are the better choice."""
    if settings.device == "cuda" or unfit(stored.config):
        return False
    try:
        library.find()
    except MissingKernels as error:
        console.say(f"{error.message}: the model runs on torch")
        return False
    return settings.device == "cpu" or not _has_gpu()


def _has_gpu() -> bool:
    """Tells whether there is a GPU, without torch where there is no driver either."""
    if not any(Path(place).exists() for place in ("/dev/nvidia0", "/dev/kfd", "/dev/dxg")):
        return False
    try:
        import torch
    except ModuleNotFoundError:
        return False
    return torch.cuda.is_available()


def _native(stored: Stored, settings: Local, rows: int) -> Runner:
    if settings.device == "cuda":
        raise ConfigError("the native runner does not run on a GPU", hint="runner torch does")
    precision = settings.precision
    if precision == "auto":
        precision = "int8" if stored.storage in ("int8", "int4") else "bfloat16"
    if precision == "int4":
        raise ConfigError(
            "the native runner does not multiply int4",
            hint="precision int8 runs a checkpoint in int4; runner torch keeps the weights so",
        )
    number = 4 if precision == "float32" else 2
    return NativeRunner(
        stored,
        precision=precision,
        blocks=_blocks(stored.config, settings.memory or CPU_MEMORY, number, rows),
        threads=settings.threads or len(os.sched_getaffinity(0)),
    )


def _torch(folder: Path, stored: Stored, settings: Local, rows: int) -> Runner:
    import torch

    from codewright.engine.torch_runner import TorchRunner
    from codewright.model import checkpoint

    cuda = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
    few = settings.precision in ("int8", "int4")
    half = settings.precision == "bfloat16"
    if few or settings.precision == "auto":
        half = cuda or _multiplies_bfloat16()
    if few and stored.storage != settings.precision:
        raise ConfigError(
            f"the torch runner keeps weights as they are stored, which is {stored.storage}",
            hint=f"codewright compress --to {settings.precision} stores them so",
        )
    read = checkpoint.load_packed if few else checkpoint.load
    decoder, _ = read(folder, dtype=torch.bfloat16 if half else torch.float32)
    memory = settings.memory or (GPU_MEMORY if cuda else CPU_MEMORY)
    blocks = _blocks(decoder.config, memory, 2 if half else 4, rows)
    return TorchRunner(decoder.to("cuda" if cuda else "cpu"), blocks=blocks)


def _blocks(config: ModelConfig, memory: int, number: int, rows: int) -> int:
    """Returns how many blocks fit: one text at least, and no more than all rows can fill."""
    attention, each = config.attention, -(-config.context // BLOCK)
    width = 2 * config.layers * attention.kv_heads * attention.head_dim * number
    return max(each, min(memory // (width * BLOCK), rows * each))


def _multiplies_bfloat16() -> bool:
    """Tells whether the processor has instructions for products of bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
