"""Choices on the real sandbox: tests, examples, questions and replies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from codewright.errors import UserError
from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Call, Outcome, Question
from codewright.types.judging import CallPair, Candidate, Verdict
from codewright.verify.study import Assessment
from codewright.write.choose import Chooser, Reply, Wishes, read_reply
from codewright.write.screen import Screened, screen
from codewright.write.specification import Specification, specification
from codewright.write.synthesize import Draft

SPEC = specification('def f(x: int) -> int:\n    """Rounds half of x."""\n')
DOWN = "def f(x):\n    return x // 2\n"
UP = "def f(x):\n    return -(-x // 2)\n"
RAISES = "def f(x):\n    if x % 2:\n        raise ValueError\n    return x // 2\n"
BROKEN = "def f(x:\n"
QUESTION = Question(
    call=Call(args=(1,)),
    classes=(0, 2),
    choices=(Outcome(kind="value", value=0), Outcome(kind="exception", exception="ValueError")),
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=1) as made:
        yield made


def draft(*programs: str, name: str = "f") -> Draft:
    return Draft(
        candidates=tuple(Candidate(text=p, program=p, rule="as is") for p in programs),
        tests=(),
        entry_point=name,
    )


def chooser(
    pool: Pool, wishes: Wishes | None = None, spec: Specification = SPEC, **settings
) -> Chooser:
    return Chooser(
        spec,
        wishes or Wishes(),
        executor=pool,
        settings=Assessment(calls=30, **settings),
        watch=lambda stage, done, total: None,
    )


MANY = draft(DOWN, DOWN + "# 2\n", UP, DOWN + "# 3\n", UP + "# 2\n", BROKEN)


def test_the_largest_class_is_chosen_and_the_other_is_asked_about(pool: Pool):
    choice = chooser(pool)(MANY)
    answer = choice.answer
    assert answer.program.startswith("def f(x):\n    return x // 2")
    assert len(choice.offered) == answer.candidates == 6
    assert answer.question is not None
    assert answer.question.call.args[0] % 2 == 1


def test_a_reply_by_letter_turns_the_choice(pool: Pool):
    choose = chooser(pool)
    question = choose(MANY).answer.question
    assert question is not None
    reply = read_reply(" b ", question)
    assert reply.example is not None
    again = choose(MANY, [reply])
    assert again.answer.program == UP
    assert again.answer.examples == 1
    assert again.answer.question is None
    assert len(again.offered) == 6
    assert "2 of 6 candidates do what you said" in again.answer.findings


def test_a_reply_counts_for_methods_that_know_no_examples(pool: Pool):
    choose = chooser(pool, method="majority")
    question = choose(MANY).answer.question
    assert question is not None
    again = choose(MANY, [read_reply("B", question)])
    assert again.answer.program == UP
    assert len(again.offered) == 2


def test_a_value_that_nobody_returns_leaves_no_choice(pool: Pool):
    choose = chooser(pool)
    question = choose(MANY).answer.question
    assert question is not None
    again = choose(MANY, [read_reply("17", question)])
    assert (again.answer.chosen, again.answer.state) == (None, "abstain")
    assert again.answer.question is None
    assert "0 of 6 candidates do what you said" in again.answer.findings


def test_a_reply_may_be_an_exception(pool: Pool):
    choose = chooser(pool)
    several = draft(DOWN, DOWN + "# 2\n", RAISES, RAISES + "# 2\n")
    reply = read_reply("C", QUESTION)
    assert reply.example is None
    again = choose(several, [reply])
    assert again.answer.program == RAISES
    assert len(again.offered) == 2


def test_the_users_tests_are_a_sieve(pool: Pool):
    wishes = Wishes(tests="assert f(3) == 2\nassert f(2) == 1\n")
    choice = chooser(pool, wishes)(MANY)
    assert choice.answer.program == UP
    assert len(choice.offered) == 2
    assert choice.answer.findings[0].startswith(
        "4 of 6 candidates fail your tests and are not offered (most often: assert f(3) == 2"
    )


def test_where_no_candidate_passes_none_is_offered(pool: Pool):
    choice = chooser(pool, Wishes(tests="assert f(3) == 17\n"))(MANY)
    assert (choice.answer.chosen, choice.answer.state) == (None, "abstain")
    assert choice.answer.program
    assert len(choice.answer.classes) >= 3
    assert choice.answer.findings[0].startswith("6 of 6 candidates fail your tests")


def test_the_users_examples_count(pool: Pool):
    wishes = Wishes(examples=(CallPair(args=(5,), expected=3),))
    assert chooser(pool, wishes)(MANY).answer.program == UP


def test_a_program_that_fails_the_users_examples_is_nothing_to_rely_on(pool: Pool):
    pairs = (CallPair(args=(4,), expected=2), CallPair(args=(5,), expected=17))
    choice = chooser(pool, Wishes(examples=pairs))(MANY)
    assert choice.answer.chosen is not None
    assert choice.answer.state == "abstain"
    assert choice.answer.findings[0] == "the best program fails 1 of your 2 examples: f(5)"
    # What was read from the specification may have been misread.
    shown = chooser(pool, Wishes(shown=pairs))(MANY)
    assert not any("of your" in finding for finding in shown.answer.findings)


def test_candidates_may_name_their_functions_as_they_like(pool: Pool):
    named = [
        Candidate(text="", program=DOWN.replace("f(", f"{name}("), entry_point=name)
        for name in ("half", "halve", "floor_half")
    ]
    spec = specification("Rounds half of an integer")
    choice = chooser(pool, spec=spec)(replace(draft(), candidates=tuple(named), entry_point="half"))
    assert len(choice.answer.classes) == 1
    assert choice.answer.chosen is not None
    assert choice.answer.entry_point == named[choice.answer.chosen].entry_point


def test_nothing_that_can_be_called_is_no_answer(pool: Pool):
    for candidates in (draft(BROKEN, BROKEN), draft("x = 1\n"), draft("", name="")):
        choice = chooser(pool)(candidates)
        assert (choice.answer.chosen, choice.answer.state) == (None, "abstain")


# Replies


def test_letters_are_those_of_the_classes_that_were_asked_about():
    assert read_reply("a", QUESTION).example == CallPair(args=(1,), expected=0)
    assert read_reply("C", QUESTION).wanted.exception == "ValueError"
    for text in ("B", "D", "f(1)", "import os", "", "1 +", "open('x')"):
        with pytest.raises(UserError, match="is neither A nor C nor a value"):
            read_reply(text, QUESTION)


def test_values_are_read_as_python():
    for text, value in {"3": 3, " [1, 'a'] ": [1, "a"], "None": None, "-2.5": -2.5}.items():
        assert read_reply(text, QUESTION).example == CallPair(args=(1,), expected=value)
    assert read_reply("'C'", QUESTION).example == CallPair(args=(1,), expected="C")


def test_choices_that_differ_in_more_than_their_value_are_no_example():
    quiet = Outcome(kind="value", value=1)
    loud = Outcome(kind="value", value=1, output="one\n", wire=b"loud")
    question = Question(call=Call(args=(1,)), classes=(0, 1), choices=(quiet, loud))
    reply = read_reply("B", question)
    assert reply.example is None
    assert reply.agrees(loud)
    assert not reply.agrees(quiet)


def test_floats_agree_within_the_tolerance():
    reply = Reply(
        call=Call(args=(1,)),
        wanted=Outcome(kind="value", value=0.3),
        example=CallPair(args=(1,), expected=0.3),
    )
    assert reply.agrees(Outcome(kind="value", value=0.1 + 0.2))
    assert not reply.agrees(Outcome(kind="value", value=0.31))
    assert not reply.agrees(Outcome(kind="timeout"))


# The sieve


def test_each_distinct_program_is_judged_once(pool: Pool):
    seen: list[tuple[str, int, int]] = []
    candidates = draft(DOWN, DOWN, UP, BROKEN).candidates
    screened = screen(candidates, "assert f(3) == 1\n", "f", pool, lambda *told: seen.append(told))
    assert screened.passed == (0, 1)
    assert [v.status for v in screened.verdicts] == ["passed", "passed", "failed", "error"]
    assert seen[-1] == ("testing", 3, 3)


def test_a_sieve_says_what_it_saw():
    assert Screened(passed=(0,), verdicts=(Verdict(status="passed"),)).finding == (
        "all 1 candidates pass your tests"
    )
    two = Screened(passed=(), verdicts=(Verdict(status="timeout"), Verdict(status="timeout")))
    assert two.finding == (
        "2 of 2 candidates fail your tests and are not offered (most often: timeout)"
    )
