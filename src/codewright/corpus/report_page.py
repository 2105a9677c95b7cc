"""The report of a corpus as one HTML page that holds all it shows.

Names of files, licences and distributions were written by others: every word is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codewright.corpus.report import whole_rate
from codewright.page import card, document, facts, header, section, words
from codewright.svg import bars

STYLE = ".kept{fill:var(--accent)}.lost{fill:var(--soft)}"
_MOST = 14


def page(report: Mapping[str, Any]) -> str:
    """Returns the whole page."""
    stages = report["timing"]["stages"]
    whole = max(report["steps"][0]["in"][1] // 1000, 1)
    body = [
        header("Codewright corpus", f"{report['bytes'] / 1e6:,.1f} MB of code"),
        _cards(report),
        '<div class="two">',
        section("Kilobytes into each step", bars(_flow(report), whole), "The last is what stays."),
        section("Kilobytes dropped, by reason", bars(_drops(report), whole)),
        "</div>",
        section("Steps", _steps(report), "Megabytes a second are those of one core."),
        section("Licences", _table(report["licences"], "licence")),
        section("Origins", _table(report["origins"], "origin")),
        facts({name: f"{seconds:,.0f} s" for name, seconds in stages.items()}),
    ]
    return document("Corpus", "".join(body), style=STYLE)


def _cards(report: Mapping[str, Any]) -> str:
    first, rate = report["steps"][0]["in"], whole_rate(report)
    cards = [
        card("files", f"{report['files']:,}", f"of {first[0]:,}"),
        card("bytes", f"{report['bytes'] / 1e6:,.1f} MB", f"of {first[1] / 1e6:,.1f} MB"),
        card("origins", f"{len(report['origins']):,}", f"{len(report['licences'])} licences"),
        card("speed", "–" if rate is None else f"{rate:.1f} MB/s", "a core, all steps"),
    ]
    return f'<section class="cards">{"".join(cards)}</section>'


def _flow(report: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    rows = [(entry["step"], entry["in"][1] // 1000, "lost") for entry in report["steps"]]
    return [*rows, ("corpus", report["bytes"] // 1000, "kept")]


def _drops(report: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    rows = [
        (reason.replace("contaminated: ", "in "), counts[1] // 1000, "lost")
        for entry in report["steps"]
        for reason, counts in entry["drops"].items()
    ]
    return sorted(rows, key=lambda row: -row[1])[:_MOST]


def _steps(report: Mapping[str, Any]) -> str:
    rows = []
    for entry in report["steps"]:
        rate = report["timing"]["steps"][entry["step"]]["mb_per_second"]
        rows.append([entry["step"], *_numbers(entry["in"]), "" if rate is None else f"{rate:.1f}"])
        rows += [[f"– {why}", *_numbers(c), ""] for why, c in entry["drops"].items()]
        rows += [[f"~ {what}", f"{n:,}", "", ""] for what, n in entry["changes"].items()]
    return _rows(["step", "files", "MB", "MB/s"], rows)


def _table(table: Mapping[str, Sequence[int]], name: str) -> str:
    return _rows([name, "files", "MB"], [[key, *_numbers(c)] for key, c in table.items()])


def _numbers(counts: Sequence[int]) -> list[str]:
    return [f"{counts[0]:,}", f"{counts[1] / 1e6:,.2f}"]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{words(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{words(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'
