"""How long an index takes, of whole trees and after an edit, and how long answers do.

Beside each other on the same copies of trees, in the same run, one after the other: universal-ctags
(`ctags -R`, tags alone), aider's repository map (empty cache of tags, then another open file in the
same process, then a new process with the cache full), and Codewright on two cores and on one.
Everybody reads the same files: what `codewright index` skips is taken out of the copies, and said.
No index can be made faster than its files are read and hashed: that is timed too. Times are of
whole commands where that is said, and of the call in a process that has the index open elsewhere.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.pages import say
from bench.remembering import ours, tools, trees

from codewright.cli.embedders import DEFAULT
from codewright.generate.registry import embedded

TREES = ("stdlib", *trees.PACKAGES, "monorepo")
LIMIT = 300.0
"""Seconds for aider's map of one tree."""
QUESTIONS = 300


def measured(name: str, scratch: Path, rounds: int, who: set[str]) -> dict[str, Any]:
    """Returns what was measured of one tree."""
    root = trees.tree(name, scratch / "trees")
    skipped = _same_files(root, scratch)
    files = list(trees.python_files(root))
    data = [path.read_bytes() for path in files]
    told: dict[str, Any] = {
        "what": trees.version(name),
        "files": len(files),
        "lines": sum(each.count(b"\n") for each in data),
        "bytes": sum(map(len, data)),
        "skipped": skipped,
    }
    del data
    told["reading"] = [tools.reading(files) for _ in range(rounds)]
    if "ctags" in who:
        told["ctags"] = _ctags(root, rounds)
        say(f"{name}: ctags {statistics.median(told['ctags']['seconds']):.2f} s")
    if "aider" in who:
        told["aider"] = _aider(root, files, scratch)
        say(f"{name}: aider {told['aider']}")
    if "codewright" in who:
        told["codewright"] = _codewright(root, scratch, rounds)
        cold = told["codewright"]["seconds"]["2"]
        say(f"{name}: codewright {told['lines'] / statistics.median(cold):,.0f} lines/s")
    return told


