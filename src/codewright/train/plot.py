"""The plot of a run: training and held-out loss over the tokens, and the learning rate below.

matplotlib draws it, and is imported only when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codewright.errors import MissingExtra
from codewright.files import write_whole

SMOOTH = 0.95
"""How much of the running mean stays at each step."""


def check() -> None:
    """Raises MissingExtra where nothing could be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtra("matplotlib", "train") from None


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws the rows of a metrics.jsonl into a PNG file.

    Raises:
        MissingExtra: matplotlib is not installed.
        MachineError: the file cannot be written.
    """
    check()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [row for row in rows if row["kind"] == "step"]
    held = [row for row in rows if row["kind"] == "held"]
    if not steps:
        return
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    at = [row["step"] for row in steps]
    losses = [row.get("nll", row["loss"]) for row in steps]
    above.plot(at, losses, color="#9ecae1", linewidth=0.8, label="training, each step")
    above.plot(at, _smooth(losses), color="#08519c", linewidth=1.4, label="training, running mean")
    if held:
        xs, ys = [row["step"] for row in held], [row["loss"] for row in held]
        above.plot(xs, ys, "o-", color="#d94801", markersize=3, label=f"held out: {ys[-1]:.3f}")
    above.set_ylabel("loss (nats a token)")
    above.set_ylim(*_limits(losses))
    above.grid(alpha=0.3)
    above.legend()
    below.plot(at, [row["rate"] for row in steps], color="#31a354")
    below.set_ylabel("learning rate")
    below.set_xlabel("step")
    below.grid(alpha=0.3)
    drawn = io.BytesIO()
    canvas.print_png(drawn)  # type: ignore[no-untyped-call]
    write_whole(path, drawn.getvalue())


def _smooth(values: Sequence[float]) -> list[float]:
    """Returns the running mean, unbiased at its beginning."""
    smooth, mean, weight = [], 0.0, 0.0
    for value in values:
        mean = SMOOTH * mean + (1 - SMOOTH) * value
        weight = SMOOTH * weight + (1 - SMOOTH)
        smooth.append(mean / weight)
    return smooth


def _limits(losses: Sequence[float]) -> tuple[float, float]:
    """Returns the range to show: the first steps would press the rest to the bottom."""
    later = losses[len(losses) // 20 :]
    low, high = min(later), max(later)
    room = 0.05 * (high - low) or 0.1
    return low - room, high + room
