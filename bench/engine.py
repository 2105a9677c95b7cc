"""How fast models are read and continued: llama.cpp, transformers and Codewright, side by side.

    python bench/engine.py                     30 M and 110 M parameters, one core and two: an hour
    python bench/engine.py --shapes 30M --threads 1 --rounds 1
    python bench/engine.py --write-docs        the tables into the documentation

Every row runs the same random weights in a process of its own: a prompt of 256 tokens is read,
then 128 tokens are written greedily for each of 1, 8 and 32 texts. Texts have prompts of their own;
`n = 100` is a hundred candidates of 64 tokens for one prompt of 512. Rows take turns in every
round. What a precision costs is shown beside its speed: the perplexity of the embedded model, run
by the same code in the same precision. The limit of one text is how fast a core reads as many bytes
as there are weights: measured by looking for a byte that is not there.

What was measured before of other shapes and numbers of cores stays. Table on stderr, JSON to
bench/results/engine.json. Needs the dev and bench extras.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engines.models import SHAPES, prepare, weights
from engines.rows import ROWS
from pages import fill, say

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "engine.json"
_README, _DOC = _ROOT / "README.md", _ROOT / "docs" / "engine.md"
_INT8 = "codewright int8"
_FIGURES = ("prefill", "1", "8", "32", "100")


def run_row(row: str, folder: Path, threads: int) -> dict[str, float]:
    """Runs one row in a process of its own, on as many cores as it has threads."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.json"
        child = Path(__file__).resolve().parent / "engines" / "child.py"
        command = [sys.executable, str(child), "--row", row, "--models", str(folder)]
        command += ["--threads", str(threads), "--out", str(out)]
        cores = sorted(os.sched_getaffinity(0))[:threads]
        done = subprocess.run(
            ["taskset", "-c", ",".join(map(str, cores)), *command],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{row} failed:\n{done.stderr[-2000:]}")
        found: dict[str, float] = json.loads(out.read_text())
    return found


def measure(shapes: list[str], rows: list[str], threads: list[int], rounds: int) -> Any:
    """Returns tokens a second: [shape][threads][row][figure], a list of rounds."""
    found: Any = {}
    with tempfile.TemporaryDirectory() as scratch:
        for shape in shapes:
            folder = prepare(shape, Path(scratch) / shape)
            for count in threads:
                told = found.setdefault(shape, {}).setdefault(str(count), {})
                for number in range(rounds):
                    for row in rows:
                        rates = run_row(row, folder, count)
                        said = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
                        say(f"{shape}, {count} cores, round {number + 1}: {row:22} {said}")
                        for name, rate in rates.items():
                            told.setdefault(row, {}).setdefault(name, []).append(rate)
    return found


def reading(size: int) -> float:
    """Returns how many bytes a second one core reads, over and over the same `size`."""
    data, times = b"\x01" * size, []  # zeros would be one page, again and again
    for _ in range(20):
        began = time.perf_counter()
        assert data.find(b"x") < 0
        times.append(time.perf_counter() - began)
    return size / min(times)


def quality(rows: list[str]) -> dict[str, float]:
    """Returns the perplexity of the embedded model, as each row runs it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = prepare("embedded", Path(scratch) / "embedded")
        return {row: run_row(f"{row}:perplexity", folder, 2)["perplexity"] for row in rows}


def markdown(results: dict[str, Any], *, short: bool = False) -> str:
    """Returns the tables, one a shape and number of cores; or the first of them."""
    parts = []
    for shape, by_threads in results["rates"].items():
        for threads, rows in by_threads.items():
            if short and parts:
                break
            cores = "one core" if threads == "1" else f"{threads} cores"
            parts.append(f"{shape} parameters, {cores}, tokens/s, {_rounds(rows)}:\n")
            lines = [
                "| | prefill | 1 text | 8 texts | 32 texts | n = 100 | perplexity |",
                "|---|--:|--:|--:|--:|--:|--:|",
            ]
            for row, figures in rows.items():
                cells = [
                    f"{statistics.median(figures[name]):,.0f}" if name in figures else ""
                    for name in _FIGURES
                ]
                score = results["perplexity"].get(row)
                label = ROWS[row].label.format(**results["versions"])
                lines.append(
                    f"| {label} | {' | '.join(cells)} | {f'{score:.3f}' if score else ''} |"
                )
            parts.append("\n".join(lines) + "\n")
            if threads == "1" and not short and _INT8 in rows:
                parts.append(_limit(results, shape, statistics.median(rows[_INT8]["1"])))
    return "\n".join(parts)


def _rounds(rows: dict[str, Any]) -> str:
    count = min(len(times) for figures in rows.values() for times in figures.values())
    return f"median of {count}" if count > 1 else "one round"


def _limit(results: dict[str, Any], shape: str, rate: float) -> str:
    size, read = results["bytes"][shape], results["reading"][shape]
    return (
        f"One text reads {size / 1e6:.0f} MB of int8 weights a token: "
        f"{size * rate / 1e9:.0f} GB/s, {size * rate / read:.0%} of the "
        f"{read / 1e9:.0f} GB/s at which this core reads so many bytes again and again.\n"
    )


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default="30M,110M", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if given.write_docs:
        results = json.loads(_RESULTS.read_text())
        done = fill((_DOC,), "engine", markdown(results))
        done += fill((_README,), "engine-short", markdown(results, short=True))
        say(f"filled {', '.join(done)}")
        return
    rows, shapes = given.rows.split(","), given.shapes.split(",")
    threads = [int(count) for count in given.threads.split(",")]
    sizes = {name: weights(name) for name in shapes}
    before = json.loads(_RESULTS.read_text()) if _RESULTS.is_file() else {}
    results = {
        "versions": {
            name.replace("-", "_"): importlib.metadata.version(name)
            for name in ("transformers", "torch", "llama-cpp-python")
        },
        "bytes": before.get("bytes", {}) | sizes,
        # It drifts with what else the machine does: told beside the rates of the same run.
        "reading": before.get("reading", {})
        | {name: reading(size) for name, size in sizes.items() if 1 in threads},
        "perplexity": before.get("perplexity", {})
        | quality([row for row in rows if ROWS[row].scores]),
        "rates": measure(shapes, rows, threads, given.rounds),
    }
    results["rates"] = {
        name: before.get("rates", {}).get(name, {}) | results["rates"].get(name, {})
        for name in SHAPES
        if name in before.get("rates", {}) or name in results["rates"]
    }
    _RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    say(markdown(results))


if __name__ == "__main__":
    main()
