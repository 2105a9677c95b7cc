"""Where an environment keeps what is installed in it, found without running or importing anything.

    environment_of(None, root) -> Environment: that in `root` (.venv), else this program's

An environment may be another interpreter's: its own `pyvenv.cfg` and folders are read, its Python
is not started, for it may belong to a repository that is not trusted. Folders that `.pth` files and
editable installs add are found; lines in `.pth` files that are programs are not run, but for the
tables that setuptools writes. What a program does to `sys.path` later is not known.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from codewright.errors import DataError

_NAMES = (".venv", "venv", ".env", "env")
_MAPPING = re.compile(r"^MAPPING\b[^=]*=\s*(\{.*\})\s*$", re.MULTILINE)
_VERSION = re.compile(r"^version(?:_info)?\s*=\s*([\d.]+)", re.MULTILINE)
_HOME = re.compile(r"^home\s*=\s*(.+)$", re.MULTILINE)
STANDARD = "python"
"""What stands for the distribution of the standard library."""


@dataclass(frozen=True)
class Environment:
    """The folders of one environment.

    sites: where distributions are installed. standard: the standard library's. version: Python's.
    """

    sites: tuple[Path, ...]
    standard: Path
    version: str

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """Where modules are looked for, in Python's order."""
        added = [folder for site in self.sites for folder in _added(site)]
        dynamic = self.standard / "lib-dynload"
        return tuple(dict.fromkeys((self.standard, dynamic, *self.sites, *added)))

    @cached_property
    def mapped(self) -> dict[str, Path]:
        """Top-level modules that an editable install puts elsewhere."""
        return {name: path for site in self.sites for name, path in _mapped(site)}

    def is_settled(self, file: Path) -> bool:
        """True for what only an installation changes."""
        return any(file.is_relative_to(place) for place in (*self.sites, self.standard))

    def state(self) -> tuple[int, ...]:
        """Returns what changes when something is installed or taken away."""
        return tuple(site.stat().st_mtime_ns for site in self.sites if site.is_dir())

    @cached_property
    def stubs(self) -> tuple[Path, ...]:
        """Where stubs of the standard library may be: mypy brings them."""
        places = (site / "mypy" / "typeshed" / "stdlib" for site in self.sites)
        return tuple(place for place in places if place.is_dir())

    @cached_property
    def _owners(self) -> dict[str, list[Distribution]]:
        owners: dict[str, list[Distribution]] = {}
        for one in distributions(path=[str(site) for site in self.sites]):
            tops = {line.partition("/")[0] for line in (one.read_text("RECORD") or "").split("\n")}
            for top in tops:
                owners.setdefault(top.partition(",")[0], []).append(one)
        return owners

    def owner(self, file: Path) -> tuple[str, str]:
        """Returns the distribution of a file and its version, "" for both where there is none."""
        if any(file.is_relative_to(place) for place in self.stubs):
            return STANDARD, self.version
        for site in self.sites:
            if file.is_relative_to(site):
                inside = file.relative_to(site)
                owners = self._owners.get(inside.parts[0], [])
                if len(owners) > 1:
                    start = f"{inside.as_posix()},"
                    owners = [one for one in owners if start in (one.read_text("RECORD") or "")]
                return _named(owners[0]) if owners else ("", "")
        if file.is_relative_to(self.standard):
            return STANDARD, self.version
        for one in self._editable:
            if file.is_relative_to(one[0]):
                return one[1]
        return "", ""

    @cached_property
    def _editable(self) -> list[tuple[Path, tuple[str, str]]]:
        found = []
        for one in distributions(path=[str(site) for site in self.sites]):
            text = one.read_text("direct_url.json")
            url = _url(text) if text else ""
            if url.startswith("file:"):
                found.append((Path(unquote(urlsplit(url).path)), _named(one)))
        return found


def environment_of(python: Path | None, root: Path | None = None) -> Environment:
    """Returns an environment.

    Args:
        python: an interpreter, or the folder of a virtual environment; None to look in `root`.
        root: a repository that may have one in `.venv` or `venv`.

    Raises:
        DataError: `python` is neither.
    """
    if python is not None:
        return _environment(python)
    for name in _NAMES if root is not None else ():
        folder = (root or Path()) / name
        if (folder / "pyvenv.cfg").is_file():
            return _environment(folder)
    paths = sysconfig.get_paths()
    sites = (Path(paths["purelib"]), Path(paths["platlib"]))
    version = ".".join(map(str, sys.version_info[:3]))
    return Environment(tuple(dict.fromkeys(sites)), Path(paths["stdlib"]), version)


def _environment(place: Path) -> Environment:
    prefix = place if place.is_dir() else place.parent.parent
    settings = prefix / "pyvenv.cfg"
    base, version = prefix, ""
    if settings.is_file():
        text = settings.read_text(encoding="utf-8", errors="replace")
        home, said = _HOME.search(text), _VERSION.search(text)
        base = Path(home[1].strip()).parent if home else prefix
        version = said[1] if said else ""
    elif not place.is_dir():
        base = prefix = place.resolve().parent.parent
    standard = _library(base, version)
    sites = [_library(prefix, version) or Path(), standard or Path()]
    if standard is None:
        raise DataError(
            f"{place} is no Python environment",
            hint="name an interpreter, or the folder of a virtual environment",
        )
    found = [site / "site-packages" for site in sites if (site / "site-packages").is_dir()]
    return Environment(
        tuple(dict.fromkeys(found[:1])),
        standard,
        version or standard.name.removeprefix("python"),
    )


def _library(prefix: Path, version: str) -> Path | None:
    """Returns `lib/python3.x` below a prefix."""
    wanted = ".".join(version.split(".")[:2])
    for folder in (prefix / "lib", prefix / "lib64", prefix / "Lib"):
        exact = folder / f"python{wanted}"
        if wanted and exact.is_dir():
            return exact
        found = sorted(folder.glob("python3*")) if folder.is_dir() else []
        if found and not wanted:
            return found[-1]
    return None


def _added(site: Path) -> Iterator[Path]:
    """Yields the folders that `.pth` files name."""
    for file in sorted(site.glob("*.pth")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                folder = (site / line.strip()).resolve()
                if folder.is_dir():
                    yield folder


def _mapped(site: Path) -> Iterator[tuple[str, Path]]:
    """Yields what the finders of setuptools' editable installs map."""
    for file in sorted(site.glob("__editable___*_finder.py")):
        found = _MAPPING.search(file.read_text(encoding="utf-8", errors="replace"))
        try:
            table: object = ast.literal_eval(found[1]) if found else {}
        except (ValueError, SyntaxError):
            continue
        if isinstance(table, dict):
            yield from ((str(name), Path(str(path))) for name, path in table.items())


def _named(distribution: Distribution) -> tuple[str, str]:
    return distribution.metadata["Name"], distribution.version


def _url(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return ""
    return str(said.get("url", "")) if isinstance(said, dict) else ""
