"""What is there is read, what is missing is said, and headers are what their content is."""

from __future__ import annotations

import pytest

pytest.importorskip("tree_sitter_rust", reason="the grammars are of the extra `repo`")

from codewright.cli import opening
from codewright.cli.opening import languages
from codewright.repo.languages.extractors import extractor_of, is_cpp
from codewright.repo.languages.names import language_of
from codewright.repo.languages.packages import GRAMMARS


def test_every_language_is_read_and_one_that_is_missing_stops_no_other(monkeypatch):
    known = languages()
    assert set(known.readers) >= {*GRAMMARS, "python", "markdown"}
    assert known.by_path("a/b.rs") == "rust"
    data = b"package a\nfunc F() {}\n"
    assert known.read("go", data).defined == [("F", 1)]

    real = opening.find_spec
    monkeypatch.setattr(opening, "find_spec", lambda name: None if "rust" in name else real(name))
    without = languages()
    assert set(known.readers) - set(without.readers) == {"rust"}
    assert without.by_path("a/b.rs") is None
    assert "the grammar of rust is not installed" in without.refusal("a/b.rs")
    assert without.version != known.version


C = [
    b"struct a { int b; };\nint f(struct a *x);\n",
    b'#ifdef __cplusplus\nextern "C" {\nnamespace a {}\n#endif\nint f(void);\n',
    b"/* A\n   class of things: using them\n   template for all */\nint f(int class);\n",
    b'#include <stdio.h>\n#include "vector"\nint public;\n',
]
CPP = [
    b"#pragma once\nnamespace a {\nint f();\n}\n",
    b"class A {\n public:\n  int b;\n};\n",
    b"template <typename T>\nT f(T x);\n",
    b"#include <vector>\nint f();\n",
    b"inline int f(int *x) { return x == nullptr; }\n",
    b"struct A { int x; bool operator==(const A &o) const; };\n",
]


@pytest.mark.parametrize("data", C)
def test_a_header_of_c_is_c(data):
    assert not is_cpp(data)
    assert language_of("a.h", data) == "c"


@pytest.mark.parametrize("data", CPP)
def test_a_header_of_cpp_is_cpp(data):
    assert is_cpp(data)
    assert language_of("a.h", data) == "cpp"
    assert extractor_of("cpp").facts(data).language == "cpp"
