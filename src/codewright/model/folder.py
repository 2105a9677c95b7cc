"""Folders that appear whole or not at all, whatever happens to their writer; JSON inside them."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codewright.errors import DataError
from codewright.files import cannot_write, read_bytes

_EXCHANGE = 2
_HERE = -100
"""RENAME_EXCHANGE and AT_FDCWD of renameat2(2)."""


@contextmanager
def placed(folder: Path, is_ours: Callable[[str], bool]) -> Iterator[Path]:
    """Gives a temporary folder beside `folder`, which takes its place when the block ends well.

    A folder that is there already is replaced in one step, if it holds nothing but files whose
    names are ours. What a killed writer left beside it is removed by the next one. One process
    at a time writes one folder.

    Raises:
        DataError: `folder` is a file, or holds other files than ours.
        MachineError: it cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    _refuse_foreign(folder, is_ours)
    temporary = folder.with_name(f".{folder.name}.tmp")
    try:
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
        yield temporary
        _sync(temporary)
        if folder.exists():
            _exchange(temporary, folder)
            shutil.rmtree(temporary)
        else:
            os.rename(temporary, folder)
        _sync(folder.parent)
    except OSError as error:
        raise cannot_write(folder, error) from None
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(temporary)


def json_object(path: Path) -> dict[str, Any]:
    """Reads a JSON file that holds one object.

    Raises:
        DataError: it is missing, unreadable, or something else.
    """
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a JSON object")
    return content


def _refuse_foreign(folder: Path, is_ours: Callable[[str], bool]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(f"{folder} is a file", hint="name a folder")
    foreign = sorted(path.name for path in folder.iterdir() if not is_ours(path.name))
    if foreign:
        raise DataError(
            f"{folder} holds {foreign[0]}, which is no part of what would be written there",
            hint="name a new folder",
        )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exchange(one: Path, other: Path) -> None:
    """Swaps two folders in one step."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        error = ctypes.get_errno()
        raise OSError(error, f"{os.strerror(error)} (replacing a folder in one step)", str(other))
