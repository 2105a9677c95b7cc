"""What is in a context, and why: each source by what it alone can know."""

from __future__ import annotations

from pathlib import Path

import pytest

from codewright.repo import habits
from codewright.repo.around import around, parts
from codewright.repo.context import RepositoryContext
from codewright.repo.counting import Bytes
from codewright.repo.evidence import FEATURES, Weights, learned, row
from codewright.repo.facts import Facts
from codewright.repo.forms import FORMS, Shown
from codewright.repo.manner import Manner, other
from codewright.repo.python_ast import PythonExtractor
from codewright.types.context import Context, Passage, Query
from tests.reference.index import MemoryIndex

FILES = {
    "shop/__init__.py": "from shop.base import Base as Base\n",
    "shop/base.py": '''class Base:
    """Below all."""

    def opened(self, name: str) -> "Door":
        """Open a door."""
        return Door()

    def finish(self):
        pass


class Door:
    def knock(self, times: int) -> None:
        pass
''',
    "shop/tools.py": '''LIMIT: int = 3


def measure(door, *, exact=False):
    """Say how wide a door is."""
    return 1


def paint(door, colour):
    return colour


class WidthError(ValueError):
    """Too wide."""
''',
    "shop/other.py": """from shop.base import Base
from shop.tools import measure, paint


class Other(Base):
    def run(self):
        return paint(measure(self.opened("a")), "red")
""",
    "shop/copy.py": '''def measure(door, *, exact=False):
    """Say how wide a door is."""
    return 1
''',
    "tests/test_mine.py": """from shop.mine import Mine


def test_mine_runs():
    assert Mine().run() == 1
""",
    "shop/mine.py": "class Mine: ...\n",
    "README.md": "# Shop\n\n[![badge](x)](y)\n\nA shop that sells doors to people.\n",
    "CONTRIBUTING.md": "# How\n\n- Names are never shortened.\n- Come to our party!\n",
    "pyproject.toml": "[tool.ruff]\nline-length = 77\n[tool.mypy]\nstrict = true\n[tool.black]\n",
}
MINE = """import os

from shop import Base
from shop.tools import LIMIT, {names}
from shop.nowhere import lost


class Mine(Base):
    def run(self):
        door = self.opened("b")
        {line}
"""


class NoPieces:
    """Cuts nothing."""

    def chunks(self, facts: Facts, data: bytes) -> list:
        return []


def read(path: str, data: bytes) -> Facts:
    return PythonExtractor().facts(data)


@pytest.fixture
def shop(tmp_path: Path) -> MemoryIndex:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return MemoryIndex(tmp_path, {".py": PythonExtractor()}, NoPieces())


def shown(index: MemoryIndex, line: str, names: str = "measure", budget: int = 9000) -> Context:
    builder = RepositoryContext(index, read, Manner(form=FORMS["plain"], counter=Bytes()))
    text = MINE.format(names=names, line=f"{line}|")
    before, _, after = text.partition("|")
    return builder.retrieve(Query(path="shop/mine.py", before=before, after=after), budget)


def named(context: Context, word: str) -> Passage:
    found = [each for each in context.passages if word in each.text.split("\n")[0]]
    assert len(found) == 1, (word, [each.text for each in context.passages])
    return found[0]


def test_each_source_brings_what_only_it_knows(shop):
    context = shown(shop, "return ")
    unused = named(context, "def measure")
    assert (unused.path, unused.why) == ("shop/tools.py", "imported, and not used yet")
    assert unused.confidence == max(each.confidence for each in context.passages)
    assert unused.first == 4
    # By a re-export, then a base: the class's own members and what it inherits.
    assert "def finish(self)" in context.text
    assert "class Base:" in context.text
    # Used by the method of the same name in a class like this one.
    assert "used by another run" in named(context, "def paint").why
    # The same method beside this class, and the test of it.
    assert {"sibling", "test", "guideline"} <= {each.kind for each in context.passages}
    assert "def test_mine_runs" in context.text
    assert "lines of at most 77 characters" in context.text
    assert "double quotes" in context.text
    assert "Names are never shortened." in context.text
    assert "party" not in context.text
    # What is nowhere is said, and the copy of what is shown is not shown again.
    reasons = {each.source: each.reason for each in context.left_out}
    assert "unresolved" in {why for name, why in reasons.items() if name.startswith("shop.nowhere")}
    assert "A shop that sells" not in context.text  # no task


def test_what_the_line_begins_with_counts(shop):
    assert "class WidthError" in shown(shop, "raise ").text
    assert "class WidthError" not in shown(shop, "return ").text  # hardly ever
    # A name that nothing binds: its import is still to be written.
    loose = shown(shop, "paint(door, 1)\n        return ", names="measure")
    assert named(loose, "def paint").why == "named in the open file, and imported nowhere"
    # Inside of a call its definition is what is needed, and how others call it.
    inside = shown(shop, "x = measure(")
    assert named(inside, "def measure").why == "its arguments stand here"
    assert any(each.kind == "usage" and "measure(" in each.text for each in inside.passages)


def test_a_task_with_a_file_has_both(shop):
    builder = RepositoryContext(
        shop, read, Manner(form=FORMS["plain"], counter=Bytes()), find=lambda text, limit: ()
    )
    context = builder.retrieve(Query(task="make `paint` faster"), 4000)
    assert named(context, "def paint").detail == "whole"
    assert "A shop that sells doors" in context.text
    assert builder.retrieve(Query(task="nothing of this"), 4000).text.count("def ") == 0


