"""The states of a code model as vectors: the mean over the tokens of what its last layer says.

A model that was made to write code was never asked to tell texts apart, and its states share a
large part, so the mean of `COMMON` short texts is taken off first (Mu and Viswanath, "All-but-the-
Top", ICLR 2018). What that is worth is in docs/search.md; it is here for who trains a better model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codewright.errors import MissingExtra
from codewright.files import read_bytes
from codewright.repo.embedding import Floats, Piece, unit
from codewright.repo.vectors_minilm import clean, spoken

if TYPE_CHECKING:
    from codewright.model.transformer import Decoder

TOKENS = 256
COMMON = (
    "def main():\n    return 0\n",
    "class Reader:\n    def __init__(self, path):\n        self.path = path\n",
    "for item in items:\n    print(item)\n",
    "import os\nimport sys\n",
    "Return the number of items that are not empty.",
    "Read a file and close it, whatever happens.",
    "if value is None:\n    raise ValueError('value')\n",
    "total = sum(each.size for each in parts)\n",
)


class ModelEmbedder:
    """An `Embedder` by a checkpoint folder."""

    reads_text = True

    def __init__(self, folder: Path, name: str) -> None:
        """Reads the checkpoint.

        Raises:
            MissingExtra: torch is not installed.
            DataError: the folder holds no checkpoint.
        """
        try:
            from codewright.model.checkpoint import load
        except ModuleNotFoundError as error:
            raise MissingExtra(str(error.name), "local") from None
        from codewright.model.stored import TOKENIZER
        from codewright.tokens.bpe import Tokenizer

        self.name = name
        self._tokenizer = Tokenizer.load(folder / TOKENIZER)
        self._model: Decoder = load(folder)[0]
        self._model.eval()
        self.size = self._model.config.width
        hashed = hashlib.sha256()
        for path in sorted(folder.glob("*.safetensors")):
            hashed.update(read_bytes(path))
        self.digest = hashed.hexdigest()[:16]
        self._common = np.mean([self._state(text) for text in COMMON], axis=0)

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece."""
        return self.queries([spoken(piece) for piece in pieces])

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each text, read by itself: neighbours in a batch change nothing."""
        found = np.zeros((len(texts), self.size), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            if text.strip():
                row[:] = self._state(text) - self._common
        return unit(found)

    def _state(self, text: str) -> Floats:
        import torch

        ids = self._tokenizer.encode(clean(text))[: min(TOKENS, self._model.config.context)]
        with torch.inference_mode():
            states = self._model(torch.tensor([ids])).hidden_BTD
        mean: Floats = states[0].float().mean(dim=0).numpy()
        return mean
