"""What nothing uses, what is not there, and how a definition is named by a person."""

from __future__ import annotations

import pytest

from codewright.errors import UnknownName
from codewright.repo import graph as graphs
from codewright.repo.named import find, told
from codewright.repo.resolve import Resolver
from codewright.repo.unused import dangling, unused
from tests.repo.small import index_of, named

FILES = {
    "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "pkg.main:main"\n',
    "pkg/__init__.py": "",
    "pkg/main.py": (
        "import click\n"
        "from pkg.tools import used, absent\n"
        "from pkg import gone, tools\n"
        "def main(): used(); tools.lost()\n"
        "@click.command()\n"
        "def registered(): pass\n"
        "@property\n"
        "def plain(x): pass\n"
    ),
    "pkg/tools.py": (
        "__all__ = ['public']\n"
        "import socketserver\n"
        "LIMIT = 3\n"
        "def used(): return _helper()\n"
        "def _helper(): return 1\n"
        "def idle(): return idle()\n"
        "def public(): pass\n"
        "class Server(socketserver.TCPServer):\n"
        "    def handle_timeout(self): pass\n"
        "class Lonely:\n"
        "    def inner(self): pass\n"
        "class Kept:\n"
        "    def by_name(self): pass\n"
        "    def __repr__(self): return ''\n"
    ),
    "pkg/late.py": "def __getattr__(name): return 1\n",
    "use.py": (
        "from pkg.tools import Kept, Server\n"
        "from pkg.late import anything\n"
        "from outside import x\n"
        "def f(a): a.by_name(); Kept(); Server(); return f\n"
        "f(anything)\n"
    ),
    "tests/test_it.py": "def test_it(): pass\ndef helper(): pass\n",
}


def test_unused_is_what_nothing_reaches_and_maybe_says_why(tmp_path):
    index = index_of(tmp_path, FILES)
    resolver = Resolver(index)
    graph = graphs.load(index, resolver)
    paths = [file.path for file in index.files()]
    found = {named(index, o.place): (o.sure, o.reason) for o in unused(
        resolver, graph, paths, tmp_path)}  # fmt: skip
    assert found == {
        "pkg/main.py:plain": (True, ""),
        "pkg/main.py:registered": (False, "decorated by click.command()"),
        "pkg/tools.py:LIMIT": (True, ""),
        "pkg/tools.py:idle": (True, ""),
        "pkg/tools.py:Lonely": (True, ""),
        "pkg/tools.py:Server.handle_timeout": (
            False,
            "its class has the base socketserver.TCPServer",
        ),
    }
    without = [named(index, one.place) for one in unused(resolver, graph, paths)]
    assert "pkg/main.py:main" in without  # only pyproject.toml names it


def test_dangling_is_what_a_module_that_is_here_has_not(tmp_path):
    index = index_of(tmp_path, FILES)
    found = dangling(Resolver(index), [file.path for file in index.files()])
    assert [(one.path, one.reference.line, one.missing) for one in found] == [
        ("pkg/main.py", 2, "pkg.tools.absent"),
        ("pkg/main.py", 3, "pkg.gone"),
        ("pkg/main.py", 4, "pkg.tools.lost"),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pkg.tools.Kept.by_name", "pkg/tools.py:Kept.by_name"),
        ("pkg/tools.py:Kept.by_name", "pkg/tools.py:Kept.by_name"),
        ("pkg/tools.py:by_name", "pkg/tools.py:Kept.by_name"),
        ("./pkg/tools.py:13", "pkg/tools.py:Kept.by_name"),
        ("pkg/tools.py:3", "pkg/tools.py:LIMIT"),
        ("pkg/tools.py:2", "pkg/tools.py"),
        ("pkg/tools.py", "pkg/tools.py"),
        ("pkg.tools", "pkg/tools.py"),
        ("Kept.by_name", "pkg/tools.py:Kept.by_name"),
        ("by_name", "pkg/tools.py:Kept.by_name"),
        ("tools.idle", "pkg/tools.py:idle"),
        ("pkg.main.used", "pkg/tools.py:used"),
    ],
)
def test_a_definition_is_named_in_several_ways(tmp_path, text, wanted):
    index = index_of(tmp_path, FILES)
    resolver = Resolver(index)
    found = find(resolver, text)
    assert named(index, found) == told(resolver, found) == wanted


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("by_nam", "nothing here is called by_nam", "by_name"),
        ("same", "same may be any of 2", "one of a.py:same, b.py:same"),
        ("a.py:x", "a.py has no x", "it has same"),
        ("a.py:99", "a.py has no line 99", "it has 1"),
        ("no/where.py:x", "no/where.py is not in the index", "root"),
    ],
)
def test_nothing_is_guessed(tmp_path, text, message, hint):
    files = {**FILES, "a.py": "def same(): pass\n", "b.py": "def same(): pass\n"}
    with pytest.raises(UnknownName) as error:
        find(Resolver(index_of(tmp_path, files)), text)
    assert error.value.message == message
    assert hint in error.value.hint
