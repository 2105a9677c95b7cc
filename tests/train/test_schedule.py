import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.train.schedule import ScheduleConfig, factor


def line(config, steps):
    return [factor(config, step, steps) for step in range(steps)]


@given(
    st.sampled_from(["wsd", "cosine", "constant"]),
    st.integers(0, 50),
    st.floats(0, 1),
    st.sampled_from(["sqrt", "linear"]),
    st.floats(0, 1),
    st.integers(1, 200),
)
def test_a_schedule_rises_to_its_peak_and_never_rises_again(
    name, warmup, decay, shape, final, steps
):
    config = ScheduleConfig(name=name, warmup=warmup, decay=decay, shape=shape, final=final)
    values = line(config, steps)
    assert all(0 <= value <= 1 for value in values)
    # No update is wasted on a rate of zero.
    assert all(value > 0 for value in values)
    rising, falling = values[:warmup], values[warmup:]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    if warmup < steps and decay < 1:
        assert max(values) == pytest.approx(1, abs=1 / steps + 1e-9) or warmup >= steps


def test_warm_up_then_stay_then_decay_by_the_root():
    values = line(ScheduleConfig(name="wsd", warmup=4, decay=0.25), 20)
    assert values[:4] == [0.25, 0.5, 0.75, 1.0]
    assert values[4:15] == [1.0] * 11
    assert values[15:] == pytest.approx([1 - math.sqrt(gone / 5) for gone in range(5)])


def test_linear_decay_ends_one_step_above_the_final_factor():
    values = line(ScheduleConfig(name="wsd", decay=0.5, shape="linear", final=0.2), 8)
    assert values[4:] == pytest.approx([1.0, 0.8, 0.6, 0.4])


def test_cosine_passes_its_middle_half_way():
    values = line(ScheduleConfig(name="cosine", final=0.1), 10)
    assert values[0] == 1
    assert values[5] == pytest.approx(0.55)


@pytest.mark.parametrize("wrong", [{"warmup": -1}, {"decay": 1.5}, {"final": -0.1}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ScheduleConfig(**wrong)
