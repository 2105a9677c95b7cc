"""Makes the vectors that a store lacks: of an embedder that is new to it, or slow.

Files are read again, since a store keeps no text. What a file holds now, if it changed since, is
the next update's. A batch is one transaction, so that a run that was stopped goes on after it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from codewright import console
from codewright.errors import DataError
from codewright.repo.chunks import split
from codewright.repo.embedding import Piece
from codewright.repo.present import unchanged
from codewright.repo.registry import Languages
from codewright.repo.sources import as_utf8
from codewright.repo.transaction import Transaction
from codewright.repo.vectors import Vectors

CONTENTS = 64
"""In a transaction."""


def complete(
    database: apsw.Connection, vectors: Vectors | None, root: Path, languages: Languages
) -> int:
    """Makes what is missing, and returns of how many contents; the writers' lock is held."""
    missing = vectors.missing(database) if vectors is not None else ()
    if vectors is None or not missing:
        return 0
    done = 0
    with console.progress("embedding", total=len(missing), unit="files") as bar:
        for first in range(0, len(missing), CONTENTS):
            asked = missing[first : first + CONTENTS]
            read = ((each, _pieces(database, vectors, root, languages, each)) for each in asked)
            made = vectors.made((each, pieces) for each, pieces in read if pieces is not None)
            with Transaction(database):
                vectors.keep(database, made)
            done += len(made)
            bar.advance(len(asked))
    with Transaction(database):
        vectors.forget_others(database)
    return done


def _pieces(
    database: apsw.Connection, vectors: Vectors, root: Path, languages: Languages, content: int
) -> Sequence[Piece] | None:
    """Returns the pieces of a content, None where no file has it now."""
    rows: list[tuple[Any, ...]] = database.execute(
        "SELECT path, hash, contents.language FROM files JOIN contents ON contents.id = content "
        "WHERE contents.id = ? ORDER BY path",
        (content,),
    ).fetchall()
    for path, blob, language in rows:
        try:
            data = unchanged(root, path, blob)
        except DataError:
            continue
        read = languages.read(language, data)
        texts = _texts(data, read.places) if vectors.embedder.reads_text else ()
        return [Piece(words, texts[at] if texts else "") for at, words in enumerate(read.words)]
    return None


def _texts(data: bytes, packed: bytes) -> Sequence[str]:
    lines = split(as_utf8(data)[0])
    places = array("i", packed)
    return [
        b"\n".join(lines[places[at + 1] - 1 : places[at + 2]]).decode("utf-8", "replace")
        for at in range(0, len(places), 3)
    ]
