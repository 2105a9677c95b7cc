"""A small scaling law: from a few runs, which size is best from which budget on.

    L(N, D) = E + A / N^alpha + B / D^beta

N parameters, D tokens, L the loss in nats a token (Hoffmann et al., "Training Compute-Optimal Large
Language Models", 2022, section 3.3): fitted by the Huber loss of the logarithms, from several
starting points, alpha and beta above 0. Nine runs determine five numbers loosely; the law is to be
used between them.

Nothing here trains; bench/scaling.py makes the runs.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from codewright.files import write_whole
from codewright.train import plot

HUBER = 1e-3
"""Where the error of a logarithm stops counting by its square, as in the paper."""
STARTS = ((2.0, 6.0), (2.0, 6.0), (-0.5, 0.5), (0.3, 0.7), (0.3, 0.7))
"""Of log A, log B, log E, alpha, beta: every combination is a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run: its size, its tokens, its operations, and the loss it ended with."""

    name: str
    parameters: float
    tokens: float
    flops: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A fitted law. error: the root mean square of its relative errors on the points."""

    a: float
    b: float
    e: float
    alpha: float
    beta: float
    error: float

    def loss(self, parameters: float, tokens: float) -> float:
        """Returns the loss that a run of this size and length should end with."""
        return float(self.e + self.a / parameters**self.alpha + self.b / tokens**self.beta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From `flops` on, the larger size is the better one."""

    smaller: str
    larger: str
    flops: float


def fit(points: Sequence[Point]) -> Law:
    """Returns the law that fits best.

    Raises:
        ValueError: there are fewer points than numbers to determine, or all have one size.
    """
    if len(points) < 5 or len({point.parameters for point in points}) < 2:
        raise ValueError("a law needs at least five runs, of at least two sizes")
    columns = [(p.parameters, p.tokens, p.loss) for p in points]
    n, d, loss = torch.tensor(columns, dtype=torch.float64).log().unbind(1)
    found = (_descend(torch.tensor(start), n, d, loss) for start in itertools.product(*STARTS))
    _, best = min(found, key=lambda pair: pair[0])
    errors = torch.expm1(_predict(best, n, d) - loss)
    log_a, log_b, log_e, log_alpha, log_beta = best.tolist()
    return Law(
        a=math.exp(log_a),
        b=math.exp(log_b),
        e=math.exp(log_e),
        alpha=math.exp(log_alpha),
        beta=math.exp(log_beta),
        error=float(errors.square().mean().sqrt()),
    )


def _descend(start: Tensor, n: Tensor, d: Tensor, loss: Tensor) -> tuple[float, Tensor]:
    """Returns (error, numbers) of the minimum that is reached from `start`.

    The numbers are log A, log B, log E, log alpha, log beta.
    """
    numbers = torch.cat((start[:3], start[3:].log())).double().requires_grad_()
    descent = torch.optim.LBFGS([numbers], max_iter=300, line_search_fn="strong_wolfe")

    def error() -> Tensor:
        descent.zero_grad()
        misses = torch.nn.functional.huber_loss(
            _predict(numbers, n, d), loss, reduction="sum", delta=HUBER
        )
        misses.backward()  # type: ignore[no-untyped-call]
        return misses

    descent.step(error)  # type: ignore[no-untyped-call]
    reached = float(error().detach())
    return (reached if math.isfinite(reached) else math.inf), numbers.detach()


def _predict(numbers: Tensor, n: Tensor, d: Tensor) -> Tensor:
    """Returns log L of log N and log D."""
    log_a, log_b, log_e, log_alpha, log_beta = numbers.unbind()
    by_size, by_length = log_a - log_alpha.exp() * n, log_b - log_beta.exp() * d
    terms = torch.stack([by_size, by_length, log_e.expand_as(n)])
    return terms.logsumexp(0)


def turns(law: Law, points: Sequence[Point]) -> list[Turn]:
    """Returns, for each pair of neighbouring sizes, the budget from which the larger is better.

    A size costs per token what its runs cost. Where the law never turns between a thousandth of
    the smallest and a thousand times the largest budget, the pair is left out.
    """
    sizes = {point.parameters: point for point in sorted(points, key=lambda p: p.parameters)}
    low = min(point.flops for point in points) / 1000
    high = max(point.flops for point in points) * 1000
    found = []
    for small, large in itertools.pairwise(sizes.values()):
        begin, end = math.log(low), math.log(high)
        if _gain(law, small, large, low) > 0 or _gain(law, small, large, high) < 0:
            continue
        for _ in range(60):
            middle = (begin + end) / 2
            if _gain(law, small, large, math.exp(middle)) > 0:
                end = middle
            else:
                begin = middle
        found.append(Turn(smaller=small.name, larger=large.name, flops=math.exp(end)))
    return found


def _gain(law: Law, small: Point, large: Point, flops: float) -> float:
    """Returns by how many nats the larger size is better, given as many operations."""
    losses = [
        law.loss(point.parameters, flops * point.tokens / point.flops) for point in (small, large)
    ]
    return losses[0] - losses[1]


def draw(points: Sequence[Point], law: Law, path: Path) -> None:
    """Draws the runs and the law's curve of each size over the budget, as PNG.

    Raises:
        MissingExtra: matplotlib is not installed.
        MachineError: the file cannot be written.
    """
    plot.check()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    low, high = min(p.flops for p in points) / 2, max(p.flops for p in points) * 8
    budgets = [low * (high / low) ** (step / 60) for step in range(61)]
    names = {p.name: p for p in sorted(points, key=lambda p: p.parameters)}
    for number, (name, example) in enumerate(names.items()):
        colour = f"C{number}"
        curve = [law.loss(example.parameters, c * example.tokens / example.flops) for c in budgets]
        axes.plot(budgets, curve, color=colour, linewidth=1.2)
        runs = [p for p in points if p.name == name]
        axes.plot([p.flops for p in runs], [p.loss for p in runs], "o", color=colour, label=name)
    for turn in turns(law, points):
        if low < turn.flops < high:
            axes.axvline(turn.flops, color="grey", linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("floating-point operations of the run")
    axes.set_ylabel("held-out loss (nats a token)")
    axes.grid(alpha=0.3)
    axes.legend()
    drawn = io.BytesIO()
    canvas.print_png(drawn)  # type: ignore[no-untyped-call]
    write_whole(path, drawn.getvalue())
