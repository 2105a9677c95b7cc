"""The models that are compared: random weights of two sizes, and the embedded one for its quality.

`prepare` writes each in every form that a row reads: a checkpoint in int8 and in float32, a Hugging
Face folder, GGUF files.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from codewright.generate.registry import embedded
from codewright.model import checkpoint
from codewright.model.config import AttentionConfig, FeedForwardConfig, ModelConfig
from codewright.model.transformer import Decoder
from codewright.tokens.bpe import Tokenizer


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama."""

    layers: int
    width: int
    heads: int
    inner: int


SHAPES = {"30M": Shape(8, 512, 8, 1408), "110M": Shape(12, 832, 13, 2240)}
VOCABULARY, CONTEXT = 8192, 2048


def weights(name: str) -> int:
    """Returns the bytes of a shape's weights in int8, those that a token reads."""
    shape = SHAPES[name]
    layer = 4 * shape.width * shape.width + 3 * shape.width * shape.inner
    return shape.layers * layer + VOCABULARY * shape.width


def prepare(name: str, folder: Path) -> Path:
    """Writes a model to `folder` in all forms, and returns the folder."""
    folder.mkdir(parents=True)
    tokens = embedded() / "tokenizer.json"
    if name == "embedded":
        decoder, _ = checkpoint.load(embedded())
    else:
        shape = SHAPES[name]
        config = ModelConfig(
            vocabulary=Tokenizer.load(tokens).vocabulary,
            context=CONTEXT,
            layers=shape.layers,
            width=shape.width,
            attention=AttentionConfig(
                heads=shape.heads, kv_heads=shape.heads, head_dim=shape.width // shape.heads
            ),
            feed_forward=FeedForwardConfig(width=shape.inner),
        )
        decoder = Decoder(config, generator=torch.Generator().manual_seed(0))
    checkpoint.save(folder / "int8", decoder, tokens, storage="int8")
    checkpoint.save(folder / "float32", decoder, tokens)
    _export(folder, "huggingface", "huggingface", "f32")
    for weights in ("bf16", "q8_0"):
        _export(folder, "gguf", f"{weights}.gguf", weights)
    _quantise(folder / "bf16.gguf", folder / "q4_0.gguf")
    return folder


def _export(folder: Path, to: str, name: str, weights: str) -> None:
    command = [sys.executable, "-m", "codewright", "export", str(folder / "float32")]
    command += ["--to", to, "--out", str(folder / name), "--weights", weights]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _quantise(source: Path, out: Path) -> None:
    """Has llama.cpp make its four-bit form."""
    import llama_cpp

    how = llama_cpp.llama_model_quantize_default_params()
    how.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0
    failed = llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), how)
    if failed:
        raise SystemExit(f"llama.cpp could not quantise {source}")
