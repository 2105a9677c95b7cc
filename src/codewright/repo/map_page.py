"""A map of a repository: one HTML page that holds all it shows.

A treemap of folders, files, classes and functions: areas are lines, colours are ranks, and arrows
of imports appear for the file that is pointed at. It is searched by name and walked with the
keyboard. The page asks for nothing: its policy allows one script, by its hash, and no request.
Names come from the repository: they stand in a JSON block in which no `<` is left, and the script
sets them as text only.

A page holds at most `NODES` names, the largest definitions first; in folders with very many files
the smallest are drawn as one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from codewright.console import printable
from codewright.page import STYLE, words
from codewright.repo.edges import EdgeKind
from codewright.repo.graph import Graph
from codewright.repo.index import Index
from codewright.repo.places import Place
from codewright.repo.rank import Reals, of_files
from codewright.repo.resolve import Resolver
from codewright.repo.spaces import CLASSES, FUNCTIONS

NODES = 60_000
_FOLDER_FILES = 1_500
"""Of more files in one folder the smallest are drawn as one."""
_LEAST = 3
"""Definitions of fewer lines have no area of their own."""
_FULL = 1000
"""The highest rank, in the page's data."""

_STYLE = """
main{max-width:none;padding:28px 28px 40px}
header{margin-bottom:16px}h1{font-size:30px}
:root{--cold:#dfe6ea;--hot:#c2410c;--in:#1d4ed8;--out:#0b7a75}
@media(prefers-color-scheme:dark){:root{--cold:#2b3238;--hot:#fb923c;--in:#7aa2ff;--out:#4cc2b4}}
#bar{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin:0 0 10px}
#search{font:inherit;padding:6px 10px;min-width:260px;color:var(--ink);background:var(--sheet);
border:1px solid var(--line);border-radius:8px}
#trail button,#hits button{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
color:var(--ink);background:var(--sheet);border:1px solid var(--line);border-radius:6px;
padding:2px 8px;margin:2px;cursor:pointer;max-width:100%;overflow:hidden;text-overflow:ellipsis}
#hits{max-height:136px;overflow:auto;color:var(--soft)}
#frame{position:relative;height:calc(100vh - 250px);min-height:420px;overflow:hidden}
#map{position:absolute;inset:0;background:var(--sheet);border-radius:8px;overflow:hidden}
#arrows{position:absolute;inset:0;width:100%;height:100%;pointer-events:none}
.box{position:absolute;border-radius:3px;overflow:hidden;cursor:pointer;color:var(--ink)}
.box.open{border:1px solid var(--line);background:var(--paper)}
.box span{display:block;padding:0 4px;font:11px/15px ui-sans-serif,system-ui,sans-serif;
white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.box.chosen,.box:focus{outline:2px solid var(--accent);outline-offset:-2px;z-index:1}
path.out,path.in{fill:none;stroke-width:1.4;opacity:.75}
path.out{stroke:var(--out)}path.in{stroke:var(--in)}
.tip{opacity:1}path.tip.out{fill:var(--out);stroke:none}path.tip.in{fill:var(--in);stroke:none}
#about{min-height:24px;margin:10px 0 0;overflow-wrap:anywhere}
#keys{color:var(--soft);font-size:13px;margin:4px 0 0}
"""
_KEYS = (
    "Arrow keys move, down and up go in and out of a box, Enter opens it, Escape closes it, / "
    "searches. Area: lines; colour: rank. Teal arrows lead to what a file imports, blue ones come "
    "from what imports it."
)


def page(title: str, index: Index, resolver: Resolver, graph: Graph, ranks: Reals) -> str:
    """Returns the page.

    Args:
        title: of the repository, plain text.
        index: the repository.
        resolver: of the same state.
        graph: of the same state.
        ranks: of the graph's nodes.
    """
    data = {"title": printable(title), **_imports(graph)}
    data["tree"] = _tree(index, resolver, graph, ranks)
    script = resources.files("codewright.repo").joinpath("map.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    lines = sum(file.lines for file in index.files())
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{words(title)} – Codewright</title><style>{STYLE}{_STYLE}</style></head>"
        f'<body><main><header><p class="kicker">map</p><h1>{words(title)}</h1>'
        f"<p>{len(graph.paths):,} files, {lines:,} lines</p></header>"
        '<div id="bar"><input id="search" type="search" placeholder="find a name" '
        'aria-label="find a name" autocomplete="off"/>'
        '<nav id="trail" aria-label="where"></nav></div>'
        '<div id="hits" role="status"></div>'
        '<div id="frame"><div id="map" role="tree" aria-label="treemap"></div>'
        '<svg id="arrows" aria-hidden="true"></svg></div>'
        f'<p id="about" role="status"></p><p id="keys">{words(_KEYS)}</p>'
        f'<script type="application/json" id="data">{embedded(data)}</script>'
        f"<script>{script}</script></main></body></html>\n"
    )


