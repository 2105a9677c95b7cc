"""Calls of which it is certain what they call: a definition of another file, as Python finds it.

    python bench/remembering/sites.py --root FOLDER --names sympy --count 100 --out sites.json

Modules are imported here, and the name that is called is looked up in them; a function says by its
code object where it stands, a class by its module and qualified name. So the truth knows nothing of
how Codewright resolves names. Three ways to call: by a name that the file imports and binds by
nothing else, by a dotted path from such a name through modules and classes, and a method of `self`
or `super()` that the class inherits. No other call is certain enough.

Files are drawn at random and give one call each, so that all calls can be masked in one tree: no
masked file has a definition that another one needs. Tests are not drawn from.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import random
import sys
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.remembering.masks import Import, binds
from bench.remembering.scopes import Function, Scope, bound, calls, defined, dotted, statements

SKIPPED = {"antigravity", "this", "idlelib", "turtledemo", "lib2to3", "ensurepip", "encodings"}
"""Of the standard library: they open windows and browsers, or are generated and all alike."""
OFTEN = 2
"""Calls of one definition: a function that everybody calls would be most of the set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A call, the statement that it ends with the rest of, and the definition that is needed.

    start, end: of the call, and of its statement; lines from 1, columns in bytes. name: as written.
    how: "name", "dotted" or "inherited". imported: the name that an import binds, "" where none
    does; within: the line of the function that imports it, 0 for the file. target: path of the
    definition; first, line, last: its decorators' line, its own, its last one; constructor: the
    line of a class's own `__init__`, or 0.
    """

    path: str
    start: tuple[int, int]
    end: tuple[int, int]
    name: str
    how: str
    imported: str
    within: int
    target: str
    first: int
    line: int
    last: int
    constructor: int


class Truth:
    """Looks names up in imported modules."""

    def __init__(self, root: Path, names: list[str]) -> None:
        self.root, self._names = root, set(names)
        self._trees: dict[Path, ast.Module | None] = {}

    def module(self, path: Path) -> types.ModuleType | None:
        """Imports a file of the tree under its own name; None where that does not work."""
        parts = list(path.relative_to(self.root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(sys.stdout):
                found = importlib.import_module(".".join(parts))
        except (Exception, SystemExit):  # boundary: whatever a stranger's module does at import
            return None
        return found if found.__file__ and Path(found.__file__) == path else None

    def tree(self, path: Path) -> ast.Module | None:
        """Parses a file once."""
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError, OSError):
                self._trees[path] = None
        return self._trees[path]

    def definition(self, value: Any) -> tuple[Path, ast.stmt] | None:
        """Returns where a class or function is defined, None where that is not certain."""
        if isinstance(value, types.MethodType):
            value = value.__func__
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, types.FunctionType):
            path, line = Path(value.__code__.co_filename), value.__code__.co_firstlineno
        elif isinstance(value, type):
            module = sys.modules.get(value.__module__)
            if module is None or not module.__dict__.get("__file__"):
                return None
            path, line = Path(str(module.__file__)), 0
        else:
            return None
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else None
        if inside is None or inside.parts[0] not in self._names:
            return None
        if (tree := self.tree(path)) is None:
            return None
        found = [
            node
            for name, node in defined(tree.body)
            if (name == value.__qualname__ and not line)
            or (line and name.endswith(value.__name__) and _first(node) == line)
        ]
        if len(found) != 1 or isinstance(found[0], ast.ClassDef) != isinstance(value, type):
            return None
        return path, found[0]


def _first(node: ast.stmt) -> int:
    assert isinstance(node, Function | ast.ClassDef)
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def found_at(truth: Truth, path: Path) -> Iterator[Site]:
    """Yields the certain calls of one file."""
    tree, module = truth.tree(path), truth.module(path)
    if tree is None or module is None:
        return
    top = bound(tree)
    declared = {
        name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
    }
    for statement, scope in statements(tree):
        for call in calls(statement):
            names = dotted(call.func)
            if not names or names[0] in declared:
                continue
            value, within, how = _value(names, scope, top, module)
            place = truth.definition(value)
            if place is None or place[0] == path or place[1].end_lineno is None:
                continue
            target, node = place
            assert isinstance(node, Function | ast.ClassDef)
            own = node.body if isinstance(node, ast.ClassDef) else []
            inits = [x.lineno for x in own if isinstance(x, Function) and x.name == "__init__"]
            yield Site(
                path=path.relative_to(truth.root).as_posix(),
                start=(call.lineno, call.col_offset),
                end=(statement.end_lineno or 0, statement.end_col_offset or 0),
                name=".".join(names),
                how=how,
                imported="" if how == "inherited" else names[0],
                within=within,
                target=target.relative_to(truth.root).as_posix(),
                first=_first(node),
                line=node.lineno,
                last=node.end_lineno or 0,
                constructor=inits[0] if inits else 0,
            )


def _value(
    names: list[str], scope: Scope, top: dict[str, list[ast.AST]], module: types.ModuleType
) -> tuple[Any, int, str]:
    """Returns what a path names, the line of the function that imports it, and how it is called."""
    root, how = names[0], "name" if len(names) == 1 else "dotted"
    if root in ("self", "cls", "super()"):
        return _inherited(names, scope, module), 0, "inherited"
    if any(root in names_of for names_of in scope.outer):
        return None, 0, how
    within = 0
    if root in scope.bound:
        ways = scope.bound[root]
        if len(ways) != 1 or not isinstance(ways[0], Import) or scope.function is None:
            return None, 0, how
        value, within = _imported(ways[0], root, module), scope.function.lineno
    elif root in top and all(isinstance(way, Import) for way in top[root]):
        value = module.__dict__.get(root)
    else:
        return None, 0, how
    for name in names[1:]:
        if not isinstance(value, types.ModuleType | type):
            return None, 0, how
        value = inspect.getattr_static(value, name, None)
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
    return value, within, how


def _imported(statement: Import, root: str, module: types.ModuleType) -> Any:
    """Returns what an import in a function binds."""
    for alias in statement.names:
        if binds(alias, statement) != root:
            continue
        if isinstance(statement, ast.Import):
            name = alias.name if alias.asname else root
            return sys.modules.get(name)
        source = "." * statement.level + (statement.module or "")
        with contextlib.suppress(ImportError, ValueError):
            owner = importlib.import_module(
                importlib.util.resolve_name(source, module.__package__ or "")
            )
            return owner.__dict__.get(alias.name) or sys.modules.get(
                f"{owner.__name__}.{alias.name}"
            )
    return None


def _inherited(names: list[str], scope: Scope, module: types.ModuleType) -> Any:
    """Returns the method of a base class that `self.name` is, where the class has none itself."""
    function, owner = scope.function, scope.owner
    if function is None or owner is None or len(names) != 2 or scope.outer:
        return None
    if names[0] != "super()":
        arguments = function.args.posonlyargs + function.args.args
        if not arguments or arguments[0].arg != names[0] or len(scope.bound[names[0]]) != 1:
            return None
    kind = module.__dict__.get(owner.name)
    if not isinstance(kind, type) or kind.__module__ != module.__name__:
        return None
    for base in kind.__mro__[names[0] == "super()" :]:
        if names[1] in base.__dict__:
            value = base.__dict__[names[1]]
            return value.__func__ if isinstance(value, classmethod | staticmethod) else value
    return None


def drawn(root: Path, names: list[str], count: int, seed: int) -> Iterator[Site]:
    """Yields so many calls, one a file, no masked file being needed by another."""
    truth, chance = Truth(root, names), random.Random(seed)
    files = sorted(
        path
        for name in names
        for path in ([root / name] if name.endswith(".py") else (root / name).rglob("*.py"))
        if not _is_test(path.relative_to(root)) and path.stem not in SKIPPED
    )
    chance.shuffle(files)
    masked: set[str] = set()
    needed: Counter[tuple[str, int]] = Counter()
    for path in files:
        if count == 0:
            return
        if any(path.relative_to(root).as_posix() == target for target, _ in needed):
            continue
        sites = [
            site
            for site in found_at(truth, path)
            if site.target not in masked and needed[site.target, site.line] < OFTEN
        ]
        if not sites:
            continue
        site = chance.choice(sites)
        masked.add(site.path)
        needed[site.target, site.line] += 1
        count -= 1
        yield site


def _is_test(path: Path) -> bool:
    parts = {part.removesuffix(".py") for part in path.parts}
    words = {"test", "tests", "testing", "conftest", "site-packages", "__main__"}
    return bool(parts & (words | SKIPPED)) or path.name.startswith("test_")


def read(path: Path) -> list[Site]:
    """Returns what `main` wrote."""
    told = json.loads(path.read_text())
    ends = ({"start": tuple(each["start"]), "end": tuple(each["end"])} for each in told)
    return [Site(**each | both) for each, both in zip(told, ends, strict=True)]


def main() -> None:
    """Draws what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--names", required=True, help="packages and files under it; * for all")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    names = given.names.split(",")
    if names == ["*"]:
        names = sorted(
            path.name
            for path in given.root.iterdir()
            if path.suffix == ".py" or (path / "__init__.py").is_file()
        )
    sys.path.insert(0, str(given.root))
    sites = [asdict(site) for site in drawn(given.root, names, given.count, given.seed)]
    given.out.write_text(json.dumps(sites, indent=1) + "\n")


if __name__ == "__main__":
    main()
