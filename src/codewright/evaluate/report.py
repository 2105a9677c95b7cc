"""The report on the terminal: a few lines and one table, as plain text."""

from __future__ import annotations

import io
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 88
"""Columns of text: a report in a log or a mail has no terminal to ask."""


def lines(title: str, summary: dict[str, Any]) -> str:
    """Returns the report of an evaluation's `summary`, ready to be printed."""
    out = io.StringIO()
    # No colour: what is printed passes through a filter that shows control codes instead.
    console = Console(file=out, width=WIDTH, no_color=True, highlight=False, markup=False)
    console.print(f"{title}: {summary['programs']:,} programs for {summary['problems']} problems")
    console.print()
    console.print(_scores(summary))
    for k, why in summary["left_out"].items():
        console.print(f"pass@{k} is left out: {why}")
    if summary["problems_without_samples"]:
        console.print(f"{summary['problems_without_samples']} problems have no samples")
    if "selection" in summary:
        console.print(_selection(summary["selection"]))
    console.print(_counts(summary))
    console.print(_facts(summary))
    for failure in summary["reference_failures"]:
        console.print(
            f"reference of {failure['task_id']}: {failure['status']}: {failure['evidence']}"
        )
    return out.getvalue().rstrip()


def _scores(summary: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("score", justify="right")
    table.add_column("95 % interval", justify="right")
    for k, value in summary["pass_at_k"].items():
        low, high = summary["intervals"][k]
        table.add_row(f"pass@{k}", f"{value:.2%}", f"{low:.2%} to {high:.2%}")
    return table


def _selection(selection: dict[str, Any]) -> Table:
    """The choice of one program a problem, and what its confidence is worth."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"chosen by {selection['method']}")
    table.add_column("", justify="right")
    low, high = selection["interval"]
    table.add_row("right", f"{selection['selected_pass_at_1']:.2%}")
    table.add_row("95 % interval", f"{low:.2%} to {high:.2%}")
    table.add_row("any program, at random", f"{selection['random_pass_at_1']:.2%}")
    table.add_row("the best possible choice", f"{selection['oracle_pass_at_1']:.2%}")
    if selection["auroc"] is not None:
        table.add_row("AUROC of the confidence", f"{selection['auroc']:.3f}")
    table.add_row("calibration error", f"{selection['ece']:.3f}")
    told = f"{selection['confident_coverage']:.1%}, {selection['confident_error']:.1%} wrong"
    table.add_row("called confident", told)
    table.add_row("no answer", f"{selection['abstained']:.1%}")
    table.add_row("weights", selection["weights"])
    return table


def _counts(summary: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("status")
    table.add_column("programs", justify="right")
    table.add_column("share", justify="right")
    for status, count in summary["statuses"].items():
        table.add_row(status, f"{count:,}", f"{count / summary['programs']:.1%}")
    return table


def _facts(summary: dict[str, Any]) -> Table:
    seconds, rate = summary["seconds"], summary["programs_per_second"]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("")
    table.add_column("", overflow="fold")
    table.add_row("references", f"{summary['reference_pass']} of {summary['references']} pass")
    table.add_row(
        "judged", f"{summary['judged']:,} distinct programs now, {summary['reused']:,} before"
    )
    speed = f" ({rate:,.0f} programs a second)" if rate else ""
    table.add_row("judging", f"{seconds['judging']:.1f} s{speed}, mode {summary['mode']}")
    table.add_row("isolation", ", ".join(summary["isolation"]) or "none")
    for path in summary["files"]:
        table.add_row("wrote", path)
    return table
