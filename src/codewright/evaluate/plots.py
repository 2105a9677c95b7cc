"""The pictures of a report, as SVG that needs nothing from outside the page.

Each function takes numbers and returns a picture; colours are CSS classes (`s-passed`, `grid`,
`band`, ...), so that one picture serves light and dark pages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from codewright.evaluate.passk import PassAtK
from codewright.evaluate.summary import ORDER
from codewright.svg import Scale, number, path, picture, steps_to, tag, text
from codewright.types.judging import Status

STYLE = """
:root{--passed:#17907f;--failed:#f0c987;--error:#d9653b;--timeout:#5b7db1;--memory:#8d6bb5;
--crashed:#45474f;--refused:#b5b9bf;--other:#cfc9bf}
@media(prefers-color-scheme:dark){:root{--passed:#2fa893;--failed:#6d6350;--error:#c2572f;
--timeout:#5f86c4;--memory:#9a7cc4;--crashed:#c8cbd1;--refused:#5a6067;--other:#4a4d50}}
.grid{stroke:var(--line);stroke-width:1}
.band{fill:var(--band)}.curve{fill:none;stroke:var(--accent);stroke-width:2.5;stroke-linejoin:round}
.whisker{stroke:var(--accent);stroke-width:1.5}
.dot{fill:var(--sheet);stroke:var(--accent);stroke-width:2.5}
.t{fill:transparent}.t:hover{fill:#8883}
.s-passed{fill:var(--passed)}.s-failed{fill:var(--failed)}.s-error{fill:var(--error)}
.s-timeout{fill:var(--timeout)}.s-memory{fill:var(--memory)}.s-crashed{fill:var(--crashed)}
.s-refused{fill:var(--refused)}.s-other{fill:var(--other)}
.b-passed{background:var(--passed)}.b-failed{background:var(--failed)}.b-error{background:var(--error)}
.b-timeout{background:var(--timeout)}.b-memory{background:var(--memory)}
.b-crashed{background:var(--crashed)}.b-refused{background:var(--refused)}
td:last-child{white-space:normal;width:60%;overflow-wrap:anywhere}
.n{text-align:right}.bar{min-width:134px;padding-top:13px}
"""
"""The colours of the statuses, and what else these pictures need of the page's style."""


def curve(scores: PassAtK, marked: Sequence[int]) -> str:
    """Draws pass@k over k with its 95 % band; the `marked` k get a dot and their value."""
    width, height, left, right, top, bottom = 1000.0, 340.0, 44.0, 24.0, 18.0, 44.0
    ks = sorted(scores.values)
    x = Scale(low=1, high=max(ks[-1], 2), start=left, end=width - right, log=True)
    y = Scale(low=0, high=1, start=height - bottom, end=top)
    parts = []
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(
            tag("line", x1=left, x2=width - right, y1=y(share), y2=y(share), class_="grid")
        )
        parts.append(text(left - 8, y(share) + 4, f"{share:.0%}", anchor="end"))
    parts += [text(x(k), height - bottom + 18, f"{k}", anchor="middle") for k in _round_ks(ks[-1])]
    parts.append(text((left + width - right) / 2, height - 4, "k samples drawn", anchor="middle"))
    low = [(x(k), y(scores.intervals[k][0])) for k in ks]
    high = [(x(k), y(scores.intervals[k][1])) for k in ks]
    line = [(x(k), y(scores.values[k])) for k in ks]
    if len(ks) > 1:
        parts.append(tag("path", d=path(low + high[::-1], close=True), class_="band"))
        parts.append(tag("path", d=path(line), class_="curve"))
    parts += [_dot(x(k), y(scores.values[k]), y, scores, k) for k in marked if k in scores.values]
    return picture(width, height, "pass@k over k, with its 95 % interval", *parts)


def _dot(x: float, y: float, scale: Scale, scores: PassAtK, k: int) -> str:
    low, high = scores.intervals[k]
    title = f"pass@{k} {scores.values[k]:.1%} ({low:.1%} to {high:.1%})"
    words = f"{scores.values[k]:.1%}"
    return tag(
        "g",
        tag("title", title)
        + tag("line", x1=x, x2=x, y1=scale(low), y2=scale(high), class_="whisker")
        + tag("circle", cx=x, cy=y, r=4.5, class_="dot")
        + text(x, scale(high) - 8, words, anchor="middle", kind="value"),
    )


def _round_ks(most: int) -> list[int]:
    found = [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000) if k <= most]
    return found if found[-1] * 1.4 > most else [*found, most]


def heat_map(rows: Sequence[tuple[str, Sequence[Status]]]) -> str:
    """Draws a column per problem and a cell per sample, coloured by status.

    Columns stand in the order of their share of passes, then of the other statuses. Cells stand
    in the order of the statuses: samples of one problem have no order of their own.
    """
    most = max(len(statuses) for _, statuses in rows)
    width = 1000.0
    step = width / len(rows)
    height = min(320.0, max(56.0, 8.0 * most))
    gap = 0.6 if step > 3 else 0.0
    ordered = sorted(
        rows, key=lambda row: [-row[1].count(status) / len(row[1]) for status in ORDER]
    )
    cells: dict[str, list[str]] = {status: [] for status in ORDER}
    touch = []
    for column, (name, statuses) in enumerate(ordered):
        counts = Counter(statuses)
        at, unit = height, height / len(statuses)
        for status in ORDER:
            if size := counts[status] * unit:
                at -= size
                cells[status].append(
                    f"M{number(column * step)} {number(at)}h{number(step - gap)}"
                    f"v{number(size)}h{number(gap - step)}z"
                )
        told = ", ".join(f"{counts[s]} {s}" for s in ORDER if counts[s])
        title = tag("title", f"{_plain(name)}: {told}")
        touch.append(
            tag("rect", title, x=column * step, y=0, width=step, height=height, class_="t")
        )
    paths = [tag("path", d="".join(d), class_=f"s-{status}") for status, d in cells.items() if d]
    return picture(width, height, "outcome of each sample of each problem", *paths, *touch)


def _plain(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def times(passed: Sequence[float], other: Sequence[float]) -> str:
    """Draws how much CPU time (seconds) programs took, by logarithm, passes under the rest."""
    width, height, left, right, top, bottom = 480.0, 250.0, 52.0, 12.0, 16.0, 44.0
    everything = [max(value, 1e-4) for value in (*passed, *other)]
    low = math.floor(math.log10(min(everything)) * 4) / 4
    high = max(math.ceil(math.log10(max(everything)) * 4) / 4, low + 1)
    bins = round((high - low) * 8)
    stacks = [_bins(passed, low, bins), _bins(other, low, bins)]
    totals = [a + b for a, b in zip(*stacks, strict=True)]
    x = Scale(low=low, high=high, start=left, end=width - right)
    y = Scale(low=0, high=max(totals), start=height - bottom, end=top)
    parts = []
    for count in steps_to(max(totals), most=4):
        parts.append(
            tag("line", x1=left, x2=width - right, y1=y(count), y2=y(count), class_="grid")
        )
        parts.append(text(left - 8, y(count) + 4, f"{count:,.0f}", anchor="end"))
    size = (width - right - left) / bins
    for i in range(bins):
        base = 0
        for stack, kind in zip(stacks, ("s-passed", "s-other"), strict=True):
            if stack[i]:
                upper, lower = y(base + stack[i]), y(base)
                title = tag("title", f"{stack[i]:,} at about {_time(10 ** (low + (i + 0.5) / 8))}")
                parts.append(
                    tag("rect", title, x=left + i * size + 0.5, y=upper, width=size - 1,
                        height=lower - upper, class_=kind)
                )  # fmt: skip
            base += stack[i]
    parts += [
        text(x(power), height - bottom + 18, _time(10.0**power), anchor="middle")
        for power in range(math.ceil(low), math.floor(high) + 1)
    ]
    parts.append(text((left + width) / 2, height - 6, "CPU time of a program", anchor="middle"))
    return picture(width, height, "histogram of CPU time", *parts)


def _bins(values: Sequence[float], low: float, bins: int) -> list[int]:
    """Returns counts of `values` in eighths of a decade from 10 ** low on."""
    counts = [0] * bins
    for value in values:
        place = int((math.log10(max(value, 1e-4)) - low) * 8)
        counts[min(max(place, 0), bins - 1)] += 1
    return counts


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * 0.9995:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.1g} s"


def share_bar(counts: Mapping[Status, int]) -> str:
    """Draws one thin bar that is divided like `counts` by status, for a line of a table."""
    total = sum(counts.values())
    at, parts = 0.0, []
    for status in ORDER:
        size = 120.0 * counts.get(status, 0) / total
        if size:
            parts.append(tag("rect", x=at, y=0, width=size, height=8, class_=f"s-{status}"))
            at += size
    return picture(120, 8, "share of each status", *parts)
