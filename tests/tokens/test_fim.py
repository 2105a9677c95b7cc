"""Fill in the middle: cut and arranged, a document is still there, byte for byte."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.tokens import fim
from codewright.tokens.fim import LONGEST_SPAN, UNIFORM, USUAL, Cuts
from codewright.tokens.special import END, FILE, MIDDLE, PREFIX, REPOSITORY, SUFFIX
from tests.tokens.strategies import broken, documents, texts

MODES = ("psm", "spm")
modes = st.sampled_from(MODES)
seeds = st.integers(0, 2**32)
CUTS = (
    USUAL,
    UNIFORM,
    *(Cuts(remainder=a, lines=b, span=c) for a, b, c in [(1, 0, 0), (0, 1, 0), (0, 0, 1)]),
)
FILE_TEXT = "".join(f"def f_{i}(x):\n    return x + {i}\n\n\n" for i in range(40))


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def reference_border(data: bytes, cut: int) -> int:
    """Moves a cut out of a character: the slow way, by what decodes."""
    for start in range(max(cut - 3, 0), cut):
        for stop in range(cut + 1, min(start + 4, len(data)) + 1):
            try:
                if len(data[start:stop].decode()) == 1:
                    return start
            except UnicodeDecodeError:
                continue
    return cut


@given(documents, seeds, modes, st.sampled_from(CUTS))
def test_join_gives_the_document_back(tokenizer, data, seed, mode, cuts):
    ids = fim.transform(tokenizer, data, rng(seed), mode, cuts)
    assert fim.join(tokenizer, ids) == data
    assert fim.join(tokenizer, ids[:-1]) == data
    assert fim.join(tokenizer, [*tokenizer.encode(data), END]) == data
    assert ids[-1] == END
    assert Counter(t for t in ids if t < 32) == Counter((PREFIX, SUFFIX, MIDDLE, END))


@given(documents, seeds, modes, st.sampled_from(CUTS))
def test_ids_are_cut_as_their_text_is(tokenizer, data, seed, mode, cuts):
    slow = fim.transform(tokenizer, data, rng(seed), mode, cuts)
    ids = tokenizer.encode(data)
    assert fim.transform(tokenizer, ids, rng(seed), mode, cuts) == slow
    assert fim.transform(tokenizer, np.array(ids, dtype=np.uint16), rng(seed), mode, cuts) == slow


@given(st.data(), texts | broken)
def test_a_completion_is_shown_what_training_showed(tokenizer, data, text):
    # The cuts of training, found again in what it made, asked for as a completion.
    mode = data.draw(modes)
    ids = fim.transform(tokenizer, text, rng(data.draw(seeds)), mode)
    prefix, middle, suffix = parts(tokenizer, ids, mode, text)
    shown = fim.prompt(tokenizer, prefix, suffix, mode)
    assert ids == [*shown, *tokenizer.encode(middle), END]
    assert shown == fim.arrange(tokenizer.encode(prefix), tokenizer.encode(suffix), (), mode)


def parts(tokenizer, ids, mode, text) -> tuple[bytes, bytes, bytes]:
    """Prefix, middle and suffix of arranged ids, by the layout that the module's docstring draws.

    In SPM nothing marks where the prefix ends, so the same cuts are made in PSM to know.
    """
    at = {token: ids.index(token) for token in (PREFIX, SUFFIX, MIDDLE)}
    data = text.encode() if isinstance(text, str) else text
    if mode == "psm":
        assert at[PREFIX] == 0
        ends = (ids[1 : at[SUFFIX]], ids[at[MIDDLE] + 1 : -1], ids[at[SUFFIX] + 1 : at[MIDDLE]])
        return tuple(map(tokenizer.decode_bytes, ends))
    assert (at[PREFIX], at[SUFFIX]) == (0, 1)
    suffix = tokenizer.decode_bytes(ids[2 : at[MIDDLE]])
    both = ids[at[MIDDLE] + 1 : -1]
    for cut in range(len(data) - len(suffix) + 1):
        prefix, middle = data[:cut], data[cut : len(data) - len(suffix)]
        if tokenizer.encode(prefix) + tokenizer.encode(middle) == both:
            return prefix, middle, suffix
    raise AssertionError("prefix and middle were not encoded each by itself")


@given(documents)
def test_no_cut_divides_a_character(data):
    for cut in range(len(data) + 1):
        assert fim.border(data, cut) == reference_border(data, cut)


@given(texts, seeds, st.sampled_from(CUTS))
def test_all_parts_of_a_text_are_text(text, seed, cuts):
    data = text.encode()
    start, stop = fim.choose(data, rng(seed), cuts)
    assert 0 <= start <= stop <= len(data)
    for part in (data[:start], data[start:stop], data[stop:]):
        part.decode()


def spans(cuts: Cuts, count: int = 3000) -> list[tuple[int, int]]:
    data, source = FILE_TEXT.encode(), rng(1)
    return [fim.choose(data, source, cuts) for _ in range(count)]


def test_two_uniform_cuts_are_uniform():
    # The middle between two uniform cuts: a third of the document on average, any place alike.
    size = len(FILE_TEXT)
    found = spans(UNIFORM)
    assert np.mean([stop - start for start, stop in found]) == pytest.approx(size / 3, rel=0.05)
    ends = np.array(found).ravel() / size
    assert np.quantile(ends, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    source = rng(2)
    every = {(a, b) for a in range(4) for b in range(a, 4)}
    assert {fim.choose(b"abc", source, UNIFORM) for _ in range(300)} == every


def test_a_remainder_ends_with_its_line():
    for start, stop in spans(Cuts(remainder=1, lines=0, span=0)):
        assert "\n" not in FILE_TEXT[start:stop]
        assert FILE_TEXT[stop : stop + 1] in ("\n", "")


def test_lines_are_whole_and_half_of_them_single():
    counted: Counter[int] = Counter()
    for start, stop in spans(Cuts(remainder=0, lines=1, span=0)):
        assert start == 0 or FILE_TEXT[start - 1] == "\n"
        assert stop == len(FILE_TEXT) or FILE_TEXT[stop - 1] == "\n"
        counted[FILE_TEXT[start:stop].count("\n")] += 1
    assert set(counted) <= set(range(9))
    assert counted[1] / counted.total() == pytest.approx(0.5 + 0.5 / 8, abs=0.04)


def test_spans_are_short_and_of_all_sizes():
    sizes = [stop - start for start, stop in spans(Cuts(remainder=0, lines=0, span=1))]
    assert max(sizes) <= LONGEST_SPAN
    assert np.median(sizes) == pytest.approx(LONGEST_SPAN**0.5, rel=0.25)


def test_the_shares_are_those_asked_for():
    single = sum("\n" not in FILE_TEXT[a:b] for a, b in spans(Cuts(remainder=0.5, lines=0, span=0)))
    assert single / 3000 == pytest.approx(0.5, abs=0.04)
    for wrong in ((0.5, 0.5, 0.5), (-0.1, 0, 0)):
        with pytest.raises(ValueError, match="shares"):
            Cuts(remainder=wrong[0], lines=wrong[1], span=wrong[2])


def test_the_same_seed_gives_the_same_cuts():
    assert spans(USUAL, 50) == spans(USUAL, 50)
    assert len(set(spans(USUAL, 50))) > 40


@pytest.mark.parametrize("mode", MODES)
def test_nothing_at_all_can_be_arranged(tokenizer, mode):
    assert (
        fim.prompt(tokenizer, "", "", mode)
        == {
            "psm": [PREFIX, SUFFIX, MIDDLE],
            "spm": [PREFIX, SUFFIX, MIDDLE],
        }[mode]
    )
    assert fim.join(tokenizer, fim.transform(tokenizer, b"", rng(0), mode)) == b""
    assert fim.join(tokenizer, fim.transform(tokenizer, [], rng(0), mode)) == b""
    assert fim.join(tokenizer, []) == b""


def test_the_arrangements_are_those_of_the_papers():
    p, s, m = [40, 41], [50], [60, 61]
    assert fim.arrange(p, s, m, "psm") == [PREFIX, 40, 41, SUFFIX, 50, MIDDLE, 60, 61]
    assert fim.arrange(p, s, m, "spm") == [PREFIX, SUFFIX, 50, MIDDLE, 40, 41, 60, 61]


def test_a_repository_is_its_files_in_order(tokenizer):
    files = [("a.py", "A = 1\n"), ("b/c.py", b"import a\n\xff"), ("empty.py", "")]
    ids = fim.repository(tokenizer, "shop", files)
    assert Counter(t for t in ids if t < 32) == Counter({REPOSITORY: 1, FILE: 3, END: 1})
    assert ids[0] == REPOSITORY
    assert ids[-1] == END
    first = ids.index(FILE)
    assert tokenizer.decode(ids[1:first]) == "shop"
    told = b"shopa.py\nA = 1\nb/c.py\nimport a\n\xffempty.py\n"
    assert tokenizer.decode_bytes(ids) == told
    assert fim.repository(tokenizer, "", files) == [*ids[first:]]


def test_the_beginning_of_a_file_looks_the_same_in_a_repository(tokenizer):
    text = "    indented = 1\n"
    ids = fim.repository(tokenizer, "", [("a.py", text)])
    encoded = tokenizer.encode(text)
    assert ids[-1 - len(encoded) : -1] == encoded
