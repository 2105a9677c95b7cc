"""A clean corpus as rows of tokens that a trainer maps into memory.

    pack.json        what is in the folder; written last, so a folder without it is not finished
    rows-00000.npy   [rows, context + 1], uint16 or uint32: training rows
    held-00000.npy   the same, without fill-in-the-middle: rows kept from training
    held.json        for each group of these rows (a directory), its rows, tokens, bytes

A row is END, then whole pieces (see pieces.py), then PAD. Held out are whole distributions, so that
no near copy of a held-out file is trained on: those whose name hashes below a share, or a list.

The same documents and settings give the same bytes, in files that are written whole. Packing that
was interrupted starts over; it takes a minute or so per 300 MB. Documents are read once, in one
pass, and memory does not grow with them, but for the held-out ones.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from codewright.corpus.loader import FORMAT, HELD, PACK
from codewright.corpus.pieces import Cutter, Piece, generator
from codewright.corpus.rows import BestFit, RowFiles
from codewright.errors import ConfigError
from codewright.files import json_text, write_whole
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END, PAD
from codewright.types.document import Document

BATCH_BYTES = 4_000_000
"""Text that is tokenised at once."""
OPEN_ROWS = 1024
"""Rows that are kept open to be filled; more of them save padding and cost memory."""
SMALLEST_CONTEXT = 64
MADE = ("rows-*.npy", "held-*.npy", HELD, ".rows-*.tmp", ".held*.tmp", ".pack.json.*.tmp")
"""What packing leaves in a folder, killed or not."""


@dataclass(slots=True, kw_only=True)
class _Counts:
    """What went into training rows. `tokens` are those of pieces; a row's leading END is none."""

    documents: int = 0
    pieces: int = 0
    turned: int = 0
    outgrown: int = 0
    tokens: int = 0
    bytes: int = 0

    def add(self, pieces: Iterable[Piece]) -> int:
        """Counts `pieces` and returns the bytes of text in them."""
        before = self.bytes
        for piece in pieces:
            self.pieces += 1
            self.turned += piece.turned
            self.outgrown += piece.outgrew
            self.tokens += len(piece.ids)
            self.bytes += piece.size
        return self.bytes - before

    def facts(self, files: RowFiles, context: int) -> dict[str, Any]:
        """Returns them for pack.json, with the files that hold them."""
        places = files.rows * context
        return {
            "documents": self.documents,
            "pieces": self.pieces,
            "fim_pieces": self.turned,
            "fim_outgrown": self.outgrown,
            "tokens": self.tokens,
            "bytes": self.bytes,
            "padding": 1 - self.tokens / places if places else 0.0,
            "rows": files.rows,
            "files": files.files,
        }


@dataclass(slots=True, kw_only=True)
class _Held:
    """Held-out documents by group, and the distributions they came from."""

    groups: dict[str, list[Document]] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)


def pack(
    documents: Iterable[Document],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    context: int,
    fim_rate: float,
    seed: int,
    spm_rate: float = 0.5,
    file_bytes: int = 60_000_000,
    held: float | Collection[str] = 0.0,
    mix: Mapping[str, float] | None = None,
    advance: Callable[[int], None] = lambda size: None,
) -> dict[str, Any]:
    """Writes `documents` as rows into `folder` and returns what pack.json says.

    Args:
        context: tokens of a row that are predicted; a row has one more.
        fim_rate: share of the pieces that are turned for fill-in-the-middle; spm_rate of these have
            the suffix first.
        held: what to keep from training: a share of the distributions, or their names or patterns
            (`requests`, `numpy==2.*`).
        mix: how often a document is used, by a pattern of its origin; the first that fits counts.
            1.5 means once, and half of them (chosen by the seed) twice; 0 means not at all.
        advance: told the bytes of text of each batch that has been packed.

    Raises:
        ConfigError: a setting makes no sense.
        MachineError: the folder cannot be written, or is full.
    """
    _check(context, {"fim_rate": fim_rate, "spm_rate": spm_rate}, held, mix or {})
    _clear(folder)
    shape = (context + 1, tokenizer.vocabulary)
    files = RowFiles(folder, "rows", shape=shape, file_bytes=file_bytes)
    cutter = Cutter(tokenizer, room=context, fim_rate=fim_rate, spm_rate=spm_rate, seed=seed)
    kept, counts, rows = _Held(), _Counts(), BestFit(context, open_rows=OPEN_ROWS)
    for batch in _batches(_keep(documents, held, kept), mix or {}, seed):
        counts.documents += len(batch)
        pieces = list(cutter.pieces(batch))
        advance(counts.add(pieces))
        files.add(rows.place(pieces))
    files.add(rows.finish())
    files.flush()
    held_files = RowFiles(folder, "held", shape=shape, file_bytes=file_bytes)
    held_facts = _write_held(kept, Cutter(tokenizer, room=context), held_files, context)
    write_whole(folder / HELD, json_text(held_facts))
    facts = {
        "format": FORMAT,
        "context": context,
        **_token_facts(tokenizer),
        "fim_rate": fim_rate,
        "spm_rate": spm_rate,
        "seed": seed,
        "mix": dict(mix or {}),
        **counts.facts(files, context),
        "held": {key: held_facts[key] for key in ("origins", "rows", "tokens", "bytes")},
    }
    write_whole(folder / PACK, json_text(facts))
    return facts


