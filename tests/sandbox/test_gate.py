"""The gate: what it lets through, what it objects to, and that the clean change nothing."""

from __future__ import annotations

import ast
import collections
import functools
import gzip
import importlib
import json
import os
import random
import subprocess
import sys
import textwrap
import time
import types
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.sandbox.gate import objection
from codewright.sandbox.purity import (
    ATTRIBUTES,
    BUILTINS,
    EXISTING,
    INERT,
    MEMBERS,
    RE_FLAGS_AT,
    TYPING_VALUES,
    WHOLE,
)
from tests.sandbox.hostile import HOSTILE

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CODEWRIGHT_DATA", ROOT / "../shared/data"))
SAMPLES = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")

needs_data = pytest.mark.skipif(
    not (DATA / SAMPLES).exists(), reason="CODEWRIGHT_DATA names no folder with codet"
)

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
    "import re\ndef f(s):\n    return re.sub(r'\\s+', ' ', s, flags=re.I | re.M) or re.findall('a', s)",
    "import hashlib\ndef f(s):\n    return hashlib.md5(s.encode()).hexdigest()",
    "def f(s):\n    return hashlib.md5(s.encode()).hexdigest()",
    "import functools\n@functools.lru_cache(maxsize=None)\ndef f(n):\n    return n and f(n - 1)",
    "from collections import Counter, defaultdict\nd = defaultdict(list)\nd[1].append(Counter('aab'))",
    "def f(x):\n    return type(x) == int or type(x) in (str, bytes) or f'{type(x)}'",
    "def f(x):\n    return type(x).__name__",
    "def f(x):\n    return '{:.2f} {} {0!r:>4}'.format(x, x) + '%s' % x + f'{x:.2f}'",
    "def f():\n    try:\n        return 1 / 0\n    except (ZeroDivisionError, ValueError) as e:\n"
    "        raise TypeError(str(e.args)) from e\n    finally:\n        pass",
    "def f():\n    for i in range(3):\n        yield i\n    yield from f()",
    "if __name__ == '__main__':\n    print(1, 2, sep=',', end='')",
    "import sys\nbest = -sys.maxsize\nif (n := 3) > 2:\n    best = n",
    "import os, sys, time, random, json",
    "x = 0\ndef f():\n    global x\n    y = 1\n    def g():\n        nonlocal y\n        y += x\n    g()",
    "match [1, 2]:\n    case [1, *rest] if rest:\n        print(rest)\n    case 3 | None as z:\n        pass",
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
        try:
            text.format(Nosy("v"), a=Nosy("v"), b=Nosy("v"))
        except (ValueError, KeyError, IndexError):
            pass


# --- the tables ---


def _public(module: str) -> set[str]:
    return {name for name in dir(importlib.import_module(module)) if not name.startswith("_")}


def test_tables_are_consistent() -> None:
    assert {"type", "id", "open", "getattr", "object", "exit"}.isdisjoint(BUILTINS)
    assert EXISTING >= BUILTINS
    assert not any(a.startswith("_") for a in ATTRIBUTES)
    assert {"format", "format_map", "mro", "register", "throw", "obj"}.isdisjoint(ATTRIBUTES)
    frames = ("f_", "tb_", "gi_", "co_", "cr_", "ag_", "func_", "im_")
    assert not any(a.startswith(frames) for a in ATTRIBUTES)
    assert MEMBERS["re"] >= RE_FLAGS_AT.keys()
    for module, members in MEMBERS.items():
        assert members <= set(dir(importlib.import_module(module))), module


@pytest.mark.parametrize("module", sorted(INERT))
def test_inert_modules_keep_nothing_back(module: str) -> None:
    members = _public(module) if module in WHOLE else MEMBERS[module]
    assert ATTRIBUTES.isdisjoint(_public(module) - members)


def _fresh() -> list[Any]:
    """One object of each kind that a clean program can make."""
    import base64, copy, datetime, decimal, fractions, hashlib, itertools, re, statistics  # noqa: E401, I001
    from typing import TypeVar

    error = ValueError("x")
    return [
        *(1, 1.5, 1j, "a", b"a", bytearray(b"a"), (1,), [1], {1: 2}, {1}, frozenset({1}), None),
        *(range(3), slice(1), lambda: 0, (i for i in ()), map(str, ()), iter([]), error, len),
        *({}.keys(), {}.items(), {}.values(), reversed([]), zip(), enumerate([]), Ellipsis),
        *(collections.Counter(), collections.deque(), collections.defaultdict(list)),
        *(collections.OrderedDict(), decimal.Decimal(1), fractions.Fraction(1, 2)),
        *(datetime.date.min, datetime.time(), datetime.datetime.min, datetime.timedelta()),
        *(datetime.timezone.utc, re.compile("a"), re.match("a", "a"), re.I, hashlib.md5(b"")),
        *(functools.partial(int), functools.lru_cache(lambda: 0), itertools.chain(), [].append),
        *(
            TypeVar("T"),
            base64.b64encode,
            copy.copy,
            statistics.mean,
            decimal.Decimal(1).as_tuple(),
        ),
        *(StopIteration(1), KeyError(1), list[int], int | None, functools.cmp_to_key(max), "".join),
        *(json.JSONDecodeError("a", "b", 0), sys.float_info, sys.version_info, datetime.tzinfo()),
    ]


