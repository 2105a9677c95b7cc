"""`codewright impact SYMBOL`: what may break when a definition changes, and the tests to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import console
from codewright.cli import outlines
from codewright.cli.opening import counted, opened

if TYPE_CHECKING:
    from codewright.repo.impact import Affected, Impact
    from codewright.repo.resolve import Resolver

_VERBS = {
    "contains": "contains",
    "imports": "imports",
    "calls": "calls",
    "references": "uses",
    "inherits": "inherits",
    "overrides": "overrides",
    "tests": "tests",
    "writes": "sets",
}


def impact(
    symbol: Annotated[
        str, typer.Argument(help="pkg.mod.Class.method, FILE:NAME, FILE:LINE, FILE, or a name.")
    ],
    depth: Annotated[int, typer.Option(min=1, help="How many steps are followed.")] = 3,
    root: Annotated[
        Path | None, typer.Option(help="The repository; else the nearest folder upwards.")
    ] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Do not look for changes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Says what may break when a definition changes: users, heirs, overrides, tests to run."""
    with opened(root, stale=stale) as store:
        from codewright.repo.impact import impact as impact_of
        from codewright.repo.named import find
        from codewright.repo.resolve import Resolver

        resolver = Resolver(store)
        path, colon, inner = symbol.rpartition(":")
        if colon:
            symbol = f"{outlines.inside(store.root, path)}:{inner}"
        elif "/" in symbol or symbol.endswith(".py"):
            symbol = outlines.inside(store.root, symbol)
        found = impact_of(resolver, find(resolver, symbol), depth)
        if as_json:
            console.print_json(_data(resolver, found))
        else:
            console.print_text("\n".join(_lines(resolver, found)))


def _data(resolver: Resolver, found: Impact) -> dict[str, Any]:
    return {
        "symbol": outlines.told(resolver, found.start),
        "affected": [
            {
                **outlines.told(resolver, one.place),
                "depth": one.depth,
                "confidence": round(one.confidence, 3),
                "how": one.kind.name.lower(),
                "at": one.line,
                "reason": one.reason,
                "test": one.test,
                "way": [outlines.where(resolver, step.via) for step in found.way(one)],
            }
            for one in found.affected
        ],
        "tests": [_test(resolver, one) for one in found.tests()],
        "left": found.left,
    }


def _lines(resolver: Resolver, found: Impact) -> list[str]:
    lines = [outlines.where(resolver, found.start)]
    for depth in sorted({one.depth for one in found.affected}):
        lines += ["", "directly" if depth == 1 else f"in {depth} steps"]
        level = [one for one in found.affected if one.depth == depth]
        heads = [_head(resolver, one) for one in level]
        width = min(max(map(len, heads)), 70)
        for head, one in zip(heads, level, strict=True):
            via = resolver.lookup.space(one.via.path).qualified(one.via.ordinal) or one.via.path
            verb = _VERBS[one.kind.name.lower()]
            lines.append(f"  {one.confidence:.2f}  {head:<{width}}  {verb} {via}")
    tests = list(dict.fromkeys(_test(resolver, one) for one in found.tests()))
    if tests:
        lines += ["", "tests to run", *(f"  {test}" for test in tests)]
    files = len({one.place.path for one in found.affected})
    many = counted(len(found.affected), "definition")
    lines += ["", f"{many} in {counted(files, 'file')} may break, {counted(len(tests), 'test')}"]
    if found.left:
        lines.append(f"not all was followed: {found.left} more places mention what is affected")
    return lines


def _head(resolver: Resolver, one: Affected) -> str:
    name = resolver.lookup.space(one.place.path).qualified(one.place.ordinal)
    return f"{one.place.path}:{one.line}" + (f"  {name}" if name else "")


def _test(resolver: Resolver, one: Affected) -> str:
    """Returns a test as pytest names it."""
    name = resolver.lookup.space(one.place.path).qualified(one.place.ordinal)
    return "::".join([one.place.path, *name.split(".")]) if name else one.place.path
