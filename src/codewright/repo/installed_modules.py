"""Where the modules of installed libraries are: sources, stubs, compiled ones, namespace packages.

Files are looked for as Python's own finder does, without running it. A stub is the one beside a
module, else that of a `…-stubs` package, else mypy's for the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from codewright.repo.environments import Environment


class Module(NamedTuple):
    """A module. source, stub: its files, None where it has none. folders: a package's own."""

    name: str
    source: Path | None
    stub: Path | None
    folders: tuple[Path, ...]


def find(name: str, parent: Module | None, environment: Environment) -> Module | None:
    """Returns a module by its name, given the package that it is in, None where there is none."""
    last = name.rpartition(".")[2]
    if not last.isidentifier():
        return None
    if parent is None:
        mapped = environment.mapped.get(name)
        folders = environment.folders if mapped is None else (mapped.parent,)
        stubs = [*(site / f"{name}-stubs" for site in environment.sites)]
        module = _in_folders(name, last, folders)
        separate = [_file(stub, "__init__", ".pyi") for stub in stubs]
    else:
        module = _in_folders(name, last, parent.folders)
        top, _, inner = name.partition(".")
        stubs = [site / f"{top}-stubs" for site in environment.sites]
        parts = inner.split(".")
        separate = [_stub_below(stub, parts) for stub in stubs]
    separate += [_stub_below(place, name.split(".")) for place in environment.stubs]
    stub = next((one for one in separate if one is not None), None)
    if module is None:
        return Module(name, None, stub, ()) if stub is not None else None
    return module if module.stub is not None or stub is None else module._replace(stub=stub)


def _in_folders(name: str, last: str, folders: Sequence[Path]) -> Module | None:
    spaces = []
    for folder in folders:
        package = folder / last
        if package.is_dir():
            source, stub = _file(package, "__init__", ".py"), _file(package, "__init__", ".pyi")
            if source is not None or stub is not None:
                return Module(name, source, stub, (package,))
            spaces.append(package)
        source, stub = _file(folder, last, ".py"), _file(folder, last, ".pyi")
        compiled = next(iter(sorted(folder.glob(f"{last}.*.so"))), None)
        if source is not None or stub is not None or compiled is not None:
            return Module(name, source or compiled, stub, ())
    return Module(name, None, None, tuple(spaces)) if spaces else None


def _file(folder: Path, name: str, suffix: str) -> Path | None:
    path = folder / f"{name}{suffix}"
    return path if path.is_file() else None


def _stub_below(folder: Path, parts: Sequence[str]) -> Path | None:
    place = folder.joinpath(*parts)
    return _file(place, "__init__", ".pyi") or _file(place.parent, place.name, ".pyi")


def absolute(path: str, module: Module) -> str:
    """Returns a path without the dots that it may begin with."""
    rest = path.lstrip(".")
    up = len(path) - len(rest)
    if not up:
        return path
    parts = module.name.split(".")
    if not module.folders:
        parts = parts[:-1]
    parts = parts[: len(parts) - up + 1]
    return ".".join([*parts, *([rest] if rest else [])])
