"""The shape of a decoder, as plain frozen records, and what follows from it: sizes and costs.

A `ModelConfig` says everything that the network is made from and nothing about training. It
converts to a dict of JSON values and back. This module imports no torch and builds nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeVar, get_args

from codewright.errors import ConfigError

T = TypeVar("T")

Scaling = Literal["none", "linear", "llama3", "yarn"]
Norm = Literal["rms", "layer"]
Activation = Literal["swiglu", "gelu", "gelu_tanh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionConfig:
    """Attention: `heads` queries share `kv_heads` keys and values, in groups of equal size.

    Equal numbers are multi-head attention, one key head is multi-query attention (Shazeer 2019),
    between them lies grouped-query attention (Ainslie et al. 2023).
    """

    heads: int
    kv_heads: int
    head_dim: int
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    """RMS norm over each head's query and key before they are rotated (Qwen3)."""
    window: int | None = None
    """A position sees itself and the `window - 1` before it; None: all before it."""
    window_from: int = 0
    """The first layer that has the window; those before it see everything (Qwen2)."""

    def __post_init__(self) -> None:
        _positive(self, "heads", "kv_heads", "head_dim")
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads cannot share {self.kv_heads} key heads evenly")
        if self.head_dim % 2:
            raise ValueError(f"head_dim is {self.head_dim}: rotary positions turn pairs")
        if self.window is not None:
            _positive(self, "window")


