"""What tests of the store share: the readers, and everything a store says, to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codewright.repo.index import Index
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.reading import PlainReader
from codewright.repo.registry import TEXTS, Languages, TextExtractor
from codewright.repo.store import Store
from codewright.repo.words import words
from tests.reference.cutter import Cutter
from tests.reference.index import MemoryIndex

NAMES = 60
"""Names that are asked for: the plain index takes its time with each."""
CUTTER = Cutter(words)


def languages(version: str = "1") -> Languages:
    readers = {text: PlainReader(TextExtractor(text), words) for text in TEXTS}
    readers["python"] = PlainReader(PythonExtractor(), words)
    return Languages(readers=readers, version=version)


def store(root: Path, cache: Path, said: list[str] | None = None) -> Store:
    return Store.open(root, cache, languages(), (said if said is not None else []).append)


def memory(root: Path) -> MemoryIndex:
    extractors = {".py": PythonExtractor(), ".md": TextExtractor("markdown")}
    return MemoryIndex(root, extractors, CUTTER)


def dump(index: Index) -> dict[str, Any]:
    """Returns all that an index says, without the numbers that are its own."""
    files = list(index.files())
    paths = [file.path for file in files]
    facts = {file.path: index.facts(file.content) for file in files}
    names = {each.name for each in facts.values() for each in each.definitions}
    names |= {each.name for each in facts.values() for each in each.references} | {"nowhere"}
    names = set(sorted(names)[:NAMES])
    plain = [file._replace(content=0) for file in files]
    texts = (b"load", b"load path", b"self def value", b"nowhere", b"the heading tells")
    queries = [words(text).split() for text in texts]
    return {
        "state": index.state,
        "files": plain,
        "texts": {path: index.text(path) for path in paths},
        "facts": {
            path: (
                each.language,
                each.lines,
                each.error,
                list(each.definitions),
                list(each.references),
                list(each.imports),
            )
            for path, each in facts.items()
        },
        "defining": {
            name: [(file.path, ordinal) for file, ordinal in index.defining(name)]
            for name in sorted(names)
        },
        "mentioning": {
            name: [file.path for file in index.mentioning(name)] for name in sorted(names)
        },
        "together": {
            name: dict(index.together(name, [*sorted(names), "nowhere"])) for name in sorted(names)
        },
        "names": [list(index.names(prefix, 10)) for prefix in ("", "l", "lo", "ü", "\U0010ffff")],
        "chunks": {
            file.path: [(each.ordinal, each.first, each.last) for each in index.chunks(file)]
            for file in files
        },
        "match": [found(index, query) for query in queries],
    }


def found(index: Index, query: list[str], limit: int = 1000) -> list[tuple[Any, ...]]:
    """Returns what a search finds; scores are sums of floats in some order."""
    rows = [
        (each.file.path, each.ordinal, each.first, each.last, round(each.score, 6))
        for each in index.match(query, limit)
    ]
    return sorted(rows, key=lambda row: (-row[4], *row[:4]))
