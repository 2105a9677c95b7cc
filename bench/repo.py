"""The state cache, measured: how fast it is, and whether it finds what is needed.

    python bench/repo.py --only speed            beside universal-ctags and aider's repository map
    python bench/repo.py --only docstrings       is the function found that a sentence describes
    python bench/repo.py --only calls            is what a masked call needs in the context
    python bench/repo.py --only commits          where the commits of SWE-bench changed the code
    python bench/repo.py --only completion       next lines by the embedded model
    python bench/repo.py --write-docs            the tables into the documentation

What was measured is kept in bench/results/repo.json; what cannot be measured again cheaply (drawn
calls, releases, answers of contenders) in the scratch folder, so that a stopped run goes on. Tables
on stderr, with --json the results on stdout. Needs the dev extra and, for commits, the data folder
that CODEWRIGHT_DATA names; the first run fetches aider, releases and held-out packages by pip.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
if __package__ in (None, ""):
    sys.path[0] = str(_ROOT)

from bench import vectors  # noqa: E402
from bench.pages import fill, say  # noqa: E402
from bench.remembering import (  # noqa: E402
    calls,
    commits,
    completion,
    docstrings,
    ours,
    speed,
    tables,
    tools,
    trees,
)

from codewright.generate.registry import embedded  # noqa: E402

_RESULTS = _ROOT / "bench" / "results" / "repo.json"
_DOCS = (_ROOT / "README.md", _ROOT / "docs" / "measured.md")
PARTS = ("speed", "docstrings", "calls", "commits", "completion")


def machine() -> dict[str, Any]:
    """Returns what figures depend on."""
    names = ("apsw", "tree-sitter", "sympy", "scikit-learn", "pandas", "torch", "transformers")
    ctags = subprocess.run([tools.CTAGS, "--version"], capture_output=True, text=True, check=False)
    cpu = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": cpu[0] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in names}
        | {"aider": tools.AIDER, "ctags": ctags.stdout.partition(",")[0]},
        "date": time.strftime("%Y-%m-%d"),
        "load": os.getloadavg()[0],
    }


def measure_speed(given: argparse.Namespace) -> dict[str, Any]:
    """Returns times of all trees; those that are not asked for stay as they were."""
    before = _before().get("speed", {}).get("trees", {})
    who = set(given.who.split(","))
    told = {}
    for name in given.trees.split(","):
        fresh = speed.measured(name, given.scratch, given.rounds, who)
        told[name] = before.get(name, {}) | fresh
    order = dict.fromkeys(name for name in (*speed.TREES, *told) if name in before or name in told)
    return {"trees": {name: told.get(name, before.get(name)) for name in order}}


def measure_docstrings(given: argparse.Namespace) -> dict[str, Any]:
    """Returns the figures of all ways by collection; the wheels are fetched where they are not."""
    folder = given.scratch / "relevance"
    if not folder.is_dir():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        subprocess.run([*pip, *docstrings.PACKAGES], check=True, stdout=sys.stderr)
    told: dict[str, Any] = {}
    joined: dict[str, list[int]] = {}
    for each in docstrings.collections(folder, given.sentences):
        ranks, figures = vectors.measured(each, "static")
        told[each.name] = figures | {way: vectors.summary(found) for way, found in ranks.items()}
        for way, found in ranks.items():
            joined.setdefault(way, []).extend(found)
        say(f"{each.name}: {json.dumps(told[each.name])}")
    told["all"] = {way: vectors.summary(found) for way, found in joined.items()}
    told["search - words"] = vectors.difference(joined["search"], joined["words"])
    return told | {"questions": len(joined["search"])}


def measure_calls(given: argparse.Namespace) -> dict[str, Any]:
    """Returns the measures of all contenders: of all calls, of those of aider, by collection."""
    missing = [name for name in calls.COLLECTIONS if not trees.source(name).is_dir()]
    if missing:
        raise SystemExit(f"not installed, and calls are drawn from it: {', '.join(missing)}")
    scratch = given.scratch / "calls"
    scratch.mkdir(parents=True, exist_ok=True)
    encoder = ours.tokenizer()
    maps = calls.AiderMaps(
        tools.aider_python(given.scratch), embedded() / "tokenizer.json", scratch, given.maps
    )
    who = [*calls.baselines(), ours.contexts(given.scratch / "cache")]
    if given.maps:
        who.append(
            calls.Contender(
                name="aider", version=f"{tools.AIDER} {given.maps}", open=maps.open, most=given.maps
            )
        )
    told: dict[str, Any] = {}
    for way in calls.WAYS:
        answers: dict[str, dict[str, list[Any]]] = {}
        for collection in calls.COLLECTIONS:
            root, wanted = calls.questions(collection, way, scratch, given.count)
            maps.tell(root, wanted)
            for each in who:
                found = calls.asked(
                    each, collection, way, scratch, given.count, lambda t: len(encoder.encode(t))
                )
                answers.setdefault(each.name, {})[collection] = found
        told[way] = _grouped(answers, given.maps)
    return told


def _grouped(answers: dict[str, dict[str, list[Any]]], most: int) -> dict[str, Any]:
    groups: dict[str, Any] = {"all": {}}
    for name, collections in answers.items():
        every = [each for found in collections.values() for each in found]
        if name != "aider":
            groups["all"][name] = calls.summary(every)
        if most:
            few = [each for found in collections.values() for each in found[:most]]
            groups.setdefault("asked of aider too", {})[name] = calls.summary(few)
        for collection, found in collections.items():
            groups.setdefault(collection, {})[name] = calls.summary(found)
    return groups


def measure_commits(given: argparse.Namespace) -> dict[str, Any]:
    """Returns the measures of all searches."""
    data = os.environ.get("CODEWRIGHT_DATA")
    if not data:
        raise SystemExit("CODEWRIGHT_DATA names no folder with swebench/lite.parquet")
    wanted, sizes = commits.instances(Path(data), given.scratch)
    scores = {}
    for each in [*commits.baselines(), ours.searches(given.scratch)]:
        found = commits.asked(each, wanted, given.scratch)
        scores[each.name] = {part: commits.summary(found, wanted, part) for part in sizes}
    covered = {part: sum(part == "both" or part in each.sets for each in wanted) for part in sizes}
    return {"covered": covered, "sizes": sizes, "scores": scores}


def _before() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_RESULTS.read_text()) if _RESULTS.is_file() else {}
    return told


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="repeatable; all by default")
    parser.add_argument("--scratch", type=Path, default=_ROOT / "runs" / "repo-bench")
    parser.add_argument("--rounds", type=int, default=3, help="of the speed of each tree")
    parser.add_argument("--trees", default=",".join(speed.TREES), help="whose speed is measured")
    parser.add_argument("--who", default="ctags,aider,codewright", help="whose speed is measured")
    parser.add_argument("--count", type=int, default=100, help="masked calls of each collection")
    parser.add_argument("--maps", type=int, default=25, help="of them that aider is asked, or 0")
    parser.add_argument("--sentences", type=int, default=250, help="of each collection")
    parser.add_argument("--lines", type=int, default=300, help="next lines of each kind")
    parser.add_argument("--json", action="store_true", help="results on stdout")
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if given.write_docs:
        for name, text in tables.markdown(_before()).items():
            say(f"{name}: {', '.join(fill((p for p in _DOCS if p.is_file()), name, text))}")
        return
    given.scratch = given.scratch.resolve()
    given.scratch.mkdir(parents=True, exist_ok=True)
    measures = {
        "speed": lambda: measure_speed(given),
        "docstrings": lambda: measure_docstrings(given),
        "calls": lambda: measure_calls(given),
        "commits": lambda: measure_commits(given),
        "completion": lambda: completion.measured(given.scratch, given.lines),
    }
    command = " ".join(["python", "bench/repo.py", *sys.argv[1:]])
    for part in given.only or PARTS:
        began = time.perf_counter()
        told = measures[part]()
        told_of = {"machine": machine(), "command": command}
        told_of["seconds"] = time.perf_counter() - began
        results = _before()
        results[part] = told
        results.setdefault("runs", {})[part] = told_of
        _RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        say(f"{part}: {told_of['seconds']:.0f} s")
    results = _before()
    for name, text in tables.markdown(results).items():
        say(f"\n{name}\n\n{text}")
    for what, came, met in tables.targets_of(results):
        say(f"{'yes' if met else 'NO '}  {what}: {came}")
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
