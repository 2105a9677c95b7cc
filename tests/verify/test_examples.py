"""Examples in prompts: what is found, what is better left, and that nothing is run."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.evaluate.benchmarks import load
from codewright.sandbox.compare import values_match
from codewright.types.judging import CallPair
from codewright.verify.examples import examples
from codewright.verify.signature import description, signature
from tests.evaluate.made import home


def shown(text: str, header: str = "def f(x):") -> list[tuple[Any, ...]]:
    """What is found in a docstring: arguments, then the expected value."""
    found = examples(f'{header}\n    """Do it.\n\n    {text}\n    """\n', "f")
    assert all(not pair.kwargs for pair in found)
    return [(*pair.args, pair.expected) for pair in found]


@pytest.mark.parametrize(
    "text",
    [
        ">>> f(3)\n    9",
        ">>> f(3) == 9",
        ">>> f(3) == 9\n    True",
        ">>> f(3)  # three squared\n    9  # nine",
        ">>> x = 3\n    >>> f(x)\n    9",
        ">>> r = f(3)\n    >>> r\n    9",
        ">>> f(\n    ...     3\n    ... )\n    9",
        ">>> f(3) => 9",
        ">>> f(3) -> 9",
        ">>> print(f(3))\n    9",
        "f(3) == 9",
        "f(3) = 9",
        "f(3) ➞ 9",
        "f(3) → 9.",
        "f(3) -> 9",
        "f(3) ==> 9",
        "f(3)=>9",
        "f(3) # => 9",
        "f(3)   # returns 9",
        "f(3)  # 9",
        "* f(3) -> 9",
        "- f(3): 9",
        "f(3) returns 9",
        "f(3) should return 9.",
        "For example f(3) should\n    return 9 and not 8.",
        "`f(3)` should be `9`",
        "assert f(3) == 9",
        "assert f(3) == 9, 'nine'",
        "f(3) == 2 * 3 + 3 = 9",
        "for f(3) == 9",
        "For x = 3 the output should be 9.",
        "for x = 3, the digits will be 1 the result is 9",
        "If x = 3, return 9.",
        "x = 3\n        -> square it\n    return 9",
        "Input: 3\n    Output: 9",
        "Input: x = 3\n    Output: 9 # three times three",
        "Example 1:\n        Input:\n            n : 3\n        Output: 9\n    Explanation: 3 * 3",
        "Input: f(3)\n    Output: 9",
        "function(3) ==> 9",
    ],
)
def test_one_example_in_all_its_forms(text: str):
    assert shown(text) == [(3, 9)], text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f([1,\n      2], 'a, b') == ['(', ]", ([1, 2], "a, b", ["("])),
        ("For x = [1, 2], y = 'c' the result should be ('b',False)", ([1, 2], "c", ("b", False))),
        ("f('a', 2) => true", ("a", 2, True)),
        ("f('a', 2) ➞ None", ("a", 2, None)),
        ("f('No', 2) ➞ No (because 'No' it is)", None),
        ("f('No', 2) ➞ No", ("No", 2, "No")),
        ("f('a', 2) ➞ word", None),
        ("f(-1, .5) -> -0.5", (-1, 0.5, -0.5)),
        ("f(1, 2) -> 1, 2", None),
        ("f(1, 2) -> 2^3", None),
        ("f(1, 2) = 3 - 1 = 5", None),
        ("f(1, 2) = 5!", None),
        ("f(1, 2) returns True or False", None),
        ("f(1, 2) != 4", None),
        ("f(1, 2) >= 4", None),
        ("not f(1, 2) == 4", None),
        ("1 + f(1, 2) == 4", None),
        ("f(1, 2)[0] == 4", None),
        ("round(f(1, 2), 2) == 4", None),
        ("f(n, 2) == 4", None),
        ("f(1, ...) == 4", None),
        ("f(1) == 4", None),
        ("f(1, 2, 3) == 4", None),
        ("g.f(1, 2) == 4", None),
        ("f(1, 2) -> g(3)", None),
        ("f(1, __import__('os')) -> 3", None),
        ("f(1, 2) -> [1, 2", None),
        (r"f('a\\nb', 2) == 3", ("a\nb", 2, 3)),
        (r"f('a\nb', 2) == 'c\n'", ("a\nb", 2, "c\n")),
        (">>> f(1, 2)\n    Traceback (most recent call last):\n    ValueError", None),
        (">>> f(1, 2)\n    [1, ...]", None),
        (">>> f(1, 2)\n\n    9", None),
        (">>> f(1, 2).name\n    9", None),
        (">>> a, b = f(1, 2)\n    >>> a\n    9", None),
        (">>> f(1, 2)\n    [1,\n     2]\n    That is all.", (1, 2, [1, 2])),
        (">>> f(1, 2) [3, 4]", (1, 2, [3, 4])),
        ("f(“a”, ‘b’) → “c”", ("a", "b", "c")),
        ("f(1, 2) should return 16. f is nice", (1, 2, 16)),
        ("Input: 1, 2\n    Output: 3", (1, 2, 3)),
        ("Input: 1 2\n    Output: 3", None),
    ],
)  # fmt: skip
def test_two_arguments(text: str, expected: tuple[Any, ...] | None):
    assert shown(text, "def f(x, y):") == ([expected] if expected else []), text


def test_annotations_decide_what_a_word_is():
    assert shown("f(3) -> word", "def f(x: int) -> str:") == [(3, "word")]
    assert shown(">>> f(3)\n    word", "def f(x: int) -> str:") == [(3, "word")]
    assert shown("f(3) -> Yes", "def f(x: int) -> bool:") == []
    assert shown("f(3) -> 4", "def f(x: int) -> bool:") == []
    assert shown("f(3) -> 4", "def f(x: int) -> 'float':") == [(3, 4)]
    assert shown("f(3) -> 4, 5", "def f(x: int) -> tuple[int, int]:") == [(3, (4, 5))]
    assert shown(">>> f(3)\n\n    >>> f(4)\n    5", "def f(x) -> Optional[int]:") == [
        (3, None),
        (4, 5),
    ]


def test_the_order_is_the_texts_and_each_stands_once():
    text = (
        "f(1) == 1\n    >>> f(2)\n    2\n\n    Input: 3\n    Output: 3\n    f(1) -> 1\n    f(4) → 4"
    )
    assert shown(text) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert shown("f(1) == 1\n    f(True) == 1\n    f(1.0) == 1") == [(1, 1), (True, 1), (1.0, 1)]
    assert shown("f(1) == 1\n    f(1) == 2\n    f(2) == 2") == [(2, 2)], "a contradiction"


def test_what_the_author_meant_otherwise():
    sequence = "f(1) = 3\n    f(n) = f(n - 1) + 1\n    Examples:\n    f(3) = [3, 4, 5]"
    assert shown(sequence) == [(3, [3, 4, 5])]
    assert shown("f(1) -> ('a', 'b')\n    f(2) -> ('a')") == [(1, ("a", "b"))]
    assert shown("f(ab) => True\n    f(cd) => False") == [("ab", True), ("cd", False)]
    assert shown("f(ab) => True") == [], "one could be a variable"
    assert shown("f(x) => True\n    f(cd) => False") == []
    assert shown("assert f(root) == True\n    assert f(root1) == False") == []
    assert shown("g(1) == 1\n    h(1) == 2") == []


def test_the_prompt_may_be_anything():
    helper = 'def g(x):\n    """Input: 1\n    Output: 5"""\n    return 1\n\n\n'
    own = 'def f(x, *, k=1):\n    """f(2) == 3"""\n'
    assert examples(helper + own, "f") == (CallPair(args=(2,), expected=3),)
    assert examples(helper, "f") == ()
    assert examples("def f(x):\n    # f(2) == 3\n", "f") == (CallPair(args=(2,), expected=3),)
    assert examples('def f(x):\n    """f(2) == 3', "f") == (CallPair(args=(2,), expected=3),)
    assert examples("Write f(xs, k). For xs = [1], k = 2 the result is 3", "f") == (
        CallPair(args=([1], 2), expected=3),
    )
    assert examples("class S:\n    def f(self, x):\n        '''f(2) -> 3'''\n", "f") == (
        CallPair(args=(2,), expected=3),
    )
    assert examples("```python\nassert f(a=2) == 3\n```", "f") == (
        CallPair(args=(), kwargs={"a": 2}, expected=3),
    )
    assert examples("", "f") == examples("def f(", "f") == examples("f(", "f") == ()


