"""Decontamination: planted solutions are found whatever they wear, and ordinary code is not."""

from __future__ import annotations

import ast
import os
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from codewright.corpus import decontaminate, pool
from codewright.corpus.benchmark_texts import BENCHMARKS, Item, added_runs, read
from codewright.corpus.decontaminate import (
    LEAST,
    LONG,
    RUN,
    UNCHECKED,
    Decontaminate,
    Functions,
    Texts,
    without_docstrings,
)  # fmt: skip
from codewright.corpus.lexemes import WORDS
from codewright.corpus.steps import Drop, Drops
from codewright.corpus.syntax import parse
from codewright.errors import ConfigError, DataError
from codewright.types.document import Document
from tests.corpus import benchmarks

STANDARD = Path(ast.__file__).parent
HOST = (STANDARD / "textwrap.py").read_text(encoding="utf-8")
DATA = os.environ.get("CODEWRIGHT_DATA", "")
with_data = pytest.mark.skipif(not DATA, reason="CODEWRIGHT_DATA names no folder")


def run(step: Decontaminate, texts: list[str]) -> tuple[list[str], list[Drop], Drops]:
    log: list[Drop] = []
    drops = Drops(step.name, log.append)
    documents = [
        Document(text=text, path=f"p{n}.py", licence="MIT", origin="o==1")
        for n, text in enumerate(texts)
    ]
    return [document.path for document in step.apply(documents, drops)], log, drops


def renamed(program: str, *, functions: bool) -> str:
    """Returns the program with other variables, no docstrings, in another layout."""
    tree = parsed(program)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            names.setdefault(node.arg, f"other_{len(names)}")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id, f"other_{len(names)}")
        elif isinstance(node, ast.FunctionDef) and functions:
            names.setdefault(node.name, f"other_{len(names)}")
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.arg, node.annotation = names[node.arg], None
        elif isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.FunctionDef):
            node.name, node.returns = names.get(node.name, node.name), None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def parsed(program: str) -> ast.Module:
    tree = parse(program)
    assert isinstance(tree, ast.Module), tree
    return tree


