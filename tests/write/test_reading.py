"""Candidates and tests out of what a model said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.generation import Completion
from codewright.write.entry import entry_of
from codewright.write.extract import Form
from codewright.write.reading import as_docstring, candidate, commonest, written_tests
from codewright.write.specification import specification
from tests.write.models import block

WORDS = specification("Double a number.")
NAMED = specification("Write a function called `f` that doubles a number.")
STUB = specification('import math\n\n\ndef f(x):\n    """Doubles x."""\n')
WHOLE = "def f(x):\n    return 2 * x\n"


def read(spec, text: str, form: Form = "answer"):
    return candidate(spec, Completion(text=text, log_probability=-1.5, tokens=7), form, "model")


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (WHOLE, "f"),
        ("def g(x):\n    return x\n\ndef f(x):\n    return g(x)\n", "f"),
        ("def f(x):\n    return g(x)\n\ndef g(x):\n    return x\n", "f"),
        ("def f(x):\n    return _g(x)\n\ndef _g(x):\n    return x\n", "f"),
        ("def f(x):\n    return f(x - 1) if x else 0\n", "f"),
        ("def f(x):\n    return x\n\ndef main():\n    print(f(1))\n", "f"),
        ("def a():\n    return b()\n\ndef b():\n    return a()\n", "b"),
        ("class A:\n    def m(self): return f()\n\ndef f(): pass\ndef g(): pass\n", "g"),
        ("def _only(x):\n    return x\n", "_only"),
        ("def main():\n    pass\n", "main"),
        ("f = lambda x: x\n", ""),
        ("def f(:\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_function_to_call_is_the_last_that_others_do_not_call(program: str, name: str):
    assert entry_of(program) == name


def test_a_candidate_keeps_what_was_said_of_it():
    made = read(STUB, block(WHOLE))
    assert (made.program, made.rule, made.origin) == (WHOLE, "block", "model")
    assert (made.log_probability, made.tokens, made.entry_point) == (-1.5, 7, "")
    assert made.text == block(WHOLE)


def test_without_a_name_the_program_says_it():
    for text in (block(WHOLE), f"Here it is:\n\n{WHOLE}\nThat was it.", WHOLE):
        made = read(WORDS, text)
        assert made.entry_point == "f"
        assert "return 2 * x" in made.program
        assert "That was it" not in made.program
    shown = "def double(x):\n    return 2 * x\n\n\nprint(double(2))\n"
    assert read(WORDS, block(shown)).program == "def double(x):\n    return 2 * x\n\n\n"


def test_a_named_function_is_looked_for_by_its_name():
    other = "def helper(x):\n    return x\n"
    made = read(NAMED, block(other) + "\n" + block(WHOLE))
    assert (made.program, made.entry_point) == (WHOLE, "")


def test_of_several_programs_the_last_counts_after_reasoning():
    text = f"First idea:\n{block('def f(x): return 1' + chr(10))}\nBetter:\n{block(WHOLE)}"
    assert "return 1" in read(STUB, text).program
    assert read(STUB, text, "reasoning").program == WHOLE
    assert read(WORDS, text, "reasoning").program == WHOLE


def test_a_completion_goes_on_from_the_stub_or_the_docstring():
    made = read(STUB, "    return 2 * x\n\ndef g():\n    pass\n", "completion")
    assert made.program == STUB.code + "    return 2 * x\n"
    made = read(WORDS, "def f(x):\n    return 2 * x\n\nprint(f(1))\n", "completion")
    assert made.entry_point == "f"
    assert made.program == f"{as_docstring(WORDS.prompt)}def f(x):\n    return 2 * x\n"


@given(st.text(max_size=60), st.sampled_from([WORDS, NAMED, STUB]),
       st.sampled_from(["answer", "completion", "reasoning"]))  # fmt: skip
def test_law_anything_said_is_a_candidate(text: str, spec, form: Form):
    made = read(spec, text, form)
    assert made.text == text
    assert made.rule


@given(st.text(alphabet="a\"'\\\n ", max_size=30))
def test_law_words_make_a_docstring_that_parses(words: str):
    names: dict[str, str] = {}
    exec(f"said = {as_docstring(words)}", names)
    assert '"""' not in words.strip() or "'''" in names["said"]
    if '"""' not in words:
        assert names["said"].strip() == words.strip()


def test_tests_are_the_assertions_that_name_the_function():
    text = (
        "Some tests:\n```python\nimport f\n"
        "assert f(1) == 2  # two\nassert g(1) == 2\nassert f(1)==2\n"
        "def test_more():\n    assert f(x=3) == [1,\n 2], 'why'\n```\n"
        "and\n```\nassert f(0) is None\n```"
    )
    assert written_tests(text, "f") == [
        "assert f(1) == 2",
        "assert f(x=3) == [1, 2], 'why'",
        "assert f(0) is None",
    ]


def test_tests_are_found_in_text_that_breaks_off():
    assert written_tests("assert f(1) == 2\nassert f(2) == 4\nassert f(3) ==", "f") == [
        "assert f(1) == 2",
        "assert f(2) == 4",
    ]
    assert written_tests("", "f") == []
    assert len(written_tests("\n".join(f"assert f({n})" for n in range(999)), "f")) == 50


def test_the_commonest_name_wins():
    assert commonest(["", "g", "f", "f", ""]) == "f"
    assert commonest(["", ""]) == ""
    assert commonest([]) == ""
