"""Names of embedders, and what they stand for.

static            the table that comes along: a few lookups a word, no torch
minilm            all-MiniLM-L6-v2, from the extra [minilm]
embedded, FOLDER  the states of the code model that comes along, or of a checkpoint
openai/NAME       a server's, by OPENAI_BASE_URL and OPENAI_API_KEY: the code is sent there
none              no vectors
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from codewright.errors import UnknownName

if TYPE_CHECKING:
    from codewright.repo.embedding import Embedder

NAMES = ("static", "minilm", "embedded", "FOLDER", "openai/NAME", "none")
DEFAULT = "static"
SERVER = "https://api.openai.com/v1"


def open_embedder(name: str) -> Embedder | None:
    """Returns the embedder of a name, None for `none`.

    Raises:
        UnknownName: there is none of that name.
        DataError: its weights are missing or broken.
        MissingExtra: it needs a package that is not installed.
    """
    kind, _, model = name.partition("/")
    if name == "none":
        return None
    if name == DEFAULT:
        from codewright.repo.static_vectors import ShippedEmbedder

        return ShippedEmbedder()
    if name == "minilm":
        from codewright.repo.vectors_minilm import MiniLM

        return MiniLM.installed()
    if kind == "openai" and model:
        from codewright.repo.vectors_remote import RemoteEmbedder

        url = os.environ.get("OPENAI_BASE_URL") or SERVER
        return RemoteEmbedder(model, base_url=url, key=os.environ.get("OPENAI_API_KEY", ""))
    if name == "embedded" or Path(name).is_dir():
        from codewright.generate.registry import embedded
        from codewright.repo.vectors_model import ModelEmbedder

        folder = embedded() if name == "embedded" else Path(name)
        return ModelEmbedder(folder, name if name == "embedded" else folder.resolve().name)
    raise UnknownName(f"there is no embedder {name!r}", hint=f"one of: {', '.join(NAMES)}")
