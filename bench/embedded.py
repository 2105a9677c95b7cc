"""What the embedded model can do: gaps filled, programs written, judged by our own judge.

    python bench/embedded.py                   some hours on two cores; goes on where it stopped
    python bench/embedded.py -n 20             a tenth of that
    python bench/embedded.py --write-docs      the tables into the card

HumanEval is sampled at several temperatures, and each k takes the best of them, as Chen et al. 2021
did. HumanEval-Infilling is asked greedily, in both orders of a gap; what is said for a line is read
twice, as the model ends it and the first line alone. Every run is a `codewright evaluate`, kept
under --out. JSON to bench/results/embedded.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pages import fill, say

from codewright.evaluate.folder import GENERATED

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "embedded.json"
_DOC = _ROOT / "src" / "codewright" / "data" / "embedded" / "card.md"
_KS = ("1", "10", "100")
_GAPS = {"single-line": "one line", "random-span-light": "a random span"}
_TEMPERATURES = "0.2,0.4,0.6,0.8"
# pass@1, @10 and @100 in percent, and where the paper says so.
_OTHERS = (
    ("Codex 12 M (Chen et al. 2021)", (2.0, 3.6, 8.6)),
    ("Codex 25 M", (3.2, 7.1, 12.9)),
    ("Codex 42 M", (5.1, 8.8, 15.6)),
    ("CodeParrot-small 110 M", (3.8, 6.6, 12.8)),
    ("GPT-Neo 125 M (Chen et al. 2021)", (0.8, 1.9, 3.0)),
    ("PolyCoder 160 M (Xu et al. 2022)", (2.1, 3.3, 4.9)),
)


def evaluate(benchmark: str, out: Path, *words: str) -> dict[str, Any]:
    """Runs `codewright evaluate` and returns what it prints."""
    say(f"{out.name} …")
    command = [sys.executable, "-m", "codewright", "evaluate", benchmark, "--json"]
    done = subprocess.run(
        [*command, "--out", str(out), *words], stdout=subprocess.PIPE, text=True, check=False
    )
    if not done.stdout.strip():
        raise SystemExit(f"{out.name}: codewright evaluate ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def gaps(model: str, out: Path) -> dict[str, dict[str, float]]:
    """Returns the share of gaps that were filled right: by kind of gap, by manner."""
    found: dict[str, dict[str, float]] = {}
    for kind in _GAPS:
        for order in ("psm", "spm"):
            benchmark, place = f"humaneval-infilling-{kind}", out / f"{kind}-{order}"
            words = ("--model", model, "-n", "1", "--temperature", "0", "--fim", order)
            shares = found.setdefault(kind, {})
            shares[order] = evaluate(benchmark, place, *words)["pass_at_k"]["1"]
            if kind == "single-line":
                # The same texts, read in another way.
                words = ("--samples", str(place / GENERATED), "--one-line")
                told = evaluate(benchmark, out / f"{place.name}--one-line", *words)
                shares[f"{order} --one-line"] = told["pass_at_k"]["1"]
    return found


def programs(
    model: str, out: Path, n: int, temperatures: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Returns pass@k on HumanEval by temperature."""
    found = {}
    for temperature in temperatures:
        told = evaluate(
            "humaneval",
            out / f"humaneval-{temperature}-{n}",
            *("--model", model, "-n", str(n), "--temperature", temperature),
            *("--max-tokens", "300", "--k", ",".join(k for k in _KS if int(k) <= n)),
        )
        found[temperature] = told["pass_at_k"]
    return found


def best(programs: dict[str, dict[str, float]]) -> dict[str, tuple[float, str]]:
    """Returns for each k the best score and its temperature."""
    ks = next(iter(programs.values()))
    return {k: max((scores[k], t) for t, scores in programs.items()) for k in ks}


def tables(told: dict[str, Any]) -> str:
    """Returns the figures as Markdown."""
    found = best(told["humaneval"])
    cells = [f"{found[k][0]:.1%}".rstrip("%") if k in found else "" for k in _KS]
    lines = [
        "| HumanEval, in percent | pass@1 | pass@10 | pass@100 |",
        "|---|--:|--:|--:|",
        f"| **embedded**, {told['parameters'] / 1e6:.1f} M | {' | '.join(cells)} |",
        *(f"| {name} | {' | '.join(map(str, scores))} |" for name, scores in _OTHERS),
        "",
        f"n = {told['n']}, 300 tokens at most, at the best temperature of "
        f"{', '.join(told['humaneval'])}: "
        + ", ".join(f"{t} for pass@{k}" for k, (_, t) in found.items())
        + ".",
        "",
        "| gaps filled, in percent | PSM | SPM | PSM, first line | SPM, first line |",
        "|---|--:|--:|--:|--:|",
    ]
    for kind, words in _GAPS.items():
        shares = told["infilling"][kind]
        manners = ("psm", "spm", "psm --one-line", "spm --one-line")
        said = (f"{100 * shares[m]:.1f}" if m in shares else "" for m in manners)
        lines.append(f"| {words} (HumanEval-Infilling `{kind}`) | {' | '.join(said)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints the tables."""
    parser = argparse.ArgumentParser(description="what the embedded model can do")
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--out", type=Path, default=_ROOT / "runs" / "embedded-scores")
    parser.add_argument("-n", type=int, default=200, help="programs a problem")
    parser.add_argument("--temperatures", default=_TEMPERATURES, help="tried on HumanEval")
    parser.add_argument("--write-docs", action="store_true")
    given = parser.parse_args(arguments)
    from codewright.generate.registry import embedded
    from codewright.model import checkpoint

    folder = embedded() if given.model == "embedded" else Path(given.model)
    told = {
        "model": given.model,
        "parameters": checkpoint.load(folder)[0].config.parameters(),
        "n": given.n,
        "infilling": gaps(given.model, given.out),
        "humaneval": programs(given.model, given.out, given.n, given.temperatures.split(",")),
    }
    table = tables(told)
    print(table)
    _RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    if given.write_docs:
        fill([_DOC], "embedded", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
