"""Recipes: one TOML file with everything that a model is made from.

    [corpus]     what text, cleaned how              corpus/recipe.py
    [tokenizer]  how large a vocabulary              TokenizerConfig
    [pack]       context, fill-in-the-middle         PackConfig
    [model]      the depth and what goes with it     dial.ShapeConfig
    [train]      batch, budget, optimiser …          pretrain.TrainConfig
    [lengthen]   a last part on longer rows          LengthenConfig
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
from codewright.train.schedule import ScheduleConfig


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
class LengthenConfig:
    """The `[lengthen]` table: training goes on with longer rows, which cost more a token.

    context: tokens of a row; 0 for no such part. tokens: how many it trains on. A step has as many
    tokens as one of `[train]`, and everything else is as there but for the schedule.
    """

    context: int = 0
    tokens: int = 0
    schedule: ScheduleConfig = field(
        default_factory=lambda: ScheduleConfig(name="wsd", warmup=20, decay=0.9)
    )

    def __post_init__(self) -> None:
        if self.context < 0 or self.tokens < 0:
            raise ValueError("context and tokens are not negative")
        if bool(self.context) != bool(self.tokens):
            raise ValueError("context and tokens go together")


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
    lengthen: LengthenConfig = field(default_factory=LengthenConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
