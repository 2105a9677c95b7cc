"""Quality: the figures are what they say, and the shipped model ranks worse files lower."""

from __future__ import annotations

import argparse
import ast
import json
import math
import random
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus.quality import CLIP, Quality, QualityStep
from codewright.corpus.quality_features import FEATURES, features
from codewright.corpus.syntax import Trees
from tests.corpus.planting import document, kept, program


def figures(text: str) -> dict[str, float]:
    return dict(zip(FEATURES, features(text, ast.parse(text)), strict=True))


TEXT = '''"""A module."""

import os
from a import *

COUNT = 10


class Thing:
    """A thing."""

    def open(self, path: str, mode="r") -> None:
        """Opens."""
        global COUNT
        try:
            if path:
                return 1
            elif mode:
                return 2
            else:
                for x in path:
                    with x:
                        while x:
                            y = 1
        except:
            pass

    def _hidden(self, ab):
        print(ab)  # TODO
        assert ab


# value = compute(1)
print(COUNT)
'''


def test_figures_of_a_small_file_counted_by_hand():
    found = figures(TEXT)
    lines = TEXT.split("\n")
    told = [line.strip() for line in lines if line.strip()]
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(TEXT)))
    names = ["COUNT", "Thing", "open", "path", "mode", "_hidden", "ab", "y"]
    expected = {
        "line_mean": sum(map(len, lines)) / len(lines),
        "line_long": 0,
        "blank": sum(not line for line in lines) / len(lines),
        "comments": 1 / len(told),
        "commented_code": 1 / len(told),
        "repeated_lines": 1 - len(set(told)) / len(told),
        "tabs": 0,
        "trailing_space": 0,
        "digits": sum(c.isdigit() for c in TEXT) / len(TEXT),
        "to_do": 1 / len(told),
        "prints": 2 / len(told),
        "module_docstring": 1,
        "documented": 1 / 2,
        "documented_public": 1,
        "annotated": 2 / 5,  # path and the result of open; not mode, ab, the result of _hidden
        "long_functions": 0,
        "arguments": 3 / 2,
        "name_length": sum(map(len, names)) / len(names),
        "short_names": 2 / len(names),
        "star_imports": 1 / 2,
        "bare_excepts": 1 / statements,
        "silent_excepts": 1 / statements,
        "globals": 1 / 2,
        "imports": 2 / statements,
        "classes": 1 / statements,
        "loose": 1 / statements,
        "assignments": 2 / statements,
        "asserts": 1 / statements,
        "returns": 2 / statements,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    # module 0, class 1, method 2, try 3, if 4, for 5, with 6, while 7; an elif is no deeper
    assert found["deep"] == pytest.approx(3 / statements)


def slow_depths(tree: ast.Module) -> list[int]:
    """Returns the depth of each statement, by recursion over every node."""
    found = []

    def visit(node: ast.AST, depth: int) -> None:
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.stmt):
                    is_elif = (
                        isinstance(node, ast.If) and name == "orelse" and len(node.orelse) == 1
                        and isinstance(child, ast.If)
                    )  # fmt: skip
                    below = depth - 1 if is_elif else depth
                    found.append(below)
                    visit(child, below + 1)
                elif isinstance(child, ast.ExceptHandler | ast.match_case):
                    visit(child, depth)

    visit(tree, 0)
    return found


@pytest.mark.parametrize("module", [ast, argparse, json, random, typing], ids=lambda m: m.__name__)
def test_the_quick_pass_sees_the_statements_that_a_slow_one_sees(module):
    with open(module.__file__, encoding="utf-8") as file:
        text = file.read()
    tree = ast.parse(text)
    found, depths = figures(text), slow_depths(tree)
    assert found["nesting"] == pytest.approx(sum(depths) / len(depths))
    assert found["deep"] == pytest.approx(sum(d >= 5 for d in depths) / len(depths))
    nodes = list(ast.walk(tree))
    for name, kind in (("returns", ast.Return), ("asserts", ast.Assert), ("classes", ast.ClassDef),
                       ("imports", (ast.Import, ast.ImportFrom))):  # fmt: skip
        assert found[name] == pytest.approx(sum(isinstance(n, kind) for n in nodes) / len(depths))


def test_a_file_twice_as_long_is_no_worse():
    model = Quality.shipped()
    one, two = program(5, functions=12), program(5, functions=12) + program(6, functions=12)
    assert abs(model.of_text(one) - model.of_text(two)) < 0.06


def strip_docstrings(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def short_names(text: str) -> str:
    tree = ast.parse(text)
    known: dict[str, str] = {}

    def short(name: str) -> str:
        return known.setdefault(name, "abcdefghijklmnopqrstuvwxyz"[len(known) % 26])

    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.arg = short(node.arg)
        elif isinstance(node, ast.Name) and node.id not in ("int", "len", "list"):
            node.id = short(node.id)
    return ast.unparse(tree)


SPOILERS = {
    "no docstrings": strip_docstrings,
    "short names": lambda text: short_names(strip_docstrings(text)),
    "star imports": lambda text: text + "\nfrom os.path import *\nfrom sys import *\n",
    "silent excepts": lambda text: text + "\ntry:\n    pass\nexcept:\n    pass\n" * 3,
    "prints": lambda text: text + "\n".join(f"print({n})" for n in range(20)),
    "long lines": lambda text: text + "\n".join(f"x = {' + '.join(['1'] * 60)}" for _ in range(9)),
    "deep nesting": lambda text: text + "\nif 1:\n" + "".join(
        f"{' ' * 4 * depth}if {depth}:\n" for depth in range(1, 12)) + " " * 48 + "pass\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILERS)
def test_the_shipped_model_ranks_a_spoilt_file_below_itself(name):
    model = Quality.shipped()
    pairs = [(program(n), SPOILERS[name](program(n))) for n in range(12)]
    assert all(model.of_text(spoilt) < model.of_text(good) for good, spoilt in pairs)


def test_what_was_measured_is_kept_with_the_weights():
    from importlib.resources import files

    plain = json.loads(files("codewright").joinpath("data/quality.json").read_text())
    assert list(plain["features"]) == list(FEATURES)
    assert plain["learned"]["auroc"]["all signals"] > 0.85
    assert plain["learned"]["distributions"] > 50


@settings(max_examples=60)
@given(st.lists(st.floats(-1e9, 1e9), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_a_score_is_a_share_and_that_of_the_formula(row):
    model = Quality.shipped()
    total = model.bias + sum(
        w * max(-CLIP, min(CLIP, (x - m) / s))
        for x, m, s, w in zip(row, model.mean, model.scale, model.weight, strict=True)
    )
    assert model.score(row) == pytest.approx(1 / (1 + math.exp(-total)))
    assert 0 < model.score(row) < 1


def test_the_step_drops_what_is_below_and_tells_the_score():
    model = Quality.shipped()
    good, bad = program(1), SPOILERS["deep nesting"](SPOILERS["silent excepts"]("x = 1\n"))
    between = (model.of_text(good) + model.of_text(bad)) / 2
    assert model.of_text(bad) < between < model.of_text(good)
    left, books = kept(QualityStep(model, between, Trees()), document(good), document(bad, "b.py"))
    assert [d.text for d in left] == [good]
    assert books.told[0].reason == "quality"
    assert books.told[0].detail == f"score {model.of_text(bad):.3f}"
    assert model.of_text("def f(:\n") == 0
    broken = document("not python at all")
    assert kept(QualityStep(model, 0.9, Trees()), broken)[0] == [broken]  # syntax is another's
