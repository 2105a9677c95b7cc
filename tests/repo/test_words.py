"""Words: the rule in examples, its laws, and a slow walk over characters that says the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.repo.words import LONGEST, each_word, stem, words

LETTERS = "abzXYZ09_ .-(\u00c4\u00d7\u00df\u0391\u03b1\u0401\u0451\u0301\u4e2d\ud55c\u2014\u2026"
TEXTS = st.text(st.sampled_from(LETTERS)) | st.text()


def test_identifiers_are_words_whole_and_in_parts() -> None:
    def of(text: str) -> list[str]:
        return list(each_word(text))

    assert of("read_file") == of("readFile") == of("ReadFile") == ["readfile", "read", "file"]
    assert of("__init__") == ["init"]
    assert of("HTTPServer2") == ["httpserver2", "http", "server"]
    assert of("sha256_of") == ["sha256of", "sha", "256", "of"]
    assert of("IOError, x1 = a.b") == ["ioerror", "io", "error", "x1"]
    assert of("don't – Größe ÉTÉ ΛΟΓΟΣ") == ["don", "größe", "été", "λογοσ"]
    assert of("Ёлка ПриветМир") == ["ёлка", "приветмир", "привет", "мир"]
    assert of("读取file文件") == ["读", "取", "file", "文", "件"]
    assert of("x" * LONGEST + " " + "y" * (LONGEST + 1)) == ["x" * LONGEST]
    assert words(b"caf\xe9_bar \x00 ok\xff\xfeno") == "caf bar ok no"


@given(TEXTS, TEXTS)
def test_laws(one: str, other: str) -> None:
    found = list(each_word(one))
    assert found == slowly(one)
    assert list(each_word(f"{one} {other}")) == found + list(each_word(other))
    for word in found:
        assert 1 < len(word.encode()) <= LONGEST
        assert next(each_word(word)) == word
    assert words(one.encode("utf-8", "surrogatepass")) == " ".join(map(slow_stem, found))


@given(st.binary())
def test_bytes_that_are_no_text_only_separate(data: bytes) -> None:
    found = slowly(data.decode("utf-8", "replace"))
    assert words(data) == " ".join(map(slow_stem, found))


def test_endings_do_not_hide_a_word() -> None:
    for alike in (
        ("query", "queries"),
        ("parse", "parses", "parsed", "parsing"),
        ("stop", "stops", "stopped", "stopping"),
        ("index", "indexed", "indexing"),
        ("class",),
        ("status",),
        ("string", "strings"),
        ("bring",),
    ):
        assert len({stem(word) for word in alike}) == 1
    assert [stem(word) for word in ("sha256s", "cafés", "is", "as")] == [
        "sha256s",
        "cafés",
        "is",
        "as",
    ]
    assert words(b"Parsing readFiles") == "pars readfil read file"


@given(st.text("abeginrsuyid9", max_size=12) | st.text(max_size=5))
def test_stems_are_what_the_rule_says(word: str) -> None:
    assert stem(word) == slow_stem(word)


def slowly(text: str) -> list[str]:
    """Walks over the characters, as the rule in the module's docstring reads."""
    found: list[str] = []
    parts: list[str] = []
    joined = False  # the last character belongs to the part that is open
    for at, character in enumerate(text + " "):
        kind = kind_of(character)
        if kind == "alone":
            flush(parts, found)
            found.append(character)
        elif kind == "":
            flush(parts, found)
        elif kind == "_":
            joined = False
            continue
        else:
            before = kind_of(text[at - 1]) if at else ""
            after = kind_of(text[at + 1]) if at + 1 < len(text) else ""
            if kind == "capital":
                border = before != "capital" or after == "small"
            elif kind == "small":
                border = before not in ("capital", "small")
            else:
                border = before != "digit"
            if border or not joined or not parts:
                parts.append("")
            parts[-1] += character
            joined = True
            continue
        joined = False
    return [word for word in found if 1 < len(word.encode()) <= LONGEST]


def slow_stem(word: str) -> str:
    if not all("a" <= character <= "z" for character in word):
        return word
    if len(word) > 4 and word[-3:] == "ies":
        word = word[:-3] + "y"
    elif len(word) > 3 and word[-1:] == "s" and word[-2] not in ("s", "u", "i"):
        word = word[:-1]
    for ending in ("ing", "ed"):
        stays = word[: -len(ending)]
        if word.endswith(ending) and len(stays) >= 3 and set(stays) & set("aeiouy"):
            word = stays
            if len(set(word[-2:])) == 1 and word[-1] in "bdgmnprt":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def flush(parts: list[str], found: list[str]) -> None:
    small = [lower(part) for part in parts]
    if small:
        found += ["".join(small), *(small if len(small) > 1 else [])]
    parts.clear()


def kind_of(character: str) -> str:
    code = ord(character)
    if character == "_":
        return "_"
    if "0" <= character <= "9":
        return "digit"
    if lower(character) != character:
        return "capital"
    if "a" <= character <= "z" or (0xC0 <= code <= 0x1FFF and code not in (0xD7, 0xF7)):
        return "small"
    return "alone" if 0x3040 <= code <= 0xD7AF else ""


def lower(text: str) -> str:
    def one(character: str) -> str:
        code = ord(character)
        if "A" <= character <= "Z" or (0xC0 <= code <= 0xDE and code != 0xD7):
            return chr(code + 32)
        if 0x391 <= code <= 0x3A9 or 0x410 <= code <= 0x42F:
            return chr(code + 32)
        return chr(code + 80) if 0x400 <= code <= 0x40F else character

    return "".join(map(one, text))
