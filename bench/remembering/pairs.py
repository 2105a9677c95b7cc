"""What the vectors and the re-ranker learn from: functions with docstrings, of other packages.

    python -m bench.remembering.pairs --wheels FOLDER --relevance FOLDER --out FILE --held FILE

Only distributions whose licence permits it (`corpus/licences.py`) are read; what the shipped
weights were learned from is in recipes/vectors-packages.txt. One line a function, fields between
tabs: the distribution, the words of the docstring's first sentence, of its first paragraph, of the
qualified name, of the head, of the body. Nothing of the relevance set is in it: its packages are
left out, and so is every function that shares its sentence with one of its queries, or `SHARED` of
its runs of `RUN` words with its documents, as copies of the standard library and of one another's
helpers do. Equal bodies count once. `HELD` goes to a file of its own.
"""

from __future__ import annotations

import argparse
import random
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.remembering.docstrings import (
    PACKAGES,
    asks,
    collections,
    first_sentence,
    plain,
    wheel,
)
from bench.remembering.functions import Function, decoded, functions, parsed

from codewright.corpus.licences import from_core_metadata, permits
from codewright.repo.words import each_word

RUN, SHARED, KEPT = 8, 0.3, 4
"""Words of a run; the share that makes a copy; one run of so many is compared."""
MOST = 4000
"""Functions of one distribution, so that none decides what words mean."""
HELD = {"celery", "scrapy", "statsmodels", "textual"}
"""Never learned from: what is chosen is chosen on them."""
BODY, PARAGRAPH = 300, 60
"""Words."""


def runs(words: Sequence[str]) -> set[int]:
    """Returns the runs of words that are compared, as numbers."""
    found = (
        zlib.crc32(" ".join(words[at : at + RUN]).encode()) for at in range(len(words) - RUN + 1)
    )
    return {each for each in found if each % KEPT == 0}


def held_out(relevance: Path) -> tuple[set[int], set[str]]:
    """Returns the runs and the sentences that nothing may be learned from."""
    seen: set[int] = set()
    sentences: set[str] = set()
    for each in collections(relevance, 10**9):
        sentences.update(plain(first_sentence(one.doc)) for _, one in each.documents if one.doc)
        for _, one in each.documents:
            seen |= runs(list(each_word(one.body)))
    return seen, sentences


def distribution(path: Path) -> Iterator[Function]:
    """Yields the documented functions of one wheel, in an order that the seed decides."""
    found = []
    for _, data in wheel(path):
        text = decoded(data)
        if (tree := parsed(text)) is not None:
            found += [each for each in functions(text, tree) if asks(each)]
    random.Random(path.name).shuffle(found)
    yield from found


def permitted(path: Path) -> bool:
    """True for a wheel whose licence lets its code be learned from."""
    with zipfile.ZipFile(path) as archive:
        told = [each for each in archive.namelist() if ".dist-info/" in each]
        named = [each for each in told if {"LICEN", "COPYI"} & {part[:5] for part in parts(each)}]
        texts = [archive.read(each).decode("utf-8", "replace") for each in named]
        metadata = next(each for each in told if each.endswith(".dist-info/METADATA"))
        expression = from_core_metadata(archive.read(metadata).decode("utf-8", "replace"), texts)
    return bool(expression) and permits(expression)


def parts(name: str) -> list[str]:
    return name.rsplit("/", 1)[1].upper().replace("-", ".").split(".")


def pairs(wheels: Iterable[Path], relevance: Path, counts: Counter[str]) -> Iterator[str]:
    """Yields the lines, and counts why others were left out."""
    seen, sentences = held_out(relevance)
    bodies: set[int] = set()
    for path in wheels:
        name, version = path.name.split("-")[:2]
        if name.replace("_", "-").lower() in {each.partition("==")[0] for each in PACKAGES}:
            continue
        if not permitted(path):
            counts["a distribution without a permissive licence"] += 1
            continue
        taken = 0
        for one in distribution(path):
            body = list(each_word(one.body))
            marks = runs(body)
            key = zlib.crc32(" ".join(body).encode())
            if len(body) < 4:
                counts["short"] += 1
            elif key in bodies:
                counts["repeated"] += 1
            elif plain(first_sentence(one.doc)) in sentences:
                counts["a sentence of the relevance set"] += 1
            elif marks and len(marks & seen) >= SHARED * len(marks):
                counts["a copy of the relevance set"] += 1
            elif taken == MOST:
                counts["of a large distribution"] += 1
            else:
                bodies.add(key)
                taken += 1
                counts["kept"] += 1
                yield "\t".join((f"{name}=={version}", *fields(one, body)))


def fields(one: Function, body: Sequence[str]) -> Iterator[str]:
    yield " ".join(each_word(asks(one)))
    paragraph = " ".join(one.doc.split("\n\n", 1)[0].split())
    yield " ".join(list(each_word(paragraph))[:PARAGRAPH])
    yield " ".join(each_word(one.name))
    yield " ".join(each_word(one.head))
    yield " ".join(body[:BODY])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--relevance", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held", type=Path, required=True, help="where the lines of HELD go")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    with (
        given.out.open("w", encoding="utf-8") as out,
        given.held.open("w", encoding="utf-8") as held,
    ):
        for line in pairs(sorted(given.wheels.glob("*.whl")), given.relevance, counts):
            (held if line.partition("==")[0] in HELD else out).write(line + "\n")
    for reason, number in counts.most_common():
        print(f"{number:8} {reason}")


if __name__ == "__main__":
    main()
