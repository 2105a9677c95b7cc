"""The relevance set "docstring to function": real questions to real code, made from sources.

A collection is the standard library, or one package. Its documents are all functions and methods,
also those without a docstring, with every docstring of the collection taken out. Comments stay:
they are code's own words. A query is the first sentence of a docstring, and the one right answer
is the function that it was taken from.

Left out: tests and copies of other packages (`SKIPPED`); sentences of fewer than three words that
carry meaning, or more than 40; those that merely repeat the name (fewer than two such words are not
in it); those that the same collection has twice; those that speak of no code (`EMPTY`), or not in
ASCII. Everything is decided by the source; nothing is chosen by what a search finds.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import sysconfig
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.remembering.functions import Function, decoded, functions, parsed, undocumented

PACKAGES = ("sympy==1.14.0", "scikit-learn==1.9.1", "django==5.2.19")
SKIPPED = re.compile(
    r"(^|/)(tests?|testing|idle_test|lib2to3|ensurepip|site-packages|dist-packages|pydoc_data|"
    r"externals|_vendor|vendor|turtledemo|__pycache__)(/|$)|(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.py$"
)
LEAST, MOST = 3, 40
QUERIES = 1000
"""Of each collection, drawn by the seed."""
SEED = 6

WORD = re.compile(r"[A-Za-z]+")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
SENTENCE = re.compile(r"(?<=[a-z0-9)`'\"])[.!?:](?=\s|$)")
ROLE = re.compile(r":[a-z:]+:`~?([^`<]*)[^`]*`")
CALL = re.compile(r"^[\w.]+\(.*?\)\s*(->\s*[\w\[\], .]+)?\s*(--|:|\n|$)\s*")
EMPTY = re.compile(
    r"^(see|deprecated|todo|same as|alias|cf|note|helper|docstring|internal)\b", re.I
)
_PLAIN = """
    a an and are as at be been but by can do does for from has have if in into is it its may not of
    on or returns return that the their them then there these this to was when where which whether
    will with get set self given new used use using this method function class object value
"""
PLAIN = frozenset(_PLAIN.split())
"""Words that carry little meaning by themselves."""


class Query(NamedTuple):
    """A sentence, and the function that it belongs to: `path`, and the line of its `def`."""

    text: str
    path: str
    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One set of documents with its queries. files: path to source without docstrings."""

    name: str
    files: dict[str, str]
    documents: list[tuple[str, Function]]
    queries: list[Query]

    def written(self, folder: Path) -> Path:
        """Writes the files under a folder, as a repository to index, and returns it."""
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
        return folder


def collections(folder: Path, most: int = QUERIES) -> Iterator[Collection]:
    """Yields the standard library of this interpreter, and the packages from wheels in a folder."""
    yield collection(f"python=={sys.version.split()[0]}", standard_library(), most)
    for package in PACKAGES:
        name, _, version = package.partition("==")
        found = sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        if not found:
            raise SystemExit(f"pip download --no-deps -d {folder} {' '.join(PACKAGES)}")
        yield collection(package, wheel(found[0]), most)


def standard_library() -> Iterator[tuple[str, bytes]]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if not SKIPPED.search(path.relative_to(root).as_posix()):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def wheel(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yields the Python files of a wheel."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py") and not SKIPPED.search(name):
                yield name, archive.read(name)


def collection(name: str, sources: Iterator[tuple[str, bytes]], most: int) -> Collection:
    """Returns the collection of these sources."""
    files, documents = {}, []
    for path, data in sources:
        text = decoded(data).replace("\r\n", "\n")
        tree = parsed(text)
        found = functions(text, tree) if tree is not None else []
        if tree is None or (not found and tree.body):
            continue
        files[path] = undocumented(text, tree)
        documents += [(path, function) for function in found]
    return Collection(name=name, files=files, documents=documents, queries=chosen(documents, most))


def chosen(documents: Sequence[tuple[str, Function]], most: int) -> list[Query]:
    """Returns the queries, at most so many, in the order of the documents."""
    asked = [
        Query(sentence, path, function.name, function.line)
        for path, function in documents
        if (sentence := asks(function))
    ]
    times = Counter(plain(query.text) for query in asked)
    asked = [query for query in asked if times[plain(query.text)] == 1]
    drawn = random.Random(SEED).sample(range(len(asked)), min(most, len(asked)))
    return [asked[place] for place in sorted(drawn)]


def asks(function: Function) -> str:
    """Returns the sentence that asks for a function, "" where its docstring has none."""
    sentence = first_sentence(function.doc)
    if not sentence.isascii() or EMPTY.match(sentence):
        return ""
    words = WORD.findall(sentence.lower())
    named = {part.lower() for part in PARTS.findall(function.name)}
    telling = {word for word in words if word not in PLAIN and len(word) > 1}
    new = {word for word in telling if word not in named and word.rstrip("s") not in named}
    if len(telling) < LEAST or len(new) < 2 or len(words) > MOST:
        return ""
    return sentence


def first_sentence(doc: str) -> str:
    """Returns the first sentence of the first paragraph, without markup, on one line."""
    doc = CALL.sub("", ROLE.sub(r"\1", doc)).strip()
    paragraph = " ".join(doc.split("\n\n", 1)[0].replace("`", "").split())
    return SENTENCE.split(paragraph, maxsplit=1)[0].strip()


def plain(sentence: str) -> str:
    return " ".join(WORD.findall(sentence.lower()))


def digest(found: Sequence[Collection]) -> str:
    """Returns a name for exactly these documents and queries."""
    hashed = hashlib.sha256()
    for one in found:
        for path, text in sorted(one.files.items()):
            hashed.update(f"{path}\0{text}\0".encode())
        hashed.update(repr(one.queries).encode())
    return hashed.hexdigest()[:16]
