"""How fast a model is trained: transformers' Trainer, a plain loop and Codewright, side by side.

    python bench/learn.py                      two shapes, 3 rounds, some twenty minutes on a CPU
    python bench/learn.py --shapes 110M        for a GPU
    python bench/learn.py --write-docs         the table into docs/train.md and README.md

Each row trains the same shape of Llama on the same rows with AdamW in a process of its own, one
after the other in every round; ratios are taken within a round, to the faster of the two forms of
the Trainer. Operations are counted as model/config.py counts them, and set against what a product
of two large matrices reaches on the same machine in the same precision. Table on stderr, JSON to
bench/results/learn.json. Needs the dev and bench extras.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from learning.child import ROWS
from learning.work import SHAPES, Shape
from pages import fill, say

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "learn.json"
_DOCS = (_ROOT / "README.md", _ROOT / "docs" / "train.md")
_LABELS = {
    "plain": "a plain loop (bf16 autocast)",
    "trainer": "Trainer {transformers}, bf16",
    "trainer-compiled": "Trainer, bf16 and `torch_compile`",
    "codewright": "**codewright**",
}


def run_row(row: str, shape: str, steps: int) -> dict[str, Any]:
    """Trains one row in a process of its own and returns what it measured."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        child = Path(__file__).resolve().parent / "learning" / "child.py"
        command = [sys.executable, str(child), "--row", row, "--shape", shape]
        command += ["--steps", str(steps), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{row} failed:\n{done.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(out.read_text())
    return result


def flops_per_token(shape: Shape) -> float:
    """Returns the operations of one token's training step."""
    from learning.child import model_config

    return model_config(shape).flops_per_token(shape.context)


def machine_peak() -> tuple[float, str]:
    """Returns operations a second of a large bf16 product here, and where the figure is from."""
    import torch

    from codewright.train.peak import peak

    found = peak(torch.device("cuda" if torch.cuda.is_available() else "cpu"), "bf16")
    return found.flops, found.source


def measure(shapes: list[str], rows: list[str], rounds: int, steps: int) -> dict[str, Any]:
    """Runs everything, and returns the rates by shape and row."""
    found: dict[str, Any] = {name: {row: [] for row in rows} for name in shapes}
    for number in range(rounds):
        for name in shapes:
            for row in rows:
                rate = run_row(row, name, steps)["tokens_per_second"]
                found[name][row].append(rate)
                say(f"round {number + 1}, {name:5} {row:18} {rate:9,.0f} tokens/s")
    return found


def _span(values: list[float], form: str) -> str:
    ordered = sorted(values)
    middle = form.format(statistics.median(ordered))
    if len(ordered) == 1:
        return middle
    return f"{middle} ({form.format(ordered[0])} to {form.format(ordered[-1])})"


def markdown(results: dict[str, Any]) -> str:
    """Returns the table, one block a shape."""
    peak, machine = results["peak"], results["machine"]
    parts = []
    for name, rates in results["rates"].items():
        shape, each = SHAPES[name], results["flops_per_token"][name]
        trainers = [rates[row] for row in ("trainer", "trainer-compiled") if row in rates]
        best = [max(pair) for pair in zip(*trainers, strict=True)]
        parts.append(
            f"{name} parameters, {shape.batch} rows of {shape.context} tokens, vocabulary "
            f"{shape.vocabulary:,}; {machine['device']}, median (range) of {results['rounds']} "
            f"rounds. Peak: {peak / 1e9:,.0f} GFLOP/s ({results['peak_source']}).\n"
        )
        lines = ["| | tokens/s | × the faster Trainer | GFLOP/s | of the peak |"]
        lines.append("|---|--:|--:|--:|--:|")
        for row, label in _LABELS.items():
            if row not in rates:
                continue
            ratios = [a / b for a, b in zip(rates[row], best, strict=True)] if best else []
            used = statistics.median(rates[row]) * each
            cells = [
                label.format(**results["versions"]),
                _span(rates[row], "{:,.0f}"),
                f"{_span(ratios, '{:.2f}')} ×" if ratios else "",
                f"{used / 1e9:,.0f}",
                f"{used / peak:.0%}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default="5M,33M", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if given.write_docs:
        text = markdown(json.loads(_RESULTS.read_text()))
        say(f"filled {', '.join(fill(_DOCS, 'learn', text))}")
        return
    import torch

    shapes, rows = given.shapes.split(","), given.rows.split(",")
    peak, source = machine_peak()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    results = {
        "rounds": given.rounds,
        "machine": {"device": device or f"{os.cpu_count()} cores", "cores": os.cpu_count()},
        "versions": {p: importlib.metadata.version(p) for p in ("transformers", "torch")},
        "peak": peak,
        "peak_source": source,
        "flops_per_token": {name: flops_per_token(SHAPES[name]) for name in shapes},
        "rates": measure(shapes, rows, given.rounds, given.steps),
    }
    _RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    say(markdown(results))


if __name__ == "__main__":
    main()
