"""The house rules that a program can check, and proof that it would see them broken.

`violations` reads the source, it imports nothing. Each line it returns names the file, the line
and the rule. Where a rule has a way out, it is a comment on the offending line that says why:
`# boundary: …` for a handler of every exception, `# trusted: …` for a format that runs what it
reads.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

ROOMS = (
    *("errors", "types", "files", "config", "console", "svg", "page"),
    *("sandbox", "tokens", "corpus", "model", "train", "engine", "generate", "repo"),
    *("verify", "write", "evaluate", "serve", "cli", "__main__"),
)
"""A room may import from itself and from the rooms before it."""

FILE_LINES = 400
FUNCTION_LINES = 60
NO_FORMAT = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CATCH_ALL = {"Exception", "BaseException"}
MODULE_NAME = re.compile(r"codewright(\.\w+)+")
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def violations(root: Path) -> list[str]:
    """Returns every breach under `root`, a folder laid out as the repository is."""
    package = root / "src" / "codewright"
    found = []
    for path in sorted(sources(root)):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=str(path))
        breaches = list(too_long(text, tree))
        if path.is_relative_to(package):
            inside = path.relative_to(package).with_suffix("").parts
            breaches += one_file(inside, text, tree, package)
        found += [f"{path.relative_to(root)}:{line}: {what}" for line, what in sorted(breaches)]
    return found


def sources(root: Path) -> Iterator[Path]:
    """Yields the Python files that the rules are about; the demo's candidates are data."""
    for folder in ("src", "tests", "bench"):
        for path in (root / folder).rglob("*.py"):
            if (root / "src" / "codewright" / "data") not in path.parents:
                yield path


def one_file(
    inside: tuple[str, ...], text: str, tree: ast.Module, package: Path
) -> Iterator[tuple[int, str]]:
    """Yields the breaches of one file of the package; `inside` is its path, without `.py`."""
    if inside[-1] == "__init__":
        if len(inside) > 1 and text:
            yield 1, "an inner __init__.py is empty"
        if len(inside) == 1 and any(imported_modules(tree)):
            yield 1, "the package imports nothing when it is imported"
        return
    if inside[0] not in ROOMS:
        yield 1, f"{inside[0]} has no place in the order of the rooms"
        return
    if ast.get_docstring(tree) is None:
        yield 1, "a module opens with its contract, and this one has no docstring"
    yield from order(inside[0], tree)
    yield from definitions(tree, package)
    yield from work_at_import(tree.body)
    yield from banned(tree, text.splitlines())


