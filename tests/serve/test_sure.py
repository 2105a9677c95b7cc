"""How much of a text is shown, by how sure its lines are."""

from __future__ import annotations

import math

from hypothesis import assume, example, given
from hypothesis import strategies as st

from codewright.serve.follow import Token
from codewright.serve.sure import Sure

SPELLED = [b"", b"x", b" = 1", b"\n    ", b"\n", b"yy\nz", "\u00e9".encode(), b"\xc3"]
TOKENS = st.lists(st.tuples(st.integers(0, len(SPELLED) - 1), st.floats(0.01, 1.0)), max_size=20)


def shown(tokens: list[tuple[int, float]], least: float, held: bytes = b"") -> tuple[str, Sure]:
    sure = Sure(least, held, SPELLED)
    said = b""
    for number, likely in tokens:
        sure.add([Token(id=number, log_probability=math.log(likely))])
        said += SPELLED[number]
    return sure.text(said[len(held) :].decode("utf-8", "replace")), sure


def test_lines_are_shown_up_to_the_first_unsure_one():
    for tokens, least, text, ended in (
        ([(1, 0.9), (2, 0.9), (3, 0.2), (1, 0.2)], 0.5, "x = 1", True),
        ([(1, 0.9), (3, 0.9), (1, 0.9), (0, 0.01)], 0.5, "x\n    x", False),
        ([(1, 0.3), (4, 0.9), (1, 0.9)], 0.5, "", True),
        ([(1, 0.3), (4, 0.9), (1, 0.9)], 0.0, "x\nx", False),
        # The token that ends a line belongs to the next one.
        ([(1, 0.9), (5, 0.1)], 0.5, "xyy", True),
        ([], 0.5, "", False),
    ):
        found, sure = shown(tokens, least)
        assert (found, sure.ended) == (text, ended)


def test_places_hold_where_bytes_are_no_utf8():
    for tokens, text in (
        ([(7, 1.0), (4, 0.5)], "\ufffd"),
        ([(7, 0.9), (3, 0.9), (1, 0.9), (4, 0.1)], "\ufffd\n    x"),
        ([(6, 0.9), (7, 0.9), (4, 0.9), (6, 0.1)], "\u00e9\ufffd"),
    ):
        assert shown(tokens, 0.6)[0] == text


def test_bytes_that_were_taken_back_are_no_part_of_it():
    found, _ = shown([(3, 0.9), (1, 0.9), (4, 0.01), (1, 0.1)], 0.5, held=b"\n  ")
    assert found == "  x"


def test_what_goes_round_in_circles_is_not_shown():
    for said, wanted in (
        ("self.get(" * 5, ""),
        ("x = 1\n" + "    assert x == 1\n" * 4, "x = 1\n"),
        ("[0, 0, 0, 0, 0, 0, 0]", "[0, 0, 0, 0, 0, 0, 0]"),
        ("# " + "-" * 70, "# " + "-" * 70),
    ):
        sure = Sure(0.5, b"", [said.encode()])
        sure.add([Token(id=0, log_probability=-0.1)])
        assert sure.text(said) == wanted or "\n" in said
        assert Sure(0.0, b"", []).text("") == ""


@given(tokens=TOKENS, least=st.floats(0.0, 1.0))
@example(tokens=[(7, 1.0), (4, 0.5)], least=1.0)
def test_law_less_is_shown_the_surer_it_has_to_be(tokens: list[tuple[int, float]], least: float):
    all_of_it, _ = shown(tokens, 0.0)
    assume(
        len(all_of_it) == len(b"".join(SPELLED[n] for n, _ in tokens).decode("utf-8", "replace"))
    )
    some, sure = shown(tokens, least)
    assert all_of_it.encode().startswith(some.rstrip("\ufffd").encode())
    if sure.ended:
        assert len(some) < len(all_of_it) or not all_of_it.strip()