def test_signatures_are_read():
    for text, names, required in (
        ("def f(a: int, b: 'List[int]' = 3, *, c) -> dict[str, list[int]]:\n  '''", "a b", 1),
        ("    async def f(self, a, b): ...", "a b", 2),
        ("def f(a=(1, ')'), b=2):", "a b", 0),
        ("def f(a):\n def f(a, b):\n", "a b", 2),
        ("write `f(a, b) -> bool` that", "a b", 2),
    ):
        known = signature(text, "f")
        assert known is not None, text
        assert (known.names, known.required) == (tuple(names.split()), required), text
    assert signature("f(3) == 4", "f") is None
    assert signature("def fa(x): pass", "f") is None
    known = signature("def f(a, b=1, *, c, d=2): pass", "f")
    assert known is not None
    assert known.accepts((1,), {"c": 1})
    assert known.accepts((), {"a": 1, "b": 2, "c": 3, "d": 4})
    for args, kwargs in (
        ((1,), {}),
        ((1, 2, 3), {"c": 1}),
        ((1,), {"a": 1, "c": 1}),
        ((), {"c": 1}),
        ((1,), {"c": 1, "e": 2}),
    ):
        assert not known.accepts(args, kwargs)
    assert "def" not in description("def f(x):\n    '''Say.'''\n", "f")


