"""Archives as a source: wheels, sdists and zips, read without ever unpacking them to disk.

Metadata inside says the licence. An archive is not trusted: links and devices are passed over,
paths that leave it are refused, and reading stops at a limit on members and on unpacked bytes,
so that one made to fill the machine fills nothing.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from codewright.corpus.licences import from_core_metadata
from codewright.corpus.sources_installed import TEXT_BYTES, is_licence
from codewright.corpus.steps import Drops
from codewright.corpus.unit import FILE_BYTES, Choice, Unit, safe, stamp_of
from codewright.errors import DataError

SUFFIXES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MEMBERS = 100_000
UNPACKED = 2_000_000_000
"""Members and unpacked bytes of one archive; the largest honest ones have a tenth of it."""

Wanted = Callable[[str], bool]
"""Whether the member with this name is to be read."""

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the libraries raise for archives that are damaged, encrypted, or made to confuse."""


Packed = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile


class _TooMuch(Exception):
    """The archive holds more than any honest one."""


def archives(number: int, folder: Path, names: frozenset[str] | None) -> Iterator[Unit]:
    """Yields one unit for each archive in `folder`, by name.

    Args:
        number: of the source.
        folder: where they lie, as `pip download --no-deps --dest FOLDER` leaves them.
        names: normalised names of the projects wanted; None for all.

    Raises:
        DataError: no such folder, no archive in it, or a wanted project is missing.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder",
            hint="fill one with pip download --no-deps --dest FOLDER --requirement LIST",
        )
    found = sorted(
        (path for path in folder.iterdir() if path.name.endswith(SUFFIXES) and path.is_file()),
        key=lambda path: path.name.lower(),
    )
    taken: set[str] = set()
    for path in found:
        project, version = project_of(path.name)
        if names is not None and project not in names:
            continue
        taken.add(project)
        size = path.stat().st_size
        yield Unit(
            source=number,
            kind="archive",
            origin=f"{project}=={version}" if version else project,
            place=path,
            licence="",
            size=size * 4,
            stamp=stamp_of([(path.name, size)]),
        )
    missing = sorted(names - taken) if names is not None else []
    if missing or not taken:
        what = ", ".join(missing[:5]) or "any archive"
        raise DataError(
            f"{folder} lacks {what}",
            hint=f"pip download --no-deps --dest {folder} {' '.join(missing[:5])}".rstrip(),
        )


def project_of(name: str) -> tuple[str, str]:
    """Returns the normalised project (PEP 503) and the version that an archive's name says."""
    parts = _stem(name).split("-")
    if name.endswith(".whl"):
        return normalised(parts[0]), parts[1] if len(parts) > 1 else ""
    cut = next((i for i, part in enumerate(parts) if i and part[:1].isdigit()), len(parts))
    return normalised("-".join(parts[:cut])), "-".join(parts[cut:])


def normalised(project: str) -> str:
    """Returns a project's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", project).lower()


def wanted(path: Path) -> frozenset[str]:
    """Returns the projects that a file of requirements names, one a line.

    Raises:
        DataError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint="check the path") from None
    named = (re.match(r"\s*([A-Za-z0-9][\w.-]*)", line.partition("#")[0]) for line in lines)
    return frozenset(normalised(match[1]) for match in named if match)


def read_archive(
    unit: Unit, choice: Choice, drops: Drops
) -> tuple[str, Iterator[tuple[str, bytes]]]:
    """Returns the licence of an archive, and (path, bytes) of its wanted members as they come.

    A damaged archive ends where it is damaged, and says so to `drops`.
    """
    metadata, texts = b"", []
    for path, raw in _guarded(unit, _is_metadata, Drops("unread")):
        if path.endswith(("METADATA", "PKG-INFO")):
            metadata = metadata or raw
        else:
            texts.append(raw[:TEXT_BYTES].decode("utf-8", "replace"))
    licence = from_core_metadata(metadata.decode("utf-8", "replace"), texts[:8])
    wrapper = "" if unit.place.name.endswith(".whl") else _stem(unit.place.name)

    def want(path: str) -> bool:
        return choice.takes(path) and ".dist-info/" not in path

    members = ((_inside(path, wrapper), raw) for path, raw in _guarded(unit, want, drops))
    return licence, members


