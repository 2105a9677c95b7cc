"""`--grammar`, `--json-schema` and `--regex`: what a text has to be, for models on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codewright.errors import UserError
from codewright.files import read_bytes
from codewright.generate.registry import is_local
from codewright.types.generation import Grammar

_PANEL = "How the model is asked"

PYTHON = "python"

GrammarName = Annotated[
    str,
    typer.Option(
        "--grammar",
        metavar="python|FILE",
        help="Let nothing be written that breaks it: python, or a file with a grammar in the form "
        "of Lark or of llama.cpp. For models on this machine.",
        rich_help_panel=_PANEL,
    ),
]
JsonSchema = Annotated[
    Path | None,
    typer.Option(help="The same, with a JSON schema in a file.", rich_help_panel=_PANEL),
]
Regex = Annotated[
    str, typer.Option(help="The same, with a regular expression.", rich_help_panel=_PANEL)
]


def chosen(model: str, name: str, schema: Path | None = None, regex: str = "") -> Grammar | None:
    """Returns what a text has to be; None: anything.

    Raises:
        UserError: more than one option says so, or `model` is none on this machine.
        DataError: a file cannot be read.
    """
    given = [bool(name), schema is not None, bool(regex)]
    if not any(given):
        return None
    if sum(given) > 1:
        raise UserError(
            "--grammar, --json-schema and --regex were given together", hint="leave all but one out"
        )
    if not is_local(model):
        raise UserError(
            f"{model} cannot be held to a grammar from here",
            hint="name a model on this machine: embedded, or a checkpoint folder",
        )
    if regex:
        return Grammar(kind="regex", source=regex)
    if schema is not None:
        return Grammar(kind="schema", source=_text(schema))
    if name == PYTHON:
        return Grammar(kind="python")
    return Grammar(kind="lark", source=_text(Path(name)))


def _text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", "replace")