def dressed(program: str) -> dict[str, str]:
    """Returns the forms in which a program is planted."""
    return {
        "as it is": program,
        "without its docstring": without_docstrings(program),
        "in another layout": ast.unparse(parsed(program)),
        "with other variables": renamed(program, functions=False),
        "with other names": renamed(program, functions=True),
        "inside a class": "class Holder:\n" + textwrap.indent(program.expandtabs(), "    "),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_every_benchmark_is_looked_for(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(pool, "CHUNK", 20_000)
    folder = benchmarks.make(tmp_path / "data")
    solutions = [benchmarks.PROMPT + benchmarks.BODY, *map(benchmarks.program, range(7, 15))]
    planted = [
        HOST + "\n\n" + form + "\n" for solution in solutions for form in dressed(solution).values()
    ]
    planted.append(HOST + '\n\nSTORY = """' + read(folder)[0][-1].texts[0] + '"""\n')
    step = Decontaminate(folder=folder, workers=workers)
    kept, log, drops = run(step, [HOST, *planted, "def broken(:\n", ""])
    assert kept == ["p0.py", f"p{len(planted) + 1}.py", f"p{len(planted) + 2}.py"]
    named = {drop.reason.removeprefix("contaminated: ") for drop in log}
    assert named == set(BENCHMARKS) - {
        "swebench", "humanevalplus", "humanevalpack", "humaneval-infilling",
    }  # fmt: skip
    for drop in log:
        assert drop.detail.startswith(drop.reason.removeprefix("contaminated: ") + "/")
    assert drops.changes == {
        f"{UNCHECKED} against swebench/lite.parquet": 1,
        f"{UNCHECKED} against swebench/verified.parquet": 1,
    }


def test_prompts_tests_and_parts_are_found_too(tmp_path):
    step = Decontaminate(folder=benchmarks.make(tmp_path / "data"))
    test = textwrap.indent(benchmarks.TEST.replace("candidate", "braid_strands"), "  ")
    words = read(tmp_path / "data")[0][-1].texts[0].split()
    kept, log, _ = run(
        step,
        [
            HOST + "\n\n" + benchmarks.PROMPT + "    raise NotImplementedError\n",
            HOST + "\n\nclass T:\n" + textwrap.indent(benchmarks.TEST, "    "),
            "# " + " ".join(words[: LONG + 1]),
            "# " + " ".join(words[: LONG - 1]),
            HOST + test,
        ],
    )
    assert kept == ["p3.py"]
    assert f"{LONG} tokens in a row" in log[2].detail


def test_without_data_nothing_is_dropped_and_the_books_say_so():
    texts = [HOST, "x = 1\n"]
    kept, log, drops = run(Decontaminate(folder=None), texts)
    assert (len(kept), log) == (2, [])
    assert drops.changes == {UNCHECKED: 2}
    with pytest.raises(ConfigError, match="cannot be kept clean") as caught:
        run(Decontaminate(folder=None, required=True), texts)
    assert "CODEWRIGHT_DATA" in caught.value.hint


def test_missing_and_broken_files_are_named(tmp_path):
    folder = benchmarks.make(tmp_path / "data")
    with pytest.raises(ConfigError, match=r"lite\.parquet"):
        run(Decontaminate(folder=folder, required=True), [HOST])
    (folder / "mbpp" / "mbpp.jsonl.gz").unlink()
    _, _, drops = run(Decontaminate(folder=folder), [HOST])
    assert f"{UNCHECKED} against mbpp/mbpp.jsonl.gz" in drops.changes
    benchmarks.write(folder, "cruxeval/cruxeval.jsonl.gz", [{"id": 1}])
    with pytest.raises(DataError, match="not laid out as cruxeval"):
        run(Decontaminate(folder=folder), [HOST])
    with pytest.raises(DataError, match="is no folder"):
        run(Decontaminate(folder=tmp_path / "none"), [HOST])


def test_runs_that_many_texts_have_tell_nothing():
    common = "import unittest as the usual beginning of each and every test file there is here"
    items = [
        Item(benchmark="b", task=str(n), texts=(f"{common} {own(n)}",))
        for n in range(decontaminate.COMMON + 1)
    ]
    found = Texts(items)
    assert found.find(common) is None
    hit = found.find(own(3))
    assert hit is not None
    assert hit[0] == "b/3"
    assert Texts(items[:-1]).find(common) is None, "a small part of each"
    assert Texts([Item(benchmark="b", task="0", texts=("too short to tell apart",))]).too_short


def own(number: int) -> str:
    return " ".join(f"w{number}x{place}" for place in range(LEAST + RUN + 5))


def test_coverage_is_counted_as_the_definition_says():
    rng = np.random.default_rng(5)
    words = [f"w{n}" for n in range(60)]
    items = [
        Item(benchmark="b", task=str(n), texts=(" ".join(rng.choice(words, 50)),))
        for n in range(20)
    ]
    texts = Texts(items)
    hits = 0
    for trial in range(200):
        item = items[trial % 20].texts[0].split()
        start, count = rng.integers(0, 20), rng.integers(20, 50)
        part = item[start : start + count]
        document = [*rng.choice(words, 30), *part, *rng.choice(words, 30), *part[:15]]
        shares = {"": 0.0}
        for each in items:
            whole = grams(WORDS.findall(each.texts[0]))
            both = len(whole & grams(document))
            shares[each.name] = both / len(whole) if both >= LEAST else 0.0
        best = max(shares.values())
        found = texts.find(" ".join(document))
        assert (found is not None) == (best >= decontaminate.COVERAGE)
        if found is not None:
            assert shares[found[0]] == best
            assert found[1].startswith(f"{best:.2f} ")
        hits += found is not None
    assert 40 < hits < 180


def test_a_table_of_numbers_is_no_copy():
    table = "identity = [" + ", ".join("1.0, 0.0, 2.0" for _ in range(60)) + "]"
    varied = " ".join(f"{word} of {word}s" for word in HOST.split()[:200])
    items = [
        Item(benchmark="b", task=str(n), texts=(f"{own(n)} {long} {own(n + 40)} " * 3,))
        for n, long in enumerate((table, varied))
    ]
    texts = Texts([*items, Item(benchmark="b", task="2", texts=(" ".join(map(own, range(60))),))])
    assert texts.find(table) is None
    assert texts.find(varied) is not None


def grams(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def test_small_functions_need_their_name_too():
    tiny = "def strand_sum(x, y):\n    return x + y\n"
    known = Functions.of([Item(benchmark="b", task="t", programs=(tiny,))])
    assert known.find("def strand_sum(a: int, b: int) -> int:\n    'Adds.'\n    return a + b\n")
    assert known.find("def other(a, b):\n    return a + b\n") is None
    assert known.find("def strand_sum(a, b):\n    return a - b\n") is None
    assert known.find("def strand_sum(a, b):\n    return a + a\n") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("def f(a):\n    b: int = a\n    return b", "def g(x):\n    y = x\n    return y", True),
        ("def f(a):\n    return sorted(a)", "def f(a):\n    return list(a)", False),
        ("def f(list):\n    return len(list)", "def f(a):\n    return len(a)", True),
        ("def f(a):\n    sum = 0\n    return sum", "def f(b):\n    s = 0\n    return s", True),
        ("def f(a):\n    return f(a - 1)", "def g(a):\n    return g(a - 1)", True),
        ("def f(a):\n    return a.x", "def f(a):\n    return a.y", False),
        ("def f(a):\n    return 1", "def f(a):\n    return 1.0", False),
        ("def f(a, b):\n    return a", "def f(a, b):\n    return b", False),
        ("def f(a):\n    return g(k=a)", "def f(a):\n    return g(m=a)", False),
        ("async def f(a):\n    await a", "@x\nasync def g(b) -> int:\n    await b", True),
        ("def f(a):\n    def g(b):\n        'Doc.'\n        return b\n    return g",
         "def q(x):\n    def y(z: int):\n        return z\n    return y", True),
        ("def f():\n    try:\n        g()\n    except E as e:\n        h(e)",
         "def f():\n    try:\n        g()\n    except E as error:\n        h(error)", True),
        ("def f(*, a=1, **k):\n    return lambda q: q(a)",
         "def f(*, b=1, **m):\n    return lambda r: r(b)", True),
    ],
)  # fmt: skip
def test_what_has_the_same_shape(one, other, same):
    from codewright.corpus import shapes

    functions = [next(shapes.functions(ast.parse(text))) for text in (one, other)]
    keys = [shapes.shape(function)[0] for function in functions]
    assert (keys[0] == keys[1]) is same
    if same:
        assert shapes.outline(functions[0]) == shapes.outline(functions[1])


def test_what_a_patch_adds():
    patch = textwrap.dedent("""\
        diff --git a/x.py b/x.py
        --- a/x.py
        +++ b/x.py
        @@ -1,2 +1,4 @@
         kept
        +one
        +two
         kept
        -gone
        +three
        --- a/notes.rst
        +++ b/notes.rst
        +words
        --- a/y.py
        +++ b/y.py
        +four
        """)
    assert list(added_runs(patch)) == ["one\ntwo", "three", "four"]


@cache
def real() -> tuple[list[Item], Texts, Functions]:
    items, missing = read(Path(DATA))
    assert not missing
    return items, Texts(items), Functions.of(items)


@with_data
def test_every_solution_of_the_main_benchmarks_is_found():
    items, texts, functions = real()
    wanted = {  # the least share found, by form
        "humaneval": (1.0, 0.98, 1.0, 0.98, 0.89, 1.0),
        "mbpp": (0.98, 0.98, 0.98, 0.97, 0.83, 0.98),
    }
    for benchmark, least in wanted.items():
        programs = [item.programs[0] for item in items if item.benchmark == benchmark]
        programs = programs[:: 1 + len(programs) // 400]
        found: dict[str, int] = {}
        for program in programs:
            for form, text in dressed(program.replace("\r\n", "\n")).items():
                planted = HOST[:2000].rpartition("\n\n")[0] + "\n\n\n" + text + "\n"
                hit = texts.find(planted) or functions.find(text)
                found[form] = found.get(form, 0) + (hit is not None)
        shares = {form: count / len(programs) for form, count in found.items()}
        for (form, share), limit in zip(shares.items(), least, strict=True):
            assert share >= limit, f"{benchmark}, {form}: {share:.3f}"


@with_data
def test_ordinary_code_is_not_taken_for_a_benchmark():
    _, texts, functions = real()
    alarms = []
    paths = sorted(path for path in STANDARD.glob("[a-z]*.py"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        found = texts.find(text) or functions.find(text)
        if found is not None:
            alarms.append((path.name, *found))
    assert len(paths) > 150
    # HumanEval/53 is `add(x, y)`, and the module operator has it.
    assert {name for name, *_ in alarms} <= {"operator.py"}, alarms
