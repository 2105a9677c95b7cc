"""Fusion of rankings: its laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.repo.fusion import fuse

RANKINGS = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.integers(0, 12), max_size=15), max_size=4
)
WEIGHTS = {"a": 1.0, "b": 1.0, "c": 0.25}  # none for d


@given(RANKINGS, st.integers(1, 100))
def test_places_decide_and_nothing_else(rankings: dict[str, list[int]], k: int) -> None:
    found = fuse(rankings, WEIGHTS, k=k)
    assert {each.thing for each in found} == {thing for each in rankings.values() for thing in each}
    assert found == fuse(dict(reversed(rankings.items())), WEIGHTS, k=k)
    doubled = {name: [thing for thing in each for _ in range(2)] for name, each in rankings.items()}
    assert found == fuse(doubled, WEIGHTS, k=k)
    assert [(-each.score, each.thing) for each in found] == sorted(
        (-each.score, each.thing) for each in found
    )
    for each in found:
        assert (
            abs(sum(WEIGHTS.get(n, 0) / (k + p) for n, p in each.places.items()) - each.score)
            < 1e-12
        )
    # Ways of equal weight are worth the same: swapping them changes no sum.
    swapped = dict(rankings)
    swapped["a"], swapped["b"] = rankings.get("b", []), rankings.get("a", [])
    sums = {each.thing: round(each.score, 12) for each in fuse(swapped, WEIGHTS, k=k)}
    assert sums == {each.thing: round(each.score, 12) for each in found}


@given(RANKINGS, st.data())
def test_a_better_place_never_costs(rankings: dict[str, list[int]], data: st.DataObject) -> None:
    movable = {
        name: list(dict.fromkeys(each)) for name, each in rankings.items() if len(set(each)) > 1
    }
    if not movable:
        return
    name = data.draw(st.sampled_from(sorted(movable)))
    ranking = movable[name]
    at = data.draw(st.integers(1, len(ranking) - 1))
    thing = ranking[at]
    up = [*ranking[: at - 1], thing, ranking[at - 1], *ranking[at + 1 :]]
    before = fuse(rankings, WEIGHTS)
    after = fuse({**rankings, name: up}, WEIGHTS)

    def place(found: object) -> int:
        return [each.thing for each in found].index(thing)  # type: ignore[attr-defined]

    assert place(after) <= place(before)


def test_what_two_ways_find_stands_before_what_one_finds() -> None:
    found = fuse({"a": [1, 2, 3], "b": [9, 3]}, {"a": 1, "b": 1})
    assert found[0].thing == 3
    assert found[0].places == {"a": 3, "b": 2}
    assert fuse({}, {}) == []
