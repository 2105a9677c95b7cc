"""The page of an answer: it stands alone, and no program on it can act."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call
from codewright.verify.answer_page import page
from codewright.verify.code_page import LINES, code, difference, highlighted
from tests.pages import Reader, check_page
from tests.verify.answers import BROKEN, POSITIONS, VALUES, raised, report, usual, value

EVIL = "</span></div><script>alert(1)</script>&'\"\x1b[31m<img src=x onerror=alert(1)>\u202e"


def test_the_page_shows_state_question_classes_code_and_inputs():
    reader = check_page(page(usual()))
    for words in (
        "Uncertain", "62%", "zero_triple", "zero_triple([0, 0, 0])", "return True", "return False",
        "11 candidates", "does not load: SyntaxError", "chosen", "3 examples were read",
        "scripted/demo", "Is there a triple that sums to zero?", "Inputs that separate them",
    ):  # fmt: skip
        assert words in reader.text, words
    kinds = [attributes.get("class") for _, attributes in reader.tags]
    # The chosen class and the other reading of the question stand open.
    opened = [a for tag, a in reader.tags if tag == "details" and "open" in a]
    assert len(opened) == 2
    assert kinds.count("l add") >= 2
    assert "l del" in kinds


def test_equal_outcomes_in_a_line_have_equal_colours():
    text = page(usual())
    rows = re.findall(r"<tr><th title=[^>]*>.*?</tr>", text)
    colours = [re.findall(r'<td class="(o\d)"', row) for row in rows]
    assert colours == [["o0", "o1", "o2"], ["o0", "o0", "o1"]]


def test_hostile_text_stays_text_wherever_it_stands():
    calls = [Call(args=(EVIL,), kwargs={EVIL: 1}), Call(args=(2,))]
    made = report(
        [
            (EVIL, 2, [value(EVIL), value(1)]),
            (f'"""{EVIL}"""\n# {EVIL}\n', 1, [raised(EVIL), raised(EVIL)]),
        ],
        calls,
        entry_point=EVIL,
        findings=(EVIL,),
        question=True,
    )
    text = page(made)
    check_page(text)
    assert "<script" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text


def test_answers_without_a_choice_or_a_class_have_pages_too():
    for made in (
        report([], [], state="abstain"),
        usual(chosen=None, program="", state="abstain", question=None),
        report([(POSITIONS, 1, [])], []),
    ):
        check_page(page(made))
    assert "no candidate can be offered" in page(report([], [], state="abstain")).lower()


def test_a_hundred_classes_are_shown_as_a_dozen():
    groups = [(f"def f(x):\n    return {n}\n", 1, [value(n)]) for n in range(100)]
    reader = check_page(page(report(groups, [Call(args=(1,))])))
    assert [tag for tag, _ in reader.tags].count("details") == 12
    assert "And 88 more classes with 88 candidates." in reader.text


@given(st.text(max_size=80), st.text(max_size=80), st.floats(0, 1))
def test_law_any_programs_make_a_sound_page(one: str, other: str, confidence: float):
    made = report(
        [(one, 1, [value(other)]), (other, 1, [value(one)])],
        [Call(args=(one,))],
        confidence=confidence,
        question=True,
    )
    check_page(page(made))


# Code


def shown(text: str) -> str:
    return Reader(text).text


@given(st.text(alphabet="def f(x):\n\t #'\"\\r[]{}0a\x0b\x0c\u2028é", max_size=120))
def test_law_colours_add_and_lose_no_character(text: str):
    lines = [shown(line) for line in highlighted(text)]
    plain = [line.rstrip("\r") for line in text.strip("\n").split("\n")]
    assert len(lines) == len(plain)
    for line, said in zip(lines, plain, strict=True):
        assert line.replace("\\", "") == re.sub(
            r"[\x0b\x0c\u2028\r]", lambda m: m[0].encode("unicode_escape").decode(), said
        ).replace("\\", "")


def test_tokens_have_the_colour_of_their_kind():
    told = highlighted("def f(x):\n    '''a\n    b'''\n    return 1  # one\n")
    assert told[0] == '<span class="k">def</span> <span class="d">f</span>(x):'
    assert told[1] == '    <span class="s">&#x27;&#x27;&#x27;a</span>'
    assert told[2] == '<span class="s">    b&#x27;&#x27;&#x27;</span>'
    assert '<span class="m">1</span>  <span class="c"># one</span>' in told[3]


@pytest.mark.parametrize("text", [BROKEN, "\x00", "'''", "(" * 5000, "\tx\n y", "if", "", "\ud800"])
def test_what_is_no_python_is_shown_as_it_is(text: str):
    assert len(highlighted(text)) == 1 + text.strip("\n").count("\n")
    Reader(code(text))


def test_a_difference_shows_both_sides():
    told = Reader(difference(VALUES, POSITIONS))
    marks = [(a.get("data-m"), a.get("class")) for tag, a in told.tags if "data-m" in a]
    assert marks.count(("-", "l del")) == 1
    assert marks.count(("+", "l add")) == 2
    assert "set(numbers)" in told.text
    assert Reader(difference(VALUES, VALUES)).text.count("lines in common") == 1


def test_long_and_repetitive_programs_take_no_time():
    began = time.process_time()
    long = "x = 1\n" * 100_000
    for text in (long, "x" * 10**6, "y = 2\n" * 5 + long, "(\n" * 10_000):
        assert len(difference(text, long)) < 500_000
    assert f"{100_000 - LINES:,} more lines" in code(long)
    assert time.process_time() - began < 10
