"""`codewright complete FILE:LINE:COL`: fill in the middle of a file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from codewright import console
from codewright.cli import complete_options as options
from codewright.cli.context_wanted import context_wanted
from codewright.cli.grammar_options import GrammarName, JsonSchema, Regex, chosen
from codewright.errors import DataError, UserError
from codewright.files import reading, write_whole
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.generate.settings import Local, arrangement
from codewright.types.context import Query
from codewright.write.complete import Cursor, Offer, Wanted, cursor
from codewright.write.complete import complete as complete_at

PYTHON = frozenset({".py", ".pyi", ".pyw"})
MARK = "\ufeff"


def complete(
    place: options.Place,
    model: options.Model = "embedded",
    n: options.Count = 1,
    temperature: options.Temperature = None,
    top_p: options.TopP = 0.95,
    max_tokens: options.MaxTokens = 128,
    fim: options.Fim = "",
    seed: options.Seed = 0,
    grammar: GrammarName = "",
    json_schema: JsonSchema = None,
    regex: Regex = "",
    context: options.ShowContext = "none",
    root: options.Root = None,
    line: options.Line = False,
    least: options.Least = 0.0,
    show_confidence: options.ShowConfidence = False,
    write: options.Write = False,
    as_json: options.Json = False,
) -> None:
    """Fills in the middle of a file: what belongs at a line and column, by what stands around."""
    where = place_of(place)
    file = _read(where.path)
    at = cursor(file.text, where.line, where.column, python=where.path.suffix in PYTHON)
    held_to = chosen(model, grammar, json_schema, regex)
    generator = open_generator(
        model, environment=os.environ, service=Service(), local=Local(fim=arrangement(fim))
    )
    warmth = (0.0 if n == 1 else 0.4) if temperature is None else temperature
    query = Query(before=at.before, after=at.after)
    shown = context_wanted(context, query, model, where.path, root)
    wanted = Wanted(
        n=n, temperature=warmth, top_p=top_p, max_tokens=max_tokens, seed=seed, line=line,
        grammar=held_to, context=shown,
    )  # fmt: skip
    offers = complete_at(at, generator, wanted)
    first = offers[0] if offers and offers[0].share >= least else None
    if first is not None and write:
        _insert(where.path, file, at, first.text)
    if as_json:
        console.print_json(_told(where, generator.name, offers, first, n))
    else:
        if show_confidence:
            console.say("\n".join(_lines(offers, n)))
        if first is not None:
            console.print_text(first.text.removesuffix("\n"))
        else:
            console.say(_nothing(offers, n, least))
    if first is None:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a line and column in it, from 1."""

    path: Path
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _File:
    """A file's text with plain line breaks and without the mark that it may begin with.

    `marked` and `crlf` say how it was: it is written back as it was. `raw` is all of it.
    """

    raw: bytes
    text: str
    marked: bool
    crlf: bool


def file_text(path: Path) -> str:
    """Returns a file's text with plain line breaks, as cursors count them.

    Raises:
        DataError: it is missing or not UTF-8.
    """
    return _read(path).text


def place_of(given: str) -> Place:
    """Returns the place that FILE:LINE:COL names.

    Raises:
        UserError: it names none.
    """
    parts = given.rsplit(":", 2)
    if len(parts) == 3 and parts[0] and all(part.isdecimal() for part in parts[1:]):
        return Place(Path(parts[0]), int(parts[1]), int(parts[2]))
    raise UserError(
        f"{given!r} names no place in a file", hint="FILE:LINE:COL, for example app.py:12:5"
    )


def _read(path: Path) -> _File:
    """Reads a file as it is: one that is packed would not be one to complete."""
    with reading(path):
        raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 at byte {error.start}", hint="save it as UTF-8"
        ) from None
    # Mixed line breaks stay as they are: nothing that was there is changed.
    crlf = 0 < text.count("\n") == text.count("\r") == text.count("\r\n")
    plain = text.replace("\r\n", "\n") if crlf else text
    return _File(raw, plain.removeprefix(MARK), plain.startswith(MARK), crlf)


def _insert(path: Path, file: _File, at: Cursor, text: str) -> None:
    """Writes the file with the completion in it, with the permissions that it had.

    Raises:
        DataError: somebody else wrote it meanwhile.
    """
    whole = MARK * file.marked + at.before + text + at.after
    target = path.resolve()
    if _read(target).raw != file.raw:
        raise DataError(f"{path} was changed meanwhile", hint="run the same command again")
    mode = stat.S_IMODE(target.stat().st_mode)
    write_whole(target, (whole.replace("\n", "\r\n") if file.crlf else whole).encode("utf-8"))
    target.chmod(mode)
    console.say(f"wrote {path}")


def _told(
    where: Place, model: str, offers: list[Offer], chosen: Offer | None, n: int
) -> dict[str, Any]:
    return {
        "path": str(where.path),
        "line": where.line,
        "column": where.column,
        "model": model,
        "candidates": n,
        "completion": None if chosen is None else chosen.text,
        "confidence": None if chosen is None else chosen.share,
        "offers": [
            {
                "text": offer.text,
                "votes": offer.votes,
                "share": offer.share,
                "log_probability": offer.log_probability,
                "parses": offer.parses,
            }
            for offer in offers
        ],
    }


def _lines(offers: list[Offer], n: int) -> list[str]:
    """What a person reads of the offers."""
    said = []
    for offer in offers:
        facts = [f"{offer.votes} of {n} candidates"]
        if offer.log_probability is not None:
            facts.append(f"{offer.log_probability:.2f} a token")
        if offer.parses is not None:
            facts.append("parses" if offer.parses else "does not parse")
        first, *rest = offer.text.strip("\n").split("\n")
        more = f" (and {len(rest)} more lines)" if rest else ""
        said.append(f"{', '.join(facts)}: {first.strip()}{more}")
    return said


def _nothing(offers: list[Offer], n: int, least: float) -> str:
    if not offers:
        return f"nothing to offer: no text in {n} candidate{'s' * (n > 1)}"
    return (
        f"nothing to offer: {offers[0].votes} of {n} candidates agree, "
        f"which is less than {least:.0%}"
    )
