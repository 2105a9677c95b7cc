"""Each language against facts that were checked by hand, line by line, beside the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_rust", reason="the grammars are of the extra `repo`")

from codewright.repo.languages.extractors import extractor_of
from codewright.repo.packed import pack
from codewright.repo.unpacked import unpack
from tests.repo.languages.reading import check, written

SAMPLES = Path(__file__).with_name("samples")
LANGUAGES = {
    ".js": "javascript",
    ".ts": "typescript",
    ".tsx": "tsx",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    ".cpp": "cpp",
}


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_a_file_says_what_a_reader_finds_in_it(suffix):
    (path,) = SAMPLES.glob(f"*{suffix}")
    data = path.read_bytes()
    extractor = extractor_of(LANGUAGES[suffix])
    facts = extractor.facts(data)
    assert facts.error == ""
    assert facts.language == LANGUAGES[suffix]
    expected = path.with_name(path.name + ".facts").read_text(encoding="utf-8")
    assert written(facts) == expected
    check(facts, data)
    assert written(unpack(pack(facts))) == expected
    # Other line ends, and a mark, move nothing.
    for other in (data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), b"\xef\xbb\xbf" + data):
        assert written(extractor.facts(other)) == expected


def test_every_kind_of_definition_binding_and_use_is_in_the_samples():
    text = "".join(path.read_text(encoding="utf-8") for path in SAMPLES.glob("*.facts"))
    kinds = "class function method variable constant attribute interface struct enum trait type"
    for word in f"{kinds} macro namespace".split():
        assert f"\n{word} " in text, word
    for word in ["READ", "CALL", "WRITE", "IMPORT", "INHERIT", "DECORATE", "ANNOTATE"]:
        assert f" {word} " in text, word
    for word in ["UNKNOWN", "LOCAL", "FILE", "IMPORT", "SELF", "BUILTIN"]:
        assert f" {word} " in text, word
    for word in ["async", "static", "property", "abstract", "private", "test", "exported"]:
        assert word in text, word
