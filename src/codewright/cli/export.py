"""`codewright export CHECKPOINT`: a model in the form of other tools, proved by reading it back."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from codewright import console
from codewright.errors import DataError, MissingExtra, UserError
from codewright.generate.registry import EMBEDDED, embedded
from codewright.generate.settings import FIM, Arrangement

if TYPE_CHECKING:
    from codewright.model.transformer import Decoder

Target = Literal["huggingface", "gguf", "checkpoint"]
Weights = Literal["f32", "f16", "bf16", "int8", "q8_0"]

FORMS: dict[Target, tuple[Weights, ...]] = {
    "huggingface": ("f32", "f16", "bf16"),
    "gguf": ("f16", "f32", "bf16", "q8_0"),
    "checkpoint": ("f32", "bf16", "int8"),
}
"""How weights can be stored, by target; the first is the default."""
TOKENIZER = "tokenizer.json"


def export(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A checkpoint folder, a Hugging Face folder, or embedded."),
    ],
    to: Annotated[Target, typer.Option(help="The form to write.")],
    out: Annotated[Path, typer.Option(help="The folder to write; for gguf, the file.")],
    weights: Annotated[
        Weights | None,
        typer.Option(help="How weights are stored; by default f32, and f16 for gguf."),
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="The tokenizer.json; by default the checkpoint's own.")
    ] = None,
    file_bytes: Annotated[
        int | None, typer.Option(min=1, help="The most bytes in a file of weights.")
    ] = None,
    fim: Annotated[
        Arrangement | None,
        typer.Option(help="For a checkpoint: the order in which a gap is shown by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Writes a model for other tools: a Hugging Face folder, a GGUF file, or a checkpoint."""
    _need(("torch", "safetensors", "tokenizers"), "local")
    _need(("jinja2", *(["gguf"] if to == "gguf" else [])), "train")
    form = weights or FORMS[to][0]
    if form not in FORMS[to]:
        raise UserError(f"{to} has no weights in {form}", hint=f"it takes {', '.join(FORMS[to])}")
    if to == "gguf" and file_bytes is not None:
        raise UserError("a GGUF is one file", hint="leave --file-bytes out")
    if fim is not None and to != "checkpoint":
        raise UserError(f"{to} has no place for --fim", hint="leave it out")
    folder = embedded() if checkpoint == EMBEDDED else Path(checkpoint)
    tokens = tokenizer or (folder / TOKENIZER if (folder / TOKENIZER).is_file() else None)
    with console.progress("exporting", total=2, unit="steps") as bar:
        model, extra = _read(folder)
        bar.advance()
        if to == "gguf":
            told = _gguf(out, model, tokens, form, name=folder.resolve().name)
        elif to == "huggingface":
            told = _huggingface(out, model, tokens, form, file_bytes)
        else:
            extra |= {} if fim is None else {FIM: fim}
            told = _checkpoint(out, model, tokens, extra, form, file_bytes)
        bar.advance()
    told = {"out": str(out), "to": to, "weights": form, **told}
    told |= {"parameters": model.config.parameters(), "tokenizer": tokens is not None}
    if as_json:
        console.print_json(told)
    else:
        console.print_text("\n".join(_lines(told)))


def _need(packages: tuple[str, ...], extra: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra)


def _read(folder: Path) -> tuple[Decoder, dict[str, Any]]:
    """Reads a checkpoint, or a Hugging Face folder."""
    from codewright.model import checkpoint, interop
    from codewright.model.folder import json_object
    from codewright.model.stored import CONFIG

    path = folder / CONFIG
    if path.is_file() and "model_type" in json_object(path):
        return interop.read(folder), {}
    return checkpoint.load(folder)


def _huggingface(
    out: Path, model: Decoder, tokens: Path | None, form: Weights, file_bytes: int | None
) -> dict[str, Any]:
    import torch

    from codewright.model import interop

    dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[form]
    size = {} if file_bytes is None else {"file_bytes": file_bytes}
    family = interop.write(out, model, tokens, dtype=dtype, **size)
    read = interop.read(out)
    return {"family": family, "bytes": _size(out), "max_error": _difference(model, read)}


def _checkpoint(
    out: Path,
    model: Decoder,
    tokens: Path | None,
    extra: dict[str, Any],
    form: Weights,
    file_bytes: int | None,
) -> dict[str, Any]:
    from codewright.model import checkpoint
    from codewright.model.stored import Storage

    storages: dict[Weights, Storage]
    storages = {"f32": "float32", "bf16": "bfloat16", "int8": "int8"}
    size = checkpoint.FILE_BYTES if file_bytes is None else file_bytes
    checkpoint.save(out, model, tokens, extra, storage=storages[form], file_bytes=size)
    read, _ = checkpoint.load(out)
    return {"bytes": _size(out), "max_error": _difference(model, read)}


def _gguf(
    out: Path, model: Decoder, tokens: Path | None, form: Weights, *, name: str
) -> dict[str, Any]:
    from codewright.model import gguf_file

    if tokens is None:
        raise DataError(
            "a GGUF file holds the tokenizer, and the checkpoint has none",
            hint="name one by --tokenizer FILE",
        )
    if out.is_dir():
        raise UserError(f"{out} is a folder", hint="name a file that ends with .gguf")
    assert form != "int8"
    written = gguf_file.write(out, model, tokens, name=name, weights=form)
    return {
        "architecture": written.architecture,
        "bytes": written.bytes,
        "max_error": written.max_error,
        "pre_tokenizer": gguf_file.PRE,
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _difference(one: Decoder, other: Decoder) -> float:
    """Returns the largest difference of two models' weights."""
    assert one.config == other.config, "what was read back is another model"
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max((left - right).abs().max().item() for left, right in pairs)


def _lines(told: dict[str, Any]) -> list[str]:
    kind = told.get("family") or told.get("architecture") or "codewright"
    error = told["max_error"]
    said = [
        f"{told['out']}: {kind}, {told['parameters'] / 1e6:.1f} M parameters in {told['weights']}, "
        f"{told['bytes'] / 1e6:.1f} MB",
        "read back: every weight is the same"
        if error == 0
        else f"read back: no weight differs by more than {error:.2g}",
    ]
    if not told["tokenizer"]:
        said.append("without a tokenizer: the checkpoint has none")
    elif told.get("family") == "qwen2":
        said.append(
            "transformers gives every qwen2 a tokenizer of its own: load this one by "
            "PreTrainedTokenizerFast (docs/export.md)"
        )
    if "pre_tokenizer" in told:
        said.append(
            "llama.cpp cuts text into tokens otherwise than we do: give it token ids "
            "(docs/export.md)"
        )
    return said