def _ctags(root: Path, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "tags"
        runs = [tools.ctags(root, out, LIMIT) for _ in range(rounds)]
        looked = tools.ctags(root, out, LIMIT, memory=True)
        size = out.stat().st_size
    return {"seconds": [run.seconds for run in runs], "peak": looked.peak, "size": size}


def _aider(root: Path, files: list[Path], scratch: Path) -> dict[str, Any]:
    python, tokens = tools.aider_python(scratch), embedded() / "tokenizer.json"
    names = [path.relative_to(root).as_posix() for path in files]
    opened = [names[len(names) // 3], names[len(names) // 2], names[2 * len(names) // 3]]
    for old in root.glob(".aider.tags.cache*"):
        shutil.rmtree(old)
    told: dict[str, Any] = {"limit": LIMIT}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "told.json"
        run, maps = tools.aider(python, root, opened, tokens, out, LIMIT)
        told["stopped"] = run.stopped
        told["cold"] = maps[0]["seconds"] if maps else LIMIT
        told["other file"] = [each["seconds"] for each in maps[1:]]
        told["tokens"] = [each["tokens"] for each in maps]
        if maps:
            run, again = tools.aider(python, root, opened[:1], tokens, out, LIMIT)
            told["new process"] = again[0]["seconds"] if again else LIMIT
    caches = list(root.glob(".aider.tags.cache*"))
    told["size"] = sum(p.stat().st_size for each in caches for p in each.rglob("*") if p.is_file())
    for old in caches:
        shutil.rmtree(old)
    return told


def _same_files(root: Path, scratch: Path) -> dict[str, list[str]]:
    """Takes out of a copy what the index skips; returns that, by reason, of all runs so far."""
    kept = root.with_suffix(".skipped")
    told: dict[str, list[str]] = json.loads(kept.read_text()) if kept.is_file() else {}
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        run = tools.ran(
            _index(root, "none"), cores=2, limit=900, environment={"XDG_CACHE_HOME": folder}
        )
    for reason, paths in json.loads(run.output)["skipped"].items():
        told.setdefault(reason, []).extend(paths)
        for path in paths:
            (root / path).unlink()
    kept.write_text(json.dumps(told))
    return told


def _index(root: Path, embedder: str = DEFAULT) -> list[str]:
    command = [sys.executable, "-m", "codewright", "index", str(root), "--json"]
    return [*command, "--embedder", embedder]


def _codewright(root: Path, scratch: Path, rounds: int) -> dict[str, Any]:
    told: dict[str, Any] = {"seconds": {}}
    index, plain = _index(root), _index(root, "none")
    search = [sys.executable, "-m", "codewright", "search", "where a file is opened"]
    search += ["--root", str(root), "--json"]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        cache = Path(folder)

        def run(command: list[str], *, cores: int = 2, memory: bool = False) -> tools.Ran:
            place = {"XDG_CACHE_HOME": str(cache)}
            return tools.ran(command, cores=cores, limit=900, environment=place, memory=memory)

        def cold(command: list[str], *, cores: int = 2, memory: bool = False) -> tools.Ran:
            shutil.rmtree(cache / "codewright", ignore_errors=True)
            return run(command, cores=cores, memory=memory)

        def size() -> int:
            store = (cache / "codewright").rglob("*")
            return sum(path.stat().st_size for path in store if path.is_file())

        told["seconds"]["plain"] = [cold(plain).seconds for _ in range(rounds)]
        told["size, plain"] = size()
        told["peak"] = cold(index, memory=True).peak
        told["seconds"]["1"] = [cold(index, cores=1).seconds for _ in range(max(1, rounds - 2))]
        told["seconds"]["2"] = [cold(index).seconds for _ in range(rounds)]
        told["size"] = size()
        told["command, search"] = [run(search).seconds for _ in range(rounds)]
        told["command, nothing changed"] = [run(index).seconds for _ in range(rounds)]
        told["command, one edit"] = [
            _after_edit(lambda: run(index).seconds, root, number) for number in range(rounds)
        ]
        out = cache / "told.json"
        child = Path(ours.__file__).parent / "ours_child.py"
        command = [sys.executable, str(child), "--root", str(root), "--out", str(out)]
        told["peak, asked"] = run([*command, "--count", str(QUESTIONS)], memory=True).peak
        told |= json.loads(out.read_text())
    return told


def _after_edit(indexed: Callable[[], float], root: Path, number: int) -> float:
    """Returns the seconds of the whole command after a line was added to one file."""
    files = list(trees.python_files(root))
    path = files[(number + 1) * len(files) // 7 % len(files)]
    data = path.read_bytes()
    path.write_bytes(data + b"\n# an edit\n")
    seconds = indexed()
    path.write_bytes(data)
    indexed()
    return seconds


def quantile(values: list[float], share: float) -> float:
    """Returns the value below which a share of them lies, the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def warm(own: dict[str, Any]) -> float:
    """Returns the milliseconds of an edit and a context after it, with the index open."""
    edit = statistics.median(own["edits"])
    return float(edit + statistics.median(own["questions"]["map"]))


def targets(speed: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Returns what was aimed at, what came out, and whether it is met, for each tree."""
    found = []
    for name, tree in speed.items():
        own, other = tree.get("codewright"), tree.get("aider")
        if not own:
            continue
        seconds = statistics.median(own["seconds"]["2"])
        rate = tree["lines"] / seconds
        found.append((f"{name}: 150,000 lines/s cold", f"{rate:,.0f}", rate >= 150_000))
        edit = statistics.median(own["edits"])
        found.append((f"{name}: one edit in 50 ms", f"{edit:.1f} ms", edit <= 50))
        for kind, times in own["questions"].items():
            slow = quantile(times, 0.99)
            found.append((f"{name}: {kind} p99 in 50 ms", f"{slow:.1f} ms", slow <= 50))
        size = own["size"] / tree["bytes"]
        found.append((f"{name}: store within 1.5 of the source", f"{size:.2f}", size <= 1.5))
        if other:
            times = 1000 * other["cold"] / own["first context"]
            found.append((f"{name}: aider's map × 10, cold", f"{times:.1f}", times >= 10))
        if other and other["other file"]:
            times = 1000 * statistics.median(other["other file"]) / warm(own)
            found.append((f"{name}: aider's map × 100, warm", f"{times:.0f}", times >= 100))
    return found
