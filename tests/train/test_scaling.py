"""A law that is known is found again, and says where sizes change places."""

import math

import pytest

from codewright.train.scaling import Law, Point, draw, fit, turns

TRUTH = Law(a=400.0, b=900.0, e=1.1, alpha=0.36, beta=0.33, error=0.0)


def grid(noise=0.0):
    points = []
    for place, size in enumerate((1e6, 4e6, 16e6)):
        for budget in (1e13, 1e14, 1e15):
            tokens = budget / (6 * size)
            wobble = 1 + noise * math.sin(17 * place + math.log(budget))
            points.append(
                Point(
                    name=f"{size / 1e6:.0f} M",
                    parameters=size,
                    tokens=tokens,
                    flops=budget,
                    loss=TRUTH.loss(size, tokens) * wobble,
                )
            )
    return points


def test_a_known_law_is_found_again():
    law = fit(grid())
    assert law.error < 1e-3
    for point in grid():
        assert law.loss(point.parameters, point.tokens) == pytest.approx(point.loss, rel=2e-3)
    # Between the points it was fitted to.
    assert law.loss(2e6, 3e7) == pytest.approx(TRUTH.loss(2e6, 3e7), rel=0.01)


def test_sizes_change_places_where_their_losses_are_equal():
    points = grid()
    found = turns(TRUTH, points)
    assert [(turn.smaller, turn.larger) for turn in found] == [("1 M", "4 M"), ("4 M", "16 M")]
    assert found[0].flops < found[1].flops
    for turn, (small, large) in zip(found, [(1e6, 4e6), (4e6, 16e6)], strict=True):
        losses = [TRUTH.loss(size, turn.flops / (6 * size)) for size in (small, large)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-9)
        before = [TRUTH.loss(size, turn.flops / 2 / (6 * size)) for size in (small, large)]
        assert before[0] < before[1]


def test_with_noise_the_turns_stay_in_place(tmp_path):
    points = grid(noise=0.003)
    law = fit(points)
    assert law.error < 0.01
    for turn, wanted in zip(turns(law, points), turns(TRUTH, points), strict=True):
        assert abs(math.log(turn.flops / wanted.flops)) < math.log(4)
    draw(points, law, tmp_path / "law.png")
    assert (tmp_path / "law.png").read_bytes().startswith(b"\x89PNG")


def test_too_few_runs_make_no_law():
    with pytest.raises(ValueError, match="at least five runs"):
        fit(grid()[:4])
