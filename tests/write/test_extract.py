"""From what models say to programs, by rules that are recorded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.write.extract import STOPS, Form, frame, program
from codewright.write.fences import split_blocks
from codewright.write.source import parse

PROMPT = (
    "import math\nfrom typing import List\n\n\ndef helper(x):\n    return x\n\n\n"
    'def f(x: List[int]) -> int:\n    """Sum it.\n    """\n'
)
OPEN = frame(PROMPT, "f")
CLOSED = frame('"""\nWrite a function to sum.\nassert f([1]) == 1\n"""\n', "f")
WHOLE = "def f(x):\n    return sum(x)\n"
BODY = "    return sum(x)\n"
FORMS: tuple[Form, ...] = ("continuation", "completion", "answer", "solution")


def works(code: str) -> bool:
    """Runs a program of this file and asks it for a sum."""
    names: dict[str, object] = {"__name__": "__main__"}
    exec(code, names)
    function = names["f"]
    assert callable(function)
    return bool(function([1, 2, 3]) == 6)


def test_frames_know_whether_a_body_is_wanted():
    assert (OPEN.open, CLOSED.open) == (True, False)
    assert OPEN.helpers.startswith("import math")
    assert CLOSED.helpers == ""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (BODY, "whole"),
        (f"{BODY}\nprint(f([1]))\n", "cut at print"),
        (f"{BODY}\n\ndef g():\n    pass\n", "cut at def"),
        (f"{BODY}\n# and so on\n", "cut at #"),
        (f"{BODY}\nif __name__ == '__main__':\n    raise SystemExit\n", "cut at if"),
        (f"{BODY}\nclass C:\n    pass\n# x\n", "cut at class"),
    ],
)
def test_a_completion_is_cut_at_the_first_stop(text: str, rule: str):
    for form in ("continuation", "completion"):
        made, found = program(OPEN, text, form)
        assert (made.rstrip(), found) == ((PROMPT + BODY).rstrip(), rule)
        assert works(made)


@given(st.text(alphabet="\n#abcdefilnprst ()=1", max_size=80))
def test_law_a_continuation_is_the_prompt_and_the_text_up_to_the_first_stop(text: str):
    made, rule = program(OPEN, text, "continuation")
    kept = made.removeprefix(PROMPT)
    assert text.startswith(kept)
    assert not any(stop in kept for stop in STOPS)
    assert (rule == "whole") == (kept == text)
    assert program(OPEN, kept, "continuation") == (made, "whole")


@given(st.text(max_size=120), st.sampled_from(FORMS), st.sampled_from([OPEN, CLOSED]))
def test_law_no_text_is_too_strange(text, form, where):
    made, rule = program(where, text, form)
    assert isinstance(made, str)
    assert rule


PIECES = (
    "```python\n", "```\n", "```", "def f(x):\n", "    return sum(x)\n", "Sure!\n", "\n",
    "    ", "import math\n", "print(f([1]))\n", "def g(y):\n    return y\n", "~~~\n", "assert f\n",
)  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.sampled_from(FORMS),
    st.sampled_from([OPEN, CLOSED]),
)
def test_law_no_mixture_of_an_answers_pieces_is_too_strange(text, form, where):
    made, rule = program(where, text, form)
    assert form != "solution" or (made, rule) == (text, "as is")


def test_a_helper_that_the_body_needs_is_kept():
    text = "    return total(x)\n\ndef total(y):\n    return sum(y)\n"
    made, rule = program(OPEN, text, "completion")
    assert rule == "kept past def"
    assert works(made)
    assert program(OPEN, text, "continuation")[1] == "cut at def"


@pytest.mark.parametrize(
    "text",
    [
        "    total = 0\n# a comment at the margin\n    return sum(x)\n",
        '    words = """\nprint(1)\n"""\n    return sum(x)\n',
    ],
)
def test_a_mark_inside_a_statement_is_no_end(text: str):
    made, rule = program(OPEN, text, "completion")
    assert rule.startswith("kept past")
    assert works(made)


def test_a_second_try_at_the_same_function_is_cut():
    made, rule = program(OPEN, f"{BODY}\ndef f(x):\n    return f(x)\n", "completion")
    assert rule == "cut at def"
    assert works(made)


def test_a_lost_first_indentation_is_mended():
    made, rule = program(OPEN, "total = sum(x)\n    return total\n", "completion")
    assert rule == "first line indented"
    assert works(made)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"Here it is:\n\n```python\n{WHOLE}```\n\nIt sums.", "block"),
        (f"```\n{WHOLE}```", "block"),
        (f"```py\n{WHOLE}", "block"),
        (f"```python\r\n{WHOLE}```\r\n".replace("\n", "\r\n").replace("\r\r", "\r"), "block"),
        (f"First:\n```bash\npip install it\n```\nthen\n```python\n{WHOLE}```", "block"),
        (f"```python\nprint('demo')\n```\n```python\n{WHOLE}```", "block"),
        (f"Broken:\n```python\ndef f(x) return\n```\nMended:\n```python\n{WHOLE}```", "block"),
        (f"```python\n{WHOLE}```\nUse it:\n```python\nprint(f([1]))\n```", "block"),
        (f"1. Do:\n   ```python\n{WHOLE.replace('def', '   def').replace('    r', '       r')}"
         "   ```", "block"),
        (f"````markdown\n```python\n{WHOLE}```\n````", "block"),
        (f"Only the body:\n```python\n{BODY}```", "block body"),
        ("Only the body:\n```python\ntotal = sum(x)\nreturn total\n```", "block body"),
        (f"```python\n{WHOLE}\nprint(f([1]))\nassert f([]) == 1\n```", "block - demo"),
        (f"```python\n{WHOLE}\nif __name__ == '__main__':\n    main()\n```", "block - demo"),
        (f"```python\n{WHOLE}\nfor i in 1, 2:\n    print(f([i]))\n```", "block - demo"),
        (f"{WHOLE}", "function"),
        (f"Sure, here is the function you asked for:\n\n{WHOLE}\nIt is right!", "function"),
        (f"import math\n\n{WHOLE}", "function"),
        (BODY, "whole"),
        (f"{BODY}```\n\nThis sums.", "text before fence"),
        ("```python\ndef f(x):\n    return helper(sum(x))\n```", "block + helpers"),
        ("```python\ndef f(x: List[int]):\n    return sum(x)\n```", "block + helpers"),
    ],
)  # fmt: skip
def test_an_answer_gives_its_function(text: str, rule: str):
    for form in ("answer", "completion"):
        made, found = program(OPEN, text, form)
        if rule == "block" and text.startswith("````"):
            continue  # a block in a block: its fences are text
        assert found == rule, made
        assert works(made), made


def test_constants_and_settings_after_the_function_are_no_demo():
    code = f"{WHOLE}\nimport sys\nsys.setrecursionlimit(10**4)\nTABLE = {{}}\nTABLE.update(a=1)\n"
    made, rule = program(OPEN, f"```python\n{code}```", "answer")
    assert (made, rule) == (code, "block")


def test_future_imports_stay_first():
    code = f"from __future__ import annotations\n{WHOLE.replace('(x)', '(x: List)', 1)}"
    made, rule = program(OPEN, f"```python\n{code}```", "answer")
    assert (made, rule) == (code, "block")
    assert parse(made) is not None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (WHOLE, "whole"),
        (f"\n\n{WHOLE}\nassert f([1]) == 1\n", "cut at assert"),
        (f"class Node:\n    pass\n\nclass Edge:\n    pass\n\n{WHOLE}\nprint(1)\n", "cut at print"),
        (f'{WHOLE}\n"""\nWrite another function\n', 'cut at """'),
        (f"{WHOLE}```\nDone.", "text before fence"),
        (f"```python\n{WHOLE}```", "block"),
    ],
)
def test_a_prompt_that_is_only_words_wants_the_whole_function(text: str, rule: str):
    made, found = program(CLOSED, text, "completion")
    assert found == rule
    assert works(made)


def test_an_answer_with_nothing_in_it_still_makes_a_program():
    for text in ("", "I cannot do that.", "```\n```", "```"):
        made, rule = program(OPEN, text, "answer")
        assert made.startswith(PROMPT)
        assert rule


@given(
    st.text(alphabet=st.characters(exclude_characters="`", codec="utf-8"), max_size=80),
    st.text(alphabet=st.characters(exclude_characters="`", codec="utf-8"), max_size=80),
    st.booleans(),
)
def test_law_the_block_is_found_whatever_the_prose(before: str, after: str, closed: bool):
    text = f"{before}\n```python\n{WHOLE}" + (f"```\n{after}" if closed else "")
    made, rule = program(CLOSED, text, "answer")
    if rule != "text before fence":
        assert works(made)


def test_blocks_keep_their_language_and_their_order():
    blocks = split_blocks("```sh\nls\n```\ntext\n```\nx = 1\n```\n```Python\ny\n")
    assert [(b.code, b.language, b.python) for b in blocks] == [
        ("ls\n", "sh", False),
        ("x = 1\n", "", True),
        ("y\n", "Python", True),
    ]
