"""C libraries that are built into the package: found, checked and loaded by way of ctypes.

A library of other sources than those beside it is refused: an editable installation would run
yesterday's code. Here and in `repo/` each has its folder of sources; `hatch_build.py` builds them.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from codewright.errors import MissingKernels

Signatures: TypeAlias = Mapping[str, tuple[Any, list[Any]]]
"""By function: what it returns, and what it takes."""

_HOW = "install codewright again where there is a C compiler: pip install -e ."


def load(path: Path, folder: Path, what: str, signatures: Signatures) -> Any:
    """Returns a library, ready to be called.

    Args:
        path: the library.
        folder: its sources.
        what: begins a sentence about it: "the C kernels were".
        signatures: of the functions that are called.

    Raises:
        MissingKernels: it was not built, or of other sources, or cannot be loaded.
    """
    if not path.is_file():
        raise MissingKernels(f"{what} not built", hint=_HOW)
    try:
        calls = ctypes.CDLL(str(path))
        calls.cw_sources.restype = ctypes.c_char_p
        sources = calls.cw_sources().decode()
    except (OSError, AttributeError) as error:
        raise MissingKernels(f"{what} built, but cannot be loaded: {error}", hint=_HOW) from None
    if sources != digest(folder):
        raise MissingKernels(f"{what} built of other sources", hint=_HOW)
    for name, (result, arguments) in signatures.items():
        function = calls[name]
        function.restype, function.argtypes = result, arguments
        setattr(calls, name, function)  # a lookup by name makes another one each time
    return calls


def digest(folder: Path) -> str:
    """Returns what tells a library apart from one of other sources, as hatch_build.py does."""
    names = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()[:16]
