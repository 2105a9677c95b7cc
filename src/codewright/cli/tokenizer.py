"""`codewright tokenizer train|show`: learn a tokenizer, and see what it makes of a text."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import console
from codewright.errors import DataError, MissingExtra, UserError
from codewright.files import read_bytes, read_rows, reading

if TYPE_CHECKING:
    from codewright.tokens.bpe import Tokenizer

HELD_EVERY = 100
"""One document in so many is kept from training, to measure with."""
HELD_CHARACTERS = 4_000_000
_MEGA = 1_000_000
_BORDER = "│"


def tokenizer() -> typer.Typer:
    """Learns a tokenizer from code, or shows the tokens of a text."""
    app = typer.Typer()
    app.command()(train)
    app.command()(show)
    return app


def train(
    source: Annotated[
        list[Path],
        typer.Option(
            "--from",
            help="A folder of .py files, a cleaned corpus, a JSONL of texts, or one file; again "
            "for more.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The tokenizer.json to write.")] = Path(
        "tokenizer.json"
    ),
    vocabulary: Annotated[
        int, typer.Option(help="How many tokens, special ones and bytes included.")
    ] = 8192,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Learn from this share of the documents.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Learns a byte-level BPE and writes it as tokenizer.json."""
    _need_tokenizers()
    from codewright.tokens.bpe import Tokenizer

    took = _Taken(source, share)
    began = time.monotonic()
    with console.progress("reading", unit="MB") as bar:
        learned = Tokenizer.train(took.texts(), vocabulary=vocabulary, advance=_in_megabytes(bar))
    seconds = time.monotonic() - began
    if not took.documents:
        raise DataError(
            f"nothing to learn from in {', '.join(map(str, source))}",
            hint="--from takes folders with .py files, JSONL files with text or content, and files",
        )
    learned.save(out)
    told = {
        "out": str(out),
        "sha256": learned.sha256,
        "vocabulary": learned.vocabulary,
        "documents": took.documents,
        "characters": took.characters,
        "left_out": took.left_out,
        "seconds": round(seconds, 2),
        "held_bytes_per_token": _bytes_per_token(learned, took.held),
    }
    if as_json:
        console.print_json(told)
    else:
        console.print_text("\n".join(_lines(told, vocabulary)))


