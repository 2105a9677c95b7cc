"""A difference of two states for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codewright.repo.states import Difference, One, Pair

Users = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
_SINGLE = ("added", "removed")
_PAIRS = ("moved", "renamed", "signature", "body")
_SAID = {
    "signature": "changed signature",
    "body": "changed body",
}


def as_data(found: Difference, users: Users) -> dict[str, Any]:
    """Returns what JSON shows. users: by path and name of what has another signature now."""
    told: dict[str, Any] = {
        "old": found.old,
        "new": found.new,
        "files": {
            "added": found.files_added,
            "removed": found.files_removed,
            "changed": found.files_changed,
            "moved": [list(pair) for pair in found.files_moved],
        },
        "added": [_one(one) for one in found.added],
        "removed": [_one(one) for one in found.removed],
        "moved": [_pair(pair) for pair in found.moved],
        "renamed": [_pair(pair) for pair in found.renamed],
        "signature": [_pair(pair) for pair in found.signature],
        "body": [_pair(pair) for pair in found.body],
    }
    for pair, row in zip(found.signature, told["signature"], strict=True):
        uses = users.get((pair.new.path, pair.new.qualified))
        if uses is not None:
            row["users"] = list(uses)
    return told


def lines(data: Mapping[str, Any], most: int) -> list[str]:
    """Returns the lines that a person reads; at most `most` users of each signature."""
    out = [f"{data['old']} → {data['new']}"]
    files = data["files"]
    for what in ("added", "removed", "changed"):
        out += [f"  file {what}: {path}" for path in files[what]]
    out += [f"  file moved: {old} → {new}" for old, new in files["moved"]]
    for what in _SINGLE:
        out += _section(what, [f"  {_place(one)}  {one['signature']}" for one in data[what]])
    for what in _PAIRS:
        rows: list[str] = []
        for pair in data[what]:
            old, new = pair["old"], pair["new"]
            if what in ("moved", "renamed"):
                rows.append(f"  {_place(old)} {old['name']} → {_place(new)} {new['name']}")
                continue
            rows.append(f"  {_place(new)} {new['name']}")
            if what == "signature":
                rows += [f"    - {_head(old)}", f"    + {_head(new)}"]
                rows += _users(pair.get("users"), most)
        out += _section(_SAID.get(what, what), rows)
    if len(out) == 1:
        out.append("  nothing differs")
    return out


def _section(title: str, rows: Sequence[str]) -> list[str]:
    return [title, *rows] if rows else []


def _place(one: Mapping[str, Any]) -> str:
    return f"{one['path']}:{one['line']}"


def _head(one: Mapping[str, Any]) -> str:
    return " ".join([*(f"@{each}" for each in one["decorators"]), one["signature"]])


def _users(users: Sequence[Mapping[str, Any]] | None, most: int) -> list[str]:
    if users is None:
        return []
    if not users:
        return ["    nobody uses it"]
    rows = ["    used by"]
    for use in users[:most]:
        where = f" in {use['in']}" if use["in"] else ""
        sure = "" if use["confidence"] >= 1 else f", {use['confidence']:.0%} sure"
        now = ", in a file that changed" if use["file_changed"] else ""
        rows.append(f"      {use['path']}:{use['line']}{where}{sure}{now}")
    if len(users) > most:
        rows.append(f"      and {len(users) - most} more: --json shows all")
    return rows


def _one(one: One) -> dict[str, Any]:
    definition = one.definition
    return {
        "path": one.path,
        "line": definition.line,
        "name": one.qualified,
        "kind": definition.kind.name.lower(),
        "signature": definition.signature,
        "decorators": list(definition.decorators),
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {"old": _one(pair.old), "new": _one(pair.new)}
