"""A tiny model that speaks nonsense with conviction, for tests of what is done with models."""

from __future__ import annotations

import argparse
import bisect
import textwrap
from pathlib import Path

import torch

from codewright.model import checkpoint
from codewright.model.config import AttentionConfig, FeedForwardConfig, ModelConfig
from codewright.model.transformer import Decoder
from codewright.tokens.bpe import Tokenizer

CONTEXT = 160
SOURCES = (argparse, bisect, textwrap)


def make(folder: Path, *, spare: int = 0, seed: int = 0, context: int = CONTEXT) -> Path:
    """Returns a checkpoint folder in `folder`, with weights that nobody trained.

    `spare` rows of the model's table belong to no token.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "made.json"
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in SOURCES]
    tokenizer = Tokenizer.train(texts, vocabulary=500)
    tokenizer.save(path)
    config = ModelConfig(
        vocabulary=tokenizer.vocabulary + spare,
        context=context,
        layers=2,
        width=32,
        tied=False,
        attention=AttentionConfig(heads=4, kv_heads=2, head_dim=16),
        feed_forward=FeedForwardConfig(width=64),
    )
    decoder = Decoder(config, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        decoder.head_VD.mul_(20)  # logits that are far apart
    checkpoint.save(folder / "model", decoder, path)
    return folder / "model"
