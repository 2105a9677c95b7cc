"""Fingerprints: the guarantee holds, copies are found under other names, others are not."""

from __future__ import annotations

import ast
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus import fingerprints, pool
from codewright.corpus.fingerprints import RUN, Builder, Index, Winnower, build, winnowed
from codewright.corpus.lexer import TOKEN, Lexer
from codewright.errors import DataError
from codewright.types.document import Document

STANDARD = Path(ast.__file__).parent
PATHS = sorted(path for path in STANDARD.glob("[a-z]*.py") if 8_000 < path.stat().st_size < 60_000)
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PATHS}
WORDS = ("alpha", "beta", "gamma(", ")", ".x", "=", "if", "def f(", "7", "'s'", "[", "]", "\n")


def document(name: str, text: str) -> Document:
    return Document(text=text, path=name, licence="PSF-2.0", origin="cpython==3")


@pytest.fixture(scope="module")
def standard() -> Index:
    """Every other file of the standard library."""
    return build(document(name, text) for name, text in list(TEXTS.items())[::2])


@settings(max_examples=60)
@given(
    window=st.integers(1, 40),
    extra=st.integers(0, 30),
    seed=st.integers(0, 10**6),
)
def test_a_copy_as_long_as_guaranteed_is_found_whatever_surrounds_it(window, extra, seed):
    rng = random.Random(seed)

    def words(count: int) -> list[str]:
        return [rng.choice(WORDS) for _ in range(count)]

    length = RUN + window - 1 + extra
    source = words(rng.randrange(0, 150)) + words(length * 2) + words(rng.randrange(0, 150))
    index = build([document("a.py", " ".join(source))], window=window)
    assert index.guarantee == RUN + window - 1
    # Take at least that many tokens, counted as they are compared, from anywhere in the source.
    start = rng.randrange(0, len(source) - length)
    stop = start + 1
    while stop < len(source) and len(Lexer().codes(" ".join(source[start:stop]))) < length + 2:
        stop += 1
    # What stands beside a name can change whether it is called: two tokens more make up for it.
    copy = " ".join(source[start:stop])
    if len(Lexer().codes(copy)) < length + 2:
        return
    around = " ".join(words(rng.randrange(0, 60)))
    matches = index.match(f"{around}\n{copy}\n{around}")
    assert matches
    assert matches[0].path == "a.py"


@given(
    hashes=st.lists(st.integers(0, 30), max_size=60).map(lambda n: np.array(n, np.uint64)),
    window=st.integers(1, 20),
)
def test_winnowing_keeps_the_smallest_of_each_window(hashes, window):
    wide = min(window, len(hashes))
    slow = {int(hashes[i : i + wide].min()) for i in range(len(hashes) - wide + 1) if wide}
    assert winnowed(hashes, window).tolist() == sorted(slow)


def renamed(text: str) -> str:
    """Gives every variable of a module another name, and takes the comments away."""
    tree = ast.parse(text)
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg in bound:
            node.arg = f"{node.arg}_renamed"
        elif isinstance(node, ast.Name) and node.id in bound:
            node.id = f"{node.id}_renamed"
    return ast.unparse(tree)


def test_whole_files_are_found_verbatim_and_under_other_names(standard):
    for name in list(TEXTS)[:40:2]:
        (first, *_) = standard.match(TEXTS[name])
        assert (first.path, first.origin, first.licence) == (name, "cpython==3", "PSF-2.0")
        assert first.share > 0.6
        other = standard.match(renamed(TEXTS[name]))
        assert other[0].path == name


