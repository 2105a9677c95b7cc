"""`codewright lsp`: completions in an editor, over standard input and output."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from codewright.cli import write_options as options
from codewright.errors import MissingExtra, UserError
from codewright.generate.registry import EMBEDDED, embedded, is_local
from codewright.generate.settings import Local


def lsp(
    model: options.Model = EMBEDDED,
    threads: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    guesses: Annotated[int, typer.Option(min=0, max=32, help="Tokens guessed ahead.")] = 8,
) -> None:
    """Completes in an editor, by the language server protocol."""
    if not is_local(model):
        raise UserError(
            f"{model!r} is no model on this machine", hint="embedded, or a checkpoint folder"
        )
    try:
        from codewright.generate.local_model import LocalModel
        from codewright.serve.lsp import editor
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "serve") from None
    folder = embedded() if model == EMBEDDED else Path(model)
    settings = Local(rows=16, threads=threads, guesses=guesses)
    opened = LocalModel(folder, settings, name=EMBEDDED if model == EMBEDDED else "")
    editor(opened, version=version("codewright")).start_io()
