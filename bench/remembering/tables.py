"""The tables of the documentation, out of the results of `bench/repo.py`."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from bench.remembering.calls import BUDGETS
from bench.remembering.speed import quantile, targets, warm

_ROWS = (
    ("open file", "the open file alone"),
    ("BM25", "BM25 pieces"),
    ("aider", "aider's repository map"),
    ("codewright", "**codewright context**"),
)


def markdown(results: dict[str, Any]) -> dict[str, str]:
    """Returns the tables of the parts that were measured, by the name of their block."""
    found = {}
    if "speed" in results:
        found["repo-speed"] = speed(results["speed"]["trees"]) + "\n" + _met(results)
    if "docstrings" in results:
        found["repo-docstrings"] = docstrings(results["docstrings"])
    if "calls" in results:
        found["repo-calls"] = calls(results["calls"])
    if "commits" in results:
        found["repo-commits"] = commits(results["commits"])
    if "completion" in results:
        found["repo-completion"] = completion(results["completion"])
    if "speed" in results and "calls" in results:
        found["repo-short"] = short(results["speed"]["trees"], results["calls"]["plain"]["all"])
    return found


def short(trees: dict[str, Any], shares: dict[str, Any]) -> str:
    """Returns what stands in the README: the trees that both were timed on, and what is found."""
    both = {name: tree for name, tree in trees.items() if {"codewright", "aider"} <= tree.keys()}
    rows = []
    for label, value in (
        ("lines", lambda tree: f"{tree['lines']:,}"),
        ("first map of aider, s", lambda tree: f"{tree['aider']['cold']:.1f}"),
        ("**first index and context**, s", lambda tree: f"{_own(tree, 'first context') / 1e3:.1f}"),
        ("aider, another open file, ms", lambda tree: f"{1000 * _again(tree):,.0f}"),
        ("**an edit and its context**, ms", lambda tree: f"{warm(tree['codewright']):,.0f}"),
    ):
        rows.append([label, *map(value, both.values())])
    found = [
        f"{label} {shares[name]['2048']['signature']:.0%}"
        for name, label in (("codewright", "**codewright context**"), ("BM25", "BM25"))
        if name in shares
    ]
    return (
        table(("", *both), rows)
        + "\nA context of 2,048 tokens has the definition that a masked call needs: "
        + f"{', '.join(found)}.\n"
    )


def _own(tree: dict[str, Any], what: str) -> float:
    return float(tree["codewright"][what])


def _again(tree: dict[str, Any]) -> float:
    return float(statistics.median(tree["aider"]["other file"] or [0.0]))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table whose first column is words and whose others are numbers."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", "|---|" + "--:|" * (len(names) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def speed(trees: dict[str, Any]) -> str:
    """Returns what indexing takes, then what answers do."""
    parts = []
    for name, tree in trees.items():
        lines, parts_of = tree["lines"], []
        reading = statistics.median(tree["reading"])
        parts_of.append(_row("reading and hashing alone, one core", lines, reading))
        if ctags := tree.get("ctags"):
            row = _row("universal-ctags, tags alone", lines, *_spread(ctags["seconds"]))
            parts_of.append([*row[:-2], _megabytes(ctags["size"]), _megabytes(ctags["peak"])])
        if aider := tree.get("aider"):
            stopped = " (stopped)" if aider["stopped"] and not aider["tokens"] else ""
            row = _row(f"aider's map{stopped}", lines, aider["cold"])
            parts_of.append([*row[:-2], _megabytes(aider["size"]), ""])
        if own := tree.get("codewright"):
            for way, label, end in (
                ("1", "**codewright index**, one core", None),
                ("2", "**codewright index**, two cores", ""),
                ("plain", "**codewright index --embedder none**, two cores", ", plain"),
            ):
                row = _row(label, lines, *_spread(own["seconds"][way]))
                size = _megabytes(own[f"size{end}"]) if end is not None else ""
                parts_of.append([*row[:-2], size, "" if end else _megabytes(own["peak"])])
            first = own["first context"] / 1000
            parts_of.append(_row("**Codewright's first context**, in a process", lines, first))
        size = tree["bytes"] / 1e6
        parts.append(f"{name} ({tree['what']}; {lines:,} lines, {size:.0f} MB):\n")
        skipped = [f"{path} ({why})" for why, paths in tree["skipped"].items() for path in paths]
        if skipped:
            parts.append(f"Left out for all, since the index skips it: {', '.join(skipped)}.\n")
        parts.append(table(("", "seconds", "lines/s", "on disk", "memory"), parts_of))
    return "\n".join([*parts, answers(trees)])


def _row(label: str, lines: int, seconds: float, spread: str = "") -> list[str]:
    return [label, f"{seconds:.2f}{spread}", f"{lines / seconds:,.0f}", "", ""]


def _spread(seconds: list[float]) -> tuple[float, str]:
    middle = statistics.median(seconds)
    half = (max(seconds) - min(seconds)) / 2
    return middle, f" ± {half:.2f}" if len(seconds) > 1 else ""


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size else ""


KINDS = {"context": "context of 2,048 tokens", "map": "context of 1,024 tokens"}


def answers(trees: dict[str, Any]) -> str:
    """Returns the times after the first index: edits and questions."""
    rows, names = [], [name for name, tree in trees.items() if "codewright" in tree]
    for label, of in (
        ("one edit, index open", "edits"),
        ("nothing changed, index open: all files looked at", "nothing changed"),
        ("`codewright index` after one edit", "command, one edit"),
        ("`codewright index`, nothing changed", "command, nothing changed"),
        ("`codewright search`, nothing changed", "command, search"),
    ):
        scale = 1000 if of.startswith("command") else 1
        cells = (trees[name]["codewright"][of] for name in names)
        rows.append([label, *(f"{scale * statistics.median(each):,.0f}" for each in cells)])
    for kind in ("search", "symbols", "usages", "context", "map"):
        cells = (trees[name]["codewright"]["questions"][kind] for name in names)
        both = (f"{quantile(t, 0.5):,.1f} / {quantile(t, 0.99):,.1f}" for t in cells)
        rows.append([f"{KINDS.get(kind, kind)}, p50 / p99", *both])
    for label, of in (
        ("aider's map, another open file", "other file"),
        ("aider's map, new process, tags cached", "new process"),
    ):
        cells = []
        for name in names:
            told = trees[name].get("aider", {}).get(of)
            seconds = told if isinstance(told, float) else statistics.median(told or [0.0])
            cells.append(f"{1000 * seconds:,.0f}" if seconds else "")
        rows.append([label, *cells])
    return table(("milliseconds", *names), rows)


def _met(results: dict[str, Any]) -> str:
    rows = ((what, came, "yes" if met else "no") for what, came, met in targets_of(results))
    return table(("aimed at", "came out", "met"), rows)


def targets_of(results: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Returns all that was aimed at, with what came out and whether it is met."""
    found = targets(results["speed"]["trees"]) if "speed" in results else []
    if told := results.get("docstrings"):
        gain = told["search - words"]["recall@5"][0]
        found.append(("fusion 10 points before BM25, recall@5", f"{100 * gain:.1f}", gain >= 0.1))
    if told := results.get("calls"):
        own = told["plain"]["all"].get("codewright", {})
        for budget, least in (("2048", 0.85), ("1024", 0.70)):
            if budget in own:
                share = own[budget]["signature"]
                what = f"{least:.2f} of needed definitions in {int(budget):,} tokens"
                found.append((what, f"{share:.3f}", share >= least))
                over = own[budget]["over"]
                found.append((f"never over {int(budget):,} tokens", f"{over:.1%}", over == 0))
    return found


