"""Packed rows and small models, made in a moment and without a tokenizer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from codewright.model.config import AttentionConfig, FeedForwardConfig, ModelConfig

VOCABULARY, CONTEXT, END, PAD = 96, 64, 0, 4


def packed(folder: Path, *, rows: int = 40, held: int = 6, seed: int = 0) -> Path:
    """Writes a packed folder: rows that count up by a few, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)

    def table(count: int) -> np.ndarray[Any, Any]:
        start = rng.integers(32, VOCABULARY, (count, 1))
        steps = rng.integers(1, 4, (count, CONTEXT)).cumsum(1)
        made = 32 + (start + steps) % (VOCABULARY - 32)
        made = np.concatenate([np.full((count, 1), END), made], 1)
        for row in range(count):  # the end of each row is padding
            made[row, CONTEXT + 1 - int(rng.integers(0, 12)) :] = PAD
        return made.astype(np.uint16)

    def write(name: str, made: np.ndarray[Any, Any]) -> dict[str, Any]:
        np.save(folder / name, made)
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        return {"name": name, "rows": len(made), "sha256": digest}

    training, kept = table(rows), table(held)
    first = rows // 2
    files = [write("rows-00000.npy", training[:first]), write("rows-00001.npy", training[first:])]
    counts = (kept[:, 1:] != PAD).sum(1)
    groups = [
        {
            "name": name,
            "rows": last - start,
            "documents": last - start,
            "tokens": int(counts[start:last].sum()),
            "bytes": 3 * int(counts[start:last].sum()),
        }
        for name, start, last in (("one", 0, held // 3), ("two/deep", held // 3, held))
    ]
    facts = {
        "format": 1,
        "context": CONTEXT,
        "vocabulary": VOCABULARY,
        "tokenizer_sha256": "0" * 64,
        "end": END,
        "pad": PAD,
        "rows": rows,
        "tokens": int((training[:, 1:] != PAD).sum()),
        "bytes": 3 * int((training[:, 1:] != PAD).sum()),
        "files": files,
    }
    held_facts = {
        "format": 1,
        "rows": held,
        "tokens": int(counts.sum()),
        "bytes": 3 * int(counts.sum()),
        "files": [write("held-00000.npy", kept)],
        "groups": groups,
    }
    (folder / "held.json").write_text(json.dumps(held_facts))
    (folder / "pack.json").write_text(json.dumps(facts))
    return folder


def config(
    *, layers: int = 2, width: int = 32, tied: bool = True, context: int = CONTEXT
) -> ModelConfig:
    """Returns the shape of a model that trains in a moment."""
    return ModelConfig(
        vocabulary=VOCABULARY,
        context=context,
        layers=layers,
        width=width,
        tied=tied,
        attention=AttentionConfig(heads=2, kv_heads=1, head_dim=width // 2),
        feed_forward=FeedForwardConfig(width=2 * width),
    )
