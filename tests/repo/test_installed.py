"""What is installed is known as it is: beside `inspect`, and in environments made for the test."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.repo.environments import environment_of
from codewright.repo.facts import Kind
from codewright.repo.installed import Library
from codewright.repo.python_ast import PythonExtractor

CHILD = """
import importlib, inspect, json, sys, warnings
warnings.simplefilter("ignore")
said = {}
def note(path, function):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    said[path] = [list(signature.parameters), inspect.getdoc(function) or ""]
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for key, value in sorted(vars(module).items()):
        if key.startswith("_"):
            continue
        if inspect.isfunction(value):
            note(f"{name}.{key}", value)
        elif inspect.isclass(value):
            for inner in sorted(vars(value)):
                found = inspect.getattr_static(value, inner)
                if not inner.startswith("_") and inspect.isfunction(found):
                    note(f"{name}.{key}.{inner}", found)
print(json.dumps(said))
"""
MODULES = (
    *("json", "shutil", "statistics", "urllib.parse", "subprocess", "collections"),
    *("httpx", "typer", "numpy.linalg", "packaging.version", "rich.console"),
)


@pytest.fixture(scope="module")
def library():
    return Library(environment_of(None), PythonExtractor())


def parameters(signature):
    try:
        (function,) = ast.parse(f"{signature}: ...").body
    except SyntaxError:
        return None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    given = function.args
    names = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in names if one is not None]


def test_signatures_and_docstrings_are_those_that_inspect_finds(library):
    pytest.importorskip("numpy")
    run = [sys.executable, "-c", CHILD, *MODULES]
    said = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
    assert len(said) > 300
    equal, documented, differ = 0, 0, []
    for path, (names, doc) in said.items():
        found = library.look_up(path)
        heads = [] if found is None else found.overloads or [found.signature]
        if found is not None and any(parameters(head) == names for head in heads):
            equal += 1
        else:
            differ.append((path, names, heads))
        documented += found is not None and found.doc == doc
    print(f"{equal} of {len(said)} signatures, {documented} docstrings; others: {differ[:5]}")
    # Stubs name some parameters otherwise, and decorators make some functions anew.
    assert equal >= 0.93 * len(said)
    # `inspect` gives a method without a docstring that of its base class.
    assert documented >= 0.85 * len(said)


def test_names_lead_to_where_they_are_defined(library):
    for path, to, distribution in (
        ("httpx.Client.get", "httpx._client.Client.get", "httpx"),
        ("typer.Option", "typer.params.Option", "typer"),
        ("os.path.join", "posixpath.join", "python"),
        ("collections.abc.Mapping.get", "_collections_abc.Mapping.get", "python"),
        ("concurrent.futures.Future", "concurrent.futures._base.Future", "python"),
        ("numpy.linalg.norm", "numpy.linalg._linalg.norm", "numpy"),
        ("json", "json", "python"),
    ):
        found = library.look_up(path)
        assert found is not None, path
        assert (found.path, found.distribution) == (to, distribution)
        assert found.file.is_file()
        if distribution == "python":
            assert found.version == ".".join(map(str, sys.version_info[:3]))
    reshape = library.look_up("numpy.ndarray.reshape")
    assert len(reshape.overloads) > 3
    assert reshape.file.suffix == ".pyi"
    assert library.look_up("httpx.Client.get").signature.startswith("def get(self, url: URL | str,")
    option = library.look_up("typer.Option").signature
    assert option.startswith("def Option(default: Any | None")
    assert "show_choices: bool" in option
    assert len(option) < 3000
    assert {"get", "close", "base_url"} <= set(library.members("httpx.Client"))
    assert {"Client", "get", "AsyncClient"} <= set(library.members("httpx"))
    for path in ("nope", "json.nope", "json.loads.nope", "", "..", "httpx.Client.nope.nope"):
        assert library.look_up(path) is None


def test_a_second_look_up_takes_milliseconds(library):
    paths = ["httpx.Client.get", "typer.Option", "json.loads", "numpy.linalg.norm"]
    for path in paths:
        library.look_up(path)
    start = time.process_time()
    for _ in range(100):
        for path in paths:
            library.look_up(path)
    assert (time.process_time() - start) / 400 < 0.005


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


SHOP = """from .cart import *
from .cart import _tax as tax
from . import cart
import shop.deep.down
start = cart.Cart.add
from .round import loop
"""
CART = """__all__ = ["Cart", "LIMIT"]
LIMIT = 3
class Base:
    def total(self, net):
        '''The total.'''
class Cart(Base):
    '''A cart.'''
    def add(self, item, n=1):
        '''Adds.

        Twice.
        '''