@given(st.text(alphabet="f(x)[]{}'\"\\=->:., \n#19aTrue`>>>", max_size=200))
def test_no_text_breaks_it(text: str):
    for pair in examples(f"def f(x):\n    {text}", "f"):
        assert len(pair.args) == 1


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
                    max_leaves=6))  # fmt: skip
def test_what_is_written_is_what_is_read(value: Any):
    text = f"f({value!r}) == {[value]!r}"
    if any(mark in text for mark in ("`", '"""', "'''", "#", "\xa0")) or not text.isascii():
        return
    found = examples(f'def f(x):\n    r"""\n    {text}\n    """\n', "f")
    assert [(pair.args, pair.expected) for pair in found] == [((value,), [value])]


@pytest.mark.parametrize(
    "text",
    ["f(" * 5_000, "f(" + "[" * 5_000, "f(9 ** 9 ** 9) == 1", "f(1) == 'a' * 10 ** 10",
     "f(1) == " + "-" * 10_000 + "1", ">>> f(1)\n" + "[\n" * 3_000, "x = 1, " * 3_000,
     "Input: " * 3_000, "f(1) = " * 3_000, "f(range(10 ** 12)) == 3"],
)  # fmt: skip
def test_hostile_prompts_cost_little(text: str):
    start = time.process_time()
    assert examples(f"def f(x):\n    '''{text}'''\n", "f") == ()
    assert time.process_time() - start < 3


WRONG_DOCSTRINGS = {"HumanEval/47", "HumanEval/116"}
"""Whose examples the reference itself does not keep."""


def test_the_examples_of_humaneval():
    found, wrong = 0, set()
    for task in load("humaneval", home()):
        pairs = examples(task.prompt, task.entry_point)
        found += bool(pairs)
        names: dict[str, Any] = {}
        exec(task.reference, names)  # the benchmark's own reference, trusted
        for pair in pairs:
            got = names[task.entry_point](*copy.deepcopy(pair.args), **pair.kwargs)
            if not values_match(got, pair.expected, 1e-6):
                wrong.add(task.id)
    assert found >= 155
    assert wrong == WRONG_DOCSTRINGS


def test_the_asserts_of_mbpp():
    tasks = load("mbpp-sanitized", home())
    pairs = [examples(task.prompt, task.entry_point) for task in tasks]
    assert sum(map(bool, pairs)) > 0.93 * len(tasks)
    # `assert set(f(x)) == …` and isclose are no pairs; all else is one.
    plain = sum(
        line.replace("(", "").startswith(f"assert {task.entry_point}") and "==" in line
        for task in tasks
        for line in task.prompt.splitlines()
    )
    assert sum(map(len, pairs)) > 0.97 * plain
