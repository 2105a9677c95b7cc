"""`codewright search --outline`: what is where, each in a sentence, from coarse to fine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from codewright import console
from codewright.cli.opening import cache
from codewright.cli.search import print_coloured
from codewright.errors import UserError
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.generate.settings import Local
from codewright.repo.filters import Wanted
from codewright.repo.hierarchy import Node, Outline, Trail
from codewright.repo.store import Store
from codewright.repo.summaries import SavedNotes, written

NOTES = "notes.sqlite"

Row = tuple[int, Node]
"""A level, and what stands there."""
_Place = tuple[str, int]


def show_outline(
    store: Store,
    query: str,
    wanted: Wanted,
    *,
    model: str,
    limit: int,
    depth: int,
    as_json: bool,
) -> bool:
    """Prints the outline of a part, or what a query leads to; returns whether there is any."""
    if wanted != Wanted(paths=wanted.paths) or len(wanted.paths) > 1:
        raise UserError(
            "an outline has no filters but one --path", hint="leave out --kind and the others"
        )
    if query.strip() and wanted.paths:
        raise UserError(
            "a query goes from the top of the outline", hint="leave out --path, or the query"
        )
    with SavedNotes(cache() / NOTES) as notes:
        outline = Outline(store, notes, store.hashes())
        if query.strip():
            rows = list(_merged(outline.find(query, limit)))
        else:
            rows = list(_tree(outline, _top(outline, wanted), 0, depth))
        if model:
            generator = open_generator(
                model, environment=os.environ, service=Service(), local=Local()
            )
            nodes = written(outline, [node for _, node in rows], generator, notes)
            rows = [(level, node) for (level, _), node in zip(rows, nodes, strict=True)]
    if as_json:
        console.print_json([_told(level, node) for level, node in rows])
    else:
        for level, node in rows:
            print_coloured(_line(level, node))
    return bool(rows)


def _top(outline: Outline, wanted: Wanted) -> Node:
    top = outline.at(wanted.paths[0]) if wanted.paths else outline.root
    if top is None:
        raise UserError(
            f"{wanted.paths[0]} is no folder or file of the index",
            hint="name one relative to the root; patterns are for searches",
        )
    return top


def _tree(outline: Outline, node: Node, level: int, depth: int) -> Iterator[Row]:
    yield level, node
    if level < depth and node.kind != "function":
        for child in outline.children(node):
            yield from _tree(outline, child, level + 1, depth)


def _merged(trails: Sequence[Trail]) -> Iterator[Row]:
    """Yields the trails as one tree, branches in the order of their best trail."""
    nodes: dict[_Place, Node] = {}
    below: dict[_Place | None, list[_Place]] = {None: []}
    for trail in trails:
        above: _Place | None = None
        for node in trail.nodes[1:]:
            place = (node.path, node.ordinal)
            if place not in nodes:
                nodes[place] = node
                below.setdefault(above, []).append(place)
            above = place
    todo = [(0, place) for place in reversed(below[None])]
    while todo:
        level, place = todo.pop()
        yield level, nodes[place]
        todo += [(level + 1, inner) for inner in reversed(below.get(place, []))]


def _told(level: int, node: Node) -> dict[str, Any]:
    return {
        "level": level,
        "kind": node.kind,
        "path": node.path,
        "line": node.line,
        "name": node.name,
        "says": node.says,
    }


def _line(level: int, node: Node) -> Sequence[tuple[str, int]]:
    name = node.name + ("/" if node.kind == "package" else "")
    place = f":{node.line}" if node.kind in ("class", "function") else ""
    says = f"  {node.says}" if node.says else ""
    return [("  " * level, 0), (name, 1), (place, 2), (f"{says}\n", 0)]
