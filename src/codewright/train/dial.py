"""One dial, and what is derived from it: the shape of a model, its batch, rate and steps.

Depth, or a budget of operations, decides the rest; what a recipe sets itself stays.

Width is 64 a layer: loss is flat over a wide range of aspect ratios (Kaplan et al., "Scaling Laws
for Neural Language Models", 2020, figure 5). Heads are 64 wide, the gated inner layer is 8/3 of
the width (Shazeer, "GLU Variants", 2020). Batch, rate and the split of a budget follow the power
laws of DeepSeek LLM (Bi et al., 2024, equations 1 and 4), with C the operations of a run and M
those of a token without the vocabulary's tables:

    rate = 0.3118 · C^-0.1250     batch = 0.2920 · C^0.3271 tokens
    M = 0.1715 · C^0.5243         tokens = 5.8316 · C^0.4757

Nothing here imports torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from codewright.model.config import (
    Activation,
    AttentionConfig,
    ExpertsConfig,
    FeedForwardConfig,
    ModelConfig,
    Norm,
    RotaryConfig,
)

HEAD_DIM = 64
WIDTH_PER_LAYER = 64
DEEPEST = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeConfig:
    """The `[model]` table: the depth, and what is not to be derived from it (0: derived).

    A depth of 0 is derived from the budget in operations. kv_heads: heads of keys and values.
    inner: the width of the feed-forward layer.
    """

    depth: int = 0
    width: int = 0
    heads: int = 0
    kv_heads: int = 0
    inner: int = 0
    activation: Activation = "swiglu"
    norm: Norm = "rms"
    tied: bool = True
    qk_norm: bool = False
    rotary: RotaryConfig = field(default_factory=RotaryConfig)
    experts: ExpertsConfig | None = None

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise ValueError("depth is negative")


def shape(config: ShapeConfig, *, vocabulary: int, context: int) -> ModelConfig:
    """Returns the model of a depth.

    Raises:
        ValueError: what is set does not go together.
    """
    assert config.depth, "a depth that is to be derived is derived first"
    width = config.width or WIDTH_PER_LAYER * config.depth
    heads = config.heads or max(1, width // HEAD_DIM)
    if width % heads:
        raise ValueError(f"{heads} heads do not divide a width of {width}")
    share = 8 / 3 if config.activation == "swiglu" else 4
    return ModelConfig(
        vocabulary=vocabulary,
        context=context,
        layers=config.depth,
        width=width,
        norm=config.norm,
        tied=config.tied,
        attention=AttentionConfig(
            heads=heads,
            kv_heads=config.kv_heads or heads,
            head_dim=width // heads,
            qk_norm=config.qk_norm,
        ),
        rotary=config.rotary,
        feed_forward=FeedForwardConfig(
            width=config.inner or 64 * math.ceil(share * width / 64), activation=config.activation
        ),
        experts=config.experts,
    )


def rate(flops: float) -> float:
    """Returns the peak learning rate of AdamW for a run of `flops` operations."""
    return float(0.3118 * flops**-0.125)


def batch_tokens(flops: float) -> float:
    """Returns the tokens of a step for a run of `flops` operations."""
    return float(0.2920 * flops**0.3271)


def depth(flops: float, config: ShapeConfig, *, context: int) -> int:
    """Returns the depth whose layers cost a token what suits a run of `flops` operations."""
    wanted, _ = split(flops)

    def miss(layers: int) -> float:
        model = shape(replace(config, depth=layers), vocabulary=1, context=context)
        return abs(math.log(model.flops_per_token(context) / wanted))

    return min(range(1, DEEPEST + 1), key=miss)


def split(flops: float) -> tuple[float, float]:
    """Returns (operations a token in the layers, tokens) that make the best of `flops`."""
    return float(0.1715 * flops**0.5243), float(5.8316 * flops**0.4757)