METHODS = (types.BuiltinFunctionType, types.MethodDescriptorType, types.MethodType)


def _reachable() -> dict[int, tuple[str, Any]]:
    """Everything that outlives a program and that the tables lead to, without calling."""
    todo: list[tuple[str, Any]] = [(name, vars(__import__("builtins"))[name]) for name in BUILTINS]
    for module, members in MEMBERS.items():
        loaded = importlib.import_module(module)
        for name in _public(module) if module in WHOLE else members:
            todo.append((f"{module}.{name}", getattr(loaded, name)))
        if module in INERT:
            todo.append((module, loaded))
    fresh = _fresh()
    roots = {id(value) for value in fresh}
    todo += [(f"a {type(value).__name__}", value) for value in fresh]
    found: dict[int, tuple[str, Any]] = {}  # holds what it saw, so ids stay unique
    while todo:
        path, value = todo.pop()
        if id(value) in found:
            continue
        found[id(value)] = (path, value)
        if isinstance(value, METHODS) or path.count(".") > 3:
            continue  # a method has nothing but its name
        for attribute in (*ATTRIBUTES, "__name__"):
            try:
                below = getattr(value, attribute)
            except (AttributeError, TypeError, NotImplementedError, ValueError):
                continue
            todo.append((f"{path}.{attribute}", below))
    return {key: value for key, value in found.items() if key not in roots}


def test_nothing_shared_and_mutable_is_reachable() -> None:
    containers = (list, dict, set, bytearray, collections.deque)
    internals = (types.FrameType, types.CodeType, types.TracebackType, types.ModuleType)
    inert = {id(importlib.import_module(module)) for module in INERT}
    own = {"a partial.keywords"}  # the program's own partial made it
    reached = _reachable()
    for path, value in reached.values():
        if path in own:
            continue
        assert not isinstance(value, containers), path
        assert value is not type, path
        assert value is not object, path
        assert not (isinstance(value, type) and issubclass(value, type)), path
        if isinstance(value, internals):
            assert id(value) in inert, path
        if isinstance(value, type(functools.lru_cache(len))):
            assert path.startswith("a "), path
        if isinstance(value, types.FunctionType) and not path.startswith("a function"):
            shared = [d for d in value.__defaults__ or () if isinstance(d, containers)]
            # deepcopy's marker for "not there" goes to nobody but memo.get.
            assert not shared or path == "copy.deepcopy", path
    assert len(reached) > 1000


def test_typing_values_are_few() -> None:
    assert TYPING_VALUES == {"TYPE_CHECKING", "TypeVar", "cast"}


# --- the corpus ---


def _rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt") as lines:
        return [json.loads(line) for line in lines]


@functools.cache
def _problems() -> dict[str, dict[str, Any]]:
    """Prompt without examples -> problem."""
    return {row["prompt"]: row for row in _rows("codet/HumanEval_for_code_generation.jsonl.gz")}


@functools.cache
def _samples() -> tuple[dict[str, ast.Module], dict[str, dict[str, Any]], int]:
    """(distinct program that parses -> tree, program -> problem, how many do not parse)."""
    trees: dict[str, ast.Module] = {}
    owner: dict[str, dict[str, Any]] = {}
    broken: set[str] = set()
    for row in _rows(SAMPLES):
        for sample in row["samples"]:
            ends = [at for stop in STOPS if (at := sample.find(stop)) >= 0]
            program = row["prompt"] + sample[: min(ends, default=len(sample))]
            if program in owner or program in broken:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    trees[program] = ast.parse(program)
                except (SyntaxError, ValueError):
                    broken.add(program)
                else:
                    owner[program] = _problems()[row["prompt"]]
    return trees, owner, len(broken)


@needs_data
def test_references_are_clean() -> None:
    rows = _rows("humaneval/HumanEval.jsonl.gz")
    objections = {
        row["task_id"]: reason
        for row in rows
        if (reason := objection(ast.parse(row["prompt"] + row["canonical_solution"])))
    }
    # It calls eval, and so does about every program for it.
    assert objections == {"HumanEval/160": "line 30: name eval"}


@needs_data
def test_samples_are_clean() -> None:
    trees, _, broken = _samples()
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


# --- by execution ---


