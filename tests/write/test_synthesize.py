"""The run: rounds, early stop, reviews, tests, and what is asked with which seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.write.prompts import Asking
from codewright.write.specification import specification
from codewright.write.synthesize import Plan, decided, synthesize
from tests.write.models import ByText, Model, block, by_text

SPEC = specification('def f(x):\n    """Doubles x."""\n')
GOOD = block("def f(x):\n    return 2 * x\n")
BAD = block("def f(x):\n    return x\n")


def run(model: Model, plan: Plan, spec=SPEC):
    chooser = ByText()
    seen: list[tuple[str, int, int]] = []
    written = synthesize(spec, model, plan, chooser, lambda *told: seen.append(told))
    return written, chooser, seen


def test_all_candidates_are_asked_for_while_the_choice_is_open():
    model = Model(GOOD, BAD)
    written, chooser, seen = run(model, Plan(n=10))
    assert (model.sampled, written.saved) == (10, 0)
    assert len(written.draft.candidates) == 10
    # Each round goes on with the seeds where the one before ended.
    assert [(r.n, r.seed) for r in model.requests] == [(4, 0), (4, 4), (2, 8)]
    assert [len(draft.candidates) for draft in chooser.drafts] == [8, 10]
    assert seen[0] == ("sampling", 0, 10)
    assert seen[-1] == ("sampling", 10, 10)


def test_sampling_ends_when_the_rest_could_change_nothing():
    model = Model(GOOD)
    written, _, _ = run(model, Plan(n=20, seed=3))
    assert (model.sampled, written.saved) == (15, 5)
    assert [(r.n, r.seed) for r in model.requests] == [(5, 3), (5, 8), (5, 13)]


@pytest.mark.parametrize(
    "plan", [Plan(n=20, early_stop=False), Plan(n=20, method="dual"), Plan(n=20, method="first")]
)
def test_the_end_comes_early_only_where_votes_decide(plan: Plan):
    model = Model(GOOD)
    written, chooser, _ = run(model, plan)
    assert (model.sampled, written.saved, len(chooser.drafts)) == (20, 0, 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=24))
def test_law_an_early_end_never_changes_the_largest_class(kinds: list[int]):
    texts = [block(f"def f(x):\n    return {kind}\n") for kind in kinds]
    plan = Plan(n=len(texts), round=3)
    early, _, _ = run(Model(*texts), plan)
    late, _, _ = run(Model(*texts), Plan(n=len(texts), early_stop=False))
    assert early.choice.answer.program == late.choice.answer.program
    assert early.saved == len(texts) - len(early.draft.candidates)


def test_nothing_is_decided_without_a_choice():
    written, _, _ = run(Model(GOOD), Plan(n=4))
    answer = by_text(written.draft.candidates)
    assert decided(answer, 3)
    assert not decided(answer, 4)


def test_settings_reach_the_model():
    model = Model(GOOD)
    run(model, Plan(n=2, temperature=0.3, top_p=0.5, max_tokens=99))
    (request,) = model.requests
    assert (request.temperature, request.top_p, request.max_tokens) == (0.3, 0.5, 99)
    assert request.task == "program"
    assert request.messages
    run(model, Plan(n=2, asking=Asking(chat=False)))
    assert model.requests[-1].prompt == SPEC.code
    assert model.requests[-1].stop


def test_a_review_replaces_a_program_and_only_by_a_program():
    model = Model(BAD, GOOD, reviews=[f"It does not double.\n{GOOD}", "Nothing to correct."])
    written, _, seen = run(model, Plan(n=2, critique=True))
    first, second = written.draft.candidates
    assert first.program == second.program == "def f(x):\n    return 2 * x\n"
    assert (first.rule, second.rule) == ("corrected: block", "block")
    assert first.text.startswith("It does not double.")
    assert [r.task for r in model.requests] == ["program", "critique/0", "critique/1"]
    assert model.requests[1].messages[-2].content == BAD
    assert ("reviewing", 2, 2) in seen


def test_tests_are_asked_for_once_and_kept_as_often_as_they_were_written():
    said = ["```\nassert f(1) == 2\nassert f(2) == 4\n```", "assert f(1) == 2"]
    model = Model(GOOD, BAD, tests=said)
    written, chooser, _ = run(model, Plan(n=8, written_tests=2))
    assert written.draft.tests == ("assert f(1) == 2", "assert f(2) == 4", "assert f(1) == 2")
    assert [r.task for r in model.requests].count("tests") == 1
    assert all(draft.tests == written.draft.tests for draft in chooser.drafts)


def test_a_completion_model_goes_on_from_the_first_assertion():
    model = Model("    return 2 * x\n", tests=["1) == 2\nassert f(0) == 0\n"])
    plan = Plan(n=1, written_tests=1, asking=Asking(chat=False))
    written, _, _ = run(model, plan)
    assert written.draft.tests == ("assert f(1) == 2", "assert f(0) == 0")


def test_a_function_without_a_name_is_called_as_most_candidates_call_it():
    spec = specification("Double a number.")
    texts = [block(f"def {name}(x):\n    return 2 * x\n") for name in ("a", "twice", "twice")]
    written, _, _ = run(Model(*texts, tests=["assert twice(1) == 2"]), Plan(n=3), spec)
    assert written.draft.entry_point == "twice"
    assert [c.entry_point for c in written.draft.candidates] == ["a", "twice", "twice"]
    nothing, _, _ = run(Model("I cannot."), Plan(n=3, written_tests=1), spec)
    assert (nothing.draft.entry_point, nothing.draft.tests) == ("", ())
