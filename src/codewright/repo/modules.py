"""What an import may name: dotted names of Python's files, and files of dotted names.

A module is known by the path of its file, a package by that of its `__init__`, and a package
without one (a namespace, PEP 420) by its folder with a `/` behind it. Any folder that is no
package itself may stand on the search path, as `src`, the root and a folder of scripts do; which
of several a name means is decided by what stands nearest to the file that imports it. A stub
(`.pyi`) stands in where there is no `.py`.

Names of the standard library stay its own, but where the repository is the standard library or
has a script of that name beside the importing one. Nothing here opens a file: contents do not
matter, so `Modules` can be kept for as long as no file comes or goes. Imports of other languages
are `modules_elsewhere.py`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

SUFFIXES = (".py", ".pyi")
_SOURCES = frozenset({"src", "lib", "python", "source", "sources"})
"""Folders that usually stand on the search path, where nothing nearer is found."""


class Modules:
    """The Python modules among some paths.

    Args:
        paths: of all files, relative to the root, with `/`; others than Python's are passed over.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._stems: dict[str, dict[str, str]] = {"": {}}
        self._folders: dict[str, set[str]] = {"": set()}
        for path in paths:
            if path.endswith(SUFFIXES):
                self._add(path)
        self._tops: dict[str, list[str]] = {}
        for folder, stems in self._stems.items():
            if folder and "__init__" in stems:
                continue
            for name in self._folders[folder].union(stems):
                module = self.inside(folder, name)
                if module:
                    self._tops.setdefault(name, []).append(module)
        self._roots: dict[str, str] = {}

    def name(self, path: str) -> str:
        """Returns the dotted name under which a file is usually imported.

        The name begins below a folder such as `src` or below the last folder whose name could be
        no part of it, or else at the root; so `tests/unit/test_x.py` is `tests.unit.test_x`.
        "" where the file cannot be imported.
        """
        if not path.endswith(SUFFIXES):
            return ""
        root = self.root(path)
        inner = path[len(root) + 1 :] if root else path
        parts = inner.rpartition(".")[0].split("/")
        if parts[-1] == "__init__":
            parts.pop()
        parts = [part.removesuffix("-stubs") for part in parts]
        return ".".join(parts) if all(part.isidentifier() for part in parts) else ""

    def root(self, path: str) -> str:
        """Returns the folder on the search path from which a file is usually imported."""
        folder = path.rpartition("/")[0]
        known = self._roots.get(folder)
        if known is None:
            known = self._roots[folder] = self._root(folder)
        return known

    def top(self, name: str, near: str) -> Sequence[str]:
        """Returns the modules that a first name may mean to a file, the likeliest first."""
        found = self._tops.get(name, ())
        if name in sys.stdlib_module_names:
            found = [m for m in found if not m.endswith("/") and _ancestor(_above(m), near)]
        if len(found) < 2:
            return found
        return sorted(found, key=lambda module: _distance(module, near))

    def relative(self, dots: int, near: str) -> str | None:
        """Returns the package that leading dots mean to a file, None above the root."""
        folder = near.rpartition("/")[0]
        for _ in range(dots - 1):
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        return self._stems.get(folder, {}).get("__init__", folder + "/")

    def child(self, module: str, name: str) -> str | None:
        """Returns a module inside a package, None where there is none of that name."""
        if module.endswith("/"):
            return self.inside(module[:-1], name)
        folder, _, file = module.rpartition("/")
        return self.inside(folder, name) if file.startswith("__init__.") else None

    def inside(self, folder: str, name: str) -> str | None:
        """Returns what a name is in a folder: a package before a file before a namespace."""
        inner = f"{folder}/{name}" if folder else name
        for package in (inner, inner + "-stubs"):
            init = self._stems.get(package, {}).get("__init__")
            if init:
                return init
        file = self._stems.get(folder, {}).get(name)
        if file:
            return file
        return inner + "/" if inner in self._folders else None

    def find(self, dotted: str, near: str = "") -> str | None:
        """Returns the module of a whole dotted name, by what stands nearest to a file."""
        first, *rest = dotted.split(".")
        for start in self.top(first, near):
            module: str | None = start
            for name in rest:
                module = self.child(module, name) if module else None
            if module:
                return module
        return None

    def _add(self, path: str) -> None:
        folder, _, file = path.rpartition("/")
        stem = file.rpartition(".")[0]
        self._know(folder)
        stems = self._stems[folder]
        if stem not in stems or path.endswith(".py"):
            stems[stem] = path

    def _know(self, folder: str) -> None:
        if folder in self._folders:
            return
        above, _, last = folder.rpartition("/")
        self._know(above)
        self._folders[above].add(last.removesuffix("-stubs"))
        self._folders[folder], self._stems[folder] = set(), {}

    def _root(self, folder: str) -> str:
        parts = folder.split("/") if folder else []
        for at in range(len(parts), 0, -1):
            part, above = parts[at - 1], "/".join(parts[:at])
            if "__init__" in self._stems.get(above, {}):
                continue
            if part in _SOURCES or not part.removesuffix("-stubs").isidentifier():
                return above
        return ""


def split(path: str) -> tuple[int, list[str]]:
    """Returns how many dots a path begins with, and its names."""
    names = path.lstrip(".")
    return len(path) - len(names), names.split(".") if names else []


def _above(module: str) -> str:
    """Returns the folder from which a module of one name is imported."""
    folder = module.rstrip("/").rpartition("/")[0]
    last = module.rpartition("/")[2]
    return folder.rpartition("/")[0] if last.startswith("__init__.") else folder


def _ancestor(folder: str, path: str) -> bool:
    return not folder or path.startswith(folder + "/")


def _distance(module: str, near: str) -> tuple[bool, int, int, str]:
    """Orders modules of one name: regular before namespaces, above the file, the nearest first."""
    root = _above(module)
    if _ancestor(root, near):
        place = 0
    elif root.rpartition("/")[2] in _SOURCES:
        place = 1
    else:
        place = 2
    return module.endswith("/"), place, -len(root) if place == 0 else len(root), module