def too_long(text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield 1, f"{lines} lines, and a file has at most {FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines, {FUNCTION_LINES} at most"


def imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yields (line, dotted name) of what is imported, by statement or by name in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = node.value.partition(":")[0]
            if MODULE_NAME.fullmatch(module):
                yield node.lineno, module


def order(room: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imported_modules(tree):
        parts = name.split(".")
        if parts[0] != "codewright" or len(parts) == 1:
            continue
        if parts[1] not in ROOMS:
            yield line, f"{parts[1]} is no room"
        elif ROOMS.index(parts[1]) > ROOMS.index(room):
            yield line, f"{room} imports {parts[1]}, which stands below it"


def definitions(tree: ast.Module, package: Path) -> Iterator[tuple[int, str]]:
    """Yields the imports that do not go to the file that defines the name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            yield node.lineno, "imports are absolute"
            continue
        parts = (node.module or "").split(".")
        if parts[0] != "codewright":
            continue
        place = package.joinpath(*parts[1:])
        for alias in node.names:
            if place.is_dir():
                target = place / alias.name
                if not (target.is_dir() or target.with_suffix(".py").is_file()):
                    yield node.lineno, f"import {alias.name} from the file that defines it"
            elif alias.name not in defined(place.with_suffix(".py")):
                yield node.lineno, f"{node.module} does not define {alias.name}"


def defined(path: Path) -> set[str]:
    """Returns the names that a module itself defines, at its top level or under an if or try."""
    if not path.is_file():
        return set()
    names = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            targets = [name for target in node.targets for name in ast.walk(target)]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields what a module does at its top level, looking into if and try."""
    for node in body:
        if isinstance(node, ast.If):
            if "__main__" not in ast.unparse(node.test):
                yield from statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [part for handler in node.handlers for part in handler.body]
            yield from statements([*node.body, *handlers, *node.orelse, *node.finalbody])
        else:
            yield node


def work_at_import(body: Iterable[ast.stmt]) -> Iterator[tuple[int, str]]:
    for node in statements(body):
        is_call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        if is_call or isinstance(node, ast.For | ast.While | ast.With | ast.Delete):
            yield node.lineno, "work at import"
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, CONTAINERS):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and not target.id.strip("_").isupper():
                    yield node.lineno, f"{target.id} is a mutable global"


def banned(tree: ast.Module, lines: list[str]) -> Iterator[tuple[int, str]]:
    for line, name in imported_modules(tree):
        module = name.split(".")[0]
        if module in NO_FORMAT and "# trusted: " not in lines[line - 1]:
            yield line, f"{module} is no format: it runs what it reads"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and catches_all(node):
            if "# boundary: " not in lines[node.lineno - 1]:
                yield node.lineno, "catches every exception and is no declared boundary"
        elif isinstance(node, ast.Global):
            yield node.lineno, f"{', '.join(node.names)} is a mutable global"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            by_name = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            if node.func.id == "hasattr" or (node.func.id == "getattr" and by_name):
                yield node.lineno, f"probes with {node.func.id}"


def catches_all(handler: ast.ExceptHandler) -> bool:
    """True where every exception ends here; tidying up and raising on is another matter."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None and not has_return(handler):
        return False
    if handler.type is None:
        return True
    return any(
        isinstance(node, ast.Name) and node.id in CATCH_ALL for node in ast.walk(handler.type)
    )


def has_return(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Return) for node in ast.walk(handler))


def test_the_house_keeps_its_rules():
    found = violations(REPOSITORY)
    assert not found, "\n".join(["", *found])


def test_the_whole_house_was_read():
    read = {path.relative_to(REPOSITORY).as_posix() for path in sources(REPOSITORY)}
    assert {"src/codewright/errors.py", "src/codewright/cli/main.py"} <= read
    assert "tests/test_layers.py" in read
    assert not any("/data/demo/" in path for path in read)


CLEAN = {
    "__init__.py": '"""The package."""\n',
    "errors.py": '"""E."""\n\n\nclass Wrong(Exception):\n    """W."""\n',
    "types.py": '"""T."""\n\nfrom codewright.errors import Wrong\n\nTABLE = {1: Wrong}\n',
    "sandbox/__init__.py": "",
    "sandbox/wire.py": (
        '"""W."""\n\nfrom typing import TYPE_CHECKING\n\nfrom codewright import errors\n'
        "from codewright.types import TABLE\n\nif TYPE_CHECKING:\n    import pathlib\n\n\n"
        "def send(name):\n    try:\n        return getattr(errors, name, TABLE)\n"
        "    except Exception:  # boundary: the outermost frame\n        return None\n\n\n"
        "def tidy():\n    try:\n        send(1)\n    except BaseException:\n        raise\n"
    ),
    "sandbox/judge.py": '"""J."""\n\nimport marshal  # trusted: from us\n'
    "from codewright.sandbox.wire import send\n\nSENT = send\n",
    "cli/__init__.py": "",
    "cli/main.py": (
        '"""C."""\n\nfrom codewright.sandbox import judge\n\nX = "codewright.sandbox.wire:send"\n'
        '\nif __name__ == "__main__":\n    judge.SENT("x")\n'
    ),
    "data/demo/hostile.py": "import pickle\nfor _ in 1, 2: hasattr(_, 'x')\n",
}


def build(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / "src" / "codewright" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_clean_house_has_no_violation(tmp_path):
    assert violations(build(tmp_path, CLEAN)) == []


@pytest.mark.parametrize(
    ("name", "text", "line", "complaint"),
    [
        ("sandbox/a.py", "import codewright.cli.main\n", 2, "sandbox imports cli, which stands"),
        ("sandbox/a.py", "from codewright.cli import main\n", 2, "sandbox imports cli, which"),
        ("sandbox/a.py", "from codewright import cli\n", 2, "sandbox imports cli, which stands"),
        ("sandbox/a.py", "def f():\n    import codewright.cli.main\n", 3, "sandbox imports cli"),
        ("sandbox/a.py", "if 1:\n    from codewright.cli import main\n", 3, "sandbox imports cli"),
        ("sandbox/a.py", "ROLE = 'codewright.cli.main:run'\n", 2, "sandbox imports cli, which"),
        ("files.py", "import codewright.console\n", 2, "files imports console, which stands"),
        ("files.py", "import codewright.attic.old\n", 2, "attic is no room"),
        ("attic/a.py", "", 1, "attic has no place in the order of the rooms"),
        ("sandbox/a.py", "from .wire import send\n", 2, "imports are absolute"),
        ("sandbox/a.py", "from codewright.sandbox import send\n", 2, "import send from the file"),
        ("sandbox/a.py", "from codewright.types import Wrong\n", 2, "types does not define Wrong"),
        ("sandbox/a.py", "from codewright.sandbox.no import x\n", 2, "no does not define x"),
        ("sandbox/a.py", "import pickle\n", 2, "pickle is no format"),
        ("sandbox/a.py", "def f():\n    from marshal import loads\n", 3, "marshal is no format"),
        ("sandbox/a.py", "try:\n    X = 1\nexcept Exception:\n    X = 2\n", 4, "every exception"),
        ("sandbox/a.py", "try:\n    X = 1\nexcept:  # why not\n    X = 2\n", 4, "every exception"),
        ("sandbox/a.py", "def f():\n    try:\n        pass\n    except (OSError, BaseException):\n"
         "        # boundary: not on the line\n        pass\n", 5, "catches every exception"),
        ("sandbox/a.py", "def f():\n    try:\n        pass\n    except Exception:\n"
         "        if 1:\n            return\n        raise\n", 5, "catches every exception"),
        ("sandbox/a.py", "def f(x):\n    return hasattr(x, 'y')\n", 3, "probes with hasattr"),
        ("sandbox/a.py", "def f(x):\n    return getattr(x, 'y', 0)\n", 3, "probes with getattr"),
        ("sandbox/a.py", "def f():\n    global X\n", 3, "X is a mutable global"),
        ("sandbox/a.py", "cache = {}\n", 2, "cache is a mutable global"),
        ("sandbox/a.py", "seen: list = [1]\n", 2, "seen is a mutable global"),
        ("sandbox/a.py", "print('hello')\n", 2, "work at import"),
        ("sandbox/a.py", "if 1:\n    for X in 1, 2:\n        pass\n", 3, "work at import"),
        ("sandbox/a.py", "try:\n    with open('x') as X:\n        pass\nfinally:\n    pass\n", 3,
         "work at import"),
        ("sandbox/a.py", "X = 1\n" * 400, 1, "401 lines, and a file has at most 400"),
        ("sandbox/a.py", "def f():\n" + "    x = 1\n" * 60, 2, "f has 61 lines, 60 at most"),
        ("sandbox/a.py", "class C:\n    async def g(self):\n" + "        x = 1\n" * 60, 3,
         "g has 61 lines"),
        ("sandbox/__init__.py", "# nothing\n", 1, "an inner __init__.py is empty"),
        ("__init__.py", "import os\n", 1, "the package imports nothing"),
    ],
)  # fmt: skip
def test_a_violation_is_named_with_its_place(tmp_path, name, text, line, complaint):
    # A first line with a docstring, so that each file breaks one rule only.
    found = violations(build(tmp_path, {**CLEAN, name: '"""A."""\n' + text}))
    assert len(found) == 1, found
    assert found[0].startswith(f"src/codewright/{name}:{line}: "), found
    assert complaint in found[0]


def test_several_violations_are_all_named(tmp_path):
    build(tmp_path, {**CLEAN, "sandbox/bare.py": "import pickle\nprint(hasattr(pickle, 'x'))\n"})
    long_test = tmp_path / "tests" / "test_long.py"
    long_test.parent.mkdir()
    long_test.write_text("x = 1\n" * 401)
    found = violations(tmp_path)
    assert [line.split(": ", 1)[1] for line in found] == [
        "a module opens with its contract, and this one has no docstring",
        "pickle is no format: it runs what it reads",
        "probes with hasattr",
        "work at import",
        "401 lines, and a file has at most 400",
    ]
