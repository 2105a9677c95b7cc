"""A step's books add up, whatever it does; a chain measures each step alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.corpus.steps import Check, Count, Drops, chain, size
from tests.corpus.planting import document


class Every:
    """Keeps every n-th document, and holds all of them before it gives the first."""

    def __init__(self, name: str, n: int) -> None:
        self.name = name
        self._n = n

    def apply(self, documents, drops):
        for number, each in enumerate(list(documents)):
            if number % self._n:
                drops.drop(each, f"not-{self._n}", str(number))
            else:
                yield each


texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=30)


@given(texts, st.lists(st.integers(1, 4), max_size=4))
def test_what_goes_in_comes_out_or_is_dropped(all_texts, numbers):
    told = []
    steps = [Every(f"step-{i}", n) for i, n in enumerate(numbers)]
    flow, meters = chain([document(text) for text in all_texts], steps, told.append)
    left = list(flow)
    into = Count(len(all_texts), sum(len(text.encode()) for text in all_texts))
    for meter in meters:
        assert meter.into == into
        dropped = meter.drops.counts.values()
        assert meter.into.files == meter.out.files + sum(count.files for count in dropped)
        assert meter.into.bytes == meter.out.bytes + sum(count.bytes for count in dropped)
        assert meter.seconds >= 0
        into = meter.out
    assert into == Count(len(left), sum(map(size, left)))
    assert len(told) == len(all_texts) - len(left)
    for meter in meters:
        own = [drop.bytes for drop in told if drop.step == meter.name]
        assert (len(own), sum(own)) == (
            sum(count.files for count in meter.drops.counts.values()),
            sum(count.bytes for count in meter.drops.counts.values()),
        )


def test_the_seconds_of_a_step_are_its_own():
    now = [0.0]

    class Slow:
        def __init__(self, name, cost):
            self.name, self._cost = name, cost

        def apply(self, documents, drops):
            for each in documents:
                now[0] += self._cost
                yield each

    flow, meters = chain(
        [document("x")] * 10, [Slow("a", 1.0), Slow("b", 5.0), Slow("c", 0.0)], None,
        lambda: now[0],
    )  # fmt: skip
    assert sum(1 for _ in flow) == 10
    assert [meter.seconds for meter in meters] == [10.0, 50.0, 0.0]


def test_a_check_says_why_and_keeps_the_rest_in_order():
    check = Check("odd", lambda d: ("odd", d.text) if int(d.text) % 2 else None)
    told = []
    flow, (meter,) = chain([document(str(n)) for n in range(6)], [check], told.append)
    assert [d.text for d in flow] == ["0", "2", "4"]
    assert [(d.step, d.reason, d.detail, d.bytes) for d in told] == [
        ("odd", "odd", n, 1) for n in "135"
    ]
    assert meter.drops.counts == {"odd": Count(3, 3)}
    assert told[0].row() == {
        "step": "odd", "reason": "odd", "path": "package/module.py", "origin": "package==1.0",
        "bytes": 1, "detail": "1",
    }  # fmt: skip


def test_sizes_are_bytes_of_utf_8_and_changes_add_up():
    assert size(document("é€😀a")) == 2 + 3 + 4 + 1
    drops = Drops("x")
    drops.changed("e-mail")
    drops.changed("e-mail", 3)
    drops.refuse("a.py", "b==1", 7, "encoding")
    assert drops.changes == {"e-mail": 4}
    assert drops.counts == {"encoding": Count(1, 7)}