def _is_metadata(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    depth = path.count("/")
    if ".dist-info" in folder.partition("/")[0]:
        below = folder.partition("/")[2]
        return depth <= 2 and (
            name == "METADATA" or (below in ("", "licenses") and is_licence(name))
        )
    return depth <= 1 and (name == "PKG-INFO" or is_licence(name))


def _inside(path: str, wrapper: str) -> str:
    """Leaves out the folder that an sdist wraps its files in, which is named like itself."""
    first, _, rest = path.partition("/")
    return rest if wrapper and rest and normalised(first) == normalised(wrapper) else path


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _guarded(unit: Unit, want: Wanted, drops: Drops) -> Iterator[tuple[str, bytes]]:
    members = _zip if unit.place.name.endswith((".whl", ".zip")) else _tar
    try:
        for path, count, raw in members(unit.place, want):
            if not safe(path):
                drops.refuse(path, unit.origin, count, "leaves-the-archive")
            elif raw is None:
                drops.refuse(path, unit.origin, count, "too-big")
            else:
                yield path, raw
    except _TooMuch as error:
        drops.refuse(unit.place.name, unit.origin, 0, "archive-too-big", str(error))
    except BROKEN as error:
        drops.refuse(unit.place.name, unit.origin, 0, "damaged-archive", str(error)[:200])


def _zip(place: Path, want: Wanted) -> Iterator[tuple[str, int, bytes | None]]:
    unpacked = 0
    with zipfile.ZipFile(place) as archive:
        listed = archive.infolist()
        if len(listed) > MEMBERS:
            raise _TooMuch(f"more than {MEMBERS} members")
        for member in sorted(listed, key=lambda each: each.filename):
            mode = member.external_attr >> 16
            if member.is_dir() or (mode & 0o170000) not in (0, 0o100000):
                continue
            if not want(member.filename):
                continue
            with archive.open(member) as file:
                raw = file.read(FILE_BYTES + 1)  # what the directory says of its size may be a lie
            unpacked += len(raw)
            if unpacked > UNPACKED:
                raise _TooMuch(f"more than {UNPACKED} bytes")
            yield member.filename, len(raw), raw if len(raw) <= FILE_BYTES else None


def _tar(place: Path, want: Wanted) -> Iterator[tuple[str, int, bytes | None]]:
    with (
        _opened(place) as packed,
        tarfile.open(fileobj=cast(BinaryIO, _Forward(packed)), mode="r:") as archive,
    ):
        for count, member in enumerate(archive):
            if count > MEMBERS:
                raise _TooMuch(f"more than {MEMBERS} members")
            # Nothing but plain files: links could lead out, and sparse ones unfold without end.
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not want(member.name):
                continue
            if member.size > FILE_BYTES:
                yield member.name, member.size, None
                continue
            file = archive.extractfile(member)
            assert file is not None
            yield member.name, member.size, file.read()


def _opened(place: Path) -> Packed:
    if place.name.endswith(".tar.xz"):
        return lzma.LZMAFile(place)
    if place.name.endswith(".tar.bz2"):
        return bz2.BZ2File(place)
    return gzip.GzipFile(place)


class _Forward:
    """A stream that is read once, forwards, and breaks off when it has given too much.

    tarfile steps back by one byte at most, so the last byte given is kept.
    """

    def __init__(self, inner: Packed) -> None:
        self._inner = inner
        self._at = 0
        self._last = b""
        self._again = False

    def tell(self) -> int:
        """Returns how many bytes were given."""
        return self._at - self._again

    def read(self, count: int = -1) -> bytes:
        """Returns `count` bytes, fewer at the end."""
        if count < 0 or count > 8 * FILE_BYTES:
            raise _TooMuch("a header asks for more than any file has")
        if not count:
            return b""
        head = self._last if self._again else b""
        self._again = False
        data = head + self._inner.read(count - len(head))
        self._at += len(data) - len(head)
        self._last = data[-1:] or self._last
        if self._at > UNPACKED:
            raise _TooMuch(f"more than {UNPACKED} bytes")
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        """Goes forward to `place`, or back by one byte."""
        assert whence == 0
        if place == self._at - 1:
            self._again = True
        while self.tell() < place:
            if not self.read(min(place - self.tell(), FILE_BYTES)):
                break
        if self.tell() > place:
            raise _TooMuch("a header points backwards")
        return self.tell()

    def close(self) -> None:
        """Leaves the closing to whoever opened it."""
