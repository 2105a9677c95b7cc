"""The scripted generator says what it was told to, the same every time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import DataError
from codewright.generate.scripted import Scripted
from codewright.types.generation import Message, Request

SCRIPT = {"p": ["one two", "three", "three"], "q": ["only"]}


def test_texts_come_in_order_and_begin_again():
    model = Scripted(SCRIPT, name="told")
    ((*p,), (*q,)) = model.generate([Request(prompt="p", n=4), Request(prompt="q")])
    assert [c.text for c in p] == ["one two", "three", "three", "one two"]
    assert [c.tokens for c in p] == [2, 1, 1, 2]
    assert p[0].log_probability == pytest.approx(math.log(1 / 3))
    assert p[1].log_probability == pytest.approx(math.log(2 / 3))
    assert (q[0].text, q[0].log_probability, model.name) == ("only", 0.0, "told")


def test_a_chat_is_known_by_its_last_turn():
    turns = (Message(role="system", content="q"), Message(role="user", content="p"))
    assert Scripted(SCRIPT).generate([Request(messages=turns)])[0][0].text == "one two"


def test_stop_strings_cut():
    request = Request(prompt="p", stop=("wo", " t", ""))
    assert Scripted(SCRIPT).generate([request])[0][0].text == "one"


@given(st.integers(), st.integers(0, 2**31), st.integers(1, 30))
def test_law_the_same_seeds_give_the_same_texts(seed: int, asked: int, n: int):
    request = Request(prompt="p", n=n, seed=asked)
    first, again = (Scripted(SCRIPT, seed=seed).generate([request]) for _ in range(2))
    assert first == again
    assert {c.text for c in first[0]} <= set(SCRIPT["p"])
    longer = Scripted(SCRIPT, seed=seed).generate([Request(prompt="p", n=n + 5, seed=asked)])
    assert longer[0][:n] == first[0]


def test_a_seed_draws_each_text_as_often_as_it_is_listed():
    (drawn,) = Scripted(SCRIPT).generate([Request(prompt="p", n=3000, seed=1)])
    share = sum(c.text == "three" for c in drawn) / len(drawn)
    assert share == pytest.approx(2 / 3, abs=0.04)


def test_other_prompts_follow_the_rule_or_are_refused():
    model = Scripted(SCRIPT, default=lambda request, draw: f"{request.prompt}{draw.random()}")
    first, again = (model.generate([Request(prompt="r", n=2)])[0] for _ in range(2))
    assert first == again
    assert first[0].text != first[1].text
    with pytest.raises(DataError, match="nothing for the prompt 'r'"):
        Scripted(SCRIPT).generate([Request(prompt="r")])
    with pytest.raises(DataError, match="no text for the prompt 'p'"):
        Scripted({"p": []})