@dataclass(frozen=True, slots=True, kw_only=True)
class RotaryConfig:
    """Rotary positions (Su et al. 2021) and how they are stretched over a longer context."""

    base: float = 10_000.0
    scaling: Scaling = "none"
    factor: float = 1.0
    """How much longer the context is than `original_context`, for every scaling but "none"."""
    original_context: int = 0
    """Positions in pre-training, for "llama3" and "yarn"."""
    low_frequency: float = 1.0
    high_frequency: float = 4.0
    """Turns within the original context, for "llama3"."""
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    """Turns within the original context, for "yarn" (Peng et al. 2023)."""
    attention_factor: float | None = None
    """What "yarn" multiplies cosine and sine by; None: 0.1 ln(factor) + 1."""
    truncate: bool = True
    """Whether "yarn" rounds its two borders to whole dimensions."""

    def __post_init__(self) -> None:
        _positive(self, "base", "factor")
        if self.scaling in ("llama3", "yarn"):
            _positive(self, "original_context")
        if self.scaling == "llama3" and self.high_frequency <= self.low_frequency:
            raise ValueError("high_frequency must be above low_frequency")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForwardConfig:
    """The layer between two attentions: gated (SwiGLU, Shazeer 2020) or plain with GELU."""

    width: int
    activation: Activation = "swiglu"
    bias: bool = False

    def __post_init__(self) -> None:
        _positive(self, "width")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertsConfig:
    """A mixture of experts in place of each feed-forward layer (Jiang et al. 2024)."""

    count: int
    active: int
    """How many experts each token goes to."""
    balance: float = 0.01
    """The weight of the load-balance loss in training."""

    def __post_init__(self) -> None:
        _positive(self, "count", "active")
        if self.active > self.count:
            raise ValueError(f"{self.active} experts cannot be active of {self.count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A decoder."""

    vocabulary: int
    context: int
    """Positions that rotary tables are made for; no sequence is longer."""
    layers: int
    width: int
    norm: Norm = "rms"
    norm_eps: float = 1e-5
    tied: bool = True
    """Whether the head is the embedding."""
    attention: AttentionConfig
    rotary: RotaryConfig = field(default_factory=RotaryConfig)
    feed_forward: FeedForwardConfig
    experts: ExpertsConfig | None = None

    def __post_init__(self) -> None:
        _positive(self, "vocabulary", "context", "layers", "width", "norm_eps")
        if self.experts is None:
            return
        if self.feed_forward.activation != "swiglu" or self.feed_forward.bias:
            raise ValueError("experts are SwiGLU layers without biases")
        if self.width % 8 or self.feed_forward.width % 8:
            raise ValueError("grouped products need widths that are multiples of 8")

    def window(self, layer: int) -> int | None:
        """Returns the window of one layer, None where it sees everything."""
        attention = self.attention
        return attention.window if layer >= attention.window_from else None

    def parameters(self) -> int:
        """Returns how many numbers are learned; a tied head is counted once."""
        return self._count(experts=0 if self.experts is None else self.experts.count)

    def active_parameters(self) -> int:
        """Returns how many parameters one token meets: only its experts are counted."""
        return self._count(experts=0 if self.experts is None else self.experts.active)

    def flops_per_token(self, length: int) -> float:
        """Returns the floating-point operations of one token's training step.

        6 N + 12 · layers · heads · head_dim · length (Chowdhery et al. 2022, PaLM, appendix B):
        N are the active parameters without the table of input embeddings, which is looked up
        and not multiplied; the second term is attention over the whole `length` (or window),
        not halved for the causal mask. Recomputation is not counted.

        Args:
            length: tokens in a sequence.
        """
        attention = self.attention
        matrices = self.active_parameters() - (0 if self.tied else self.vocabulary * self.width)
        seen = sum(min(length, self.window(layer) or length) for layer in range(self.layers))
        return 6.0 * matrices + 12.0 * attention.heads * attention.head_dim * seen

    def to_dict(self) -> dict[str, Any]:
        """Returns the config as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Builds a config from what `to_dict` gave.

        Raises:
            ConfigError: a key is unknown or missing, or a value does not fit.
        """
        inner = {
            "attention": AttentionConfig,
            "rotary": RotaryConfig,
            "feed_forward": FeedForwardConfig,
            "experts": ExpertsConfig,
        }
        if not isinstance(table, Mapping):
            raise ConfigError(f"the model's config is {table!r}, where an object was expected")
        values = {
            key: _record(inner[key], value, f"{key}.")
            if key in inner and value is not None
            else value
            for key, value in table.items()
        }
        return _record(cls, values, "")

    def _count(self, *, experts: int) -> int:
        attention, width = self.attention, self.width
        norm = width * (2 if self.norm == "layer" else 1)
        rows = (attention.heads + 2 * attention.kv_heads) * attention.head_dim
        layer = rows * width + attention.heads * attention.head_dim * width + 2 * norm
        layer += rows * attention.qkv_bias + width * attention.out_bias
        layer += 2 * attention.head_dim * attention.qk_norm
        inner, bias = self.feed_forward.width, self.feed_forward.bias
        up = inner * (2 if self.feed_forward.activation == "swiglu" else 1)
        one = up * width + inner * width + (up + width) * bias
        if self.experts is None:
            layer += one
        else:
            layer += one * experts + self.experts.count * width
        tables = self.vocabulary * width * (1 if self.tied else 2)
        return tables + self.layers * layer + norm


def _positive(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not value > 0:
            raise ValueError(f"{name} is {value}, and must be above 0")


def _record(cls: type[T], table: Any, where: str) -> T:
    """Builds a dataclass from JSON values, checking keys and simple types."""
    place = where.rstrip(".") or "the model's config"
    if not isinstance(table, Mapping):
        raise ConfigError(f"{place} is {table!r}, where an object was expected")
    assert dataclasses.is_dataclass(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key, value in table.items():
        if key not in fields:
            raise ConfigError(f"unknown key {where}{key}", hint=f"known: {', '.join(fields)}")
        if not _fits(str(fields[key].type), value):
            raise ConfigError(f"{where}{key} is {value!r}, which does not fit {fields[key].type}")
    try:
        return cls(**table)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {error}") from None


def _fits(kind: str, value: Any) -> bool:
    choices = {"Scaling": Scaling, "Norm": Norm, "Activation": Activation}
    if kind in choices:
        return value in get_args(choices[kind])
    if kind.endswith("| None") and value is None:
        return True
    if kind.startswith("float"):
        return type(value) in (int, float)
    if kind.startswith("int"):
        return type(value) is int
    return type(value) is bool if kind == "bool" else dataclasses.is_dataclass(value)
