"""What Codewright takes for an edit and for questions, in one process with the index open.

    XDG_CACHE_HOME=… python bench/remembering/ours_child.py --root TREE --count 300 --out told.json

An edit changes a line of a random file; its time is that of `update` with that path, after which
the index answers from the new content, vectors and all, as `codewright index` leaves it. Questions
are those of `queries.py`; milliseconds each. Before all that a first index is made elsewhere and
asked for one context of as many tokens as aider's map: what a caller waits for who has nothing yet.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.remembering import ours, queries
from bench.remembering.trees import python_files

from codewright.cli.embedders import DEFAULT, open_embedder
from codewright.cli.opening import cache, settle
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.search import Searcher
from codewright.repo.store import Store
from codewright.repo.usages import usages

EDITS = 30
BUDGET = 2048
MAP = 1024
"""Tokens of aider's map."""
T = TypeVar("T")


def cold(root: Path) -> float:
    """Returns the milliseconds from no index at all to a context."""
    place = queries.drawn(root, 1).places[0]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        maker = open_embedder(DEFAULT)
        with Store.open(root, Path(folder), ours.languages(), lambda _: None, maker) as store:
            store.update()
            settle()
            ours.retriever(store).retrieve(ours.query(place), MAP)
            return 1000 * (time.perf_counter() - began)


def edits(store: Store, root: Path, count: int) -> list[float]:
    """Returns the milliseconds of so many edits; files are put back afterwards."""
    chance, found = random.Random(1), []
    for path in chance.sample(list(python_files(root)), count):
        data = path.read_bytes()
        lines = data.split(b"\n")
        lines.insert(chance.randrange(len(lines) + 1), b"# an edit")
        path.write_bytes(b"\n".join(lines))
        found += timed([path.relative_to(root).as_posix()], lambda name: store.update([name]))
        path.write_bytes(data)
        store.update([path.relative_to(root).as_posix()])
    return found


def timed(asked: Iterable[T], answer: Callable[[T], object]) -> list[float]:
    """Returns the milliseconds of each answer."""
    found = []
    for each in asked:
        began = time.perf_counter()
        answer(each)
        found.append(1000 * (time.perf_counter() - began))
    return found


def questions(store: Store, root: Path, count: int) -> dict[str, list[float]]:
    """Returns the milliseconds of each kind of question."""
    asked = queries.drawn(root, count)
    searcher = Searcher(store, meaning=store)
    resolver, made = Resolver(store), ours.retriever(store)

    def place(of: tuple[str, int]) -> Place:
        space = resolver.lookup.space(of[0])
        ordinal = next(n for n, d in enumerate(space.definitions) if n and d.line == of[1])
        return Place(of[0], ordinal)

    places = [place(of) for of in asked.definitions]
    return {
        "search": timed(asked.sentences, lambda text: searcher.search(text, limit=10)),
        "symbols": timed(asked.names, store.defining),
        "usages": timed(places, lambda each: usages(resolver, each)),
        "context": timed(asked.places, lambda each: made.retrieve(ours.query(each), BUDGET)),
        "map": timed(asked.places, lambda each: made.retrieve(ours.query(each), MAP)),
    }


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    told: dict[str, object] = {"first context": cold(given.root)}
    began = time.perf_counter()
    maker = open_embedder(DEFAULT)
    with Store.open(given.root, cache(), ours.languages(), lambda _: None, maker) as store:
        store.update()
        settle()
        told["opened"] = 1000 * (time.perf_counter() - began)
        told["nothing changed"] = timed(range(5), lambda _: store.update())
        told["edits"] = edits(store, given.root, EDITS)
        told["questions"] = questions(store, given.root, given.count)
    given.out.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
