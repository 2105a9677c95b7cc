"""What models are asked, in words and as text to continue."""

from __future__ import annotations

from codewright.write.extract import SCRIPT_STOPS, STOPS
from codewright.write.given import Shot
from codewright.write.prompts import Asking, for_critique, for_program, for_tests
from codewright.write.specification import specification

CODE = 'def f(x):\n    """Doubles x."""\n'
STUB = specification(CODE)
WORDS = specification("Double a number.")
SHOTS = (
    Shot(specification="Add one.", program="def g(x):\n    return x + 1\n"),
    Shot(specification="", program="def h(x):\n    return x\n"),
)


def test_a_chat_model_is_asked_in_words():
    (turn,) = for_program(STUB, Asking()).messages
    assert turn.role == "user"
    assert turn.content.startswith("Complete this Python function.")
    assert f"```python\n{CODE}```" in turn.content
    (turn,) = for_program(WORDS, Asking()).messages
    assert turn.content.startswith("Write one Python function that does the following.")
    assert "Double a number." in turn.content
    named = specification("Double a number.", "twice")
    assert ", called `twice`." in for_program(named, Asking()).messages[0].content
    assert Asking().form == "answer"


def test_words_around_a_code_block_are_told_too():
    spec = specification(f"Be exact.\n\n```python\n{CODE}```\n\nBe fast.")
    (turn,) = for_program(spec, Asking()).messages
    assert "Be exact." in turn.content
    assert "Be fast." in turn.content


def test_thinking_is_asked_for_and_read_from_the_end():
    asking = Asking(think=True)
    assert "step by step" in for_program(STUB, asking).messages[0].content
    assert asking.form == "reasoning"


def test_shots_are_earlier_turns():
    turns = for_program(STUB, Asking(shots=SHOTS)).messages
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2 + ["user"]
    assert "Add one." in turns[0].content
    assert turns[1].content == "```python\ndef g(x):\n    return x + 1\n```"
    assert "def h(x)" in turns[2].content
    assert turns[-1] == for_program(STUB, Asking()).messages[0]


def test_a_completion_model_gets_text_to_continue():
    prompt = for_program(STUB, Asking(chat=False))
    assert (prompt.text, prompt.messages, prompt.stops) == (CODE, (), STOPS)
    prompt = for_program(WORDS, Asking(chat=False, shots=SHOTS))
    assert prompt.text == (
        '"""\nAdd one.\n"""\ndef g(x):\n    return x + 1\n\n\n'
        'def h(x):\n    return x\n\n\n"""\nDouble a number.\n"""\n'
    )
    assert prompt.stops == SCRIPT_STOPS
    assert Asking(chat=False).form == "completion"
    named = for_program(specification("Double a number.", "twice"), Asking(chat=False))
    assert "The function is called twice." in named.text


def test_a_review_shows_the_model_what_it_said():
    asking = Asking(shots=SHOTS)
    turns = for_critique(STUB, asking, "my answer").messages
    assert turns[:-2] == for_program(STUB, asking).messages
    assert (turns[-2].role, turns[-2].content) == ("assistant", "my answer")
    assert "every way in which it does not do what was asked" in turns[-1].content.replace(
        "\n", " "
    )


def test_tests_are_asked_for_without_an_implementation():
    (turn,) = for_tests(STUB, "f").messages
    assert "Do not implement it" in turn.content
    assert "`assert f(...) == ...`" in turn.content
    assert CODE.strip() in turn.content
    prompt = for_tests(STUB, "f", chat=False)
    assert prompt.text.endswith("    pass\n\n# Check the correctness of f\nassert f(")
    assert "Double a number." in for_tests(WORDS, "f").messages[0].content
