"""NumPy arrays and pandas frames on the wire, by value: dtype, shape and bytes, or columns."""

from __future__ import annotations

import binascii
import sys
from collections.abc import Callable
from typing import Any

TAGS = ("np", "ns", "no", "ps", "pd")

_MOST_EMPTY = 10_000


def to_base64(data: bytes | bytearray) -> str:
    """Bytes as text, without the module base64, whose import every fork would pay for."""
    return binascii.b2a_base64(data, newline=False).decode()


def pack_array(pack: Callable[[Any], Any], value: Any) -> Any:
    """The JSON-ready form of an array, array scalar, series or frame; None for anything else."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray | numpy.generic):
        array = numpy.asarray(value)
        tag = "ns" if isinstance(value, numpy.generic) else "np"
        if array.dtype.kind in "biufcSUmM":
            data = to_base64(numpy.ascontiguousarray(array).tobytes())
            return {tag: [array.dtype.str, list(array.shape), data]}
        if array.dtype.kind == "O":
            return {"no": [list(array.shape), pack(array.ravel().tolist())]}
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    if isinstance(value, pandas.Series):
        return {"ps": [pack(p) for p in (value.index.to_numpy(), value.to_numpy(), value.name)]}
    if isinstance(value, pandas.DataFrame):
        columns = [value.iloc[:, i].to_numpy() for i in range(value.shape[1])]
        return {"pd": [pack(p) for p in (value.index.to_numpy(), list(value.columns), columns)]}
    return None


def unpack_array(tag: str, value: Any) -> Any:
    """The array or frame of a tag.

    Raises:
        ImportError: the package is not installed on this side.
        ValueError: shape, dtype and bytes do not fit together.
    """
    import numpy

    if tag in ("np", "ns"):
        dtype, shape, data = value
        kind = numpy.dtype(dtype)
        if kind.kind not in "biufcSUmM":
            raise ValueError(f"no arrays of {dtype}")
        _check_shape(shape)
        array = numpy.frombuffer(binascii.a2b_base64(data), dtype=kind).reshape(shape)
        return array.copy() if tag == "np" else array.reshape(())[()]
    if tag == "no":
        shape, items = value
        _check_shape(shape)
        objects = numpy.empty(len(items), dtype=object)
        objects[:] = items
        return objects.reshape(shape)
    try:
        return _unpack_pandas(tag, value)
    except ImportError:
        raise
    except Exception as error:  # boundary: pandas has errors of its own for data that does not fit
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _check_shape(shape: Any) -> None:
    """An array without items may have so many rows that no list can hold them."""
    sizes = [shape] if type(shape) is int else list(shape)
    if 0 in sizes and any(size > _MOST_EMPTY for size in sizes):
        raise ValueError("an empty array of too many rows")


def _unpack_pandas(tag: str, value: Any) -> Any:
    import pandas

    if tag == "ps":
        return pandas.Series(value[1], index=value[0], name=value[2])
    index, names, columns = value
    frame = pandas.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = names
    return frame
