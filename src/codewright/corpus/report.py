"""The report of a corpus: what went in, what came out, and where each file went in between.

Everything in it follows from the content, save `timing`: processor seconds of each step on one
core, bytes that went in over these seconds, and what the stages of this run took by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from codewright.corpus.steps import size
from codewright.types.document import Document


class Tally:
    """Counts what stays, by licence and by origin."""

    def __init__(self) -> None:
        self.licences: dict[str, list[int]] = {}
        self.origins: dict[str, list[int]] = {}

    def watch(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yields the documents, and counts each on its way."""
        for document in documents:
            self.add(document)
            yield document

    def add(self, document: Document) -> None:
        """Counts one document."""
        count = size(document)
        for table, key in ((self.licences, document.licence), (self.origins, document.origin)):
            entry = table.setdefault(key, [0, 0])
            entry[0] += 1
            entry[1] += count


def make(
    *,
    sources: Sequence[str],
    units: Sequence[tuple[int, dict[str, Any]]],
    steps: Sequence[dict[str, Any]],
    tally: Tally,
    shards: Sequence[dict[str, Any]],
    stages: Mapping[str, float],
) -> dict[str, Any]:
    """Returns the report.

    Args:
        sources: the kind of each source, in order.
        units: for each unit its source's number, and its books.
        steps: the books of the steps over the whole corpus, in order.
        tally: what stayed.
        shards: the list of shards.
        stages: seconds that each stage took by the clock, in this run.
    """
    joined = _joined([step for _, books in units for step in books["steps"]])
    everything = [*joined, *steps]
    timing = {entry["step"]: entry.pop("seconds") for entry in everything}
    by_source = []
    for number, kind in enumerate(sources):
        own = _joined([s for n, books in units if n == number for s in books["steps"]])
        for entry in own:
            del entry["seconds"]
        by_source.append({"source": number, "kind": kind, "steps": own})
    return {
        "files": sum(shard["documents"] for shard in shards),
        "bytes": sum(shard["bytes"] for shard in shards),
        "steps": everything,
        "sources": by_source,
        "licences": _sorted(tally.licences),
        "origins": _sorted(tally.origins),
        "shards": list(shards),
        "timing": {
            "steps": {
                entry["step"]: {
                    "seconds": round(timing[entry["step"]], 3),
                    "mb_per_second": _rate(entry["in"][1], timing[entry["step"]]),
                }
                for entry in everything
            },
            "stages": {name: round(seconds, 1) for name, seconds in stages.items()},
        },
    }


def _rate(count: int, seconds: float) -> float | None:
    return round(count / 1e6 / seconds, 2) if seconds > 0 else None


def _sorted(table: dict[str, list[int]]) -> dict[str, list[int]]:
    return dict(sorted(table.items(), key=lambda item: (-item[1][1], item[0])))


def _joined(books: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds up the books of each step, in the order in which steps first appear."""
    found: dict[str, dict[str, Any]] = {}
    for entry in books:
        total = found.setdefault(
            entry["step"],
            {"step": entry["step"], "in": [0, 0], "out": [0, 0], "seconds": 0.0,
             "drops": {}, "changes": {}},
        )  # fmt: skip
        for side in ("in", "out"):
            total[side] = [a + b for a, b in zip(total[side], entry[side], strict=True)]
        total["seconds"] += entry["seconds"]
        for reason, counts in entry["drops"].items():
            old = total["drops"].get(reason, [0, 0])
            total["drops"][reason] = [a + b for a, b in zip(old, counts, strict=True)]
        for what, count in entry["changes"].items():
            total["changes"][what] = total["changes"].get(what, 0) + count
    for total in found.values():
        total["drops"] = dict(sorted(total["drops"].items()))
        total["changes"] = dict(sorted(total["changes"].items()))
    return list(found.values())


def lines(report: Mapping[str, Any], *, most: int = 12) -> str:
    """Returns the report as text: steps with their drops, licences, and the largest origins."""
    first = report["steps"][0]["in"] if report["steps"] else [0, 0]
    unit = _Unit(first[1])
    said = [
        f"{_counted(report['files'], 'file')} of {first[0]:,} and {unit.of(report['bytes'])} of "
        f"{unit.of(first[1])} {unit.name} stay, in {_counted(len(report['shards']), 'shard')}",
        "",
        f"{'step':<26}{'files':>10}{unit.name:>10}{'MB/s':>8}",
    ]
    for entry in report["steps"]:
        timing = report["timing"]["steps"][entry["step"]]
        said.append(unit.row(entry["step"], entry["in"], timing["mb_per_second"]))
        said += [unit.row(f"  - {why}", counts) for why, counts in entry["drops"].items()]
        said += [f"  ~ {what:<22}{count:>10,}" for what, count in entry["changes"].items()]
    said.append(unit.row("corpus", [report["files"], report["bytes"]], whole_rate(report)))
    for title in ("licences", "origins"):
        table = list(report[title].items())
        said += ["", f"{title[:-1]:<36}{'files':>10}{unit.name:>10}"]
        said += [unit.named(name, counts) for name, counts in table[:most]]
        if len(table) > most:
            rest = [sum(column) for column in zip(*(c for _, c in table[most:]), strict=True)]
            said.append(unit.named(f"{len(table) - most} more", rest))
    return "\n".join(said)


def whole_rate(report: Mapping[str, Any]) -> float | None:
    """Returns the megabytes a second and core of all steps together."""
    seconds = sum(entry["seconds"] for entry in report["timing"]["steps"].values())
    return _rate(report["steps"][0]["in"][1], seconds) if report["steps"] else None


class _Unit:
    """In what bytes are told: megabytes, or kilobytes where there is not one."""

    def __init__(self, total: int) -> None:
        self.name, self._size = ("MB", 1e6) if total >= 1e6 else ("kB", 1e3)

    def of(self, count: int) -> str:
        return f"{count / self._size:,.2f}"

    def row(self, name: str, counts: Sequence[int], rate: float | None = None) -> str:
        shown = "" if rate is None else f"{rate:.1f}"
        return f"{name:<26}{counts[0]:>10,}{self.of(counts[1]):>10}{shown:>8}".rstrip()

    def named(self, name: str, counts: Sequence[int]) -> str:
        short = name if len(name) <= 34 else name[:33] + "…"
        return f"{short:<36}{counts[0]:>10,}{self.of(counts[1]):>10}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
