"""A cleaned corpus on disk: a folder of gzipped JSONL shards and a list of them.

The same documents in the same order are the same bytes, wherever and whenever they are written.
`shards.json` is written last: a folder without it is unfinished, and is not read. A shard is
checked against its digest as it is read.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from codewright.errors import DataError
from codewright.files import json_text, parse_row, read_bytes, write_whole
from codewright.types.document import Document

INDEX = "shards.json"
SHARD_BYTES = 32_000_000
"""Text in a shard, before it is packed: about 8 MB on disk."""

LEVEL = 6
FIELDS = ("text", "path", "licence", "origin", "language")


def write(
    folder: Path, documents: Iterable[Document], *, shard_bytes: int = SHARD_BYTES
) -> list[dict[str, Any]]:
    """Writes `documents` as the shards of `folder`, in their order.

    What an earlier, unfinished run left there is replaced.

    Returns:
        The list of shards: name, documents, bytes of text, and the file's digest.

    Raises:
        MachineError: the disk is full or the folder cannot be written.
    """
    forget(folder)
    shards: list[dict[str, Any]] = []
    lines: list[bytes] = []
    held = texts = 0
    for document in documents:
        line = to_line(document)
        lines.append(line)
        held += len(line)
        texts += len(document.text.encode("utf-8"))
        if held >= shard_bytes:
            shards.append(_write_shard(folder, len(shards), lines, texts))
            lines, held, texts = [], 0, 0
    if lines:
        shards.append(_write_shard(folder, len(shards), lines, texts))
    write_whole(folder / INDEX, json_text({"shards": shards}))
    return shards


def read(folder: Path) -> Iterator[Document]:
    """Yields the documents of a cleaned corpus in their order.

    Raises:
        DataError: there is no finished corpus in `folder`, or a shard is damaged.
    """
    for shard in index(folder):
        path = folder / shard["name"]
        packed = _raw(path)
        if hashlib.sha256(packed).hexdigest() != shard["sha256"]:
            raise DataError(f"{path} is not what was written there", hint="build the corpus again")
        for number, line in enumerate(gzip.decompress(packed).splitlines(), start=1):
            yield from_row(parse_row(line, f"{path}, line {number}"), f"{path}, line {number}")


def index(folder: Path) -> list[dict[str, Any]]:
    """Returns the list of shards of a finished corpus.

    Raises:
        DataError: there is none.
    """
    path = folder / INDEX
    if not path.is_file():
        raise DataError(
            f"{folder} holds no finished corpus",
            hint="make one with codewright corpus build --out FOLDER",
        )
    shards: list[dict[str, Any]] = parse_row(read_bytes(path), str(path))["shards"]
    return shards


def forget(folder: Path) -> None:
    """Removes the shards of an earlier run, the list of them first."""
    (folder / INDEX).unlink(missing_ok=True)
    for path in folder.glob("documents-*.jsonl.gz"):
        path.unlink(missing_ok=True)


def to_line(document: Document) -> bytes:
    """Returns a document as one line of JSON, in UTF-8, with its line end."""
    row = {
        "text": document.text,
        "path": document.path,
        "licence": document.licence,
        "origin": document.origin,
        "language": document.language,
    }
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8")


def from_row(row: dict[str, Any], where: str) -> Document:
    """Returns the document of a row; `where` opens the message of the DataError it raises."""
    if not all(isinstance(row.get(field), str) for field in FIELDS):
        raise DataError(f"{where}: no document", hint=f"a row has the texts {', '.join(FIELDS)}")
    return Document(
        text=row["text"],
        path=row["path"],
        licence=row["licence"],
        origin=row["origin"],
        language=row["language"],
    )


def _write_shard(folder: Path, number: int, lines: list[bytes], texts: int) -> dict[str, Any]:
    name = f"documents-{number:05d}.jsonl.gz"
    packed = pack(b"".join(lines))
    write_whole(folder / name, packed)
    return {
        "name": name,
        "documents": len(lines),
        "bytes": texts,
        "sha256": hashlib.sha256(packed).hexdigest(),
    }


def pack(data: bytes, level: int = LEVEL) -> bytes:
    """Returns `data` gzipped, without a name or a time in it: the same bytes every time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=level, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def _raw(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="build the corpus again"
        ) from None
