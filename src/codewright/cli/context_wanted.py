"""What `--context none|auto|TOKENS` stands for; where nothing is wanted, no index is read."""

from __future__ import annotations

from pathlib import Path

from codewright.errors import UserError
from codewright.types.context import Context, Query


def context_wanted(
    wanted: str, query: Query, model: str, path: Path | None = None, root: Path | None = None
) -> Context | None:
    """Returns what a model is shown of a repository; None where nothing is wanted.

    Args:
        wanted: what the option says.
        query: what it is for.
        model: as `--model` names it.
        path: the file with the cursor; None for a task.
        root: the repository; None for the nearest one upwards.

    Raises:
        UserError: `wanted` says nothing that can be.
        CodewrightError: the index or the tokenizer cannot be read.
    """
    if wanted == "none":
        return None
    if wanted != "auto" and not wanted.isdecimal():
        raise UserError(f"--context {wanted!r} is unknown", hint="none, auto, or so many tokens")
    from codewright.cli.context_manner import context_of

    return context_of(path, query, model, None if wanted == "auto" else int(wanted), root)
