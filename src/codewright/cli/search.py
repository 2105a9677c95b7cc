"""`codewright search QUERY`: the pieces of a repository that a query is about."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import console
from codewright.cli import search_options as options
from codewright.cli.embedders import DEFAULT
from codewright.cli.opening import need_repo, opened
from codewright.errors import UserError

if TYPE_CHECKING:
    from codewright.repo.filters import Wanted
    from codewright.repo.search import Hit
    from codewright.repo.store import Store

WIDTH = 160
"""Characters of a line of a snippet."""


def search(
    query: options.Query = "",
    root: Annotated[
        Path | None, typer.Option(help="The repository (default: the one around this folder).")
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=1000)] = 10,
    kind: options.Kinds = None,
    language: options.Languages = None,
    path: options.Paths = None,
    tests: options.Tests = None,
    outline: options.OutlineOf = False,
    depth: Annotated[int, typer.Option(min=1, max=20, help="Levels of the outline.")] = 2,
    model: Annotated[
        str, typer.Option(help="Writes the sentences of the outline: embedded, openai/NAME, …")
    ] = "",
    embedder: options.EmbedderName = DEFAULT,
    graph: options.WithGraph = False,
    stale: Annotated[bool, typer.Option("--stale", help="Answer from the index as it is.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Finds code and text by words, names and meaning, or shows an outline of what is where."""
    need_repo()
    from codewright.cli.search_outline import show_outline
    from codewright.repo.filters import Wanted

    if not query.strip() and not outline:
        raise UserError("there is nothing to look for", hint="codewright search 'open a socket'")
    if model and not outline:
        raise UserError("--model is for --outline", hint="a search asks no model")
    wanted = Wanted(
        kinds=tuple(kind or ()), languages=tuple(language or ()), paths=tuple(path or ()),
        tests=tests,
    )  # fmt: skip
    with opened(root, "none" if outline else embedder, stale=stale) as store:
        if outline:
            found = show_outline(
                store, query, wanted, model=model, limit=limit, depth=depth, as_json=as_json
            )
        else:
            found = _searched(store, query, wanted, limit, graph=graph, as_json=as_json)
    if not found:
        console.say("nothing was found")
        raise typer.Exit(1)


def _searched(
    store: Store, query: str, wanted: Wanted, limit: int, *, graph: bool, as_json: bool
) -> bool:
    from codewright.repo.filters import kept_by
    from codewright.repo.graph import load
    from codewright.repo.search import Searcher
    from codewright.repo.ties import GraphTies

    # Without an embedder the store finds nothing by meaning.
    ties = GraphTies(load(store)) if graph else None
    searcher = Searcher(store, meaning=store, ties=ties)
    hits = searcher.search(query, limit=limit, keeps=kept_by(store, wanted))
    if as_json:
        console.print_json({"query": query, "state": store.state, "hits": list(map(_told, hits))})
    else:
        for hit in hits:
            print_coloured(_lines(hit))
    return bool(hits)


def _told(hit: Hit) -> dict[str, Any]:
    return {
        "path": hit.file.path,
        "language": hit.file.language,
        "first": hit.first,
        "last": hit.last,
        "line": hit.line,
        "name": hit.qualified,
        "kind": hit.definition.kind.name.lower(),
        "signature": hit.definition.signature,
        "score": round(hit.score, 6),
        "places": dict(hit.places),
        "snippet": {"line": hit.begins, "lines": list(hit.snippet)},
    }


def _lines(hit: Hit) -> Sequence[tuple[str, int]]:
    """Returns what is printed of a hit: texts with a colour, 0 for none."""
    shown = hit.definition.signature or hit.qualified
    found = ", ".join(f"{way} {place}" for way, place in sorted(hit.places.items()))
    lines = [(f"{hit.file.path}:{hit.line}", 35), (f"  {hit.first}-{hit.last}  {found}\n", 2)]
    if shown:
        inside = hit.qualified.rpartition(".")[0]
        lines.append((f"  {shown}" + (f"  in {inside}" if inside else "") + "\n", 1))
    for number, text in enumerate(hit.snippet, start=hit.begins):
        mark = ">" if number == hit.line else " "
        lines.append((f"  {mark}{number:>5}  {text.rstrip()[:WIDTH]}\n", 0))
    return [*lines, ("\n", 0)]


def print_coloured(texts: Sequence[tuple[str, int]]) -> None:
    """Prints texts, in colour where a person looks; what a repository holds cannot colour."""
    coloured = (
        sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    )
    for text, colour in texts:
        shown = console.printable(text)
        sys.stdout.write(f"\x1b[{colour}m{shown}\x1b[0m" if coloured and colour else shown)