def _token_facts(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "vocabulary": tokenizer.vocabulary,
        "tokenizer_sha256": tokenizer.sha256,
        "end": END,
        "pad": PAD,
    }


def _clear(folder: Path) -> None:
    """Makes `folder` an unfinished one that can be written to, without an older one's files."""
    write_whole(folder / PACK, "")  # says so now if nothing can be written
    (folder / PACK).unlink()
    for pattern in MADE:
        for path in folder.glob(pattern):
            path.unlink()


def _check(
    context: int,
    rates: Mapping[str, float],
    held: float | Collection[str],
    mix: Mapping[str, float],
) -> None:
    if context < SMALLEST_CONTEXT:
        raise ConfigError(f"context is {context}, and must be at least {SMALLEST_CONTEXT}")
    if isinstance(held, (int, float)):
        rates = {**rates, "held": held}
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise ConfigError(f"{name} is {rate}, and must be a share between 0 and 1")
    for pattern, repeats in mix.items():
        if not 0 <= repeats <= 100:
            raise ConfigError(f"mix repeats {pattern!r} {repeats} times: 0 to 100 is possible")


def _write_held(kept: _Held, cutter: Cutter, files: RowFiles, context: int) -> dict[str, Any]:
    groups = []
    for name in sorted(kept.groups):
        documents = sorted(kept.groups[name], key=lambda document: (document.origin, document.path))
        counts, rows, before = _Counts(), BestFit(context, open_rows=OPEN_ROWS), files.rows
        pieces = list(cutter.pieces([(document, 0) for document in documents]))
        counts.add(pieces)
        files.add(rows.place(pieces))
        files.add(rows.finish())
        groups.append(
            {
                "name": name,
                "rows": files.rows - before,
                "documents": len(documents),
                "tokens": counts.tokens,
                "bytes": counts.bytes,
            }
        )
    files.flush()
    return {
        "format": FORMAT,
        "origins": sorted(kept.origins),
        "rows": files.rows,
        "tokens": sum(group["tokens"] for group in groups),
        "bytes": sum(group["bytes"] for group in groups),
        "files": files.files,
        "groups": [group for group in groups if group["rows"]],
    }


def _keep(
    documents: Iterable[Document], held: float | Collection[str], kept: _Held
) -> Iterator[Document]:
    """Yields the documents to train on and puts the others into `kept`."""
    for document in documents:
        if is_held(document.origin, held):
            kept.origins.add(document.origin)
            kept.groups.setdefault(group(document), []).append(document)
        else:
            yield document


def is_held(origin: str, held: float | Collection[str]) -> bool:
    """Tells whether everything from `origin` is kept from training; `held` as for `pack`."""
    name = project(origin)
    if isinstance(held, (int, float)):
        digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).digest()
        return int.from_bytes(digest[:8]) < held * 2**64
    return any(
        fnmatch.fnmatchcase(origin if "==" in pattern else name, pattern) for pattern in held
    )


def project(origin: str) -> str:
    """Returns the name of a distribution or repository without its version, in lower case."""
    return re.split(r"==|@", origin, maxsplit=1)[0].lower().replace("_", "-")


def group(document: Document) -> str:
    """Returns the directory that a held-out document is counted under, two levels deep."""
    name = project(document.origin)
    folders = PurePosixPath(document.path).parent.parts
    if folders and folders[0].lower().replace("_", "-") == name:
        folders = folders[1:]
    return "/".join([name, *folders[:1]])


def _batches(
    documents: Iterable[Document], mix: Mapping[str, float], seed: int
) -> Iterator[Sequence[tuple[Document, int]]]:
    """Yields documents with the number of their copy, a few megabytes at a time.

    A further copy comes in the next batch, so that two copies are not laid side by side.
    """
    batch: list[tuple[Document, int]] = []
    again: list[tuple[Document, int, int]] = []
    size = 0
    for document in documents:
        copies = _copies(document, mix, seed)
        if not copies or not document.text:
            continue
        batch.append((document, 0))
        again.append((document, 1, copies))
        size += len(document.text)
        if size >= BATCH_BYTES:
            yield batch
            batch = [(document, copy) for document, copy, copies in again if copy < copies]
            again = [(document, copy + 1, copies) for document, copy, copies in again]
            again = [waiting for waiting in again if waiting[1] < waiting[2]]
            size = sum(len(document.text) for document, _ in batch)
    while batch:
        yield batch
        batch = [(document, copy) for document, copy, copies in again if copy < copies]
        again = [(document, copy + 1, copies) for document, copy, copies in again]


def _copies(document: Document, mix: Mapping[str, float], seed: int) -> int:
    """Returns how often `document` is used."""
    fitting = (mix[pattern] for pattern in mix if fnmatch.fnmatchcase(document.origin, pattern))
    repeats = next(fitting, 1.0)
    whole = int(repeats)
    return whole + bool(generator(seed, document, -1).random() < repeats - whole)
