"""From a recipe and its packed rows to a model and a run with nothing left open.

What the recipe leaves at 0 is derived by the dial; what it sets stays. `Plan.lines` says all of it,
with what was derived marked, before a run begins. Nothing here trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from codewright.errors import ConfigError
from codewright.model.config import ModelConfig
from codewright.train import dial
from codewright.train.dial import ShapeConfig
from codewright.train.pretrain import BudgetConfig, TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A model, its training, and how many operations that takes (None: decided by the clock)."""

    model: ModelConfig
    train: TrainConfig
    flops: float | None
    derived: tuple[str, ...]

    def lines(self) -> list[str]:
        """Returns what a person wants to know of it."""
        model, train = self.model, self.train
        shown = {
            "depth": model.layers,
            "width": model.width,
            "heads": f"{model.attention.heads}, {model.attention.kv_heads} of keys and values",
            "inner": model.feed_forward.width,
            "vocabulary": model.vocabulary,
            "context": model.context,
            "parameters": f"{model.parameters():,}",
            "batch": f"{train.batch} rows, {train.batch * model.context:,} tokens",
            "rate": f"{train.optimizer.rate:.3g}, {train.optimizer.name}",
            "budget": _budget(train.budget),
        }
        if self.flops is not None:
            tokens = self.flops / model.flops_per_token(model.context)
            shown["tokens"] = f"{tokens:,.0f}, {tokens / model.parameters():.1f} a parameter"
            shown["operations"] = f"{self.flops:.3g}"
        return [
            f"  {name:<11} {value}{' (derived)' if name in self.derived else ''}"
            for name, value in shown.items()
        ]


def plan(shape: ShapeConfig, train: TrainConfig, facts: Mapping[str, Any]) -> Plan:
    """Settles a recipe's tables for the rows that `facts` (pack.json) describes.

    Raises:
        ConfigError: something is left open that cannot be derived, or does not go together.
    """
    context, budget = int(facts["context"]), train.budget
    derived = [name for name in ("depth", "width", "inner", "heads") if not _set(shape, name)]
    if not shape.depth:
        if budget.flops is None:
            raise ConfigError(
                "model.depth is not set", hint="set it, or train.budget.flops, which decides it"
            )
        shape = replace(shape, depth=dial.depth(budget.flops, shape, context=context))
    try:
        model = dial.shape(shape, vocabulary=int(facts["vocabulary"]), context=context)
    except ValueError as error:
        raise ConfigError(f"model: {error}") from None
    flops = _flops(model, train, facts)
    optimizer = train.optimizer
    if not train.batch or not optimizer.rate:
        if flops is None:
            raise ConfigError(
                "train.batch and train.optimizer.rate are not derived from a budget in minutes",
                hint="set both, or a budget in flops, tokens or epochs",
            )
        if not train.batch:
            derived.append("batch")
            train = replace(train, batch=max(1, round(dial.batch_tokens(flops) / context)))
        if not optimizer.rate:
            derived.append("rate")
            train = replace(train, optimizer=replace(optimizer, rate=dial.rate(flops)))
    return Plan(model=model, train=train, flops=flops, derived=tuple(derived))


def _set(shape: ShapeConfig, name: str) -> bool:
    chosen = {
        "depth": shape.depth,
        "width": shape.width,
        "inner": shape.inner,
        "heads": shape.heads,
    }
    return bool(chosen[name])


def _flops(model: ModelConfig, train: TrainConfig, facts: Mapping[str, Any]) -> float | None:
    budget, each = train.budget, model.flops_per_token(model.context)
    if budget.flops is not None:
        return budget.flops
    if budget.tokens is not None:
        return budget.tokens * each
    if budget.epochs is not None:
        return budget.epochs * float(facts["rows"]) * model.context * each
    if budget.steps is not None and train.batch:
        return budget.steps * train.batch * model.context * each
    if budget.steps is not None:
        raise ConfigError(
            "train.batch is not derived from a budget in steps",
            hint="set train.batch, or a budget in flops, tokens or epochs",
        )
    return None


def _budget(budget: BudgetConfig) -> str:
    shown = {
        "steps": budget.steps,
        "tokens": budget.tokens,
        "epochs": budget.epochs,
        "minutes": budget.minutes,
        "operations": budget.flops,
    }
    return ", ".join(
        f"{value:,} {name}" if isinstance(value, int) else f"{value:g} {name}"
        for name, value in shown.items()
        if value is not None
    )