def embedded(data: Mapping[str, Any]) -> str:
    """Returns JSON in which nothing can end the element that it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _imports(graph: Graph) -> dict[str, dict[str, list[int]]]:
    """Returns what each file imports, and by what it is imported, as numbers of files."""
    firsts = np.zeros(graph.size, dtype=bool)
    firsts[graph.first[:-1]] = np.diff(graph.first) > 0
    kept = (graph.kind == EdgeKind.IMPORTS) & firsts[graph.source] & firsts[graph.target]
    files = graph.files()
    out: dict[str, list[int]] = {}
    into: dict[str, list[int]] = {}
    pairs = zip(files[graph.source[kept]].tolist(), files[graph.target[kept]].tolist(), strict=True)
    for source, target in pairs:
        out.setdefault(str(source), []).append(target)
        into.setdefault(str(target), []).append(source)
    return {"imports": out, "importers": into}


def _tree(index: Index, resolver: Resolver, graph: Graph, ranks: Reals) -> list[Any]:
    of_file = of_files(graph, ranks)
    highest = float(of_file.max()) if len(of_file) else 1.0
    inner_highest = _highest(graph, ranks)
    shown = _largest(index, resolver, NODES - len(graph.paths))
    root: dict[str, Any] = {}
    for number, file in enumerate(index.files()):
        folder = root
        *above, name = file.path.split("/")
        for part in above:
            folder = folder.setdefault(part + "/", {})
        inner = _definitions(resolver, graph, ranks, file.path, shown, inner_highest)
        rank = round(float(of_file[number]) / highest * _FULL) if highest else 0
        folder[name] = [printable(name), max(file.lines, 1), rank, "file", inner, 0, number]
    return _folder("", root)


def _folder(name: str, inner: dict[str, Any]) -> list[Any]:
    """Returns a folder with what is in it; one that has nothing but a folder is drawn as both."""
    children = [
        _folder(key[:-1], value) if isinstance(value, dict) else value
        for key, value in inner.items()
    ]
    if name and len(children) == 1 and children[0][3] == "folder":
        return [f"{printable(name)}/{children[0][0]}", *children[0][1:]]
    files = sorted((c for c in children if c[3] == "file"), key=lambda child: -child[1])
    if len(files) > _FOLDER_FILES:
        few = files[_FOLDER_FILES:]
        lines, rank = sum(child[1] for child in few), max(child[2] for child in few)
        children = [child for child in children if child[3] != "file"] + files[:_FOLDER_FILES]
        children.append([f"{len(few):,} smaller files", lines, rank, "files", []])
    lines = sum(child[1] for child in children)
    rank = max((child[2] for child in children), default=0)
    return [printable(name), lines, rank, "folder", children]


def _highest(graph: Graph, ranks: Reals) -> float:
    inner = np.ones(graph.size, dtype=bool)
    inner[graph.first[:-1][np.diff(graph.first) > 0]] = False
    return float(ranks[inner].max()) if inner.any() else 1.0


def _largest(index: Index, resolver: Resolver, most: int) -> int:
    """Returns the least number of lines that a definition is drawn with."""
    sizes = [
        definition.end - definition.first + 1
        for file in index.files()
        for definition in resolver.lookup.space(file.path).definitions[1:]
        if definition.kind in CLASSES or definition.kind in FUNCTIONS
    ]
    sizes.sort(reverse=True)
    if most <= 0:
        return 1 << 30
    return max(sizes[most] + 1, _LEAST) if len(sizes) > most else _LEAST


def _definitions(
    resolver: Resolver, graph: Graph, ranks: Reals, path: str, least: int, highest: float
) -> Sequence[list[Any]]:
    space = resolver.lookup.space(path)
    first = graph.node(Place(path, 0))
    made: dict[int, list[Any]] = {0: ["", 0, 0, "", []]}
    for ordinal, definition in enumerate(space.definitions):
        size = definition.end - definition.first + 1
        drawn = definition.kind in CLASSES or definition.kind in FUNCTIONS
        if not ordinal or not drawn or size < least or definition.parent not in made:
            continue
        rank = round(float(ranks[first + ordinal]) / highest * _FULL) if highest else 0
        kind = definition.kind.name.lower()
        name = printable(definition.name)
        made[ordinal] = [name, size, rank, kind, [], definition.line]
        made[definition.parent][4].append(made[ordinal])
    inner: list[list[Any]] = made[0][4]
    return inner
