"""Whatever the bytes, there are facts: broken, cut off, deep, long, none at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tree_sitter_rust", reason="the grammars are of the extra `repo`")

from codewright.repo.facts import Kind
from codewright.repo.languages.extractors import extractor_of
from codewright.repo.languages.grammars import grammar
from codewright.repo.languages.packages import GRAMMARS
from codewright.repo.languages.syntax import SyntaxExtractor
from codewright.repo.languages.tables import table
from tests.repo.languages.reading import check
from tests.repo.languages.test_samples import LANGUAGES, SAMPLES

EXTRACTORS = {language: extractor_of(language) for language in GRAMMARS}
TEXTS = [path.read_bytes() for path in sorted(SAMPLES.iterdir()) if path.suffix in LANGUAGES]
DEEP = 5_000


@settings(max_examples=40, deadline=None)
@given(language=st.sampled_from(sorted(GRAMMARS)), data=st.data())
def test_any_bytes_give_facts(language, data):
    sample = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, len(sample)))
    middle = data.draw(st.binary(max_size=40))
    for text in (middle, sample[start:end], sample[:start] + middle + sample[end:]):
        facts = EXTRACTORS[language].facts(text)
        assert facts.definitions[0].kind is Kind.MODULE
        check(facts, text)


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_depth_and_length_cost_no_more_than_time(language):
    extractor = EXTRACTORS[language]
    opened = b"int f() { return " if language in ("c", "cpp", "java") else b"x = "
    chain = b"a" + b".b(c)" * DEEP
    many = 4 if language == "javascript" else 1
    # Of one language lines of half a megabyte: nested, a long chain, a list, and no code at all.
    for text in (
        opened + b"(" * DEEP + b"x" + b")" * DEEP,
        b"{" * DEEP,
        opened + chain,
        opened + b"[" + b"f(x.y, 1), " * (6_000 * many) + b"]",
        b"f(a.b);" * (10_000 * many),
        b"\\x" * (20_000 * many),
    ):
        start = time.process_time()
        facts = extractor.facts(text)
        assert time.process_time() - start < 60
        assert facts.lines == 1
        check(facts, text)
    assert len(extractor.facts(b"f(a.b);" * 1000).references) > 0 or language in ("java", "rust")


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_an_error_is_said_with_its_line_and_the_rest_is_read(language):
    suffix = next(suffix for suffix, name in LANGUAGES.items() if name == language)
    (path,) = SAMPLES.glob(f"*{suffix}")
    data = path.read_bytes()
    whole = EXTRACTORS[language].facts(data)
    broken = data + b"\n@ ) ( =>> %%% ::: @\n"
    facts = EXTRACTORS[language].facts(broken)
    said = int(facts.error.removeprefix("line ").partition(":")[0])
    assert 1 <= said <= whole.lines + 2
    names = {one.name for one in whole.definitions}
    kept = names & {one.name for one in facts.definitions}
    assert len(kept) >= 0.8 * len(names)
    # Bytes that are no UTF-8 are said too, and read all the same.
    latin = EXTRACTORS[language].facts(data + b"\n// caf\xe9\n")
    assert latin.error == f"line {whole.lines + 2}: not UTF-8"
    assert {one.name for one in latin.definitions} == names


def test_what_takes_too_long_or_is_too_large_is_said(monkeypatch):
    hurried = SyntaxExtractor("go", grammar("go"), table("go"), seconds=0.0)
    facts = hurried.facts(b"package a\n" + b"func f() { g() }\n" * 5000)
    assert facts.error == "took over 0 s to parse"
    assert facts.lines == 5001
    assert len(facts.definitions) == 1
    # And the next content is read as if nothing had been.
    patient = SyntaxExtractor("go", grammar("go"), table("go"))
    assert [one.name for one in patient.facts(b"package a\nfunc f() {}\n").definitions] == ["", "f"]
    monkeypatch.setattr("codewright.repo.languages.syntax.LARGEST", 10)
    assert patient.facts(b"package a\nfunc f() {}\n").error == "over 10 bytes"


def test_nothing_gives_the_file_alone():
    for extractor in EXTRACTORS.values():
        for text in (b"", b"\n", b"\0", b"\xff\xfe"):
            facts = extractor.facts(text)
            assert len(facts.definitions) == 1
            assert facts.lines == (1 if text else 0)