@pytest.mark.parametrize(
    ("lines", "verbatim", "under"), [(20, 0.7, 0.5), (40, 0.95, 0.85), (80, 0.99, 0.95)]
)
def test_planted_parts_are_found(standard, lines, verbatim, under):
    """Parts with code in them: a docstring is one token, and nobody's style."""
    rng = random.Random(lines)
    host = TEXTS[list(TEXTS)[1]]
    found = {"verbatim": 0, "renamed": 0}
    trials = 0
    for name in list(TEXTS)[::2]:
        text = TEXTS[name].split("\n")
        start = rng.randrange(0, max(len(text) - lines, 1))
        part = text[start : start + lines]
        if len(Lexer().codes("\n".join(part))) < 3 * lines:
            continue
        trials += 1
        planted = {
            "verbatim": "\n".join(part),
            "renamed": re.sub(
                r"\b([a-z]\w*)(?=\s*(?:=[^=]|,|\)|\]| in\b))", r"\1_q", "\n".join(part)
            ),
        }
        for kind, copy in planted.items():
            matches = standard.match(f"{host}\n{copy}\n")
            found[kind] += any(match.path == name for match in matches)
    assert trials > 25


def test_lines_are_where_the_copy_is(standard):
    name, copy = rich(160)
    before = ["x = 1", "", '"""Two', 'lines."""', ""]
    (match, *rest) = standard.match("\n".join([*before, *copy, "", "y = 2"]))
    assert match.path == name
    assert 6 <= match.start_line < match.end_line <= len(before) + len(copy)
    assert match.end_line - match.start_line > 100
    assert not rest or all(m.share < match.share for m in rest)


def test_what_is_found_is_there(standard):
    """Files that are not in the index: what is found in them is really in the file it names."""
    lexer = Lexer()
    found = 0
    for name in list(TEXTS)[1::2]:
        for match in standard.match(TEXTS[name]):
            found += 1
            lines = TEXTS[name].split("\n")[match.start_line - 1 : match.end_line]
            mine, theirs = lexer.codes("\n".join(lines)), lexer.codes(TEXTS[match.path])
            assert grams(mine) & grams(theirs), (name, match)
    assert found < 25  # wave and aifc, bz2 and lzma, sunau and aifc have lines in common


def grams(codes: np.ndarray) -> set[tuple[int, ...]]:
    tokens = codes.tolist()
    return {tuple(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1)}


def rich(count: int) -> tuple[str, list[str]]:
    """Returns `count` lines of code, not of data or words, and the indexed file that has them."""
    parts = {name: text.split("\n")[100 : 100 + count] for name, text in list(TEXTS.items())[::2]}
    name = max(parts, key=lambda name: "".join(parts[name]).count("self."))
    return name, parts[name]


def test_an_index_comes_back_as_it_was(tmp_path, standard):
    path = tmp_path / "f.npz"
    standard.save(path)
    first = path.read_bytes()
    back = Index.load(path)
    assert (len(back), back.files, back.guarantee) == (
        len(standard), standard.files, standard.guarantee,
    )  # fmt: skip
    for text in list(TEXTS.values())[:10]:
        assert back.match(text) == standard.match(text)
    back.save(path)
    assert path.read_bytes() == first


def test_fingerprints_are_those_of_ever():
    # Where this changes, FORMAT must too: an index in a file would quietly find nothing.
    text = """def weigh(load, limit=3):
    '''Words.'''
    return load.mass(limit) + len('kg')  # why
"""
    (found,) = Winnower(5).of_all([text * 4])
    assert fingerprints.FORMAT == 2
    assert found.tolist() == [
        980986356530958534,
        1226197881083744358,
        1301208377591129775,
        2583406379437989374,
        3318417705951846251,
        5267345924655494437,
        5274402781614785422,
        7484005307834597946,
        7871961981046884857,
    ]


@pytest.mark.parametrize("spoil", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"x" + b])
def test_a_damaged_index_is_named(tmp_path, standard, spoil):
    path = tmp_path / "f.npz"
    standard.save(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match="no index of fingerprints"):
        Index.load(path)
    with pytest.raises(DataError, match="does not exist"):
        Index.load(tmp_path / "other.npz")


