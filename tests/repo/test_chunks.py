"""Pieces: where they begin and end, what they are called, and that no line is lost or doubled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.repo.chunks import LONGEST, split
from codewright.repo.facts import Definition, Facts, Kind
from codewright.repo.words import each_word
from tests.reference.cutter import Chunk, Cutter


def unstemmed(data: bytes) -> str:
    return " ".join(each_word(data.decode("utf-8", "replace")))


CUTTER = Cutter(unstemmed)
MODULE = Definition("", Kind.MODULE, -1, 1, 0, 1, 1)

PROGRAM = b'''"""What it is for."""

import os

LIMIT = 3


class Store:
    """Keeps things."""

    size: int = 0

    # How it begins.
    def __init__(self, path: str) -> None:
        """Opens it."""
        self.path = path

    def close(self):
        os.close(self.path)


# ---- helpers ----

@cached
def openAll(paths):
    return [Store(path) for path in paths]


if __name__ == "__main__":
    openAll([])
'''
DEFINITIONS = (
    MODULE._replace(doc=1, doc_end=1, end=30),
    Definition("LIMIT", Kind.CONSTANT, 0, 5, 0, 5, 5, signature="LIMIT = 3"),
    Definition("Store", Kind.CLASS, 0, 8, 0, 8, 19, 9, 9, 9, "class Store"),
    Definition("size", Kind.VARIABLE, 2, 11, 4, 11, 11, signature="size: int = 0"),
    Definition("__init__", Kind.METHOD, 2, 14, 4, 14, 16, 15, 15, 15, "def __init__(self, path)"),
    Definition("path", Kind.ATTRIBUTE, 2, 16, 8, 16, 16),
    Definition("close", Kind.METHOD, 2, 18, 4, 18, 19, 19, signature="def close(self)"),
    Definition("openAll", Kind.FUNCTION, 0, 25, 0, 24, 26, 26, signature="def openAll(paths)"),
)


def of(language: str, data: bytes, definitions: tuple[Definition, ...] = (MODULE,)) -> list[Chunk]:
    facts = Facts(
        language=language,
        lines=len(split(data)),
        definitions=definitions,
        references=(),
        imports=(),
    )
    return list(CUTTER.chunks(facts, data))


def test_a_program_is_cut_at_its_definitions() -> None:
    found = of("python", PROGRAM, DEFINITIONS)
    assert [(each.ordinal, each.first, each.last) for each in found] == [
        (1, 1, 7),
        (2, 8, 12),
        (4, 13, 17),
        (6, 18, 21),
        (7, 22, 28),
        (0, 29, 30),
    ]
    top, store, begin, close, opening, main = found
    assert (top.named, top.head) == ("limit", "what it is for limit")
    assert top.body == "import os limit"
    assert store.named == "store"
    assert store.head == "class store keeps things"
    assert begin.named == "store init"
    assert begin.body == "how it begins self path path"
    assert close.body == "os close self path"
    assert opening.named == "openall open all"
    assert opening.body.startswith("helpers cached return store path")
    assert main.body == "if name main openall open all"


def test_long_functions_are_cut_between_blocks() -> None:
    blocks = [b"    if x%d:\n        y()\n        z()\n\n" % n for n in range(100)]
    data = b"def f():\n" + b"".join(blocks)
    one = Definition("f", Kind.FUNCTION, 0, 1, 0, 1, 401, 2, signature="def f()")
    found = of("python", data, (MODULE, one))
    assert len(found) > 4
    lines = split(data)
    assert all(lines[each.first - 1].startswith(b"    if") for each in found[1:])
    assert all(each.ordinal == 1 and each.last - each.first < LONGEST for each in found)
    assert "def" in found[0].head
    assert not any(each.head for each in found[1:])


def test_prose_is_cut_at_headings() -> None:
    text = b"# Store\n\nWhat.\n\n## Speed\n\n```\n# no heading\n```\n\n# Use\nHow.\n"
    found = of("markdown", text)
    assert [(each.first, each.last, each.named) for each in found] == [
        (1, 4, "store"),
        (5, 10, "store speed"),
        (11, 12, "use"),
    ]
    text = b"=====\nStore\n=====\n\nWhat.\n\nSpeed\n-----\nFast.\n\nUse\n---\nHow.\n"
    assert [each.named for each in of("rst", text)] == ["", "store", "store speed", "store use"]


@st.composite
def contents(draw: st.DrawFn) -> tuple[str, bytes, tuple[Definition, ...]]:
    pieces = st.sampled_from(
        [b"", b"  ", b"# remark", b"    x = 1", b"}", b"word", b"## Head", b"----", b"\xff\x00"]
    )
    ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
    lines = draw(st.lists(st.tuples(pieces, ends), max_size=60)) * draw(st.sampled_from([1, 1, 9]))
    data = b"".join(a + b for a, b in lines) + draw(pieces)
    count = len(split(data))
    definitions = [MODULE]
    for parent in draw(st.lists(st.integers(0, 8), max_size=12)):
        above = definitions[parent % len(definitions)]
        first = draw(st.integers(above.first, max(count, above.first) + 2))
        end = draw(st.integers(first, first + 200))
        doc = draw(st.sampled_from([0, first, max(first - 1, 1)]))
        kind = draw(st.sampled_from(list(Kind)[1:]))
        definitions.append(
            Definition(
                f"n{len(definitions)}",
                kind,
                parent % len(definitions),
                *(first, 0, first, end, draw(st.sampled_from([0, first, end])), doc, doc),
                signature="def n()",
            )
        )
    language = draw(st.sampled_from(["python", "markdown", "rst", "text", "json"]))
    return language, data, tuple(definitions)


@given(contents())
def test_every_line_is_in_exactly_one_piece(
    content: tuple[str, bytes, tuple[Definition, ...]],
) -> None:
    language, data, definitions = content
    lines = split(data)
    found = of(language, data, definitions)
    covered = [line for each in found for line in range(each.first, each.last + 1)]
    assert covered == list(range(1, len(lines) + 1))
    assert all(each.last - each.first < LONGEST for each in found)
    assert found == of(language, data, definitions)
    if language in ("markdown", "rst", "text"):
        said = {word for each in found for word in f"{each.named} {each.head} {each.body}".split()}
        assert said >= set(unstemmed(data).split())


def test_a_remark_before_the_first_statement_is_found() -> None:
    data = b"def f(\n    a,\n):\n    # Opens valves.\n\n    return a\n"
    one = Definition("f", Kind.FUNCTION, 0, 1, 0, 1, 6, 6, signature="def f(a)")
    (found,) = of("python", data, (MODULE, one))
    assert (found.head, found.body) == ("def", "opens valves return")
