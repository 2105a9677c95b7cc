"""Codewright's own answers: the store of a tree, its search and its context builder.

The parts are put together as the commands put them together; what is measured is what a user gets.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from bench.remembering import calls, commits, patches
from bench.remembering.contenders import Ask, Count, Passage, Shown

import codewright
from codewright import console
from codewright.cli.context_manner import reader
from codewright.cli.embedders import DEFAULT, open_embedder
from codewright.cli.opening import languages
from codewright.generate.registry import embedded
from codewright.repo.context import RepositoryContext
from codewright.repo.counting import Own
from codewright.repo.embedding import Embedder
from codewright.repo.forms import FORMS
from codewright.repo.manner import Manner
from codewright.repo.search import Searcher
from codewright.repo.store import Store
from codewright.tokens.bpe import Tokenizer
from codewright.types.context import Query

HITS = 200
"""Hits of a search for an issue."""


def opened(root: Path, cache: Path, embedder: Embedder | None = None) -> Store:
    """Opens the store of a tree and brings it up to date."""
    store = Store.open(root, cache, languages(), console.say, embedder)
    store.update()
    return store


def version() -> str:
    """Returns a name of what answers depend on: all of the room's source and its data."""
    folder, found = Path(str(codewright.__file__)).parent, hashlib.sha256()
    for path in sorted([*(folder / "repo").rglob("*"), *(folder / "data").glob("[cv]*")]):
        if path.suffix in (".py", ".c", ".h", ".json", ".npz"):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def tokenizer() -> Tokenizer:
    """Returns that of the embedded model, by which budgets are counted."""
    return Tokenizer.load(embedded() / "tokenizer.json")


def retriever(store: Store) -> RepositoryContext:
    """Returns the context builder, which lays out plain text: marks of a model count for one."""
    manner = Manner(form=FORMS["plain"], counter=Own(tokenizer()))
    return RepositoryContext(store, reader(languages()), manner)


def contexts(cache: Path) -> calls.Contender:
    """Returns the context builder as a contender."""

    def prepare(root: Path) -> calls.Answer:
        made = retriever(opened(root, cache))

        def answer(ask: Ask, budget: int, count: Count) -> Shown:
            found = made.retrieve(query(ask), budget)
            own = [Passage(each.path, each.first, each.last, each.text) for each in found.passages]
            return Shown(found.text, own)

        return answer

    return calls.Contender(name="codewright", version=version(), open=prepare)


def query(ask: Ask) -> Query:
    """Returns a cursor as the builder takes it."""
    return Query(path=ask.path, before=ask.before, after=ask.after)


def searches(scratch: Path) -> commits.Localiser:
    """Returns the search as a contender, with the vectors that `codewright search` has.

    The releases of a project take one folder in turn, and one index follows them, which reads what
    is new in each, as it would follow checkouts of git.
    """
    last: list[Store] = []

    def prepare(root: Path) -> commits.Answer:
        while last:
            last.pop().close()
        folder = scratch / "checkouts" / commits.project(root)
        shutil.rmtree(folder, ignore_errors=True)
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root)
            if not patches.is_test(name.as_posix()):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(path, folder / name)
        store = opened(folder, scratch / "cache", open_embedder(DEFAULT))
        last.append(store)
        searcher = Searcher(store, meaning=store)

        def answer(text: str) -> list[commits.Piece]:
            hits = searcher.search(text, limit=HITS)
            return [(hit.file.path, hit.first, hit.last) for hit in hits]

        return answer

    return commits.Localiser(name="codewright", version=version(), open=prepare)
