"""What is taken back at a prompt's end: against a search through the whole vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.generate.healing import MOST, Healing
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END, SLOTS

TEXT = st.text(alphabet=st.sampled_from(list("def retun():\n    #xé\t")), max_size=25)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> Tokenizer:
    return Tokenizer.load(tiny / "tokenizer.json")


@pytest.fixture(scope="module")
def words(tokenizer: Tokenizer) -> dict[int, bytes]:
    return {i: tokenizer.token_bytes(i) for i in range(SLOTS, tokenizer.vocabulary)}


@given(text=TEXT)
def test_the_longest_end_that_a_token_goes_on_from_is_taken_back(tokenizer, words, text: str):
    ids = [END, *tokenizer.encode(text)]
    kept, held = Healing(tokenizer).split(ids)
    assert kept[0] == END
    assert tokenizer.decode_bytes(kept) + held == text.encode()
    assert kept == ids[: len(kept)]
    tails = [
        tokenizer.decode_bytes(ids[-count:]) for count in range(1, min(MOST, len(ids) - 1) + 1)
    ]
    possible = [t for t in tails if any(w.startswith(t) and w != t for w in words.values())]
    assert held == max(possible, key=len, default=b"")


@given(held=st.one_of(TEXT.map(str.encode), st.binary(min_size=1, max_size=3)))
def test_what_is_allowed_spells_what_was_held(tokenizer, words, held: bytes):
    if not held:
        return
    allowed = Healing(tokenizer).allowed(held)
    assert len(allowed) == len(set(allowed))
    assert set(allowed) == {
        i for i, word in words.items() if word.startswith(held) or held.startswith(word)
    }


def test_special_tokens_stay(tokenizer: Tokenizer):
    healing = Healing(tokenizer)
    assert healing.split([END]) == ([END], b"")
    assert healing.split([7, END]) == ([7, END], b"")
    break_ = tokenizer.encode("\n")
    assert healing.split([7, END, *break_]) == ([7, END], b"\n")
    assert healing.split(break_) == (break_, b"")
    for byte in (b"\xff", b"\xfe\xff", b"\xff\xff"):
        assert all(
            tokenizer.token_bytes(i).startswith(byte) or byte.startswith(tokenizer.token_bytes(i))
            for i in healing.allowed(byte)
        )
