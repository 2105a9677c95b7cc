"""Stop strings are found wherever tokens begin and end; characters are never halved."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from codewright.engine.stops import Stops, characters

TEXT = st.text(alphabet="ab\né", max_size=30)
MARKS = st.lists(st.text(alphabet="ab\né", max_size=4), max_size=4)


def fed(text: bytes, cuts: list[int], stops: Stops) -> bytes | None:
    """Feeds `text` in pieces and returns what stands before the stop, if one is found."""
    written = bytearray()
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        written += text[start:end]
        place = stops.find(written, end - start)
        if place is not None:
            return bytes(written[:place])
    return None


@given(TEXT, MARKS, st.lists(st.integers(0, 100)))
def test_a_stop_is_found_in_pieces_of_any_size(text: str, marks: list[str], cuts: list[int]):
    data = text.encode()
    given_marks = [mark.encode() for mark in marks if mark]
    found = fed(data, cuts, Stops(marks))
    if not any(mark in data for mark in given_marks):
        assert found is None
        return
    assert found is not None
    # Nothing before it holds a stop string, and one begins right there.
    assert not any(mark in found for mark in given_marks)
    assert any(data[len(found) :].startswith(mark) for mark in given_marks)


@given(TEXT, MARKS)
def test_byte_by_byte_the_first_that_is_complete_counts(text: str, marks: list[str]):
    data = text.encode()
    given_marks = [mark.encode() for mark in marks if mark]
    wanted = None
    for end in range(1, len(data) + 1):
        starts = [end - len(mark) for mark in given_marks if data[:end].endswith(mark)]
        if starts:
            wanted = data[: min(starts)]
            break
    assert fed(data, list(range(len(data) + 1)), Stops(marks)) == wanted


@given(st.text(max_size=8), st.integers(0, 40))
def test_half_a_character_at_the_end_is_left_out(text: str, cut: int):
    data = text.encode("utf-8", "replace")[:cut]
    shown = characters(data, whole=False)
    assert text.encode("utf-8", "replace").decode().startswith(shown)
    assert len(data) - len(shown.encode()) < 4
    assert characters(data, whole=True) == data.decode("utf-8", "replace")
    assert characters(b"a\xffb\xc3", whole=False) == "a\ufffdb"
