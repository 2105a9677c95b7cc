"""What an import may name in languages other than Python: files by paths, packages by folders.

A path begins with a module and goes on with names in it (`languages/` says how each language writes
it). `starts` returns what the module may be, the likeliest first, with the names that are left. A
folder with a `/` behind it is a package of all its files, as Go and Java have them.

- JavaScript, TypeScript: relative paths with suffixes and `index` files tried, and the `paths` and
  `baseUrl` of a tsconfig.json or jsconfig.json at the root; no workspaces, no `exports` of
  packages.
- Go: folders below the module that go.mod at the root names; without one, folders whose path ends
  so.
- Java: files whose path ends as the dotted name begins.
- Rust: `crate`, `self` and `super` by the files of modules; no `#[path]`.
- C, C++: an include beside the including file, else the one file whose path ends so.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SCRIPTS = frozenset({"javascript", "typescript", "tsx", "jsx"})
NATIVE = frozenset({"c", "cpp"})
PACKAGED = frozenset({"go", "java"})
"""Files of a folder see each other's names."""
_TRIED = ("", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


class Start(NamedTuple):
    """A file, or a folder with `/`, and the names that are looked for in it."""

    module: str
    names: list[str]


class Elsewhere:
    """The files of a repository as imports of other languages see them.

    Args:
        languages: of each path.
        root: the folder, whose go.mod and tsconfig.json are read.
    """

    def __init__(self, languages: Mapping[str, str], root: Path) -> None:
        self._paths = languages
        self._ends: dict[str, list[str]] = {}
        self._folders: dict[tuple[str, str], list[str]] = {}
        for path, language in languages.items():
            if language == "python":
                continue
            folder, _, file = path.rpartition("/")
            self._ends.setdefault(file, []).append(path)
            if language in PACKAGED:
                self._folders.setdefault((language, folder), []).append(path)
        scripts = any(language in SCRIPTS for language in languages.values())
        self._aliases = _aliases(root) if scripts else {}
        self._go = _go_module(root) if ("go" in languages.values()) else ""

    def starts(self, path: str, near: str, language: str) -> Iterable[Start]:
        """Yields the modules that a path of a file may begin with, and the names left over."""
        if language in SCRIPTS:
            module, _, rest = path.partition("#")
            return [Start(file, _names(rest)) for file in self._script(module, near)]
        if language == "go":
            module, _, rest = path.partition("#")
            return [Start(folder + "/", _names(rest)) for folder in self._go_folders(module)]
        if language == "java":
            return self._java(path)
        if language == "rust":
            return self._rust(path, near)
        if language in NATIVE:
            return [Start(file, []) for file in self._included(path, near)]
        return []

    def together(self, folder: str, language: str) -> list[str]:
        """Returns the files of a folder that see each other's names."""
        return self._folders.get((language, folder), [])

    def in_folder(self, folder: str) -> list[str]:
        """Returns the files of a package that is a folder."""
        return [path for language in sorted(PACKAGED) for path in self.together(folder, language)]

    def _script(self, module: str, near: str) -> Iterator[str]:
        if module.startswith("."):
            yield from self._script_file(posixpath.join(posixpath.dirname(near), module))
            return
        for head, targets in self._aliases.items():
            if module == head.rstrip("*") or (head.endswith("*") and module.startswith(head[:-1])):
                for target in targets:
                    rest = module[len(head) - 1 :] if head.endswith("*") else ""
                    yield from self._script_file(target.replace("*", rest))

    def _script_file(self, base: str) -> Iterator[str]:
        base = posixpath.normpath(base)
        # A compiled name is imported, and the source is what is here.
        stems = [base, re.sub(r"\.[cm]?jsx?$", "", base)]
        for stem in dict.fromkeys(stems):
            for middle in (stem, f"{stem}/index"):
                for suffix in _TRIED:
                    if middle + suffix in self._paths:
                        yield middle + suffix
                        return

    def _go_folders(self, module: str) -> Iterator[str]:
        if self._go:
            if module == self._go or module.startswith(self._go + "/"):
                folder = module[len(self._go) + 1 :]
                if ("go", folder) in self._folders:
                    yield folder
            return
        parts = module.split("/")
        for at in range(len(parts) - 1):
            folder = "/".join(parts[at:])
            if ("go", folder) in self._folders:
                yield folder
                return

    def _java(self, path: str) -> Iterator[Start]:
        parts = path.split(".")
        for at, part in enumerate(parts):
            end = "/".join(parts[: at + 1]) + ".java"
            for file in self._ends.get(part + ".java", ()):
                if file == end or file.endswith("/" + end):
                    yield Start(file, parts[at:])
        whole = "/".join(parts)
        for language, folder in self._folders:
            if language == "java" and (folder == whole or folder.endswith("/" + whole)):
                yield Start(folder + "/", [])

    def _rust(self, path: str, near: str) -> Iterator[Start]:
        names = path.split(".")
        first = names.pop(0)
        if first == "crate":
            at, folder = self._crate(near)
        elif first in ("self", "super"):
            at, folder = near, _own_folder(near)
        else:
            return
        while first == "super" or (names and names[0] == "super"):
            folder = folder.rpartition("/")[0]
            at = self._rust_file(folder) or at
            if first == "super":
                first = ""
            else:
                names.pop(0)
        if not at:
            return
        found = [Start(at, list(names))]
        while names:
            folder = f"{folder}/{names.pop(0)}" if folder else names.pop(0)
            inner = self._rust_file(folder)
            if inner is None:
                break
            found.append(Start(inner, list(names)))
        yield from reversed(found)

    def _crate(self, near: str) -> tuple[str, str]:
        folder = near.rpartition("/")[0]
        while True:
            for root in ("lib.rs", "main.rs"):
                path = f"{folder}/{root}" if folder else root
                if path in self._paths:
                    return path, folder
            if not folder:
                return "", ""
            folder = folder.rpartition("/")[0]

    def _rust_file(self, folder: str) -> str | None:
        names = (f"{folder}.rs", f"{folder}/mod.rs", f"{folder}/lib.rs", f"{folder}/main.rs")
        return next((name.lstrip("/") for name in names if name.lstrip("/") in self._paths), None)

    def _included(self, path: str, near: str) -> Iterator[str]:
        plain = path.strip('<>"')
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(near), plain))
        if beside in self._paths and not path.startswith("<"):
            yield beside
            return
        end = posixpath.normpath(plain)
        files = self._ends.get(end.rpartition("/")[2], ())
        found = [file for file in files if file == end or file.endswith("/" + end)]
        if len(found) == 1:
            yield found[0]


def _names(rest: str) -> list[str]:
    return rest.split(".") if rest else []


def _own_folder(path: str) -> str:
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(".rs")
    if stem in ("mod", "lib", "main"):
        return folder
    return f"{folder}/{stem}" if folder else stem


def _go_module(root: Path) -> str:
    try:
        match = re.search(r"^module\s+(\S+)", (root / "go.mod").read_text("utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        return ""
    return match[1].strip('"') if match else ""


def _aliases(root: Path) -> dict[str, list[str]]:
    """Returns the patterns of tsconfig.json with what they stand for; none where it is odd."""
    for name in ("tsconfig.json", "jsconfig.json"):
        try:
            text = (root / name).read_text("utf-8")
            options = json.loads(_COMMENT.sub(lambda m: m[1] or "", text))["compilerOptions"]
            base = str(options.get("baseUrl", "."))
            paths = dict(options.get("paths", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        found = {
            str(head): [posixpath.normpath(posixpath.join(base, str(one))) for one in targets]
            for head, targets in paths.items()
            if isinstance(targets, list)
        }
        if "baseUrl" in options:
            found["*"] = [posixpath.normpath(posixpath.join(base, "*"))]
        return found
    return {}
