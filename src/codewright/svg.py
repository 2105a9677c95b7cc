"""Drawing in SVG by hand: elements, scales and axes. Colours are classes, given by the page."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass


def tag(name: str, content: str = "", **attributes: str | float) -> str:
    """Returns an element; a trailing underscore of an attribute's name goes, others are dashes."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(number(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "tick") -> str:
    """Returns a line of text; `kind` is its class."""
    return tag("text", html.escape(words), x=x, y=y, text_anchor=anchor, class_=kind)


def picture(width: float, height: float, label: str, *parts: str) -> str:
    """Returns a whole picture that scales to its place; `label` is read to who cannot see it."""
    return tag(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_label=label,
    )


def number(value: str | float) -> str:
    """Returns a coordinate with two decimals at most."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps values from `low` to `high`, evenly or by logarithm, to places `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._bend(self.low), self._bend(self.high)
        share = (self._bend(value) - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def _bend(self, value: float) -> float:
        return math.log10(value) if self.log else value


def path(points: Sequence[tuple[float, float]], *, close: bool = False) -> str:
    """Returns the path data through `points`."""
    steps = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f"M{steps}{' Z' if close else ''}"


def steps_to(high: float, *, most: int = 5) -> list[float]:
    """Returns round numbers from 0 to `high`, at most `most` and one of them."""
    if high <= 0:
        return [0.0]
    size = 10.0 ** math.floor(math.log10(high))
    for step in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0):
        count = math.floor(high / (step * size) + 1e-9)
        if count <= most:
            return [i * step * size for i in range(count + 1)]
    return [0.0, high]


def bars(rows: Sequence[tuple[str, int, str]], total: int) -> str:
    """Draws a bar for each (label, count, class), with its share of `total`."""
    width, row, left, right = 480.0, 27.0, 148.0, 112.0
    most = max((count for _, count, _ in rows), default=1)
    scale = Scale(low=0, high=most, start=0, end=width - left - right)
    parts = []
    for i, (label, count, kind) in enumerate(rows):
        y = i * row
        size = max(scale(count), 1.5)
        share = f"{count:,}  ({count / total:.1%})"
        parts.append(text(left - 10, y + 18, label, anchor="end", kind="label"))
        parts.append(tag("rect", x=left, y=y + 5, width=size, height=row - 9, rx=2, class_=kind))
        parts.append(text(left + size + 8, y + 18, share))
    return picture(width, row * len(rows) + 4, "counts", *parts)