def test_what_too_many_files_have_is_nobodys():
    name, lines = rich(200)
    shared = "\n".join(lines)
    own = [text for other, text in TEXTS.items() if other != name][:9]
    documents = [document(f"{n}.py", shared + "\n" + text) for n, text in enumerate(own)]
    # At its end, which run is the smallest of a window depends on what follows in each file.
    asked = "\n".join(lines[:120])
    assert not build(documents, common=8).match(asked)
    assert build(documents[:8], common=8).match(asked)
    found = build(documents, common=8).match(own[4])
    assert found[0].path == "4.py"


def test_watching_gives_the_documents_through_in_any_number_of_processes(monkeypatch):
    monkeypatch.setattr(pool, "CHUNK", 50_000)
    documents = [document(name, text) for name, text in list(TEXTS.items())[:20]]
    made = []
    for workers in (1, 2):
        builder = Builder()
        assert list(builder.watch(iter(documents), workers)) == documents
        made.append(builder.finish())
    assert made[0]._keys.tolist() == made[1]._keys.tolist()
    assert made[0]._files.tolist() == made[1]._files.tolist()


def test_an_empty_index_matches_nothing(tmp_path):
    index = build([])
    index.save(tmp_path / "f.npz")
    for each in (index, Index.load(tmp_path / "f.npz")):
        assert (len(each), each.files) == (0, 0)
        assert each.match(next(iter(TEXTS.values()))) == []
        assert each.match("") == []


def test_chance_is_as_small_as_said():
    rng = np.random.default_rng(1)
    hashes = np.sort(rng.integers(0, 1 << 64, 100_000, dtype=np.uint64))
    index = Index(hashes, np.zeros(len(hashes), np.uint32), [("p", "o", "l")], 64)
    asked = rng.integers(0, 1 << 64, 4_000_000, dtype=np.uint64)
    hits = sum(len(places) for places in index._hits(asked).values())
    assert hits <= 4  # 4,000,000 / 2^24 is 0.24
    assert sum(len(places) for places in index._hits(hashes[:1000]).values()) >= 1000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = f(y)  # why", "total=f( z )", True),
        ("x = f(y)", "x = g(y)", False),
        ("x.a = 1", "y.a = 1", True),
        ("x.a = 1", "x.b = 1", False),
        ("'a  b'", 'r"a b"', True),
        ("x = 1", "int = 1", False),
        ('f(x)\n"""Words."""', "f(y)", True),
        ("'a'", "'b'", False),
        ("if x: pass", "if y: pass", True),
        ("if x: pass", "in x: pass", False),
        ("x = 'unfinished", "y = 'unfinished", True),
        ("# only\n# comments", "", True),
        ("'#' + x", '"#" + y', True),
    ],
)
def test_what_counts_in_a_token(one, other, same):
    lexer = Lexer()
    assert (lexer.codes(one).tolist() == lexer.codes(other).tolist()) is same


def test_a_copy_is_found_on_either_side_of_a_docstring(standard):
    name = "tempfile.py" if "tempfile.py" in standard_names(standard) else rich(80)[0]
    text = TEXTS[name]
    for quotes in ('"""', "'''"):
        inside_out = f"words of a docstring, it's {quotes}\n"
        for host in ("", f"x = 1\n{quotes}It's open.", f"{quotes}It's done.{quotes}\n"):
            matches = standard.match(f"{host}\n{inside_out}\n{text}")
            assert matches[0].path == name
            assert matches[0].share > 0.5


def standard_names(index: Index) -> set[str]:
    return {path for path, _, _ in index._table}


@given(st.text(alphabet="ab'\"\\#\n .(=1é", max_size=60))
def test_any_text_has_codes_and_lines(text):
    lexer = Lexer()
    codes, lines = lexer.codes_and_lines(text)
    assert codes.tolist() == lexer.codes(text).tolist()
    assert sorted(lines.tolist()) == lines.tolist()
    assert not len(lines) or 1 <= lines[0] <= lines[-1] <= text.count("\n") + 1
    joined = "".join(TOKEN.findall(text))
    assert joined == "".join(joined.split()) or "'" in text or '"' in text or "#" in text
    assert fingerprints.build([document("p", text)]).match(text) is not None
