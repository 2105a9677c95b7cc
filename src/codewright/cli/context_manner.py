"""What the commands that show a model a repository share: form, tokenizer, the open file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codewright.cli.opening import languages, marked, opened
from codewright.errors import DataError
from codewright.files import read_bytes
from codewright.generate.registry import folder_of, is_local
from codewright.repo import manner
from codewright.repo.context import RepositoryContext
from codewright.repo.environments import environment_of
from codewright.repo.facts import Facts
from codewright.repo.installed import Library
from codewright.repo.libraries import Libraries
from codewright.repo.manner import AUTO, Manner
from codewright.repo.reading import opened as unpacked
from codewright.repo.scanner import Scanner, scan
from codewright.repo.unpacked import unpack
from codewright.types.context import Context, Query

if TYPE_CHECKING:
    from codewright.repo.registry import Languages
    from codewright.repo.store import Store

OURS = "codewright-checkpoint"
SHARE = 4
"""The part of what a model can read that other files have."""
ELSEWHERE = 8192
"""Tokens that a model behind a server can read at least."""


def manner_of(model: str, *, form: str, tokenizer: Path | None, name: str) -> Manner:
    """Returns how a model is shown a repository.

    Args:
        model: as `--model` names it.
        form: auto, or a form's name.
        tokenizer: a folder with the tokenizer of a model elsewhere; None for none.
        name: of the repository.

    Raises:
        DataError: the model or the tokenizer is missing.
        UnknownName: no form is called so.
    """
    if not is_local(model):
        return manner.other(model, tokenizer, form, name)
    folder = folder_of(model)
    config = _config(folder / "config.json")
    if config.get("format") == OURS:
        extra = config.get("extra") or {}
        known = [key for key, value in extra.items() if value is True]
        return manner.own(folder, known, form, name)
    said = " ".join([model, *config.get("architectures", ())])
    return manner.other(said, tokenizer or folder, form, name)


def context_of(
    path: Path | None, query: Query, model: str, budget: int | None, root: Path | None
) -> Context:
    """Returns what a model is shown for a query about a file, or a place where one will be.

    Args:
        path: the file with the cursor, None for a task; the query's own is not looked at.
        query: what is asked.
        model: as `--model` names it.
        budget: tokens at most; None for a quarter of what the model can read.
        root: the repository; None for the nearest one upwards.

    Raises:
        CodewrightError: the index or the tokenizer cannot be read.
    """
    with opened(root or (root_near(path) if path else None)) as store:
        how = manner_of(model, form=AUTO, tokenizer=None, name=store.root.name)
        asked = replace(query, path=inside(path, store.root) if path else "")
        most = window(model) // SHARE if budget is None else budget
        return builder(store, languages(), how).retrieve(asked, most)


def window(model: str) -> int:
    """Returns how many tokens a model can read, as far as that is known."""
    if not is_local(model):
        return ELSEWHERE
    config = _config(folder_of(model) / "config.json")
    shape = config.get("model") if config.get("format") == OURS else config
    known = (shape or {}).get("context") or (shape or {}).get("max_position_embeddings")
    return known if isinstance(known, int) else ELSEWHERE


def root_near(path: Path) -> Path:
    """Returns the repository of a file: the nearest folder upwards that looks like one.

    Where none does it is the present folder, or that of a file that is elsewhere.
    """
    path = path.resolve()
    return marked(path.parent) or (Path.cwd() if path.is_relative_to(Path.cwd()) else path.parent)


def builder(store: Store, known: Languages, how: Manner) -> RepositoryContext:
    """Returns what builds contexts over an open index and what is installed for it.

    Raises:
        DataError: the repository's own environment cannot be read.
    """
    library = Library(environment_of(None, store.root), Scanner())
    return RepositoryContext(store, reader(known), how, more=Libraries(library))


def reader(known: Languages) -> Callable[[str, bytes], Facts]:
    """Returns what reads the open file: as the index reads files, whatever language they are in."""

    def read(path: str, data: bytes) -> Facts:
        language = known.by_path(path) or known.by_content(path, data) or "python"
        if language == "python":  # at every key stroke: without what only the index keeps
            return unpack(scan(data).blob)
        return unpacked(known.read(language, data).facts)

    return read


def inside(path: Path, root: Path) -> str:
    """Returns a path relative to the root.

    Raises:
        DataError: it is elsewhere.
    """
    try:
        return path.resolve().relative_to(root).as_posix()
    except ValueError:
        raise DataError(
            f"{path} is not in {root}", hint="name the repository's folder with --root"
        ) from None


def _config(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(read_bytes(path))
    except ValueError:
        raise DataError(f"{path} is no JSON", hint="name the folder of a model") from None
    return told if isinstance(told, dict) else {}
