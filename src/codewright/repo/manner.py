"""In which form, and counted by what, a model is shown a repository.

A model on this machine has its tokenizer beside it. Of one behind a server nothing is known but its
name, unless a folder with its tokenizer is named; then bytes are what is counted. Nothing here
opens a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codewright.errors import MissingExtra, UnknownName
from codewright.files import read_bytes
from codewright.repo.counting import Bytes, Counter, Other, Own
from codewright.repo.forms import FORMS, Form

TOKENIZER = "tokenizer.json"
REPOSITORY = "repository"
"""Where a checkpoint says, among its `extra`, that it was made with files of a repository before
the one that it goes on with."""
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How contexts are laid out and counted. name: of the repository, empty to leave it out."""

    form: Form
    counter: Counter
    name: str = ""


def own(folder: Path, extra: Sequence[str], form: str, name: str) -> Manner:
    """Returns the manner of a checkpoint of this package.

    Args:
        folder: of the checkpoint.
        extra: what its config says of it beside its shape.
        form: auto, or one of `FORMS`.
        name: of the repository.

    Raises:
        DataError: it has no tokenizer.
        MissingExtra: the library that reads it is not installed.
        UnknownName: no form is called so.
    """
    try:
        from codewright.tokens.bpe import Tokenizer
    except ModuleNotFoundError:
        raise MissingExtra("tokenizers", "local") from None
    usual = "repository" if REPOSITORY in extra else "plain"
    counter = Own(Tokenizer.load(folder / TOKENIZER))
    return Manner(form=_form(form, usual), counter=counter, name=name)


def other(model: str, folder: Path | None, form: str, name: str) -> Manner:
    """Returns the manner of any other model.

    Args:
        model: what it is called.
        folder: has its tokenizer.json; None where nobody has it.
        form: auto, or one of `FORMS`.
        name: of the repository.

    Raises:
        DataError: the folder has no tokenizer.
        MissingExtra: the library that reads it is not installed.
        UnknownName: no form is called so.
    """
    counter: Counter = Bytes()
    said = model.lower()
    usual = "qwen" if "qwen" in said and "coder" in said else "plain"
    usual = "starcoder" if "starcoder2" in said else usual
    if folder is not None:
        counter = Other(folder / TOKENIZER)
        known = read_bytes(folder / TOKENIZER)
        # What a tokenizer has no token for would be read as text.
        if usual != "plain" and FORMS[usual].file.encode() not in known:
            usual = "plain"
    return Manner(form=_form(form, usual), counter=counter, name=name)


def _form(name: str, usual: str) -> Form:
    if name == AUTO:
        return FORMS[usual]
    if name not in FORMS:
        raise UnknownName(f"no form is called {name!r}", hint=f"known: auto, {', '.join(FORMS)}")
    return FORMS[name]