def docstrings(told: dict[str, Any]) -> str:
    """Returns how often a sentence finds its function, by each way."""
    names = ("mrr", "recall@1", "recall@5", "recall@10", "recall@20")
    labels = {"words": "BM25", "vectors": "vectors", "mixed": "both, scores added up",
              "search": "**codewright search**"}  # fmt: skip
    rows = [[label, *_percent(told["all"][way], names)] for way, label in labels.items()]
    rows.append(["search more than BM25", *_percent(told["search - words"], names)])
    return f"{told['questions']:,} questions; percent, with 95 % intervals:\n\n" + table(
        ("", *names), rows
    )


def _percent(figures: dict[str, list[float]], names: Iterable[str]) -> Iterable[str]:
    for name in names:
        middle, low, high = (100 * each for each in figures[name])
        yield f"{middle:.1f} ({low:.1f} to {high:.1f})"


def calls(told: dict[str, Any]) -> str:
    """Returns the shares of needed definitions, with the import there and without it."""
    parts = []
    for way, label in (("plain", "The import is there"), ("without import", "It is not")):
        for group, rows in told[way].items():
            if group not in ("all", "asked of aider too"):
                continue
            count = max(each["2048"]["questions"] for each in rows.values())
            words = "" if group == "all" else ", those that aider was asked"
            parts.append(f"{label}: {count} calls{words}; share of definitions whose signature "
                         "is shown:\n")  # fmt: skip
            parts.append(_shares(rows))
    groups = [name for name in told["plain"] if name not in ("all", "asked of aider too")]
    head = ("codewright, 2,048 tokens", *groups)
    rows = [
        [f"{'import there' if way == 'plain' else 'no import'}", *(
            f"{told[way][name]['codewright']['2048']['signature']:.2f}"
            if "codewright" in told[way].get(name, {}) else "" for name in groups)]
        for way in ("plain", "without import")
    ]  # fmt: skip
    return "\n".join([*parts, table(head, rows)])


