"""Recipes: one TOML file with everything that a model is made from.

    [corpus]     what text, cleaned how              corpus/recipe.py
    [tokenizer]  how large a vocabulary              TokenizerConfig
    [pack]       context, fill-in-the-middle         PackConfig
    [model]      the depth and what goes with it     dial.ShapeConfig
    [train]      batch, budget, optimiser …          pretrain.TrainConfig
    [score]      what is measured in the end         ScoreConfig

Every key that a table does not have is an error. This module needs what pre-training needs and no
more, so that a machine without the corpus's tools can train from packed rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from codewright.corpus.recipe import CorpusConfig
from codewright.train.dial import ShapeConfig
from codewright.train.pretrain import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerConfig:
    """The `[tokenizer]` table.

    vocabulary: ids, special tokens and bytes among them. sample_bytes: text that it is learned
    from, spread evenly over the corpus; None for all of it. file: a tokenizer.json to use as it
    is, in place of learning one.
    """

    vocabulary: int = 8192
    sample_bytes: int | None = 100_000_000
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackConfig:
    """The `[pack]` table: see corpus/pack.py.

    held: a share of the distributions that is kept from training, or their names or patterns; with
    a slash, a directory of one (`python/json`).
    mix: how often a document is used, by a pattern of its origin.
    """

    context: int = 1024
    fim_rate: float = 0.5
    spm_rate: float = 0.5
    seed: int = 0
    file_bytes: int = 60_000_000
    held: float | tuple[str, ...] = 0.01
    mix: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreConfig:
    """The `[score]` table. batch: held-out rows that go through the model at once."""

    batch: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    pack: PackConfig = field(default_factory=PackConfig)
    model: ShapeConfig = field(default_factory=ShapeConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
