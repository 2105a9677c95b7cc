"""What `codewright compress` does: reads, prunes, makes zeros, rounds, writes, and measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codewright import console
from codewright.corpus.loader import Loader
from codewright.errors import ConfigError, UserError
from codewright.model import checkpoint
from codewright.model.calibrate import Method, in_few_bits
from codewright.model.prune import Keep, importance, prune, shape
from codewright.model.quantize import Quantized, Scheme
from codewright.model.sparse import By, Sparsity, sparsify
from codewright.model.stored import TOKENIZER, Storage
from codewright.model.transformer import Decoder
from codewright.train.score import sampled

COMPRESSED = "compressed"
"""Where a checkpoint says, among its `extra`, what was done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be done. scheme: None where weights stay floating point.

    sparsity: as `Sparsity.parse` reads it, empty for none. calibration: packed rows, of which
    `rows` are read, and `score` of those held out measured.
    """

    to: Storage
    scheme: Scheme | None
    method: Method
    keep: Keep | None
    sparsity: str
    by: By
    calibration: Path | None
    rows: int
    score: int
    seed: int


def work(folder: Path, out: Path, wanted: Wanted) -> dict[str, Any]:
    """Makes the checkpoint `out` of that in `folder`, and returns what is worth telling.

    Raises:
        UserError: text is needed and not named, or what is wanted does not fit the model.
    """
    zeros = Sparsity.parse(wanted.sparsity) if wanted.sparsity else None
    _refuse(wanted)
    model, extra = checkpoint.load(folder)
    was = model.config.parameters()
    if wanted.keep is not None:  # what cannot be is said at once
        shape(model.config, wanted.keep, list(range(wanted.keep.layers or model.config.layers)))
    ids = _rows(wanted, model)
    before = _measured(model, wanted)
    done: dict[str, Any] = {}
    if wanted.keep is not None:
        assert ids is not None
        with console.progress("weighing structures", total=len(ids), unit="rows") as bar:
            worth = importance(model, ids, advance=bar.advance)
        model = prune(model, wanted.keep, worth)
        done["keep"] = asdict(wanted.keep)
    if zeros is not None:
        with console.progress("making zeros", total=model.config.layers, unit="layers") as bar:
            share = sparsify(model, zeros, wanted.by, ids, advance=bar.advance)
        done |= {"sparsity": wanted.sparsity, "by": wanted.by, "zeros": share}
    quantized = None
    if wanted.scheme is not None:
        with console.progress("rounding", total=model.config.layers, unit="layers") as bar:
            quantized = _rounded(model, wanted, ids, bar.advance)
        done |= {**asdict(wanted.scheme), "method": wanted.method}
    if ids is not None:
        done["rows"] = len(ids)
    tokens = folder / TOKENIZER
    saved = checkpoint.save(
        out,
        model,
        tokens if tokens.is_file() else None,
        {**extra, COMPRESSED: [*extra.get(COMPRESSED, []), done]},
        storage=wanted.to,
        group=wanted.scheme.group if wanted.scheme is not None else 0,
        quantized=quantized,
    )
    told = {"out": str(out), "to": wanted.to, **done, "weight_bytes": saved.bytes}
    told |= {"parameters": model.config.parameters(), "parameters_before": was}
    if before is not None:
        read, _ = checkpoint.load(out)  # what is measured is what was written
        told |= {"bits_per_byte_before": before, "bits_per_byte": _measured(read, wanted)}
    return told


def _rounded(
    model: Decoder, wanted: Wanted, ids: Tensor | None, advance: Callable[[], None]
) -> dict[str, Quantized]:
    assert wanted.scheme is not None
    return in_few_bits(model, wanted.scheme, wanted.method, ids, advance=advance)


def _refuse(wanted: Wanted) -> None:
    """Says what text is needed for, before anything is read."""
    if wanted.calibration is not None:
        return
    needs = {
        "--keep measures which structures matter": (wanted.keep is not None, ""),
        "--method gptq makes up for errors": (
            wanted.scheme is not None and wanted.method == "gptq",
            "; --method rtn needs none",
        ),
        "--by wanda looks at inputs": (
            bool(wanted.sparsity) and wanted.by == "wanda",
            "; --by magnitude needs none",
        ),
        "--score measures": (wanted.score > 0, ""),
    }
    for what, (needed, otherwise) in needs.items():
        if needed:
            raise UserError(
                f"{what} on text, and none is named",
                hint=f"name a folder of packed rows by --calibration{otherwise}",
            )


def _rows(wanted: Wanted, model: Decoder) -> Tensor | None:
    """Returns rows of packed text, no longer than the model reads; None where none are named."""
    if wanted.calibration is None:
        return None
    loader = Loader(wanted.calibration, batch=wanted.rows, seed=wanted.seed)
    vocabulary = int(loader.facts["vocabulary"])
    if vocabulary > model.config.vocabulary:
        raise ConfigError(
            f"the rows in {wanted.calibration} are of {vocabulary} tokens, and the model knows "
            f"{model.config.vocabulary}",
            hint="pack them with the model's own tokenizer",
        )
    taken = loader.batch(0)[: loader.rows].astype(np.int64)
    return torch.from_numpy(taken)[:, : model.config.context]


def _measured(model: Decoder, wanted: Wanted) -> float | None:
    """Returns the bits per byte of held-out rows, None where none are wanted."""
    if wanted.calibration is None or not wanted.score:
        return None
    return sampled(model, wanted.calibration, rows=wanted.score)
