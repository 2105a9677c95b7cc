"""What is told of an answer: on a terminal, in JSON, and which inputs are shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call, Outcome
from codewright.verify.answer_json import answer_json
from codewright.verify.contrast import contrast
from codewright.verify.report import BAR, bar, lines
from tests.verify.answers import POSITIONS, VALUES, ended, plain_json, raised, report, usual, value


def test_the_terminal_shows_all_that_a_reader_needs():
    told = lines(usual())
    assert told[0] == "uncertain: 62% that the program is right"
    assert told[1].startswith("20 candidates, 3 classes of behaviour on 4 inputs; entropy 1.16")
    text = "\n".join(told)
    assert "55%  11 candidates, chosen" in text
    assert "10%  2 candidates, does not load: SyntaxError" in text
    table = told[told.index("Inputs that separate them:") + 1 :]
    assert table[0].split() == ["zero_triple(…)", "A", "B", "C"]
    assert table[1].split() == ["[0,", "0,", "0]", "True", "False", "SyntaxError"]
    assert "Question: what should zero_triple([0, 0, 0]) do?" in told
    assert "  B  return False" in told
    assert "  - 3 examples were read from the prompt" in told
    assert told[-1] == "model scripted/demo; isolation namespaces, seccomp"


def test_without_a_choice_nothing_is_promised():
    told = lines(usual(chosen=None, program="", state="abstain", confidence=0.0, question=None))
    assert told[0] == "abstains: no candidate can be offered"
    assert not any("chosen" in line or "Question" in line for line in told)


def test_an_answer_without_any_class_can_be_told():
    made = report([], [], state="abstain", findings=())
    assert lines(made)[1].startswith("0 candidates, 0 classes of behaviour on 0 inputs")
    assert plain_json(answer_json(made))["classes"] == []


def test_classes_say_what_is_special_about_them():
    calls = [Call(args=(1,)), Call(args=(2,))]
    made = report(
        [
            (POSITIONS, 3, [value(1), value(2)]),
            ("a", 2, [raised("ValueError")] * 2),
            ("b", 1, [ended("timeout"), ended("timeout")]),
            ("c", 1, [ended("timeout"), value(3)]),
        ],
        calls,
        examples=2,
    )
    text = "\n".join(lines(made))
    assert "3 candidates, chosen, holds 0 of 2 examples" in text
    assert "2 examples, raises ValueError on every input" in text
    assert "does not end in time on every input" in text
    assert text.count("on every input") == 2


def test_many_classes_are_counted_not_listed():
    calls = [Call(args=(n,)) for n in range(3)]
    groups = [(f"p{n}", 1, [value(n)] * 3) for n in range(30)]
    text = "\n".join(lines(report(groups, calls)))
    assert "and 22 more classes with 22 candidates" in text


@given(st.integers(40, 200), st.text(max_size=200), st.booleans())
def test_law_lines_are_as_wide_as_asked(width: int, said: str, blocks: bool):
    calls = [Call(args=(said, n)) for n in range(4)]
    made = report(
        [
            ("a", 3, [value(said)] * 4),
            ("b", 2, [value(n) for n in range(4)]),
            ("c", 1, [raised(said[:80] or "E", loading=True)] * 4),
        ],
        calls,
        findings=(),
    )
    told = lines(made, width=width, blocks=blocks)
    start = told.index("Inputs that separate them:")
    for line in told[start + 1 : start + 3]:
        assert "\n" not in line
        assert len(line) <= max(width, 80)


def test_bars_are_as_long_as_their_share():
    assert bar(1.0) == "█" * BAR
    assert bar(0.0) == " " * BAR
    assert bar(0.5).count("█") == BAR // 2
    assert bar(0.0001).strip() == "▏"
    assert bar(0.5, blocks=False) == "#" * 13 + "." * 13
    assert len({len(bar(n / 97)) for n in range(98)}) == 1


# Which inputs are shown


def test_the_question_comes_first_and_then_what_separates_most():
    made = contrast(usual().answer, classes=8, rows=6)
    assert made.rows[0] == 0
    assert made.marks[0] == (0, 1, 2)
    # Two calls part all three; a third one with the same pattern would say nothing new.
    assert made.rows == (0, 2)


@given(st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), min_size=2, max_size=6))
def test_law_classes_that_differ_are_separated_where_there_is_room(table: list[list[int]]):
    calls = [Call(args=(n,)) for n in range(5)]
    groups = [(f"p{n}", n + 1, [value(cell) for cell in row]) for n, row in enumerate(table)]
    made = contrast(report(groups, calls).answer, classes=6, rows=5)
    shown = [tuple(row[call] for call in made.rows) for row in table]
    for i, one in enumerate(table):
        for j, other in enumerate(table):
            assert (shown[i] == shown[j]) == (one == other)
    assert len(set(made.rows)) == len(made.rows)
    for call, marks in zip(made.rows, made.marks, strict=True):
        assert [m == marks[0] for m in marks] == [row[call] == table[0][call] for row in table]


def test_one_class_has_nothing_to_be_separated_from():
    made = report([(POSITIONS, 2, [value(1)])], [Call(args=(1,))])
    assert contrast(made.answer, classes=5, rows=5).rows == ()
    assert not any("separate" in line for line in lines(made))


# JSON


def test_json_holds_everything():
    told = plain_json(answer_json(usual()))
    assert (told["state"], told["chosen"], told["candidates"]) == ("uncertain", 0, 20)
    assert [each["name"] for each in told["classes"]] == ["A", "B", "C"]
    assert sum(each["mass"] for each in told["classes"]) == pytest.approx(1)
    assert told["classes"][1]["programs"] == [
        {"program": VALUES, "members": list(range(11, 18)), "rule": "block"}
    ]
    assert told["classes"][0]["outcomes"][0] == {
        "kind": "value", "text": "True", "returned": {"text": "True", "value": True},
    }  # fmt: skip
    assert told["classes"][2]["outcomes"][0]["loading"] is True
    assert told["calls"][0]["args"] == [[0, 0, 0]]
    assert told["question"]["call"]["text"] == "zero_triple([0, 0, 0])"
    assert [c["name"] for c in told["question"]["choices"]] == ["A", "B"]
    assert told["separating"] == [0, 2]
    assert told["facts"]["model"] == "scripted/demo"


def test_json_says_values_exactly_or_only_in_words():
    odd = [(1, 2), {1: 2}, math.nan, 10**30, "\ud800", {3}, b"x", "x" * 10**6]
    outcomes = [value(each) for each in odd]
    calls = [Call(args=(each,)) for each in odd]
    told = plain_json(answer_json(report([("p", 1, outcomes)], calls)))
    for outcome in told["classes"][0]["outcomes"]:
        assert set(outcome["returned"]) == {"text"}
    assert all("args" not in call for call in told["calls"])
    assert told["classes"][0]["outcomes"][0]["text"] == "(1, 2)"


def test_json_tells_side_effects_and_bounds_them():
    outcome = Outcome(
        kind="value", value=None, changed=tuple((n, [n]) for n in range(99)), output="x" * 10_000
    )
    told = plain_json(answer_json(report([("p", 1, [outcome])], [Call(args=([1],))])))
    said = told["classes"][0]["outcomes"][0]
    assert said["changed"][1] == {"argument": 1, "text": "[1]", "value": [1]}
    assert len(said["changed"]) == 20
    assert len(said["output"]) == 500
