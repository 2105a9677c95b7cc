"""`codewright symbols PATH[:NAME]`: what is defined, what nothing uses, what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import console
from codewright.cli import outlines
from codewright.cli.opening import opened
from codewright.errors import UserError

if TYPE_CHECKING:
    from codewright.repo.places import Place
    from codewright.repo.resolve import Resolver


def symbols(
    path: Annotated[str, typer.Argument(help="A file or folder, or FILE:NAME, FILE:LINE.")] = ".",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only these: function, class, …; several times.")
    ] = None,
    depth: Annotated[
        int, typer.Option(min=0, help="Levels that are shown; 0: all of a file, 1 of a folder.")
    ] = 0,
    unused: Annotated[bool, typer.Option("--unused", help="What nothing refers to.")] = False,
    dangling: Annotated[
        bool, typer.Option("--dangling", help="References to what is not there.")
    ] = False,
    root: Annotated[
        Path | None, typer.Option(help="The repository; else the nearest folder upwards.")
    ] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Do not look for changes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value.")] = False,
) -> None:
    """Lists what a file or folder defines, what of it nothing uses, and what it uses in vain."""
    if unused and dangling:
        raise UserError("--unused and --dangling are two questions", hint="ask one at a time")
    only = outlines.kinds(kind or [])
    with opened(root, stale=stale) as store:
        from codewright.repo.named import in_file
        from codewright.repo.places import Place
        from codewright.repo.resolve import Resolver

        resolver = Resolver(store)
        file, colon, inner = path.rpartition(":")
        if colon:
            file = outlines.inside(store.root, file)
            if file in resolver.lookup.files:
                places = [in_file(resolver, file, inner)]
            else:
                raise UserError(f"{file} is not in the index", hint="codewright index says why")
        else:
            under = outlines.inside(store.root, path)
            places = [Place(one, 0) for one in outlines.paths_under(resolver, under)]
        if unused:
            found = _unused(resolver, places)
            found = [one for one in found if not kind or one["kind"] in kind]
        elif dangling:
            found = _dangling(resolver, places)
        else:
            shallow = len(places) > 1 and not only
            _show(resolver, places, only, depth or (1 if shallow else 0), as_json)
            return
    if as_json:
        console.print_json(found)
    else:
        console.print_text("\n".join(_lines(found)))
    if any(one["sure"] for one in found):
        raise typer.Exit(1)


def _show(
    resolver: Resolver, places: list[Place], only: list[Any], depth: int, as_json: bool
) -> None:
    levels = depth or 1 << 30
    if as_json:
        console.print_json(
            [
                {
                    **outlines.told(resolver, place),
                    "definitions": [
                        outlines.told(resolver, place._replace(ordinal=at))
                        for at, _ in outlines.below(space, place.ordinal, levels)
                        if not only or space.definitions[at].kind in only
                    ],
                }
                for place in places
                for space in [resolver.lookup.space(place.path)]
            ]
        )
        return
    for place in places:
        space = resolver.lookup.space(place.path)
        lines = outlines.outline(space, place.ordinal, only, levels)
        if not lines and len(places) > 1:
            continue
        definition = space.definitions[place.ordinal]
        if place.ordinal:
            head = f"{place.path}:{definition.line}  {definition.signature}"
        else:
            head = f"{place.path}  {definition.end} lines"
        console.print_text("\n".join([head, *lines]))


def _unused(resolver: Resolver, places: list[Place]) -> list[dict[str, Any]]:
    from codewright.repo import graph
    from codewright.repo.unused import unused

    files = resolver.index.files()
    with console.progress("looking for uses", total=len(files), unit="files") as bar:
        whole = graph.load(resolver.index, resolver, bar.advance)
    root = resolver.index.root
    paths = [place.path for place in places]
    within = {place.path: place.ordinal for place in places}
    found = []
    for one in unused(resolver, whole, paths, root):
        space = resolver.lookup.space(one.place.path)
        ordinals = {at for at, _ in outlines.below(space, within[one.place.path])}
        if one.place.ordinal in ordinals or one.place.ordinal == within[one.place.path]:
            told = outlines.told(resolver, one.place)
            found.append({**told, "sure": one.sure, "reason": one.reason})
    return found


def _dangling(resolver: Resolver, places: list[Place]) -> list[dict[str, Any]]:
    from codewright.repo.unused import dangling

    return [
        {
            "path": one.path,
            "line": one.reference.line,
            "name": one.missing,
            "kind": one.reference.use.name.lower(),
            "sure": True,
            "reason": "",
        }
        for one in dangling(resolver, [place.path for place in places])
    ]


def _lines(found: list[dict[str, Any]]) -> list[str]:
    heads = [f"{one['path']}:{one['line']}" for one in found]
    width = max(map(len, heads), default=0)
    lines = [
        f"{head:<{width}}  {one['kind']} {one['name']}"
        + (f"  maybe: {one['reason']}" if one["reason"] else "")
        for head, one in zip(heads, found, strict=True)
    ]
    return lines or ["none"]
