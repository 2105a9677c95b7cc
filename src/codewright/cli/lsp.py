"""`codewright lsp`: completions in an editor, over standard input and output."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from codewright.cli import write_options as options
from codewright.cli.editor_repositories import EditorRepositories
from codewright.errors import MissingExtra
from codewright.generate.registry import EMBEDDED, open_model
from codewright.generate.settings import Local


def lsp(
    model: options.Model = EMBEDDED,
    threads: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 1,
    guesses: Annotated[int, typer.Option(min=0, max=32, help="Tokens guessed ahead.")] = 8,
    draft: options.Draft = "",
) -> None:
    """Completes in an editor, by the language server protocol."""
    try:
        from codewright.serve.lsp import editor
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "serve") from None
    opened = open_model(model, Local(rows=16, threads=threads, guesses=guesses, draft=draft))
    server = editor(opened, EditorRepositories(model), version=version("codewright"))
    try:
        server.start_io()
    finally:
        server.neighbours.close()
