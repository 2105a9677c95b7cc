"""Open functions are found in source text and cut out so that a body can follow."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import UserError
from codewright.write.stub import find_stub

DOC = '    """Doubles x."""\n'


def body_fits(code: str) -> bool:
    ast.parse(f"{code}    return 1\n")
    return True


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"def f(x):\n{DOC}", f"def f(x):\n{DOC}"),
        (f"def f(x):\n{DOC}    pass\n", f"def f(x):\n{DOC}"),
        (f"def f(x):\n{DOC}    ...\n\n\n", f"def f(x):\n{DOC}"),
        ("def f(x): ...", "def f(x):\n"),
        ("def f(x): pass\n", "def f(x):\n"),
        ("def f(x):\n", "def f(x):\n"),
        ("def f(x):\n    ", "def f(x):\n"),
        ("def f(x): 'Doubles é.'\n", "def f(x):\n    'Doubles é.'\n"),
        ("def f(x):\n    # Doubles x.\n    pass\n", "def f(x):\n    # Doubles x.\n"),
        (
            "def f(\n    x: int,\n) -> int:\n    '''a\n    b'''\n",
            "def f(\n    x: int,\n) -> int:\n    '''a\n    b'''\n",
        ),
        ("@cache\ndef f(x): ...\n", "@cache\ndef f(x):\n"),
        ("x = 'é'; y = 1\ndef f(x):\n    'é'; pass\n", "x = 'é'; y = 1\n\n\ndef f(x):\n    'é'\n"),
    ],
)
def test_a_body_can_follow_what_is_cut_out(text: str, code: str):
    stub = find_stub(text)
    assert stub is not None
    assert (stub.name, stub.code) == ("f", code)
    assert body_fits(stub.code)


def test_what_the_function_may_need_comes_before_it():
    text = (
        "import math\n\ndef before(x):\n    return x\n\n"
        f"def f(x):\n{DOC}\n"
        "def behind(x):\n    return 2 * x\n\nLIMIT = 3\n"
        "print(f(1))\nassert f(1) == 2\nif __name__ == '__main__':\n    f(2)\n"
    )
    stub = find_stub(text)
    assert stub is not None
    names = [getattr(node, "name", "") for node in ast.parse(stub.code).body]
    assert names == ["", "before", "behind", "", "f"]
    assert "print" not in stub.code
    assert stub.code.endswith(f"def f(x):\n{DOC}")


@pytest.mark.parametrize(
    "text",
    ["", "words that are no code", "def f(x):\n    return 1\n", "x = 1\n", "class A:\n    pass\n",
     "class A:\n    def m(self):\n        'Open.'\n", "def f(:\n", "\x00",
     "@overload\ndef f(x): ...\n\ndef f(x):\n    return x\n"],
)  # fmt: skip
def test_nothing_is_open(text: str):
    assert find_stub(text) is None


def test_two_open_functions_need_a_word():
    text = f"def f(x):\n{DOC}\ndef g(x):\n{DOC}"
    with pytest.raises(UserError, match="several functions are open: f, g") as caught:
        find_stub(text)
    assert "--entry-point" in caught.value.hint
    stub = find_stub(text, "f")
    assert stub is not None
    assert stub.name == "f"
    assert stub.code.startswith("def g(x)")


def test_what_cannot_be_written_is_refused():
    with pytest.raises(UserError, match="has a body already"):
        find_stub("def f(x):\n    return 1\n\ndef g(): ...\n", "f")
    with pytest.raises(UserError, match="asynchronous"):
        find_stub("async def f(x): ...\n")


@given(st.text(alphabet="def fg(x):\n \t'\"#.é@", max_size=60))
def test_law_a_stub_always_takes_a_body(text: str):
    try:
        stub = find_stub(text)
    except UserError:
        return
    if stub is not None and "\t" not in stub.code:
        indent = "    "
        lines = [line for line in stub.code.splitlines() if line.strip()]
        if lines[-1][:1] in " " and not lines[-1].lstrip().startswith("#"):
            indent = " " * (len(lines[-1]) - len(lines[-1].lstrip()))
        ast.parse(f"{stub.code}{indent}return 1\n")
