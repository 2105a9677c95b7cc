"""Search over a real index: what is found, why, and what no query can do."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="apsw is not installed; it comes with codewright[repo]")
pytest.importorskip("pathspec", reason="pathspec is not installed; it comes with codewright[repo]")

from codewright.cli.opening import languages
from codewright.errors import UnknownName
from codewright.repo.facts import Extractor
from codewright.repo.filters import Wanted, kept_by
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.query import read
from codewright.repo.registry import TextExtractor
from codewright.repo.search import Hit, Searcher, Settings
from codewright.repo.static_vectors import ShippedEmbedder
from codewright.repo.store import Store
from codewright.repo.words import words
from tests.reference.cutter import Cutter
from tests.reference.index import MemoryIndex

LIBRARY = Path(sysconfig.get_path("stdlib"))
PARTS = ("json/*.py", "http/*.py", "urllib/*.py", "textwrap.py", "configparser.py", "shelve.py")
TEST = "import shelve\n\ndef test_open_a_shelf():\n    assert shelve.open('x')\n"
README = "# Parts\n\nA few parts.\n\n## Cookies\n\nHow cookies are baked.\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> MemoryIndex:
    root = tmp_path_factory.mktemp("library")
    for part in PARTS:
        for path in LIBRARY.glob(part):
            target = root / "lib" / path.relative_to(LIBRARY)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (root / "tests").mkdir()
    (root / "tests/test_shelf.py").write_text(TEST)
    (root / "README.md").write_text(README)
    (root / "lib/copy_of_shelve.py").write_bytes((root / "lib/shelve.py").read_bytes())
    return made(root)


def made(root: Path) -> MemoryIndex:
    extractors: dict[str, Extractor] = {".py": PythonExtractor(), ".md": TextExtractor("markdown")}
    return MemoryIndex(root, extractors, Cutter(words))


def places(hits: Sequence[Hit]) -> list[tuple[str, str]]:
    return [(hit.file.path, hit.qualified) for hit in hits]


def test_what_is_asked_for_is_found_first(index: MemoryIndex) -> None:
    searcher = Searcher(index)

    def first(query: str) -> tuple[str, str]:
        hit = searcher.search(query)[0]
        assert hit.first <= hit.line <= hit.last
        assert hit.snippet[hit.line - hit.begins] in index.text(hit.file.path)
        return hit.file.path, hit.qualified

    assert first("SimpleCookie") == ("lib/http/cookies.py", "SimpleCookie")
    assert first("JSONDecoder.raw_decode") == ("lib/json/decoder.py", "JSONDecoder.raw_decode")
    assert first("json.loads") == ("lib/json/__init__.py", "loads")
    assert first("raw decode") == ("lib/json/decoder.py", "JSONDecoder.raw_decode")
    assert first("where is `dedent`") == ("lib/textwrap.py", "dedent")
    assert first("get_*_or_none raw_*ode") == ("lib/json/decoder.py", "JSONDecoder.raw_decode")
    assert first("remove common leading whitespace from every line")[1] == "dedent"
    assert first('"Unterminated string starting"')[1] == "py_scanstring"
    assert first("how are cookies baked") == ("README.md", "")
    assert first("_MAXLINE") == ("lib/http/client.py", "_MAXLINE")
    hits = searcher.search("dedent text")
    assert hits[0].places["words"] == 1
    assert "def dedent(text)" in hits[0].definition.signature
    assert searcher.search("zzzyqx") == []


def test_filters_leave_out_and_change_no_order(index: MemoryIndex) -> None:
    searcher = Searcher(index)
    for query in ("open a shelf", "parse header", "error"):
        everything = searcher.search(query, limit=100_000)
        for wanted in (
            Wanted(kinds=("class",)),
            Wanted(kinds=("method", "constant")),
            Wanted(languages=("markdown",)),
            Wanted(paths=("lib/http/",)),
            Wanted(paths=("*.py", "!shelve.py")),
            Wanted(tests=True),
            Wanted(tests=False, kinds=("function",)),
        ):
            keeps = kept_by(index, wanted)
            assert keeps is not None
            kept = [hit for hit in everything if keeps(hit.file, hit.ordinal)]
            found = searcher.search(query, limit=100_000, keeps=keeps)
            own = {place for place in places(found) if place[0] != "lib/copy_of_shelve.py"}
            assert [place for place in places(found) if place in own] == [
                place for place in places(kept) if place in own
            ]
            assert all(keeps(hit.file, hit.ordinal) for hit in found)
            for limit in (1, 3):
                assert searcher.search(query, limit=limit, keeps=keeps) == found[:limit]
    # One content under two paths is found by either.
    only = kept_by(index, Wanted(paths=("lib/shelve.py",)))
    assert {path for path, _ in places(searcher.search("shelf", keeps=only))} == {"lib/shelve.py"}
    for wrong in (Wanted(kinds=("klass",)), Wanted(languages=("cobol",))):
        with pytest.raises(UnknownName):
            kept_by(index, wrong)


HOSTILE = [
    "", " ", "\n\t", "a", "?", "***", '"', '""', "''", "`", "\0", "\0" * 50, "\ud800", "💥",
    "💥 json",
    'json" OR 1=1 --', "NEAR(json decode, 3)", "named:json*", "^json", "json AND NOT decode",
    "{named head}: x", "'; DROP TABLE pieces; --", "*" * 5000, "(" * 5000, ".*" * 3000, "a*" * 2000,
    "word " * 10_000, "x" * 100_000, " ".join(f"w{n}" for n in range(10_000)), '"a' * 3000,
    "\u202ejson", "%s %d {}", "\\", "a.b.c.d.e.f.g.h.i.j", "..", "::", "->", "http://a.b/c?d=e&f#g",
    "(a+)+$", "[", "[^", "decode\x00json", "\ufeffjson",
]  # fmt: skip


def test_no_query_does_harm(index: MemoryIndex) -> None:
    searcher = Searcher(index)
    for query in HOSTILE:
        hits = searcher.search(query, limit=3)
        assert len(hits) <= 3
        assert hits == searcher.search(query, limit=3)
        assert searcher.search(query, limit=0) == ()
        understood = read(query)
        assert len(understood.words) <= 40
        assert all(word.isalnum() for word in understood.words)
    assert read("").empty
    assert searcher.search("raw \0 decode" + " filler" * 5000)[0].qualified.endswith("raw_decode")


def test_a_file_that_changed_is_found_without_its_lines(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def apple():\n    return 1\n")
    index = made(tmp_path)
    (tmp_path / "a.py").write_text("def pear():\n    return 1\n")
    (hit,) = Searcher(index).search("apple")
    assert (hit.qualified, hit.snippet, hit.line) == ("apple", (), 1)


def undocumented(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Returns a source without docstrings, and the first line of each with whose it was."""
    tree = ast.parse(text)
    lines = text.split("\n")
    asked = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        doc = ast.get_docstring(node)
        if doc is None:
            continue
        if isinstance(node, ast.FunctionDef) and len(doc.split("\n")[0].split()) > 4:
            asked.append((doc.split("\n")[0], node.name))
        place = node.body[0]
        lines[place.lineno - 1 : place.end_lineno] = [
            " " * place.col_offset + "pass",
            *[""] * ((place.end_lineno or 0) - place.lineno),
        ]
    return "\n".join(lines), asked


def test_all_ways_together_are_as_good_as_the_best_alone(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    queries: list[tuple[str, str]] = []
    for part in PARTS:
        for path in LIBRARY.glob(part):
            text, asked = undocumented(path.read_text(encoding="utf-8"))
            target = tmp_path / path.relative_to(LIBRARY)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
            queries += [*asked, *((name, name) for _, name in asked)]
    queries = queries[::3]
    assert len(queries) > 100
    cache = tmp_path_factory.mktemp("cache")
    with Store.open(tmp_path, cache, languages(), print, ShippedEmbedder()) as index:
        index.update()

        def rank(weights: Mapping[str, float]) -> float:
            searcher = Searcher(index, meaning=index, settings=Settings(weights=weights))
            total = 0.0
            for query, name in queries:
                found = [hit.definition.name for hit in searcher.search(query)]
                total += 1 / (found.index(name) + 1) if name in found else 0
            return total / len(queries)

        alone = {way: rank({way: 1.0}) for way in ("words", "meaning", "names")}
        together = rank(Settings().weights)
    assert together > max(alone.values()), alone
    assert min(alone["words"], alone["meaning"]) > 0.4
