"""Compares embedders on a few modules of the standard library: quality, and pieces a second.

    python bench/embedders.py static minilm embedded

The documents are the functions of `MODULES`, the queries first sentences of their docstrings, as
`remembering/docstrings.py` makes them. Small, so that what takes a second for fifty pieces can be
compared too. Seconds are of the processor, of this process.
"""

from __future__ import annotations

import argparse
import json
import sys
import sysconfig
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench.remembering.docstrings import collection
from bench.vectors import PLACES

from codewright.cli.embedders import open_embedder
from codewright.repo.embedding import Piece
from codewright.repo.reading import BORDER
from codewright.repo.words import words

MODULES = ("shutil", "statistics", "zipfile", "tempfile", "tarfile", "textwrap", "heapq", "imaplib")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("embedders", nargs="+")
    given = parser.parse_args()
    root = Path(sysconfig.get_path("stdlib"))
    sources = ((f"{name}.py", (root / f"{name}.py").read_bytes()) for name in MODULES)
    made = collection("a slice", iter(sources), 10**6)
    pieces = [
        Piece(BORDER.join(map(plain, (one.name, one.head, one.body))), one.head + one.body)
        for _, one in made.documents
    ]
    places = {(path, one.line): place for place, (path, one) in enumerate(made.documents)}
    right = np.array([places[query.path, query.line] for query in made.queries])
    for name in given.embedders:
        embedder = open_embedder(name)
        assert embedder is not None
        began = time.process_time()
        rows = embedder.documents(pieces)
        seconds = time.process_time() - began
        scores = embedder.queries([query.text for query in made.queries]) @ rows.T
        ranks = (scores > scores[np.arange(len(right)), right][:, None]).sum(axis=1)
        figures = {f"recall@{k}": round(float((ranks < k).mean()), 3) for k in PLACES}
        figures["mrr"] = round(float((1 / (ranks + 1)).mean()), 3)
        told = {"documents": len(rows), "queries": len(right), "size": embedder.size}
        print(json.dumps({name: figures | told | {"pieces/s": round(len(rows) / seconds, 1)}}))


def plain(text: str) -> bytes:
    return words(text.encode("utf-8", "replace")).encode()


if __name__ == "__main__":
    main()