def test_a_file_that_changed_since_it_was_indexed_is_shown_by_what_is_known(shop):
    (shop.root / "shop" / "tools.py").write_text("broken(")
    context = shown(shop, "return ")
    assert named(context, "def measure").detail == "signature"
    assert "broken" not in context.text


def test_a_text_that_is_no_program_still_has_a_place(shop):
    known = shop.facts(shop.file("shop/other.py").content)
    here = around(read, "shop/other.py", FILES["shop/other.py"] + "        x = [(", "\n}}}", known)
    assert here.facts.definitions[here.scope].name == "run"
    assert here.facts.definitions[here.owner].name == "Other"
    inner = around(read, "a.py", "def f(a):\n    return g(\n        h.k(a, ", ")\n    )\n", None)
    assert inner.called == ("h.k", "g")
    assert parts("getHTTPServer_v2") == ["get", "http", "server", "v", "2"]


def test_forms_keep_to_their_models(tmp_path):
    files = [Shown(path="a.py", text="x = 1", lines=":1-1"), Shown(path="R", text="hi", prose=True)]
    texts = {
        name: "".join(part.text for part in form.lay_out("repo", files, "b.py"))
        for name, form in FORMS.items()
    }
    assert texts["qwen"] == (
        "<|repo_name|>repo\n<|file_sep|>a.py\nx = 1\n<|file_sep|>R\nhi\n<|file_sep|>b.py\n"
    )
    assert texts["starcoder"] == (
        "<repo_name>repo<file_sep>a.py\nx = 1<file_sep>R\nhi<file_sep>b.py\n"
    )
    assert texts["plain"].split("\n")[1:] == ["# a.py:1-1", "x = 1", "# R", "# hi", "# b.py", ""]
    assert "// a.py" in "".join(p.text for p in FORMS["plain"].lay_out("", files, "b.ts"))
    assert FORMS["qwen"].lay_out("repo", [], "b.py") == []
    assert other("Qwen/Qwen2.5-Coder-7B", None, "auto", "x").form.name == "qwen"
    assert other("bigcode/starcoder2-3b", None, "auto", "x").form.name == "starcoder"
    assert other("gpt-9", None, "auto", "x").form.name == "plain"


def test_weights_are_of_the_features_and_change_what_comes_first(shop):
    weights = learned()
    assert set(weights.weights) == set(FEATURES)
    assert len(row({"imported": 1.0})) == len(FEATURES)
    nothing = Weights(bias=0.0, weights={})
    assert nothing.chance({"imported": 1.0}) == 0.5
    assert 0 < weights.chance({}) < weights.chance({"unused": 1.0}) < 1


def test_settings_that_cannot_be_read_say_nothing(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ruff\n")
    (tmp_path / "setup.cfg").write_text("[flake8]\nmax-line-length = 101\n")
    (tmp_path / ".editorconfig").write_text("[*]\nindent_style = tab\n")
    (item,) = habits.guidelines(tmp_path)
    assert "101 characters" in item.text
    assert "tabs" in item.text
    (tmp_path / "README.md").symlink_to(tmp_path / "README.md")
    assert list(habits.guidelines(tmp_path))


def asked(tmp_path: Path, files: dict[str, str], path: str, budget: int = 2000) -> Context:
    """Returns the context of the place in a file that `|` marks."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text.replace("|", ""))
    index = MemoryIndex(tmp_path, {".py": PythonExtractor()}, NoPieces())
    builder = RepositoryContext(index, read, Manner(form=FORMS["plain"], counter=Bytes()))
    before, _, after = files[path].partition("|")
    return builder.retrieve(Query(path=path, before=before, after=after), budget)


def test_a_module_is_found_behind_a_function_of_its_name(tmp_path):
    files = {
        "pack/__init__.py": "from .simplify import simplify\n",
        "pack/simplify.py": "def simplify(x):\n    return x\n\n\ndef _inner(y, z):\n    return y\n",
        "pack/use.py": "from .simplify import _inner\n\nx = |\n",
        "top.py": "from pack.simplify import _inner\n\nx = |\n",
    }
    for path in ("pack/use.py", "top.py"):
        assert "def _inner(y, z)" in asked(tmp_path, files, path).text


def test_another_name_of_a_class_brings_the_class(tmp_path):
    files = {
        "dense.py": "class MutableDense:\n    rows = 1\n\n\nOther = Dense = MutableDense\n",
        "use.py": "from dense import Dense\n\nx = |\n",
    }
    assert "class MutableDense" in asked(tmp_path, files, "use.py").text


def test_a_module_is_known_by_what_files_beside_call_it(tmp_path):
    files = {
        "pack/__init__.py": "",
        "pack/numbers_of_things.py": "def count_things(a):\n    return a\n",
        "pack/one.py": "import pack.numbers_of_things as nt\n\nnt.count_things(1)\n",
        "pack/two.py": "def f(a):\n    b = nt.other(a)\n    return |\n",
    }
    found = named(asked(tmp_path, files, "pack/two.py"), "def count_things")
    assert "imported nowhere" in found.why


def test_what_is_defined_for_each_system_is_all_there(tmp_path):
    files = {
        "size.py": "if 1:\n    def wide(a): ...\nelse:\n    def wide(a, b): ...\n",
        "use.py": "from size import wide\n\nx = |\n",
    }
    text = asked(tmp_path, files, "use.py").text
    assert "def wide(a):" in text
    assert "def wide(a, b):" in text


def test_a_class_may_be_called_like_the_variable(tmp_path):
    files = {
        "deep/parts.py": "class LineInfo:\n    pass\n",
        "use.py": "def f(a):\n    line_info = |\n",
    }
    assert "called like line_info" in named(asked(tmp_path, files, "use.py"), "class LineInfo").why
