"""The picture of a choice: how the error falls when only surer answers are given."""

from __future__ import annotations

from collections.abc import Sequence

from codewright.svg import Scale, path, picture, tag, text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 1000.0, 300.0, 44.0, 24.0, 18.0, 44.0


def risk_coverage(points: Sequence[Sequence[float]], goal: float = 0.05) -> str:
    """Draws the error of the surest answers over their share, with a line at `goal`.

    Args:
        points: (coverage, risk), coverage rising, both 0 to 1.
    """
    x = Scale(low=0, high=1, start=_LEFT, end=_WIDTH - _RIGHT)
    most = max((risk for _, risk in points), default=0.0)
    top = next(each for each in (0.25, 0.5, 0.75, 1.0) if each >= most)
    y = Scale(low=0, high=top, start=_HEIGHT - _BOTTOM, end=_TOP)
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(text(x(share), _HEIGHT - _BOTTOM + 18, f"{share:.0%}", anchor="middle"))
        level = share * top
        parts.append(
            tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(level), y2=y(level), class_="grid")
        )
        parts.append(text(_LEFT - 8, y(level) + 4, f"{level:.0%}", anchor="end"))
    parts.append(text(_WIDTH / 2, _HEIGHT - 4, "share of problems answered", anchor="middle"))
    parts.append(
        tag(
            "line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(goal), y2=y(goal), class_="whisker",
            stroke_dasharray="4 4",
        )
    )  # fmt: skip
    if points:
        line = [(x(coverage), y(risk)) for coverage, risk in points]
        parts.append(tag("path", d=path(line), class_="curve"))
    return picture(_WIDTH, _HEIGHT, "error over the share of problems answered", *parts)