def hidden(): ...
def _tax(x): ...
"""
CART_STUB = """class Base:
    def total(self, net: int) -> int: ...
class Cart(Base):
    def add(self, item: str, n: int = ...) -> None: ...
"""


def metadata(name, version):
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


@pytest.fixture
def venv(tmp_path):
    base, root = tmp_path / "base", tmp_path / "root"
    site = ".venv/lib/python3.12/site-packages"
    write(base, {"lib/python3.12/string.py": "def capwords(s, sep=None):\n    '''Caps.'''\n"})
    write(
        root,
        {
            ".venv/pyvenv.cfg": f"home = {base / 'bin'}\nversion = 3.12.4\n",
            f"{site}/shop/__init__.py": SHOP,
            f"{site}/shop/cart.py": CART,
            f"{site}/shop-stubs/cart.pyi": CART_STUB,
            f"{site}/shop/round.py": "from .back import loop\n",
            f"{site}/shop/back.py": "from .round import loop\n",
            f"{site}/shop/deep/down.py": "def bottom(): ...\n",
            f"{site}/shop/fast.cpython-312-x86_64-linux-gnu.so": "\0",
            f"{site}/shop/fast.pyi": "def speed(x: int, /) -> float: ...\n",
            f"{site}/shop-2.5.dist-info/METADATA": metadata("Shop", "2.5"),
            f"{site}/shop-2.5.dist-info/RECORD": "shop/__init__.py,,\nshop/cart.py,,\n",
            f"{site}/space/one/__init__.py": "def first(): ...\n",
            f"{site}/extra.pth": f"# more\nimport os; raise SystemExit\n{tmp_path / 'more'}\n",
            f"{site}/__editable___tool_1_finder.py": f"MAPPING: dict[str, str] = "
            f"{{'tool': {str(tmp_path / 'work/tool')!r}}}\n",
            f"{site}/tool-1.0.dist-info/METADATA": metadata("tool", "1.0"),
            f"{site}/tool-1.0.dist-info/direct_url.json": json.dumps(
                {"url": f"file://{tmp_path / 'work'}", "dir_info": {"editable": True}}
            ),
        },
    )
    write(tmp_path / "more", {"space/two.py": "def second(): ...\n"})
    write(tmp_path / "work", {"tool/__init__.py": "def hammer(nail): ...\n"})
    return root


def test_another_environment_is_read_and_nothing_of_it_is_run(venv, tmp_path):
    for given in (None, venv / ".venv", venv / ".venv" / "bin" / "python"):
        environment = environment_of(given, venv)
        assert environment.version == "3.12.4"
    library = Library(environment, PythonExtractor())

    add = library.look_up("shop.Cart.add")
    assert (add.path, add.distribution, add.version) == ("shop.cart.Cart.add", "Shop", "2.5")
    assert add.signature == "def add(self, item: str, n: int = ...) -> None"
    assert add.doc == "Adds.\n\nTwice."
    assert add.file.name == "cart.py"
    assert add.definition.kind is Kind.METHOD
    total = library.look_up("shop.Cart.total")
    assert (total.signature, total.doc) == ("def total(self, net: int) -> int", "The total.")
    assert library.look_up("shop.tax").path == "shop.cart._tax"
    assert library.look_up("shop.hidden") is None
    assert library.look_up("shop.deep.down.bottom").signature == "def bottom()"
    assert library.look_up("shop.fast.speed").signature == "def speed(x: int, /) -> float"
    assert library.look_up("shop.start").path == "shop.cart.Cart.add"
    assert library.look_up("shop.loop") is None
    assert library.members("shop.Cart") == ["add", "total"]
    assert {"Cart", "LIMIT", "cart"} <= set(library.members("shop"))

    assert library.look_up("space.one.first").signature == "def first()"
    assert library.look_up("string.capwords").distribution == "python"
    assert library.look_up("string.capwords").doc == "Caps."
    hammer = library.look_up("tool.hammer")
    assert (hammer.distribution, hammer.version) == ("tool", "1.0")

    # What is edited in place, or installed since, is seen.
    write(tmp_path / "work", {"tool/__init__.py": "def hammer(nail, force): ...\n"})
    assert library.look_up("tool.hammer").signature == "def hammer(nail, force)"
    site = environment.sites[0]
    assert library.look_up("late.thing") is None
    write(site, {"late.py": "def thing(): ...\n"})
    assert library.look_up("late.thing").signature == "def thing()"


def test_what_is_no_environment_is_said(tmp_path):
    with pytest.raises(DataError, match="is no Python environment"):
        environment_of(tmp_path)
