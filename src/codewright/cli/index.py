"""`codewright index [PATH]`, `index diff`: bring an index up to date, and see what changed.

`index PATH` is `index update PATH`: whatever follows `index` and is no command of it, is for that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from codewright import console
from codewright.cli.embedders import DEFAULT
from codewright.cli.opening import bare, counted, opened, say_skipped

if TYPE_CHECKING:
    from codewright.repo.ingest import Report
    from codewright.repo.states import Difference
    from codewright.repo.store import Store

USERS = 20
"""Users of a changed signature that are shown where there are more."""
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


class _Group(TyperGroup):
    """A group of which one command need not be named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["update", *args]
        return super().parse_args(ctx, args)


def index() -> typer.Typer:
    """Brings the index of a repository up to date, and shows what is in it and what changed."""
    app = typer.Typer(cls=_Group)
    app.command()(update)
    app.command()(diff)
    return app


def update(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="The folder. Without it: the nearest one upwards with .git or pyproject.toml."
        ),
    ] = None,
    root: Annotated[Path | None, typer.Option(help="The same as PATH.")] = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Show what is in the index, as tables.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and follow every change until interrupted.")
    ] = False,
    map_page: Annotated[
        Path | None,
        typer.Option(
            "--map", help="Draw a map of it: a page that holds all it shows, written here."
        ),
    ] = None,
    embedder: Annotated[
        str, typer.Option(help="What will find by meaning: static, minilm, openai/NAME, … none.")
    ] = DEFAULT,
    stale: Annotated[
        bool, typer.Option("--stale", help="With --stats or --map: update nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Brings an index up to date: what changed is read, what was skipped is said."""
    with bare(path or root, embedder) as store:
        if not (stale and (stats or map_page) and store.complete):
            report = store.update()
            say_skipped(report)
            if not stats:
                _show(report, store, as_json)
        if stats:
            _show_stats(store, as_json)
        if map_page:
            _draw(store, map_page)
        if watch:
            from codewright.repo.watch import follow

            console.say(f"watching {store.root}, Ctrl-C ends it")
            for report in follow(store):
                _show(report, store, as_json)


def _draw(store: Store, page: Path) -> None:
    from codewright.files import write_whole
    from codewright.repo import graph, map_page, rank
    from codewright.repo.resolve import Resolver

    resolver = Resolver(store)
    with console.progress("reading", total=len(store.files()), unit="files") as bar:
        drawn = graph.load(store, resolver, bar.advance)
    name = store.root.name or "/"
    write_whole(page, map_page.page(name, store, resolver, drawn, rank.load(store, drawn)))
    console.say(f"a map of {name} is in {page}")


def diff(
    old: Annotated[
        str, typer.Argument(help="A state (now~1, or its name) or a commit of git.")
    ] = "now~1",
    new: Annotated[str, typer.Argument(help="The other one.")] = "now",
    root: Annotated[
        Path | None, typer.Option(help="The repository. Without it: as for index.")
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="Compare what is there, update nothing.")
    ] = False,
    users: Annotated[
        bool,
        typer.Option("--users/--no-users", help="Look for what uses each changed signature."),
    ] = True,
    as_json: Json = False,
) -> None:
    """Shows what differs between two states, by definitions, and who uses what changed."""
    with opened(root, stale=stale) as store:
        from codewright.repo.difference_report import as_data, lines
        from codewright.repo.states import differences, side

        found = differences(side(store, old), side(store, new))
        data = as_data(found, _users(store, found) if users else {})
    if as_json:
        console.print_json(data)
    else:
        console.print_text("\n".join(lines(data, USERS)))


def _users(store: Store, found: Difference) -> dict[tuple[str, str], Sequence[dict[str, Any]]]:
    """Returns who refers, in the present state, to each definition of which the head changed."""
    from codewright.repo.places import Place
    from codewright.repo.resolve import Resolver
    from codewright.repo.usages import usages

    resolver = Resolver(store)
    changed = {*found.files_changed, *found.files_added, *(new for _, new in found.files_moved)}
    told: dict[tuple[str, str], Sequence[dict[str, Any]]] = {}
    for pair in found.signature:
        new = pair.new
        file = store.file(new.path)
        if file is None:
            continue
        facts = store.facts(file.content)
        if new.ordinal >= len(facts.definitions) or facts.qualified(new.ordinal) != new.qualified:
            continue  # the newer side is not the present, which has something else there
        told[new.path, new.qualified] = [
            {
                "path": use.file.path,
                "line": use.reference.line,
                "in": store.facts(use.file.content).qualified(use.reference.scope),
                "confidence": round(use.confidence, 2),
                "file_changed": use.file.path in changed,
            }
            for use in usages(resolver, Place(new.path, new.ordinal)).uses
        ]
    return told


def _show(report: Report, store: Store, as_json: bool) -> None:
    size = 0 if store.place is None else os.path.getsize(store.place)
    if as_json:
        console.print_json(
            {
                "root": str(store.root),
                "state": report.state,
                "files": report.files,
                "lines": report.lines,
                "added": report.added,
                "changed": report.changed,
                "removed": report.removed,
                "read": {"files": report.read_files, "lines": report.read_lines},
                "skipped": report.skipped,
                "bytes": size,
                "seconds": round(report.seconds, 4),
            }
        )
        return
    changes = [
        f"{count:,} {what}"
        for count, what in (
            (report.added, "added"),
            (report.changed, "changed"),
            (report.removed, "removed"),
        )
        if count
    ]
    console.print_text(
        f"{store.root}: {counted(report.files, 'file')}, {counted(report.lines, 'line')}, "
        f"state {report.state}"
    )
    # Of a few files the rate says nothing: the folder was walked.
    many = report.read_files > 100
    speed = f", {report.read_lines / report.seconds:,.0f} lines/s" if many else ""
    console.print_text(
        f"{', '.join(changes) or 'nothing changed'}; {counted(report.read_files, 'file')} read "
        f"in {report.seconds:.2f} s{speed}"
    )


def _show_stats(store: Store, as_json: bool) -> None:
    from codewright.repo.statistics import statistics

    told = statistics(store)
    if as_json:
        console.print_json(told)
        return
    rows = [("language", "files", "lines", "bytes", "definitions", "references")]
    rows += [
        (name, *(f"{each[key]:,}" for key in rows[0][1:]))
        for name, each in [*told["languages"].items(), ("all", told["all"])]
    ]
    console.print_text("\n".join(_table(rows)))
    kinds = [(kind, f"{count:,}") for kind, count in told["kinds"].items()]
    if kinds:
        console.print_text("\n".join(["", *_table([("kind", "definitions"), *kinds])]))
    made = [("state", "made", "files", "lines")]
    for at, state in enumerate(told["states"][:10]):
        name = f"now~{at} {state['name']}" if at else f"now {state['name']}"
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(state["made"]))
        made.append((name, when, f"{state['files']:,}", f"{state['lines']:,}"))
    console.print_text("\n".join(["", *_table(made)]))
    place = told["place"] or "in memory"
    share = told["bytes"] / max(told["all"]["bytes"], 1)
    console.print_text(
        f"\n{place}: {told['bytes'] / 1e6:.1f} MB, {share:.2f} × the source, "
        f"{counted(len(told['states']), 'state')}"
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns rows in columns, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
