"""The C kernels, called by way of ctypes; no torch, and nothing is decided here.

`find()` gives the library and the fastest build in it that this processor can run.
"""

from __future__ import annotations

import os
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_int32
from ctypes import c_void_p as pointer
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from codewright.engine.compiled import Signatures, load
from codewright.errors import MissingKernels

FOLDER = Path(__file__).resolve().parent / "kernels"
LIBRARY = FOLDER / "kernels.so"
BUILD = "CODEWRIGHT_KERNELS_BUILD"
"""An environment variable that names the build to run, for those who want to compare."""

PANEL = 64
"""Rows of logits are padded to a multiple of this."""


class Shape(Structure):
    """`shape` of model.h."""

    _fields_ = [
        *(
            (name, c_int32)
            for name in (
                *("layers", "width", "heads", "kv_heads", "head_dim", "inner", "vocabulary"),
                *("context", "kind", "norm", "activation", "tied"),
            )
        ),
        ("eps", c_float),
    ]


class Batch(Structure):
    """`batch` of model.h."""

    _fields_ = [
        ("rows", c_int),
        *((name, pointer) for name in ("ids", "positions", "table", "tables")),
        ("stride", c_int),
        ("count", c_int),
        ("wanted", pointer),
        ("logits", pointer),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The functions, and the build that they are asked to use."""

    calls: Any
    build: int
    name: str


_SIGNATURES: Signatures = {
    "cw_build": (pointer, [c_int]),
    "cw_build_name": (c_char_p, [pointer]),
    "cw_pool_new": (pointer, [c_int]),
    "cw_pool_size": (c_int, [pointer]),
    "cw_pool_free": (None, [pointer]),
    "cw_model_new": (pointer, [POINTER(Shape)]),
    "cw_model_matrix": (c_int, [pointer, pointer, *[c_int] * 4, *[pointer] * 3]),
    "cw_model_vector": (c_int, [pointer, c_int, c_int, pointer, c_int]),
    "cw_model_window": (None, [pointer, c_int, c_int]),
    "cw_model_free": (None, [pointer]),
    "cw_cache_new": (pointer, [pointer, c_int]),
    "cw_cache_copy": (None, [pointer, pointer, c_int, c_int]),
    "cw_cache_free": (None, [pointer]),
    "cw_forward": (c_int, [pointer, pointer, pointer, POINTER(Batch), pointer]),
    "cw_sample": (None, [pointer, pointer, *[c_int] * 3, *[pointer] * 4]),
}


def address(values: NDArray[Any] | None) -> int | None:
    """Returns where an array's numbers stand; it has to be kept alive by the caller."""
    if values is None:
        return None
    assert values.flags.c_contiguous
    return values.ctypes.data


@cache
def find(build: str = "") -> Library:
    """Returns the library.

    Args:
        build: the name of the build to run; empty is what the environment names, else the fastest.

    Raises:
        MissingKernels: it was not built, or of other sources, or has no such build for this
            processor.
    """
    calls = load(LIBRARY, FOLDER, "the C kernels were", _SIGNATURES)
    wanted = build or os.environ.get(BUILD, "")
    usable = builds(calls)
    for name, handle in usable.items():
        if wanted in ("", name):
            return Library(calls=calls, build=handle, name=name)
    raise MissingKernels(
        f"this processor runs no build {wanted!r} of the kernels",
        hint=f"known: {', '.join(usable)}",
    )


def builds(calls: Any) -> dict[str, int]:
    """Returns the builds that this processor can run, the fastest first."""
    found: dict[str, int] = {}
    while handle := calls.cw_build(len(found)):
        found[calls.cw_build_name(handle).decode()] = handle
    return found
