"""The C scanner gives what the plain reference gives, survives all, and reads broken files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.engine.compiled import digest
from codewright.errors import MissingKernels
from codewright.repo import scanner
from codewright.repo.facts import Facts
from codewright.repo.packed import pack
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.reading import PlainReader, ScanReader, opened
from codewright.repo.remembered_words import RememberedWords
from codewright.repo.scanner import Scanner, find, scan, scan_plainly
from codewright.repo.unpacked import unpack

STDLIB = Path(sysconfig.get_path("stdlib"))
WORDS = RememberedWords()


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    try:
        find()
    except MissingKernels as error:
        pytest.skip(error.message)


def same(data: bytes) -> None:
    """Asserts that both readers say the same of a file that is Python."""
    wanted, found = PythonExtractor().facts(data), unpack(scan(data).blob)
    if wanted.error:
        return
    assert found.error == ""
    assert found.definitions == wanted.definitions
    assert found.references == wanted.references
    assert found.imports == wanted.imports
    assert found == wanted


def same_read(data: bytes) -> None:
    """Asserts that what C cuts and counts in one go is what is done step by step from its facts."""
    plain, fast = (
        reader.read(data) for reader in (PlainReader(Scanner(), WORDS), ScanReader(WORDS))
    )
    assert opened(fast.facts) == opened(plain.facts)
    assert sorted(fast.mentioned) == sorted(plain.mentioned)
    rest = {"facts": b"", "mentioned": ()}
    assert fast._replace(**rest) == plain._replace(**rest)


def test_the_standard_library_is_read_as_the_reference_reads_it() -> None:
    files = sorted(path for path in STDLIB.rglob("*.py") if "site-packages" not in path.parts)
    chosen = random.Random(20).sample(files, 60)
    must = ("dataclasses.py", "typing.py", "test/test_patma.py", "test/test_fstring.py")
    for path in [*chosen, *(STDLIB / name for name in must)]:
        if path.exists():
            same(path.read_bytes())
            same_read(path.read_bytes())


NAMES = st.sampled_from(["a", "b", "self", "Foo", "_x", "match", "type", "é", "print"])


def indented(body: list[str]) -> str:
    return "\n".join("    " + line for text in body for line in text.split("\n"))


def program() -> st.SearchStrategy[str]:
    """Programs out of every statement that binds or uses names."""
    atoms = st.one_of(NAMES, st.sampled_from(["None", "1", "'s'", "b'x'", "...", "'a' 'b'"]))
    expressions = st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("{}.{}".format, inner, NAMES).filter(lambda text: not text[0].isdigit()),
            st.builds("{}({}, {}={})".format, NAMES, inner, NAMES, inner),
            st.builds("({} | None)".format, inner),
            st.builds("{}[{}, {}:{}]".format, NAMES, inner, inner, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("[{} for {} in {} if {}]".format, inner, NAMES, inner, inner),
            st.builds("(lambda {}={}: {})".format, NAMES, inner, inner),
            st.builds("(w := {})".format, inner),
            st.builds("not {} and - {} in {}".format, inner, inner, inner),
            st.builds("(\n {}, # c\n *{})".format, inner, inner),
            st.builds("f'{{{} !r:>{{{}}}}} {{{{'".format, NAMES, NAMES),
            st.builds('f"""\n{{ {}\n . {} =}}"""'.format, NAMES, NAMES),
        ),
        max_leaves=5,
    )
    targets = st.one_of(
        NAMES,
        st.builds("self.{}".format, NAMES),
        st.builds("({}, *{}.{})".format, NAMES, NAMES, NAMES),
        st.builds("{}[{}]".format, NAMES, expressions),
        st.builds("({} or {}).{}".format, NAMES, NAMES, NAMES),
    )
    simple = st.one_of(
        expressions,
        st.builds("{} = {}".format, targets, expressions),
        st.builds("{} = {} = Foo()".format, targets, targets),
        st.builds("{}: {} = {}".format, NAMES, expressions, expressions),
        st.builds("self.{}: {}".format, NAMES, expressions),
        st.builds("{} += {}".format, NAMES, expressions),
        st.builds("import {}.b as {}, {}.c.d".format, NAMES, NAMES, NAMES),
        st.builds("from ..{} import {}, Foo as {}".format, NAMES, NAMES, NAMES),
        st.builds("from . import (x as {},\n)".format, NAMES),
        st.builds("del {}, {}.y".format, NAMES, NAMES),
        st.builds("global {}".format, NAMES),
        st.builds("__all__ = ['a', 'Foo', '{}']".format, NAMES),
        st.sampled_from(["pass", "'doc'", "return"]),
    )

    def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        body = st.lists(inner, min_size=1, max_size=3).map(indented)
        return st.one_of(
            st.builds("def {}(self, {}={}):\n{}".format, NAMES, NAMES, expressions, body),
            st.builds("@{}.x({})\nasync def {}(*, b: Foo):\n{}".format, NAMES, NAMES, NAMES, body),
            st.builds("class {}({}, b={}):\n{}".format, NAMES, expressions, NAMES, body),
            st.builds("for {} in {}:\n{}".format, targets, expressions, body),
            st.builds("with ({} as {}, b):\n{}".format, expressions, targets, body),
            st.builds("try:\n{}\nexcept {} as {}: pass".format, body, expressions, NAMES),
            st.builds("match {}:\n  case Foo(x={}) | [{}, *_]:\n{}".format, *[NAMES] * 3, body),
            st.builds("if {}: {}\nelse:\n{}".format, expressions, simple, body),
            st.builds("class {}:\n{}".format, NAMES, body),
        )

    statements = st.recursive(simple, blocks, max_leaves=8)
    return st.lists(statements, min_size=1, max_size=5).map("\n".join)


@given(program(), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=120, deadline=None)
def test_programs_are_read_as_the_reference_reads_them(text: str, end: str) -> None:
    same(text.replace("\n", end).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\x0c\ndef f():\n\tpass\n\tx = 1\n",
        b"\xef\xbb\xbfx = 1\r\ny = 2\r",
        b"# -*- coding: latin-1 -*-\nclass A:\n    '\xe9'\n    \xe9 = '\xe9\xe9'; b = c\n",
        b"f(*a if b else c, **d or e)\n",
        b"if x:\\\n  y = \\\r\n 3\n",
        b"def f(): 'doc'; return g\n",
        b"('doc'\n 'more')\n",
        b"x = 0x1for y in z\n",
        b"x = [1if y else 2or z, 1.e5.real, 1j.imag, 1_0.5]\n",
        b"(widget or self.a)['text'] = b; (c.d), = e\n",
        b"match = type = case = 1\nmatch[case]: type = 3\nmatch(x)\n",
        b"from __future__ import annotations\nimport a . b\\\n .c as d\n",
    ],
)
def test_corners_are_read_as_the_reference_reads_them(data: bytes) -> None:
    assert PythonExtractor().facts(data).error == ""
    same(data)


def test_a_broken_file_gives_what_is_plainly_there() -> None:
    data = b"""import os