def _run_world(problems: list[dict[str, Any]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.world"],
        input=json.dumps({"problems": problems}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_world_sees_changes() -> None:
    """The instrument itself: what each of these leaves behind is noticed."""
    changes = {
        "import math\nmath.pi = 3": "math",
        "import sys\nsys.setrecursionlimit(5000)": "limits",
        "import random\nrandom.random()": "random",
        "import builtins\nbuiltins.more = None": "more",
        "import copy\ncopy.deepcopy.__defaults__[1].append(2)": "deepcopy",
        "import collections\ncollections.Counter.x = 2": "Counter",
        "import collections.abc\ncollections.abc.Sized.register(type(iter('')))": "registered",
        "import os\nos.environ['a'] = 'b'": "machine",
        "f = open('/dev/null')\nimport gc\ngc.callbacks.append(f.close)": "files",
        "from typing import overload\n@overload\ndef f(): pass": "_overload_registry",
        "import base64\nbase64.b85decode(b'VPaz')": "_b85dec",
    }
    for program, what in changes.items():
        assert objection(ast.parse(program)), program
        report = _run_world([{"entry": "f", "calls": [], "programs": [program]}])
        assert any(what in fault for fault in report["faults"]), program


def _calls(problem: dict[str, Any]) -> list[str]:
    """The arguments that the tests call the reference with, as text."""
    calls: list[str] = []
    names: dict[str, Any] = {}
    exec(problem["prompt"] + problem["canonical_solution"], names)
    exec(problem["test"], names)
    reference = names[problem["entry_point"]]

    def recorder(*args: Any) -> Any:
        text = repr(args)
        try:
            ast.literal_eval(text)
        except ValueError:
            pass
        else:
            calls.append(text)
        return reference(*args)

    names["check"](recorder)
    return calls[:12]


@needs_data
def test_clean_samples_change_nothing() -> None:
    trees, owner, _ = _samples()
    by_problem: dict[str, list[str]] = collections.defaultdict(list)
    for program, tree in trees.items():
        if not objection(tree):
            by_problem[owner[program]["prompt"]].append(program)
    problems = []
    for prompt, programs in by_problem.items():
        problem = _problems()[prompt]
        some = programs[:: max(1, len(programs) // 3)][:3]
        problems.append(
            {"entry": problem["entry_point"], "calls": _calls(problem), "programs": some}
        )
    report = _run_world(problems)
    assert report["faults"] == []
    assert report["alone"] > 400
    assert report["together"] > 400


def _random_programs(chance: random.Random, count: int) -> list[str]:
    """Programs that poke about: any builtin or member, any attribute that any value has."""

    def mostly(allowed: list[str], others: list[str]) -> str:
        return chance.choice(allowed if chance.random() < 0.9 else others)

    values = _fresh()
    pool = sorted({name for value in values for name in dir(value)})
    attributes = sorted(ATTRIBUTES)
    builtin = sorted(BUILTINS - {"hash"})
    literals = ["0", "1", "-1", "2.5", "'a'", "b'a'", "[1, 2]", "{'a': 1}", "(1,)", "None", "{1}"]
    literals += ["lambda *a: a[-1]", "'{}'", "range(3)", "''", "'utf-8'", "(lambda: [])"]
    programs = []
    for _ in range(count):
        module = chance.choice(sorted(MEMBERS.keys() - {"__future__", "typing", "collections.abc"}))
        public = sorted(_public(module))
        members = sorted(MEMBERS[module]) or public
        sources = [f"{module}.{mostly(members, public)}" for _ in range(2)]
        sources += [mostly(builtin, sorted(EXISTING)) for _ in range(2)]
        lines = [f"import {module}", "def f():", "    seen = []", "    v0 = 'ab'"]
        for at in range(1, 7):
            base = chance.choice([*sources, *sources, f"v{chance.randrange(at)}"])
            dots = "".join(
                f".{mostly(attributes, pool)}" for _ in range(chance.choice([0, 0, 1, 1, 2]))
            )
            args = [chance.choice([*literals, f"v{chance.randrange(at)}"]) for _ in range(3)]
            call = chance.choice(["", f"({', '.join(args[: chance.randrange(4)])})"])
            lines += [
                f"    try:\n        v{at} = {base}{dots}{call}",
                f"        seen.append(v{at})",
            ]
            lines += [f"    except Exception as e:\n        v{at} = e"]
        programs.append("\n".join([*lines, "    return len(seen)"]))
    return programs


def test_random_programs_change_nothing() -> None:
    programs = _random_programs(random.Random(7), 4000)
    clean = [program for program in programs if not objection(ast.parse(program))]
    print(f"\n{len(clean)} of {len(programs)} random programs are clean")
    assert 400 < len(clean) < len(programs)
    problems = [
        {"entry": "f", "calls": ["()"], "programs": clean[at : at + 20], "repeatable": False}
        for at in range(0, 320, 20)
    ]
    report = _run_world(problems)
    assert report["faults"] == []
    assert report["alone"] > 250
