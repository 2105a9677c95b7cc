"""Sources that are installed: the distributions of a site-packages folder, and the library.

Which files belong to a distribution is what its RECORD says, and its licence what its metadata
declares. A file that RECORD places outside the folder is not read. Nothing is imported or run.
"""

from __future__ import annotations

import csv
import sys
import sysconfig
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from codewright.corpus.licences import from_core_metadata
from codewright.corpus.unit import Choice, Unit, pieces, safe, stamp_of, walk
from codewright.errors import DataError

LIBRARY_LICENCE = "PSF-2.0"
NOT_LIBRARY = frozenset({"site-packages", "dist-packages", "__pycache__", "lib2to3"})
"""Folders beside the library that are not it; lib2to3's tests are no Python 3."""

TEXT_BYTES = 200_000
"""Of a licence file no more than this is read."""


def installed(number: int, site: Path | None, choice: Choice) -> Iterator[Unit]:
    """Yields the units of every distribution in `site`, by name.

    Raises:
        DataError: `site` is no folder.
    """
    root = Path(sysconfig.get_path("purelib")) if site is None else site
    if not root.is_dir():
        raise DataError(f"{root} is no folder", hint="name a site-packages folder")
    for info in sorted(root.glob("*.dist-info"), key=lambda path: path.name.lower()):
        metadata, record = _part(info / "METADATA"), _part(info / "RECORD")
        head = HeaderParser().parsestr(metadata)
        name, version = head.get("Name"), head.get("Version")
        if not (name and version and record):
            continue
        files = [
            (path, count)
            for path, count in _listed(record, info)
            if choice.takes(path) and not path.startswith(f"{info.name}/")
        ]
        texts = [_part(path)[:TEXT_BYTES] for path in licence_files(info)] if files else []
        licence = from_core_metadata(metadata, texts)
        yield from _units(number, f"{name}=={version}", root, licence, files, record)


def _listed(record: str, info: Path) -> list[tuple[str, int]]:
    """Returns (path, bytes) of what RECORD lists inside the folder, in one fixed order."""
    try:
        rows = [row for row in csv.reader(record.split("\n")) if row and safe(row[0])]
    except csv.Error as error:
        raise DataError(
            f"{info / 'RECORD'} is broken: {error}", hint="install the distribution again"
        ) from None
    return sorted({(row[0], _size(row[2]) if row[2:] else 0) for row in rows})


def _size(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def licence_files(info: Path) -> list[Path]:
    """Returns the licence files at the top of a distribution; those of bundled code lie deeper."""
    found = [
        path
        for folder in (info, info / "licenses")
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if is_licence(path.name) and path.is_file() and not path.is_symlink()
    ]
    return found[:8]


def is_licence(name: str) -> bool:
    """True for the name of a file that holds a licence."""
    return name.lower().startswith(("licence", "license", "copying", "unlicense"))


def _part(path: Path) -> str:
    """Returns a file of metadata; "" where there is none."""
    if not path.is_file():
        return ""
    return path.read_bytes().decode("utf-8", "replace")


def standard_library(number: int, choice: Choice) -> Iterator[Unit]:
    """Yields the units of the library of the Python that runs this."""
    root = Path(sysconfig.get_path("stdlib"))
    version = ".".join(map(str, sys.version_info[:3]))
    files = [(path, count) for path, count in walk(root, NOT_LIBRARY) if choice.takes(path)]
    yield from _units(number, f"python=={version}", root, LIBRARY_LICENCE, files, None)


def _units(
    number: int,
    origin: str,
    root: Path,
    licence: str,
    files: list[tuple[str, int]],
    record: str | None,
) -> Iterator[Unit]:
    """Yields the units of one origin. A file has changed where its RECORD, or its size, has."""
    for paths, count in pieces(files):
        yield Unit(
            source=number,
            kind="files",
            origin=origin,
            place=root,
            licence=licence,
            files=paths,
            size=count,
            stamp=stamp_of([(path, 0) for path in paths], str(count) if record is None else record),
        )
