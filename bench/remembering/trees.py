"""The trees that are measured: the standard library, large packages, and a made monorepo.

All are copies of Python files alone in a scratch folder, so that every tool may write beside them
and edits hurt nobody. The monorepo is a million lines of real code: installed packages, copied as
often as it takes, in each copy every name that the package defines (modules, classes, functions)
with an ending of its own, everywhere. So no two files are alike and names still fit together. It is
the same on every machine that has the same packages.
"""

from __future__ import annotations

import builtins
import importlib.metadata
import keyword
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from bench.pages import say

PACKAGES = ("transformers", "torch", "sympy")
"""The largest of the environment, by lines of Python."""
MONOREPO = ("networkx", "fontTools", "pygments", "mpmath")
MILLION = 1_000_000
_DEFINED = re.compile(r"^\s*(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w{3,}\b")
_KEPT = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names}
_NOT_COPIED = ("site-packages", "__pycache__")


def source(name: str) -> Path:
    """Returns where a tree's files lie: "stdlib", or a package of the environment."""
    paths = sysconfig.get_paths()
    return Path(paths["stdlib"]) if name == "stdlib" else Path(paths["purelib"]) / name


def version(name: str) -> str:
    """Returns what a tree is a copy of, with its version."""
    if name == "stdlib":
        return f"Python {sys.version.split()[0]}"
    if name == "monorepo":
        return "made of " + ", ".join(version(each) for each in MONOREPO)
    owner = importlib.metadata.packages_distributions()[name][0]
    return f"{owner} {importlib.metadata.version(owner)}"


def tree(name: str, scratch: Path, *, tests: bool = True) -> Path:
    """Returns the folder of a tree, made where it is not there yet."""
    root = scratch / (name if tests else f"{name}-without-tests")
    done = root.with_suffix(".done")
    if not done.is_file():
        say(f"making {root}")
        if name == "monorepo":
            monorepo(root)
        else:
            copy(source(name), root if name == "stdlib" else root / name, tests=tests)
        done.write_text("")
    return root


def copy(folder: Path, to: Path, *, tests: bool = True) -> None:
    """Copies Python files; `tests` says whether a top folder `test` is among them."""
    for path in python_files(folder):
        inside = path.relative_to(folder)
        if tests or inside.parts[0] != "test":
            target = to / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


def python_files(folder: Path) -> Iterator[Path]:
    """Yields Python files by path, none of installed packages below."""
    for path in sorted(folder.rglob("*.py")):
        if not set(path.relative_to(folder).parts) & set(_NOT_COPIED) and path.is_file():
            yield path


def monorepo(root: Path, packages: tuple[str, ...] = MONOREPO, wanted: int = MILLION) -> int:
    """Writes the monorepo, and returns its lines."""
    lines, turn = 0, 0
    while lines < wanted:
        for package in packages:
            for path, text in renamed(source(package), f"_{_letters(turn)}"):
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
                lines += text.count("\n")
                if lines >= wanted:
                    return lines
        turn += 1
    return lines


def renamed(folder: Path, ending: str) -> Iterator[tuple[str, str]]:
    """Yields paths and texts of a package in which all names of its own end so."""
    texts = {}
    for path in python_files(folder):
        try:
            texts[path.relative_to(folder.parent)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    names = {name for text in texts.values() for name in _DEFINED.findall(text)}
    names |= {part.removesuffix(".py") for path in texts for part in path.parts}
    names = {n for n in names if not n.startswith("__") and n not in _KEPT and len(n) > 3}

    def changed(found: re.Match[str]) -> str:
        return found[0] + ending if found[0] in names else found[0]

    for path, text in texts.items():
        yield _WORD.sub(changed, path.as_posix()), _WORD.sub(changed, text)


def _letters(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number % 26] + str(number // 26 or "")
