"""Exercises: all styles of one meaning agree, what documents claim holds, and a seed is a seed."""

from __future__ import annotations

import ast
import doctest
import io
import os
import re
import subprocess
import sys
import unittest
from contextlib import redirect_stdout
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus.exercises.catalogue import helpers, idioms
from codewright.corpus.exercises.check import TooManyLines, call, literal, run
from codewright.corpus.exercises.derive import derive
from codewright.corpus.exercises.draw import DRAW, EDGES, copied, draw
from codewright.corpus.exercises.function import Function, choose, imports
from codewright.corpus.exercises.generate import document, exercise, generate
from codewright.corpus.exercises.idiom import draw_idiom, fill
from codewright.corpus.exercises.layout import functions_file
from codewright.corpus.exercises.parts import KINDS, Task
from codewright.corpus.exercises.pieces import ELEMENTS, maps, predicates
from codewright.corpus.exercises.pipeline import pipeline
from codewright.corpus.exercises.prose import describe, third_person
from codewright.corpus.exercises.records import class_file
from codewright.corpus.exercises.snippets import snippet_file

SEEDS = st.integers(0, 10**9)


def helper_code() -> str:
    filled = {name: fill(Random(0), idiom) for name, idiom in helpers().items()}
    return "\n\n".join(
        Function(name=name, task=task, body=task.bodies[0]).text() for name, task in filled.items()
    )


def compile_body(task: Task, body: str, before: str = ""):
    name = task.own or "candidate"
    text = f"{before}\n\n{helper_code()}\n\n"
    text += Function(name=name, task=task, body=body).text()
    return run("\n".join(imports(text)) + "\n" + text)[name]


def disagreements(task: Task, rng: Random, rounds: int, before: str = "") -> list[str]:
    """Runs each body on the same inputs; an input that is changed on the way counts as one."""
    functions = [compile_body(task, body, before) for body in dict.fromkeys(task.bodies)]
    found = []
    for _ in range(rounds):
        arguments = tuple(draw(rng, param.kind) for param in task.params)
        results = []
        for function in functions:
            given_away = tuple(map(copied, arguments))
            value = call(function, given_away)
            results.append(f"{type(value).__name__} {literal(value)}")
            if literal(given_away) != literal(arguments):
                results.append("changed its arguments")
        if len(set(results)) > 1:
            found.append(f"{task.key}{literal(arguments)}: {results}")
    return found


@pytest.mark.parametrize("idiom", idioms(), ids=lambda idiom: idiom.names[0])
def test_all_styles_of_an_idiom_agree(idiom):
    for seed in range(4):
        rng = Random(f"{idiom.names[0]} {seed}")
        assert disagreements(fill(rng, idiom), rng, rounds=5) == []


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_all_styles_of_a_pipeline_agree(seed):
    rng = Random(seed)
    assert disagreements(pipeline(rng), rng, rounds=4) == []


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_all_styles_of_a_derived_function_agree(seed):
    rng = Random(seed)
    first = choose(rng, pipeline(rng) if rng.random() < 0.5 else draw_idiom(rng), set(helpers()))
    task = derive(rng, first)
    if task is not None:
        before = "\n".join(imports(first.body)) + "\n\n" + first.text()
        assert disagreements(task, rng, rounds=3, before=before) == []


def test_a_style_that_differs_is_found():
    task = Task(key="t", names=("t",), params=pipeline(Random(1)).params[:0], returns="int",
                says=(("np", "one"),), bodies=("    return 1", "    return 1.0"))  # fmt: skip
    assert disagreements(task, Random(0), 1)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_nothing_is_left_open_in_a_task(seed):
    rng = Random(seed)
    for task in (pipeline(rng), draw_idiom(rng)):
        known = {param.name for param in task.params}
        english = [text for _, text in task.says] + [*task.notes, task.gives]
        for text in english:
            assert set(re.findall(r"\{(\w+)\}", text)) <= known, (task.key, text)
            assert not re.search(r"\$|<[A-Za-z]", text), (task.key, text)
        for body in task.bodies:
            assert "$" not in body, task.key
            assert not re.search(r"\b(?:P|NP|M)\(", body), task.key
        assert all(name.isidentifier() for name in task.names), (task.key, task.names)
        assert {param.kind for param in task.params} <= set(DRAW)
        assert {task.returns, *(param.kind for param in task.params)} <= set(KINDS)
        said = describe(rng, task)
        # A sentence begins with a capital, or with a parameter or a quotation as it is written.
        opening = said.summary.split()[0].strip("`',")
        assert (
            opening[0].isupper()
            or not opening[0].isalpha()
            or opening in known
            or (said.summary[0] == "'")
        ), said.summary
        assert said.summary.endswith("."), said.summary
        left = re.findall(r"\{(\w+)\}", said.summary + said.gives + said.notes)
        assert not left, said


def test_pieces_negate_and_edges_have_their_kind():
    rng = Random(5)
    namespace = run("import math\n" + helper_code())
    for element in ELEMENTS:
        for predicate in predicates(element):
            for _ in range(8):
                x = draw(rng, element)
                k = '"a"' if predicate.constant == "char" else "3"
                codes = [
                    code.replace("{x}", repr(x)).replace("{k}", k)
                    for code in (predicate.code, predicate.negated)
                ]
                holds, fails = (bool(eval(code, namespace)) for code in codes)
                assert holds != fails, codes
        for piece in maps(element):
            code = piece.code.replace("{x}", f"({draw(rng, element)!r})").replace("{k}", "3")
            code = code.replace(".count(3)", ".count('a')")
            assert type(eval(code, namespace)) is (int if piece.gives == "int" else str), code
    for kind, values in EDGES.items():
        for value in values:
            drawn = {type(DRAW[kind](Random(seed))) for seed in range(5)}
            assert type(value) in drawn, kind


