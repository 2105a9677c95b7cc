"""How `evaluate` asks a model: in words or by text to continue, for how much, by which prompts."""

from __future__ import annotations

from dataclasses import dataclass

from codewright.errors import UserError
from codewright.evaluate.benchmarks import BENCHMARKS, Benchmark
from codewright.evaluate.manner import Manner
from codewright.evaluate.sampling import Sampling
from codewright.generate.registry import is_local
from codewright.generate.settings import Local, arrangement

PROGRAM_TOKENS = 1024
"""Tokens of an answer at most, where nobody says how many."""
GAP_TOKENS = 256
"""The same where a gap is filled: the longest of the benchmarks' solutions has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the command line says about it; None where it says nothing."""

    chat: bool | None
    cot: bool
    one_line: bool
    fim: str
    max_tokens: int | None


def check(asking: Asking, benchmark: Benchmark, model: str) -> None:
    """Refuses what cannot be asked.

    Raises:
        UserError: an option means nothing to this benchmark, or to this model.
    """
    for wanted, option, fits in (
        (asking.cot, "--cot", lambda each: each.steps is not None),
        (asking.one_line, "--one-line", lambda each: each.line is not None),
        (asking.fim, "--fim", lambda each: each.gaps),
    ):
        if wanted and not fits(benchmark):
            known = ", ".join(each.name for each in BENCHMARKS.values() if fits(each))
            raise UserError(
                f"{option} means nothing to {benchmark.name}",
                hint=f"leave it out; the benchmarks that it is for: {known}",
            )
    if asking.chat and benchmark.gaps:
        raise UserError(
            f"{benchmark.name} shows a model what stands before a gap and behind it, not words",
            hint="leave --chat out",
        )
    if asking.fim and not is_local(model):
        raise UserError(
            "--fim is for models on this machine; a server lays out prompts by itself",
            hint="leave it out, or name a checkpoint folder or embedded with --model",
        )
    local(asking)


def manner(asking: Asking, benchmark: Benchmark) -> Manner:
    """Returns how the benchmark asks, and how its answers are read."""
    found = benchmark.steps if asking.cot else benchmark.line if asking.one_line else None
    return found or benchmark.manner


def sampling(
    asking: Asking,
    benchmark: Benchmark,
    model: str,
    *,
    n: int,
    temperature: float | None,
    top_p: float,
    seed: int,
) -> Sampling:
    """Returns how often and how a model is asked.

    Models on this machine continue text, unless it is said otherwise.
    """
    words = not benchmark.gaps and not is_local(model) if asking.chat is None else asking.chat
    return Sampling(
        n=n,
        temperature=(0.0 if n == 1 else 0.8) if temperature is None else temperature,
        top_p=top_p,
        max_tokens=asking.max_tokens or (GAP_TOKENS if benchmark.gaps else PROGRAM_TOKENS),
        seed=seed,
        chat=words,
    )


def local(asking: Asking) -> Local:
    """Returns how a model on this machine is run.

    Raises:
        UserError: no layout is called so.
    """
    return Local(fim=arrangement(asking.fim))


def told(asking: Asking, benchmark: Benchmark, model: str, how: Sampling) -> str:
    """Returns the sampling as a fact of a run."""
    form = "chat" if how.chat else "completion"
    if benchmark.gaps and is_local(model):
        form = f"filled in ({asking.fim or 'in the order of the checkpoint'})"
    return (
        f"temperature {how.temperature}, top-p {how.top_p}, at most {how.max_tokens} tokens, "
        f"seed {how.seed}, {form}"
        f"{', step by step' if asking.cot else ''}"
    )
