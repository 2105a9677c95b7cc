"""Arrays, their scalars, series and frames cross by value; forged ones are refused."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import Handed, Packer, Reference
from codewright.sandbox.wire import WireError
from tests.sandbox.test_unpack import UNPACK
from tests.sandbox.test_values import crossed

numpy = pytest.importorskip("numpy")
arrays = pytest.importorskip("hypothesis.extra.numpy")

DTYPES = (
    arrays.boolean_dtypes()
    | arrays.integer_dtypes(endianness="?")
    | arrays.unsigned_integer_dtypes(endianness="?")
    | arrays.floating_dtypes(sizes=(16, 32, 64), endianness="?")
    | arrays.complex_number_dtypes(sizes=(64, 128), endianness="?")
    | arrays.byte_string_dtypes(min_len=1)
    | arrays.unicode_string_dtypes(min_len=1)
    | arrays.datetime64_dtypes()
    | arrays.timedelta64_dtypes()
)
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0))


def same(one: Any, other: Any) -> bool:
    return (
        type(one) is type(other)
        and one.dtype == other.dtype
        and one.shape == other.shape
        and one.tobytes() == other.tobytes()
    )


@given(ARRAYS)
def test_every_array_arrives_as_it_left(array: Any) -> None:
    assert same(crossed(array), array)
    assert same(crossed([{1: array}])[0][1], array)
    # Views of every order too, by what they show.
    for view in (array.T, array[..., ::-1] if array.ndim else array):
        back = crossed(view)
        assert (back.shape, back.tobytes()) == (view.shape, view.tobytes())
    crossed(array).fill(0)


@given(arrays.arrays(DTYPES, (1,)))
def test_every_scalar_arrives_as_it_left(array: Any) -> None:
    scalar = array[0]
    back = crossed(scalar)
    assert type(back) is type(scalar)
    assert back.tobytes() == scalar.tobytes()


@pytest.mark.parametrize(
    "items",
    [
        [],
        [1, "a", None, 2.5],
        [[1, 2], [3, 4]],
        [[1, 2], [3]],
        [(1, 2), (3, 4)],
        [{"k": [1]}, {2, 3}],
        [10**5000],
        [[], []],
    ],
    ids=range(8),
)
def test_arrays_of_objects_keep_their_shape_and_their_items(items: list[Any]) -> None:
    array = numpy.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    for shaped in (array, array.reshape(1, -1), array.reshape(-1, 1)):
        back = crossed(shaped)
        assert (back.dtype, back.shape) == (shaped.dtype, shaped.shape)
        assert back.ravel().tolist() == items


class Lying(numpy.ndarray):  # type: ignore[misc,name-defined]
    def __eq__(self, other: object) -> Any:
        return numpy.ones(self.shape, dtype=bool)

    __hash__ = None  # type: ignore[assignment]


def test_a_subclass_of_a_program_is_no_data_and_one_of_numpy_is_an_array() -> None:
    handed = Handed()
    text = Packer(handed.number).text(numpy.array([1, 2]).view(Lying))
    back = Unpacker(handed.find, lambda reference: reference, str).unpack(text)
    assert isinstance(back, Reference)
    assert back != [1, 2]
    with warnings.catch_warnings(action="ignore"):
        matrix = numpy.matrix([[1, 2], [3, 4]])
    for array in (matrix, numpy.ma.array([1, 2])):
        back = crossed(array)
        assert type(back) is numpy.ndarray
        assert back.tolist() == array.tolist()


def test_series_and_frames_cross_by_value() -> None:
    pandas = pytest.importorskip("pandas")
    testing = pandas.testing
    frame = pandas.DataFrame(
        {"n": [1, 2, 3], "x": [0.5, float("nan"), -1.0], "s": ["a", "b", None]}, index=[3, 1, 2]
    )
    testing.assert_frame_equal(crossed(frame), frame, check_dtype=False)
    series = pandas.Series([1.5, 2.5], index=["a", "b"], name="v")
    testing.assert_series_equal(crossed(series), series, check_index_type=False)
    doubled = pandas.DataFrame([[1, 2], [3, 4]], columns=["k", "k"])
    assert crossed(doubled).to_numpy().tolist() == [[1, 2], [3, 4]]
    assert crossed(pandas.DataFrame()).empty


SHAPES = (
    st.lists(st.integers(-2, 6) | st.just(10**12), max_size=3) | st.none() | st.text(max_size=2)
)
KINDS = st.sampled_from(
    ["<f8", ">i2", "|b1", "O", "|O", "V4", "f4,f4", "(2,)i4", "S", "S0", "U9999999999", "M8[ns]",
     "m8[zz]", "int", "", "}", "a", "=?", "<c16"]
) | st.text(max_size=4) | st.none() | st.integers()  # fmt: skip
DATA = st.sampled_from(["", "AAAAAAAAAAA=", "AAAA", "A", "*"]) | st.none() | st.integers()
PARTS = st.one_of(
    st.tuples(st.sampled_from(["np", "ns"]), st.tuples(KINDS, SHAPES, DATA).map(list)),
    st.tuples(st.just("no"), st.tuples(SHAPES, st.lists(st.integers(), max_size=4)).map(list)),
    st.tuples(
        st.just("ps"),
        st.lists(st.lists(st.integers(), max_size=3) | st.none() | st.text(max_size=2), max_size=4),
    ),
    st.tuples(
        st.just("pd"),
        st.lists(
            st.lists(st.integers() | st.lists(st.integers(), max_size=2), max_size=3) | st.none(),
            max_size=4,
        ),
    ),
)


@given(PARTS)
def test_forged_arrays_are_refused_in_one_way(part: tuple[str, Any]) -> None:
    tag, value = part
    with warnings.catch_warnings(action="ignore"):
        try:
            back = UNPACK(json.dumps({tag: value}).encode())
        except WireError:
            return
    assert type(back).__module__.partition(".")[0] in ("numpy", "pandas")


def test_what_pandas_refuses_in_its_own_way_is_refused_in_ours() -> None:
    pytest.importorskip("pandas")
    square = '{"np":["<i8",[1,1],"AAAAAAAAAAA="]}'
    for text in (
        f'{{"ps":[[{square},[1]],[1,2],null]}}',
        f'{{"pd":[[{square}],[],[]]}}',
        '{"pd":[[1,2,3],["a"],[{"ps":[[1,1],[5,6],null]}]]}',
        '{"pd":[[1],["a","b"],[[1]]]}',
        '{"ps":[[1,1]]}',
    ):
        with pytest.raises(WireError):
            UNPACK(text.encode())
