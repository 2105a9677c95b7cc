"""Hugging Face folders, read and written.

What is written loads in `transformers` as it is, and gives the same logits; what is read gives
the logits that it gives there. Read are safetensors only, never pickles. `interop_config` says
which models have a home there, `interop_names` where each tensor lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from codewright.errors import DataError
from codewright.files import json_text, reading, write_whole
from codewright.model.folder import json_object, placed
from codewright.model.interop_config import Family, family, from_huggingface, to_huggingface
from codewright.model.interop_names import places, unfuse
from codewright.model.transformer import Decoder
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.chat import ecosystem_files
from codewright.tokens.special import END, PAD

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
OURS = re.compile(
    r"model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|config\.json"
    r"|(generation|tokenizer)_config\.json|special_tokens_map\.json|tokenizer\.json"
    r"|chat_template\.jinja"
)
"""The files that `write` makes, so that it may replace a folder of them."""


def write(
    folder: Path,
    model: Decoder,
    tokenizer_path: Path | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    file_bytes: int = 5_000_000_000,
) -> Family:
    """Writes a Hugging Face folder, whole or not at all, and returns its family.

    Args:
        folder: a new or empty folder, or one that this function wrote.
        model: what is written.
        tokenizer_path: its tokenizer.json.
        dtype: of the weights in the files.
        file_bytes: the most bytes in a file, its header and tensors larger than that aside.

    Raises:
        ConfigError: no family can express the model.
        DataError: the folder holds other files, or the tokenizer is broken.
        MachineError: it cannot be written.
    """
    name = family(model.config)
    content = to_huggingface(model.config, name)
    content["dtype"] = content["torch_dtype"] = str(dtype).removeprefix("torch.")
    with placed(folder, lambda file: OURS.fullmatch(file) is not None) as temporary:
        if tokenizer_path is not None:
            tokenizer = Tokenizer.load(tokenizer_path)
            ecosystem_files(tokenizer, temporary, context=model.config.context)
            ids = {"bos_token_id": END, "eos_token_id": END, "pad_token_id": PAD}
            content |= ids
            write_whole(temporary / "generation_config.json", json_text(ids))
        else:
            # Absent ones would be taken from the family's own vocabulary.
            content |= dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))
        _write_weights(temporary, to_tensors(model, name), dtype, file_bytes)
        write_whole(temporary / "config.json", json_text(content))
    return name


def read(folder: Path, dtype: torch.dtype = torch.float32) -> Decoder:
    """Reads a Hugging Face folder.

    Raises:
        ConfigError: the model is of another family, or has something that ours do not.
        DataError: a file is missing or broken, or a tensor is missing or of another shape.
    """
    config, name = from_huggingface(json_object(folder / "config.json"))
    with torch.device("meta"):
        model = Decoder(config)
    model.to_empty(device="cpu")
    model.to(dtype)
    fill(model, name, _read_weights(folder))
    return model


def to_tensors(model: Decoder, name: Family) -> dict[str, Tensor]:
    """Returns a family's tensors, by its names; they share memory with the model's."""
    ours = {key: parameter.detach() for key, parameter in model.named_parameters()}
    return {place.theirs: ours[place.ours][place.part] for place in places(model.config, name)}


@torch.no_grad()
def fill(model: Decoder, name: Family, tensors: Iterator[tuple[str, Tensor]]) -> None:
    """Copies a family's tensors into a model.

    Raises:
        DataError: one is missing, unknown, or of another shape.
    """
    ours = dict(model.named_parameters())
    wanted = {place.theirs: place for place in places(model.config, name)}
    missing = dict(wanted)
    for key, tensor in tensors:
        fused = unfuse(key)
        if key in wanted:
            target = ours[wanted[key].ours][wanted[key].part]
            missing.pop(key, None)
        elif fused in ours and model.config.experts is not None:
            target = ours[fused]
            missing = {theirs: each for theirs, each in missing.items() if each.ours != fused}
        elif key.endswith("rotary_emb.inv_freq") or (
            key == "lm_head.weight" and model.head is None
        ):
            continue  # what can be computed, and a second copy of a tied head
        else:
            raise DataError(f"{key} has no place in a model of the family {name}")
        if target.shape != tensor.shape:
            raise DataError(
                f"{key} is {list(tensor.shape)}, where config.json asks for {list(target.shape)}"
            )
        target.copy_(tensor)
    if missing:
        raise DataError(f"{min(missing)} is missing", hint="copy the whole folder again")


def _write_weights(
    folder: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype, limit: int
) -> None:
    shards: list[dict[str, Tensor]] = [{}]
    size = total = 0
    for key, tensor in tensors.items():
        whole = tensor.to("cpu", dtype).contiguous()
        if shards[-1] and size + whole.nbytes > limit:
            shards.append({})
            size = 0
        shards[-1][key] = whole
        size += whole.nbytes
        total += whole.nbytes
    if len(shards) == 1:
        write_whole(folder / WHOLE, to_safetensors(shards[0], metadata={"format": "pt"}))
        return
    weight_map = {}
    for number, shard in enumerate(shards, start=1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_whole(folder / file, to_safetensors(shard, metadata={"format": "pt"}))
        weight_map.update(dict.fromkeys(shard, file))
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    write_whole(folder / INDEX, json_text(index))


def _read_weights(folder: Path) -> Iterator[tuple[str, Tensor]]:
    for path in _weight_files(folder):
        with reading(path):
            path.open("rb").close()
        try:
            with safe_open(path, framework="pt") as opened:
                for key in opened.keys():  # noqa: SIM118
                    yield key, opened.get_tensor(key)
        except SafetensorError as error:
            raise DataError(f"{path} is broken: {error}", hint="copy it again") from None


def _weight_files(folder: Path) -> list[Path]:
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if (folder / INDEX).is_file():
        weight_map = json_object(folder / INDEX).get("weight_map")
        files = sorted({str(file) for file in weight_map.values()} if weight_map else ())
        for file in files:
            if not re.fullmatch(r"[\w.-]+\.safetensors", file):
                raise DataError(f"{folder / INDEX} names {file!r}, which is no file of weights")
        return [folder / file for file in files]
    hint = "safetensors are read, and nothing else"
    if next(folder.glob("*.bin"), None) is not None:
        hint = "its .bin files are pickles, which run what they read: convert them to safetensors"
    raise DataError(f"{folder} has no {WHOLE}", hint=hint)