def first(a):
    return os.path.join(a
class Second(Base):
    def method(self):
        x = (1,
    def other(self, b):
        self.c = b.
        print "old"
    LIMIT = 3
text = '''never closed
def last():
    pass
"""
    facts = unpack(scan(data).blob)
    names = [facts.qualified(ordinal) for ordinal in range(1, len(facts.definitions))]
    wanted = ["first", "Second", "Second.method", "Second.other", "Second.LIMIT", "last"]
    assert [name for name in names if name in wanted] == wanted
    assert facts.error == "line 4: a bracket is not closed"
    plain = PythonExtractor().facts(data)
    assert {"first", "Second"} <= {each.name for each in plain.definitions}
    assert plain.error


@given(st.binary(max_size=300), st.integers(0, 1 << 30))
@settings(max_examples=100, deadline=None)
def test_nothing_raises_and_a_blob_is_always_whole(data: bytes, seed: int) -> None:
    chosen = random.Random(seed)
    source = bytearray(Path(__file__).read_bytes()[chosen.randrange(4000) :][:2000])
    for _ in range(8):
        source[chosen.randrange(len(source))] = chosen.choice(b"\0\n\r\t ()[]{}'\"\\:=,.#@ef\xff")
    for each in (data, bytes(source)):
        for read in (scan, scan_plainly):
            facts = unpack(read(each).blob)
            assert unpack(pack(facts)) == facts
            check(facts)
        same_read(each)
        same_read(each.replace(b"\n", chosen.choice((b"\r", b"\r\n", b"\n\n", b"\n" * 50))))


def check(facts: Facts) -> None:
    """Asserts what holds for the facts of every file."""
    for ordinal, one in enumerate(facts.definitions):
        assert one.parent < max(ordinal, 1)
        assert 1 <= one.first <= one.line <= max(one.end, one.line) <= max(facts.lines, 1)
    places = [(each.line, each.column) for each in facts.references]
    assert places == sorted(places)
    assert all(0 <= each.scope < len(facts.definitions) for each in facts.references)
    assert all(each.name == each.path.rpartition(".")[2] for each in facts.references)


def test_threads_share_a_scanner() -> None:
    datas = [path.read_bytes() for path in sorted(STDLIB.glob("*.py"))[:40]]
    alone = [scan(data) for data in datas]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(scan, datas * 3)) == alone * 3
    for data, one in zip(datas[:5], alone, strict=False):
        assert sorted(one.mentioned) == sorted(scan_plainly(data).mentioned)


def test_without_a_library_the_reference_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(scanner.LIBRARY, "/nowhere")
    find.cache_clear()
    try:
        with pytest.raises(MissingKernels, match="not built"):
            find()
        facts = unpack(scan(b"def f(): pass\n").blob)
        assert [each.name for each in facts.definitions] == ["", "f"]
    finally:
        monkeypatch.undo()
        find.cache_clear()


HUGE = """
import sys, random
sys.path.insert(0, {source!r})
import numpy
from codewright.repo.scanner import find, scan, words
from codewright.repo.sums import Sums
find()
one = numpy.ones(1, dtype=numpy.float32)
sums = Sums([b"self", b"x", b"", b"def"], numpy.ones((4, 7), dtype=numpy.float32))
deep = b"if x:\\n" + b"".join(b" " * n + b"if x:\\n" for n in range(1, 1500))
for data in (
    b"(" * 100000, b"[" * 100000 + b"]" * 100000, b"x = " + b"a, " * 1000000, b"f'{{" * 50000,
    b"-" * 100000 + b"1", b"a" * 3000000, b"lambda:" * 50000, deep, b"a" + b".b" * 100000 + b"=1",
    b"x=" * 100000 + b"1", b"@" * 9999, b"with (" * 20000, b"match (" * 20000, b"'''" * 9999,
    b"f'''{{f'''" * 999, b"else:" * 9999, b"\\\\", b"'\\\\",
):
    scan(data, whole=True)
    words(data)
chosen = random.Random(3)
files = [open(path, "rb").read()[:20000] for path in {files!r}]
pieces = [
    b"(", b")", b"'", b'\"\"\"', b"f'{{", b"}}", b"\\n", b"\\n  ", b":", b"=", b"match x:", b"\\\\",
    b"\\0", b"lambda ", b"for ", b"\\xff", b"class ", b"with (", b"\\r", b"@", b"global a", b":=",
]
for round in range(400):
    data = bytearray(chosen.choice(files))
    for _ in range(chosen.randrange(1, 30)):
        at = chosen.randrange(len(data) + 1)
        data[at : at + chosen.choice((0, 1, 40))] = chosen.choice(pieces)
    data = bytes(data[: chosen.randrange(len(data) + 1)])
    scan(data, whole=True)
    words(data)
    sums.of([data.translate(None, b"\x1e\x1f"), b" " + data[:99].translate(None, b"\x1e\x1f")], one)
    try:
        sums.of([data], one)
    except ValueError:
        pass
print("survived")
"""


def test_the_scanner_is_safe_on_everything(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path / "scan.so"
    sources = sorted(str(path) for path in scanner.FOLDER.glob("*.c"))
    flags = [
        "-std=gnu11",
        "-O1",
        "-g",
        "-fPIC",
        "-fvisibility=hidden",
        "-shared",
        "-fno-sanitize-recover=all",
    ]
    words = [compiler, *flags, "-fsanitize=address,undefined", "-o", str(library), *sources]
    made = subprocess.run(
        [*words, f'-DSOURCES="{digest(scanner.FOLDER)}"'],
        capture_output=True,
        text=True,
        check=False,
    )
    runtime = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if made.returncode or not Path(runtime).is_file():
        pytest.skip("the compiler has no sanitizers")
    files = [str(STDLIB / name) for name in ("typing.py", "ast.py", "test/test_fstring.py")]
    program = HUGE.format(
        source=str(scanner.FOLDER.parents[2]), files=[name for name in files if Path(name).exists()]
    )
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",
        scanner.LIBRARY: str(library),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.stdout == "survived\n", ran.stderr[-3000:]


@given(st.text(max_size=80) | st.text("aAbZ0_éÉΣЖж中 ingeds.-", max_size=80), st.binary(max_size=5))
@settings(max_examples=300, deadline=None)
def test_words_are_those_of_the_reference(text: str, broken: bytes) -> None:
    reference = pytest.importorskip("codewright.repo.words", reason="the words are not here yet")
    for data in (text.encode("utf-8", "replace"), text.encode("utf-8", "replace")[1:] + broken):
        assert scanner.words(data) == reference.words(data)