def _shares(rows: dict[str, Any]) -> str:
    head = ("", *(f"{budget:,}" for budget in BUDGETS), "with `__init__`", "whole body")
    body = []
    for name, label in _ROWS:
        if name not in rows:
            continue
        told = rows[name]
        cells = [f"{told[str(b)]['signature']:.2f}" for b in BUDGETS]
        middle = told["2048"]
        cells += [f"{middle['constructor']:.2f}", f"{middle['whole']:.2f}"]
        cells += [f"{middle['precision']:.3f}", f"{middle['over']:.0%}", f"{middle['most']:,.0f}"]
        body.append([label, *cells])
    last = ("line precision", "over budget", "most tokens")
    return table((*head, *last), body) + "\nThe last five columns are at 2,048 tokens.\n"


def commits(told: dict[str, Any]) -> str:
    """Returns how well issues find their commits."""
    covered, sizes = told["covered"], told["sizes"]
    words = ", ".join(f"{covered[part]} of {sizes[part]} of {part}" for part in covered)
    head = ("instances covered: " + words, "file@1", "@5", "@10")
    names = ("file@1", "file@5", "file@10", "function@1", "function@5", "function@10", "lines")
    rows = []
    for name, parts in told["scores"].items():
        label = f"**{name} search**" if name == "codewright" else name
        rows.append([label, *(f"{parts['both'][each]:.3f}" for each in names)])
    head = ("", "file@1", "@5", "@10", "function@1", "@5", "@10", "lines in 500")
    return f"Instances covered: {words}.\n\n" + table(head, rows)


def completion(told: dict[str, Any]) -> str:
    """Returns what the next line gains by context."""
    rows = []
    for arm, kinds in told["scores"].items():
        cells = []
        for kind in ("any", "cross"):
            cells += [
                f"{kinds[kind][name]:.3f} ± {kinds[kind][f'{name} ±']:.3f}"
                for name in ("exact", "similarity")
            ]
        rows.append([arm, *cells])
    head = ("shown", "any line, exact", "similarity", "line that uses another file, exact")
    return table((*head, "similarity"), rows)
