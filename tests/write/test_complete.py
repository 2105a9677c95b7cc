"""Completing at a place in a file: what is asked, what is offered, and in which order."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import UserError
from codewright.generate.scripted import Scripted
from codewright.types.generation import Completion
from codewright.write.complete import (
    AFTER,
    BEFORE,
    CUT,
    Cursor,
    Offer,
    Wanted,
    complete,
    cursor,
    rank,
    request,
)


def at(marked: str, *, python: bool = True) -> Cursor:
    """The place of `|` in a text."""
    before, _, after = textwrap.dedent(marked).partition("|")
    return Cursor(before=before, after=after, python=python)


def said(*texts: str, scores: tuple[float, ...] = ()) -> list[Completion]:
    return [
        Completion(text=text, log_probability=score, tokens=2)
        for text, score in zip(texts, scores or (-2.0,) * len(texts), strict=True)
    ]


def texts(offers: list[Offer]) -> list[str]:
    return [offer.text for offer in offers]


HALF = at(
    """\
    def half(x):
        |
        return y
    """
)


@given(st.text(alphabet="ab\né\r", max_size=30), st.data())
def test_a_place_is_where_an_editor_says_it_is(text: str, data):
    lines = text.split("\n")
    line = data.draw(st.integers(1, len(lines)))
    column = data.draw(st.integers(1, len(lines[line - 1]) + 1))
    place = cursor(text, line, column, python=True)
    assert place.before + place.after == text
    assert place.before.count("\n") == line - 1
    assert len(place.before.rpartition("\n")[2]) == column - 1


@pytest.mark.parametrize(
    ("line", "column", "complaint"),
    [
        (0, 1, "no line 0"),
        (3, 1, "no line 3: the file has 2"),
        (1, 0, "no column 0"),
        (1, 5, "no column 5 in line 1: it ends at 4"),
        (2, 2, "no column 2 in line 2: it ends at 1"),
    ],
)
def test_a_place_that_is_not_there_is_refused(line: int, column: int, complaint: str):
    with pytest.raises(UserError, match=complaint) as caught:
        cursor("äöü\n", line, column, python=True)
    assert caught.value.hint


def test_the_file_around_the_cursor_is_what_a_model_is_shown():
    asked = request(HALF, Wanted(n=4, temperature=0.4, max_tokens=9, seed=3))
    assert (asked.prompt, asked.suffix) == (HALF.before, HALF.after)
    assert (asked.n, asked.temperature, asked.max_tokens, asked.seed) == (4, 0.4, 9, 3)
    assert asked.stop[0] == "\n    return y"
    assert "\ndef " in asked.stop
    assert request(HALF, Wanted(line=True)).stop == ("\n",)
    # Where nothing follows, the file may go on.
    assert request(at("x = |\n\n"), Wanted()).suffix is None
    assert request(at("x = 1\n|"), Wanted()).stop == ()
    # A short line may come back by right.
    assert request(at("f(|\n)\n"), Wanted()).stop == ()


def test_of_a_long_file_the_nearest_part_is_shown():
    place = Cursor(before="x = 1\n" * 10_000, after="y = 2\n" * 10_000, python=True)
    asked = request(place, Wanted())
    assert place.before.endswith(asked.prompt)
    assert BEFORE - CUT - 10 < len(asked.prompt) <= BEFORE
    assert asked.prompt.startswith("x = 1")
    assert asked.suffix is not None
    assert place.after.startswith(asked.suffix)
    assert len(asked.suffix) == AFTER
    one = Cursor(before="x" * 50_000, after="", python=True)
    assert BEFORE - CUT < len(request(one, Wanted()).prompt) <= BEFORE
    # Typing on, what is shown keeps its beginning.
    begins = {
        request(replace(place, before=place.before + "z" * count), Wanted()).prompt[:100]
        for count in range(0, 1000, 10)
    }
    assert len(begins) <= 2


def test_what_parses_stands_first_then_the_more_probable():
    offers = rank(
        HALF,
        said("y = (x / 2", "y = x / 2", "y = x // 2", scores=(-0.2, -4.0, -2.0)),
        line=False,
    )
    assert texts(offers) == ["y = x // 2", "y = x / 2", "y = (x / 2"]
    assert [offer.parses for offer in offers] == [True, True, False]
    assert [offer.log_probability for offer in offers] == [-1.0, -2.0, -0.1]


def test_candidates_that_agree_are_one_offer():
    offers = rank(
        HALF,
        said("y = x / 2", "y = x / 2\n    return y\n", "", "   \n", "y = x / 2\n\ndef f():", "z"),
        line=False,
    )
    assert texts(offers) == ["y = x / 2", "z"]
    assert [offer.votes for offer in offers] == [3, 1]
    assert offers[0].share == 0.5
    assert rank(HALF, said("", "\n"), line=False) == []


def test_without_scores_the_share_decides():
    offers = rank(HALF, [Completion(text=each) for each in ("y = 1", "y = 2", "y = 2")], line=True)
    assert [(offer.text, offer.log_probability) for offer in offers] == [
        ("y = 2", None),
        ("y = 1", None),
    ]


@pytest.mark.parametrize(
    ("marked", "text", "mended"),
    [
        ("print(f(|))\n", "x)", "x"),
        ("print(f(|))\n", "x))\nprint(y)", "x"),
        ("print(|)\n", "f(x)", "f(x)"),
        ("x = [|]\n", "1, 2]\n", "1, 2"),
        ("def f():\n|    return x\n", "    x = 1", "    x = 1\n"),
        ("def f():\n    |return x\n", "x = 1\n    ", "x = 1\n    "),
        ("x = |\ny = 2\n", "f(1)\nz = g(", "f(1)"),
        ("x = |\ny = 2\n", "(1", "(1"),
        ("x = (|  # why\n", "1)", "1)"),
    ],
)
def test_a_text_that_nearly_fits_is_mended(marked: str, text: str, mended: str):
    place = at(marked)
    (offer,) = rank(place, said(text), line=False)
    assert offer.text == mended
    whole = place.before + offer.text + place.after
    try:
        ast.parse(whole)
    except SyntaxError:
        assert offer.parses is False
    else:
        assert offer.parses is True


def test_what_is_no_python_is_left_alone():
    place = at("<p>|</p>\n", python=False)
    (offer,) = rank(place, said("(words</p>"), line=False)
    assert (offer.text, offer.parses) == ("(words</p>", None)


def test_a_broken_file_still_gets_offers():
    place = at("def f(:\n    x = |\n")
    offers = rank(place, said("1\n    return x", "2"), line=False)
    assert sorted(texts(offers)) == ["1\n    return x", "2"]
    assert {offer.parses for offer in offers} == {False}


def test_a_generator_is_asked_once():
    model = Scripted(default=lambda asked, draw: f"y = {draw.randint(1, 3)}\n    return y")
    offers = complete(HALF, model, Wanted(n=20, temperature=1.0))
    assert sum(offer.votes for offer in offers) == 20
    assert {offer.text for offer in offers} <= {"y = 1", "y = 2", "y = 3"}
