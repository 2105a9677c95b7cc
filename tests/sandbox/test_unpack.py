"""Whatever a hostile process sends, reading it gives plain values or one kind of refusal."""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import fractions
import json
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.unpack import TooSlow, Unpacker
from codewright.sandbox.values import Handed, Packer, Reference
from codewright.sandbox.wire import WireError
from tests.sandbox.plain import FORGED, VALUES


def refuse(_: Any) -> Any:
    raise WireError("there are no objects here")


PACKER = Packer(refuse)
UNPACK = Unpacker(refuse, refuse, refuse).unpack
PLAIN = (
    types.NoneType, bool, int, float, str, bytes, bytearray, complex, list, tuple, dict, set,
    frozenset, range, slice, types.EllipsisType, decimal.Decimal, fractions.Fraction,
    datetime.date, datetime.time, datetime.timedelta, collections.deque, type, Reference,
    type(iter([])), type({}.keys()), type({}.values()), type({}.items()), type(iter("")),
    type(iter({})), type(iter(())), type(iter(set())), type(iter(frozenset())), type(iter(b"")),
    type(iter(bytearray())), type(iter(range(1))), type(iter({}.values())), type(iter({}.items())),
    type(iter(range(10**30))), type(iter(collections.deque())),
)  # fmt: skip


def is_plain(value: Any) -> bool:
    return isinstance(value, PLAIN) or type(value).__module__.partition(".")[0] in (
        "numpy",
        "pandas",
    )


@pytest.mark.filterwarnings("ignore")
@given(FORGED)
def test_forged_structure_gives_a_plain_value_or_is_refused(structure: Any) -> None:
    unpack = Unpacker(Handed().find, lambda reference: reference, lambda name: str(name)).unpack
    try:
        value = unpack(json.dumps(structure).encode("utf-8", "surrogatepass"))
    except WireError:
        return
    assert is_plain(value)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_plain(text: bytes) -> None:
    try:
        value = UNPACK(text)
    except WireError:
        return
    assert is_plain(value)


@given(VALUES, st.data())
def test_a_cut_or_bent_text_never_gives_anything_but_a_refusal_or_a_value(
    value: Any, data: st.DataObject
) -> None:
    text = bytearray(PACKER.text(value))
    at = data.draw(st.integers(0, len(text) - 1))
    if data.draw(st.booleans()):
        del text[at:]
    else:
        text[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        assert is_plain(UNPACK(bytes(text)))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"nul", b"[1", b"1 2", b"[1]]", b"\xff\xfe", b"{}", b'{"t":1}', b'{"t":[1],"s":[1]}',
        b'{"zz":1}', b'{"d":[[1],[]]}', b'{"d":[[[]],[1]]}', b'{"d":[1]}', b'{"s":[[1]]}',
        b'{"s":{"t":[[]]}}', b'{"b":"A"}', b'{"i":"zz"}', b'{"i":16}', b'{"D":"x"}',
        b'{"F":["1","0"]}',
        b'{"r":[1,2,0]}', b'{"dd":"2020-13-01"}', b'{"td":[1e300,0,0]}', b'{"c":["a",[]]}',
        b'{"h":[1]}', b'{"h":[1,2,3,4,5]}', b'{"it":5}', b'{"e":0,"e":1}x', b'{"C":[[1],["a"],3]}',
        b"1" * 5000, b"[" * 100_000, b'{"t":[' * 100_000, b'{"t":' * 50_000 + b"[]" + b"}" * 50_000,
        b'{"di":[[1,2,3]]}', b'{"m":"math"}', b'{"ty":[]}', b'{"o":[[],[1]]}', b'{"q":null}',
    ],
    ids=lambda text: text[:24].decode("latin-1"),
)  # fmt: skip
def test_a_text_that_is_no_value_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        UNPACK(text)


def test_keys_that_collide_cost_their_sender() -> None:
    modulus = (1 << 61) - 1
    keys = [i * modulus for i in range(1, 20_000)]
    bomb = PACKER.text(dict.fromkeys(keys))
    with pytest.raises(TooSlow):
        UNPACK(bomb, 0.05)
    with pytest.raises(TooSlow):
        UNPACK(PACKER.text(keys).join([b'{"s":', b"}"]), 0.05)
    fine = dict.fromkeys(range(20_000))
    assert UNPACK(PACKER.text(fine), 5.0) == fine