def python_of(text: str) -> str:
    """Returns the text as the main module would be run, so that nothing in it is left out."""
    return text.replace("    unittest.main()", "    pass")


def run_as_main(text: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        exec(
            compile(python_of(text), "<main>", "exec", dont_inherit=True), {"__name__": "__main__"}
        )
    return said.getvalue()


def check_doctests(text: str, name: str) -> int:
    """Runs the examples of all docstrings in the text; returns how many there are."""
    namespace = {"__name__": "exercise", "print": lambda *_: None}
    exec(compile(text, "<exercise>", "exec", dont_inherit=True), namespace)
    parser = doctest.DocTestParser()
    runner = doctest.DocTestRunner(verbose=False)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            found = parser.get_doctest(ast.get_docstring(node) or "", namespace, name, None, 0)
            runner.run(found, clear_globs=False)
    assert runner.failures == 0, text
    return runner.tries


def test_documents_keep_their_word():
    tries = printed = suites = 0
    for number in range(700):
        text = document(number, seed=3).text
        tries += check_doctests(text, str(number))
        lines = run_as_main(text.replace("import doctest", "import io as doctest").replace(
            "doctest.testmod()", "pass")).splitlines()  # fmt: skip
        for line, said in zip(re.findall(r"^ *print\(.*", text, re.M), lines, strict=False):
            claimed = line.rpartition(")  # ")[2] if ")  # " in line else None
            if claimed is not None and len(lines) == text.count("print("):
                printed += 1
                assert claimed in (said, repr(said)), (number, line, said)
        if "unittest" in text:
            suites += 1
            namespace = {"__name__": "exercise"}
            exec(compile(text, "<suite>", "exec", dont_inherit=True), namespace)
            cases = [c for c in namespace.values() if isinstance(c, type)]
            loaded = unittest.TestSuite(
                unittest.defaultTestLoader.loadTestsFromTestCase(c)
                for c in cases if issubclass(c, unittest.TestCase)
            )  # fmt: skip
            result = unittest.TestResult()
            loaded.run(result)
            assert result.wasSuccessful(), text
            assert result.testsRun, text
        for name, value in run(text).items():
            if name.startswith("test_"):
                value()
    assert tries > 400
    assert printed > 50
    assert suites > 2


@pytest.mark.parametrize("make", [functions_file, class_file, snippet_file])
def test_every_kind_of_file_is_valid_and_says_nothing_wrong(make):
    for seed in range(150):
        text, key = make(Random(f"{make.__name__} {seed}"))
        run(text)
        assert key
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert "\t" not in text
        assert max(map(len, text.splitlines())) < 200


def test_a_document_depends_on_seed_and_number_alone():
    documents = list(generate(30, seed=11))
    assert [d.path for d in documents[:2]] == ["exercises/000000.py", "exercises/000001.py"]
    assert documents[17] == document(17, seed=11)
    assert document(17, seed=12).text != documents[17].text
    assert {(d.licence, d.origin, d.language) for d in documents} == {
        ("Apache-2.0", "codewright-exercises", "python")
    }


def test_the_hash_seed_changes_nothing():
    program = (
        "import hashlib\nfrom codewright.corpus.exercises.generate import exercise\n"
        "texts = [exercise(n, seed=2)[0] for n in range(300)]\n"
        "print(hashlib.sha256(''.join(texts).encode()).hexdigest())\n"
    )
    digests = set()
    for hash_seed in ("0", "1", "977"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", program], env=environment, check=True,
                              capture_output=True, text=True)  # fmt: skip
        digests.add(done.stdout)
    assert len(digests) == 1


def test_documents_differ():
    made = [exercise(number, seed=4) for number in range(1500)]
    assert len({text for text, _ in made}) == len(made)
    assert len({key for _, key in made}) > 1100
    shapes = set()
    for text, _ in made:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Pass()]
        shapes.add(ast.dump(tree))
    assert len(shapes) > 0.97 * len(made)
    sizes = sorted(len(text) for text, _ in made)
    assert 300 <= sizes[len(sizes) // 2] <= 900


def test_what_does_not_end_is_stopped_and_tracing_is_given_back():
    before = sys.gettrace()
    with pytest.raises(TooManyLines):
        run("while True:\n    x = 1\n")
    function = run("def f(n):\n    while n:\n        n += 1\n")["f"]
    with pytest.raises(TooManyLines):
        call(function, (1,))
    assert sys.gettrace() is before
    assert call(function, (0,)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({3, 1, 2}, "{1, 2, 3}"),
        (set(), "set()"),
        ([{"b", "a"}], "[{'a', 'b'}]"),
        ((1,), "(1,)"),
        ({"a": (1, [2.5])}, "{'a': (1, [2.5])}"),
    ],
)
def test_literals_are_the_same_in_every_process(value, text):
    assert literal(value) == text
    assert eval(text) == value


@pytest.mark.parametrize(
    ("verb", "third"),
    [("sort a list", "sorts a list"), ("replace x", "replaces x"), ("multiply", "multiplies"),
     ("mix", "mixes"), ("display it", "displays it"), ("collect all", "collects all")],
)  # fmt: skip
def test_verbs_are_inflected(verb, third):
    assert third_person(verb) == third
