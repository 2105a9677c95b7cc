"""The gate: what it lets through, what it objects to, and that the clean change nothing."""

from __future__ import annotations

import ast
import collections
import contextlib
import textwrap
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.sandbox.gate import objection
from tests.sandbox.corpus import needs_data, rows, samples
from tests.sandbox.hostile import HOSTILE

CLEAN = [
    "x = [1, 2]\nx[0] += 1\ndel x[1]\nx.append(3)",
    "def f(a, *b, c=1, **d):\n    return sorted(a, key=lambda v: -v)[::2]",
    "from typing import List, Optional, Union\n"
    "def f(a: List[Optional[int]], b: 'x' = 1) -> Union[int, str]:\n    c: List[int] = []\n"
    "    return c",
    "import typing\ndef f(a: typing.Dict[str, typing.Any]) -> typing.Callable[..., int] | None:\n"
    "    pass",
    "from typing import *\nT = TypeVar('T')\ndef f(a: List[T]) -> Dict[T, int]:\n    return {}",
    "import math\ndef f(x):\n    return math.sqrt(x) if x > 0 else -math.inf",
    "from math import *\nfrom itertools import *\nprint(sqrt(2), list(permutations([1, 2])))",
    "import string\ndef f(string):\n    return string.lower() + ''.join(reversed(string))",
    "import string\ndef f(c):\n    return c in string.ascii_letters",
    "import re\ndef f(s):\n    return re.sub('a+', ' ', s, flags=re.I | re.M) or re.split('a', s)",
    "def f(s):\n    return hashlib.md5(s.encode()).hexdigest()",
    "import functools\n@functools.lru_cache(maxsize=None)\ndef f(n):\n    return n and f(n - 1)",
    "from collections import Counter, defaultdict\nd = defaultdict(list)\nd[1] += Counter('a')",
    "def f(x):\n    return type(x) == int or type(x) in (str, bytes) or f'{type(x)}'",
    "def f(x):\n    return type(x).__name__",
    "def f(x):\n    return '{:.2f} {} {0!r:>4}'.format(x, x) + '%s' % x + f'{x:.2f}'",
    "def f():\n    try:\n        return 1 / 0\n    except (ZeroDivisionError, ValueError) as e:\n"
    "        raise TypeError(str(e.args)) from e\n    finally:\n        pass",
    "def f():\n    for i in range(3):\n        yield i\n    yield from f()",
    "if __name__ == '__main__':\n    print(1, 2, sep=',', end='')",
    "import sys\nbest = -sys.maxsize\nif (n := 3) > 2:\n    best = n",
    "import os, sys, time, random, json",
    "x = 0\ndef f():\n    global x\n    y = 1\n    def g():\n        nonlocal y\n        y += x",
    "match [1, 2]:\n    case [1, *rest] if rest:\n        pass\n    case 3 | None as z:\n        z",
    "from datetime import datetime\ndef f(s):\n    return datetime.strptime(s, '%m-%d-%Y').year",
    "unknown_name(1)",
    "_x, _ = 1, 2\nfor _ in range(3):\n    pass",
]


@pytest.mark.parametrize("program", CLEAN)
def test_clean(program: str) -> None:
    assert objection(ast.parse(program)) == ""


def test_hostile_is_many() -> None:
    assert len(HOSTILE) >= 60
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("program", HOSTILE)
def test_hostile(program: str) -> None:
    tree = ast.parse(program)
    reason = objection(tree)
    assert reason
    line = int(reason.removeprefix("line ").split(":")[0])
    assert 1 <= line <= program.count("\n") + 1


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


WRAPPERS = (
    lambda body: f"def g(a, b=(1, 2)):\n{_indented(body)}\n    return a",
    lambda body: f"if True:\n{_indented(body)}\nelse:\n    pass",
    lambda body: f"for i in [1]:\n{_indented(body)}\nelse:\n    pass",
    lambda body: f"while False:\n    pass\nelse:\n{_indented(body)}",
    lambda body: f"try:\n    pass\nexcept ValueError as e:\n{_indented(body)}\nfinally:\n    pass",
    lambda body: (
        f"match 1:\n    case [_, 2]:\n        pass\n    case _:\n{_indented(_indented(body))}"
    ),
    lambda body: f"x = 1\n{body}\ny = [i for i in (lambda: [])() if i]",
)
# Alone so that they can stand anywhere: no stars and futures, no yield beside a try.
PIECES = [p for p in CLEAN if "import *" not in p and "yield" not in p]
MOVABLE = [p for p in HOSTILE if "import *" not in p and "__future__" not in p]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.data())
def test_composed(pieces: list[str], data: st.DataObject) -> None:
    wrap = st.lists(st.sampled_from(WRAPPERS), max_size=4)

    def wrapped(body: str) -> str:
        for wrapper in data.draw(wrap):
            body = wrapper(body)
        return body

    clean = "\n".join(map(wrapped, pieces))
    assert objection(ast.parse(clean)) == ""
    hostile = wrapped(data.draw(st.sampled_from(MOVABLE)))
    assert objection(ast.parse(f"{clean}\n{hostile}"))
    assert objection(ast.parse(f"{hostile}\n{clean}"))


@given(st.text("ab1.:!{}[]", max_size=14))
def test_format_reads_nothing(text: str) -> None:
    """A literal that passes never asks its arguments for an attribute or an item."""

    class Nosy(str):
        def __getattribute__(self, name: str) -> Any:
            if name == "__class__":
                return str
            raise AssertionError(name)

        def __getitem__(self, key: Any) -> Any:
            raise AssertionError(key)

    program = f"{text!r}.format(x, a=x, b=x)"
    if objection(ast.parse(program)) == "":
        with contextlib.suppress(ValueError, KeyError, IndexError):
            text.format(Nosy("v"), a=Nosy("v"), b=Nosy("v"))


@needs_data
def test_references_are_clean() -> None:
    problems = rows("humaneval/HumanEval.jsonl.gz")
    objections = {
        row["task_id"]: reason
        for row in problems
        if (reason := objection(ast.parse(row["prompt"] + row["canonical_solution"])))
    }
    assert objections == {
        "HumanEval/160": "line 30: name eval",
        "HumanEval/162": "line 9: import of hashlib",
    }


@needs_data
def test_samples_are_clean() -> None:
    trees, _, broken = samples()
    start = time.process_time()
    reasons = collections.Counter(objection(tree).partition(": ")[2] for tree in trees.values())
    spent = time.process_time() - start
    clean = reasons.pop("")
    print(
        f"\nclean {clean} of {len(trees)} distinct programs that parse ({clean / len(trees):.1%}), "
        f"{broken} more do not parse; {spent / len(trees) * 1e6:.0f} µs a program"
    )
    print(", ".join(f"{reason} {count}" for reason, count in reasons.most_common(12)))
    assert clean / len(trees) >= 0.95
    assert (clean + broken) / (len(trees) + broken) >= 0.95
    assert spent / len(trees) < 400e-6  # several times what it takes on an idle machine
