"""What a model is shown of a request: everything that fits, the ends that matter where not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.generate.healing import Healing
from codewright.generate.layout import MARKS, STEPS, lay_out
from codewright.tokens import fim
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END, MIDDLE, PREFIX, SUFFIX
from codewright.types.generation import Request

CONTEXT = 64
CODE = st.text(alphabet="def x(y):\n ", max_size=200)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> Tokenizer:
    return Tokenizer.load(tiny / "tokenizer.json")


@given(prompt=CODE, most=st.integers(1, 100))
def test_a_prompt_keeps_its_end(tokenizer, prompt: str, most: int):
    request = Request(prompt=prompt, max_tokens=most)
    laid = lay_out(request, tokenizer, Healing(tokenizer), context=CONTEXT, fim="psm")
    whole = [END, *tokenizer.encode(prompt)]
    spelled = tokenizer.decode_bytes(laid.prompt) + laid.held
    assert prompt.encode().endswith(spelled)
    assert laid.prompt
    assert 1 <= laid.room <= most
    assert laid.room >= min(most, CONTEXT // 2)
    assert len(laid.prompt) + laid.room <= CONTEXT
    assert laid.prompt[0] == END
    if len(whole) + most <= CONTEXT:
        assert spelled == prompt.encode()
        assert laid.room == most


@given(prefix=CODE, suffix=CODE, most=st.integers(1, 100))
@pytest.mark.parametrize("mode", ["psm", "spm"])
def test_prefix_and_suffix_share_what_there_is(
    tokenizer, prefix: str, suffix: str, most: int, mode: fim.Mode
):
    request = Request(prompt=prefix, suffix=suffix, max_tokens=most)
    laid = lay_out(request, tokenizer, Healing(tokenizer), context=CONTEXT, fim=mode)
    before, after = tokenizer.encode(prefix), tokenizer.encode(suffix)
    # What was taken back is the end of the prefix, and only where a prefix stands at the end.
    taken = 0
    while len(tokenizer.decode_bytes(before[len(before) - taken :])) < len(laid.held):
        taken += 1
    assert tokenizer.decode_bytes(before[len(before) - taken :]) == laid.held
    assert not taken or mode == "spm"
    assert b"\n" not in laid.held
    shown = laid.prompt + before[len(before) - taken :]
    kept = {mark: shown.count(mark) for mark in (PREFIX, SUFFIX, MIDDLE)}
    assert kept == {PREFIX: 1, SUFFIX: 1, MIDDLE: 1}
    assert shown[0] == END
    assert laid.room >= min(most, CONTEXT // 2)
    assert len(shown) + laid.room <= CONTEXT
    start, middle = shown.index(SUFFIX), shown.index(MIDDLE)
    shown_suffix = shown[start + 1 : middle]
    shown_prefix = shown[2:start] if mode == "psm" else shown[middle + 1 :]
    assert after[: len(shown_suffix)] == shown_suffix
    assert before[len(before) - len(shown_prefix) :] == shown_prefix
    lost = len(shown) < len(before) + len(after) + MARKS
    if not lost:
        assert shown == [END, *fim.prompt(tokenizer, prefix, suffix, mode)]
    else:
        step = CONTEXT // STEPS
        assert CONTEXT - 2 * step < len(shown) + laid.room <= CONTEXT
        space = CONTEXT - laid.room - MARKS
        assert len(shown_suffix) >= min(len(after), space // 4)
        assert len(shown_prefix) > min(len(before), space - space // 4) - step


@pytest.mark.parametrize("mode", ["psm", "spm"])
def test_what_is_shown_grows_at_its_end_while_somebody_types(tokenizer, mode: fim.Mode):
    """Only now and then does its beginning change, by a whole step."""
    suffix, begins = "y = 2\n" * 40, []
    for count in range(10, 110):
        request = Request(prompt="x + " * count, suffix=suffix, max_tokens=8)
        laid = lay_out(request, tokenizer, Healing(tokenizer), context=CONTEXT, fim=mode)
        begins.append(tuple(laid.prompt[:20]))
    changes = sum(one != other for one, other in pairwise(begins))
    assert 0 < changes <= 2 * 100 * len(tokenizer.encode("x + ")) // (CONTEXT // STEPS)
