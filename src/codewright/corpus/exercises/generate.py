"""Exercises: short, documented, correct Python functions, made by a program and run by it.

Document number i depends on the seed and on i alone, so that any range can be made anywhere and
in any order. Every document was executed before it is given away; an exercise that fails is a
mistake in this package and raises AssertionError. See docs/exercises.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from codewright.corpus.exercises.check import run
from codewright.corpus.exercises.layout import functions_file
from codewright.corpus.exercises.records import class_file
from codewright.corpus.exercises.snippets import snippet_file
from codewright.types.document import Document

LICENCE = "Apache-2.0"
ORIGIN = "codewright-exercises"


def generate(count: int, *, seed: int) -> Iterator[Document]:
    """Yields the documents 0 … count - 1 of a seed."""
    for number in range(count):
        yield document(number, seed=seed)


def document(number: int, *, seed: int) -> Document:
    """Returns one document, the same whenever and wherever it is asked for."""
    text, _ = exercise(number, seed=seed)
    return Document(text=text, path=f"exercises/{number:06d}.py", licence=LICENCE, origin=ORIGIN)


def exercise(number: int, *, seed: int) -> tuple[str, str]:
    """Returns the text of a document and the key of what it means."""
    # A string seeds by its digest, which is the same in every process.
    rng = Random(f"exercise {seed} {number}")
    make = rng.choices((functions_file, class_file, snippet_file), (87, 6, 7))[0]
    text, key = make(rng)
    try:
        run(text)
    except (AssertionError, NameError, TypeError, SyntaxError) as error:
        raise AssertionError(f"document {number} of seed {seed} ({key}): {error!r}") from error
    return text, key
