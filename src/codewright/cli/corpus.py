"""`codewright corpus build|stats`: make a cleaned corpus, and see what became of every file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from codewright import config, console
from codewright.corpus import report
from codewright.corpus.recipe import CorpusConfig
from codewright.corpus.report_page import page
from codewright.errors import DataError, MissingExtra
from codewright.files import parse_row, read_bytes, write_whole

_NEEDED = {"detect_secrets": "detect-secrets", "numpy": "numpy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe, as far as this command reads it: the other tables are their commands' own."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: dict[str, Any] = field(default_factory=dict)
    pack: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    lengthen: dict[str, Any] = field(default_factory=dict)
    score: dict[str, Any] = field(default_factory=dict)


def corpus() -> typer.Typer:
    """Builds a cleaned corpus of code, or shows what one is made of."""
    app = typer.Typer()
    app.command()(build)
    app.command()(stats)
    return app


def build(
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Overrides: corpus.quality=0.2 and the like."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder of the corpus.")] = Path("corpus"),
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file with a [corpus] table. Without it: the standard library and the "
            "packages of this environment."
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what the folder holds, and build anew.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Reads sources, drops what a model should not learn, and writes the rest with a report."""
    for module, package in _NEEDED.items():
        if find_spec(module) is None:
            raise MissingExtra(package, "train")
    from codewright.corpus.build import build as build_corpus

    chosen = config.load(Recipe, recipe, settings or ()).corpus
    data = os.environ.get("CODEWRIGHT_DATA")
    if not data and chosen.decontaminate == "available":
        console.say("CODEWRIGHT_DATA is not set: the corpus is not kept clean of benchmarks")
    made = build_corpus(chosen, out, benchmarks=Path(data) if data else None, restart=restart)
    _show(made, as_json)


def stats(
    folder: Annotated[Path, typer.Argument(help="The folder of a corpus.")],
    html: Annotated[Path | None, typer.Option(help="Write the report as a page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Shows the report of a corpus: each step's files, bytes, drops and speed."""
    path = folder / "report.json"
    if not path.is_file():
        raise DataError(
            f"{folder} holds no finished corpus",
            hint="make one, or finish it, with codewright corpus build --out FOLDER",
        )
    made = parse_row(read_bytes(path), str(path))
    if html is not None:
        write_whole(html, page(made))
    _show(made, as_json)


def _show(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.print_json(made)
    else:
        console.print_text(report.lines(made))
