"""Files of the folders that a server was started with, and of nowhere else.

A file is opened first and asked where it is afterwards, so that nothing can be exchanged in
between; what is returned is its content, and nobody opens the path again. Nothing is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codewright.errors import UserError

_KERNEL = (Path("/proc"), Path("/sys"), Path("/dev"))
"""Not files of anybody's, even where a root holds them."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's name and bytes."""

    name: str
    data: bytes


class Roots:
    """The folders; paths that are not absolute begin at the first."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Takes the folders as they are now: links in their own paths are followed here.

        Raises:
            UserError: one is no folder.
        """
        for folder in folders:
            if not folder.is_dir():
                raise UserError(f"{folder} is no folder", hint="--root FOLDER")
        self.folders = tuple(folder.resolve() for folder in folders)

    def folder(self, path: str) -> Path:
        """Returns one of the folders: the first, where none is named.

        Raises:
            UserError: it is none of them.
        """
        wanted = Path(os.path.normpath(self.folders[0] / path.replace("\0", "")))
        if wanted not in self.folders:
            raise UserError(
                f"{path} is none of the folders that this server may read",
                hint=f"they are: {', '.join(map(str, self.folders))}",
            )
        return wanted

    def read(self, path: str, *, most: int) -> Content:
        """Returns a file.

        Args:
            path: relative to the first root, or absolute.
            most: bytes that it may have.

        Raises:
            UserError: it is not in a root, no plain file, too large, or cannot be read.
        """
        if "\0" in path or not path:
            raise UserError("the path is empty or has a null character", hint="name a file")
        wanted = self.folders[0] / path
        # What is outside is not told apart from what is not there: neither is anybody's business.
        missing = UserError(
            f"there is no file {path} in the folders that this server may read",
            hint=f"they are: {', '.join(map(str, self.folders))}",
        )
        # A path that leaves by its own words is not even opened: opening a device can do things.
        if not self._holds(Path(os.path.normpath(wanted))):
            raise missing
        try:
            opened = os.open(wanted, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except (OSError, ValueError):
            raise missing from None
        try:
            if not self._holds(Path(os.readlink(f"/proc/self/fd/{opened}"))):
                raise missing
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise UserError(f"{path} is no plain file", hint="name a file")
            with os.fdopen(opened, "rb", closefd=False) as file:
                data = file.read(most + 1)
        finally:
            os.close(opened)
        if len(data) > most:
            raise UserError(f"{path} has more than {most} bytes", hint="name a smaller file")
        return Content(wanted.name, data)

    def _holds(self, path: Path) -> bool:
        if any(path.is_relative_to(kernel) for kernel in _KERNEL):
            return False
        return any(path.is_relative_to(folder) for folder in self.folders)