def show(
    text: Annotated[str, typer.Argument(help="The text; - reads stdin.")] = "",
    file: Annotated[Path | None, typer.Option(help="Show this file instead.")] = None,
    model: Annotated[Path, typer.Option("--tokenizer", help="The tokenizer.json.")] = Path(
        "tokenizer.json"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Shows where a text is cut into tokens, their ids, and the bytes a token holds."""
    _need_tokenizers()
    from codewright.tokens.bpe import Tokenizer

    if bool(text) == (file is not None):
        raise UserError("give a text or --file, one of them", hint="for example show 'x = 1'")
    data = _given(text, file)
    known = Tokenizer.load(model)
    ids = known.encode(data)
    each = [known.token_bytes(token) for token in ids]
    rate = round(len(data) / len(ids), 3) if ids else None
    if as_json:
        tokens = [
            {"id": token, "text": piece.decode("utf-8", "replace"), "bytes": piece.hex()}
            for token, piece in zip(ids, each, strict=True)
        ]
        console.print_json({"bytes": len(data), "bytes_per_token": rate, "tokens": tokens})
        return
    console.print_text(_bordered(each))
    console.print_text(" ".join(map(str, ids)))
    console.print_text(
        f"{_counted(len(ids), 'token')}, {len(data)} bytes, {rate or 0:.2f} bytes a token"
    )


class _Taken:
    """Yields the texts of the sources, and counts what was taken, left out and held back."""

    def __init__(self, sources: Sequence[Path], share: float) -> None:
        self._sources = sources
        self._share = share
        self.documents = 0
        self.characters = 0
        self.left_out = 0
        self.held: list[str] = []

    def texts(self) -> Iterator[str]:
        # A fixed seed: the same sources give the same tokenizer.
        rng = random.Random(0)
        held = 0
        for place, text in enumerate(self._all(), start=1):
            if rng.random() >= self._share:
                continue
            if place % HELD_EVERY == 0 and held + len(text) <= HELD_CHARACTERS:
                self.held.append(text)
                held += len(text)
                continue
            self.documents += 1
            self.characters += len(text)
            yield text
        console.say(f"{_size(self.characters)} read, learning the merges")

    def _all(self) -> Iterator[str]:
        for source in self._sources:
            if source.is_dir():
                yield from self._folder(source)
            elif {".jsonl", ".jsonlines"} & set(source.suffixes):
                yield from self._rows(source)
            else:
                yield from self._file(source)

    def _folder(self, folder: Path) -> Iterator[str]:
        from codewright.corpus import shards

        if (folder / shards.INDEX).exists():
            yield from (document.text for document in shards.read(folder))
            return
        for path in sorted(folder.rglob("*.py")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.is_file() and not hidden:
                yield from self._file(path)

    def _rows(self, path: Path) -> Iterator[str]:
        for number, row in read_rows(path):
            text = row.get("text", row.get("content"))
            if not isinstance(text, str):
                raise DataError(
                    f"{path}, line {number}: no text", hint='each line holds {"text": "…"}'
                )
            yield text

    def _file(self, path: Path) -> Iterator[str]:
        try:
            yield read_bytes(path).decode("utf-8")
        except UnicodeDecodeError:
            self.left_out += 1


def _need_tokenizers() -> None:
    if find_spec("tokenizers") is None:
        raise MissingExtra("tokenizers", "local")


def _given(text: str, file: Path | None) -> bytes:
    if file is not None:
        with reading(file):
            return file.read_bytes()
    if text == "-":
        return sys.stdin.buffer.read()
    return text.encode("utf-8", "surrogateescape")


def _bytes_per_token(known: Tokenizer, texts: Sequence[str]) -> float | None:
    tokens = sum(map(len, known.encode_batch(texts)))
    return round(sum(len(text.encode()) for text in texts) / tokens, 3) if tokens else None


def _in_megabytes(bar: console.Progress) -> Callable[[int], None]:
    """Returns what takes a number of characters and advances `bar` by whole megabytes."""
    taken = 0

    def advance(characters: int) -> None:
        nonlocal taken
        taken += characters
        bar.advance(taken // _MEGA - bar.done)

    return advance


def _bordered(pieces: Sequence[bytes]) -> str:
    """Returns the pieces with a border between them; a line of the text is a line here."""
    shown = []
    for piece in pieces:
        text = piece.decode("utf-8", "backslashreplace")
        shown.append(text.replace("\r", "\\r").replace("\t", "→").replace(" ", "·"))
    return _BORDER + _BORDER.join(each.replace("\n", "⏎\n") for each in shown) + _BORDER


def _lines(told: dict[str, Any], vocabulary: int) -> list[str]:
    said = [
        f"{told['out']}: {told['vocabulary']} tokens, learned from "
        f"{_counted(told['documents'], 'document')}, {_size(told['characters'])}, "
        f"in {told['seconds']} s"
    ]
    if told["vocabulary"] < vocabulary:
        said.append(f"there was nothing left to merge: fewer than the {vocabulary} asked for")
    if told["left_out"]:
        verb = "is" if told["left_out"] == 1 else "are"
        said.append(f"{_counted(told['left_out'], 'file')} {verb} no UTF-8, and left out")
    if told["held_bytes_per_token"]:
        said.append(f"{told['held_bytes_per_token']} bytes a token on documents held back")
    return said


def _size(characters: int) -> str:
    if characters < _MEGA:
        return f"{characters / 1000:.1f} kB"
    return f"{characters / _MEGA:.1f} MB"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
