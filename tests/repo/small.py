"""Small repositories: of files that are given, and any that Hypothesis makes up."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from codewright.repo.facts import Facts, Reference
from codewright.repo.places import Place
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.resolve import Resolver
from codewright.repo.words import words
from tests.reference.cutter import Cutter
from tests.reference.index import MemoryIndex


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def index_of(root: Path, files: dict[str, str]) -> MemoryIndex:
    return MemoryIndex(write(root, files), {".py": PythonExtractor()}, Cutter(words))


def facts_of(index: MemoryIndex, path: str) -> Facts:
    file = index.file(path)
    assert file is not None, path
    return index.facts(file.content)


def place(index: MemoryIndex, name: str) -> Place:
    """Returns the place of `path` or `path:Qualified.name`."""
    path, _, inner = name.partition(":")
    facts = facts_of(index, path)
    found = [n for n in range(len(facts.definitions)) if facts.qualified(n) == inner]
    assert found, name
    return Place(path, found[0])


def named(index: MemoryIndex, where: Place) -> str:
    inner = facts_of(index, where.path).qualified(where.ordinal)
    return f"{where.path}:{inner}" if inner else where.path


def reference(index: MemoryIndex, path: str, line: int, name: str) -> Reference:
    found = [r for r in facts_of(index, path).references if (r.line, r.name) == (line, name)]
    assert len(found) == 1, (found, facts_of(index, path).references)
    return found[0]


def meant(resolver: Resolver, index: MemoryIndex, path: str, line: int, name: str) -> list[str]:
    """Returns what a reference means, the likeliest first."""
    found = resolver.resolve(path, reference(index, path, line, name))
    return [named(index, Place(target.path, target.ordinal)) for target in found.targets]


MODULES = {"p/__init__.py": "p", "p/a.py": "p.a", "p/b.py": "p.b", "q/c.py": "q.c", "m.py": "m"}
PATHS = [*MODULES, "tests/test_m.py"]
TOP = ["f", "g", "A", "B", "load"]
INNER = ["run", "get", "f", "only"]


@st.composite
def _body(draw: st.DrawFn) -> str:
    kinds = ["{t}()", "{t}.{i}()", "{m}.{t}()", "x.{i}()", "{t}().{i}()", "y = {t}(); y.{i}()"]
    lines = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    return "".join(
        "        "
        + line.format(
            t=draw(st.sampled_from(TOP)),
            i=draw(st.sampled_from(INNER)),
            m=draw(st.sampled_from([*MODULES.values()])),
        )
        + "\n"
        for line in lines
    )


@st.composite
def _statement(draw: st.DrawFn) -> str:
    module = draw(st.sampled_from([*MODULES.values(), ".", ".a", ".b", "outside"]))
    name, other = draw(st.sampled_from(TOP)), draw(st.sampled_from([*TOP, "load2"]))
    kind = draw(st.integers(0, 7))
    if kind == 0 and not module.startswith("."):
        return f"import {module}\n"
    if kind == 1:
        return f"from {module} import {name} as {other}\n"
    if kind == 2:
        return f"from {module} import *\n"
    if kind <= 3:
        return f"from {module} import {name}\n"
    if kind == 4:
        return f"{other} = {name}()\n"
    if kind == 5:
        return f"def {name}():\n    if x:\n{draw(_body())}\n"
    base = draw(st.sampled_from(["", f"({other})", f"({other}, {name})"]))
    inner = draw(st.lists(st.sampled_from(INNER), min_size=1, max_size=2, unique=True))
    called = draw(st.sampled_from([f"self.{i}()" for i in INNER] + ["super().run()"]))
    methods = "".join(
        f"    def {i}(self):\n        self.it = {called}\n{draw(_body())}" for i in inner
    )
    return f"class {draw(st.sampled_from(['A', 'B']))}{base}:\n{methods}\n"


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, str]:
    """Any small repository: imports in circles, stars, aliases, classes over files."""
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=5, unique=True))
    return {path: "".join(draw(st.lists(_statement(), max_size=6))) for path in paths}
