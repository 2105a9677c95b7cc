"""The dial, and what it derives from one number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.errors import ConfigError
from codewright.model.config import ExpertsConfig
from codewright.model.transformer import Decoder
from codewright.train import dial
from codewright.train.dial import ShapeConfig
from codewright.train.optim import OptimizerConfig
from codewright.train.plan import plan
from codewright.train.pretrain import BudgetConfig, TrainConfig

FACTS = {"context": 256, "vocabulary": 1024, "rows": 1000}


def test_depth_gives_the_shape_and_settings_win():
    model = dial.shape(ShapeConfig(depth=6), vocabulary=1024, context=256)
    assert (model.layers, model.width, model.attention.heads) == (6, 384, 6)
    assert model.attention.head_dim == 64
    assert model.feed_forward.width == 1024
    assert model.tied
    other = dial.shape(
        ShapeConfig(depth=2, width=96, heads=3, kv_heads=1, inner=200, activation="gelu"),
        vocabulary=1024,
        context=256,
    )
    assert (other.width, other.attention.kv_heads, other.attention.head_dim) == (96, 1, 32)
    assert other.feed_forward.width == 200
    experts = ExpertsConfig(count=4, active=2)
    assert (
        dial.shape(ShapeConfig(depth=1, experts=experts), vocabulary=64, context=64).experts
        == experts
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.booleans())
def test_what_is_derived_can_be_built_and_has_as_many_parameters_as_told(depth, tied):
    model = dial.shape(ShapeConfig(depth=depth, tied=tied), vocabulary=100, context=64)
    decoder = Decoder(model)
    assert sum(p.numel() for p in decoder.parameters()) == model.parameters()


def test_a_budget_in_operations_decides_everything():
    train = TrainConfig(budget=BudgetConfig(flops=2.6e15))
    settled = plan(ShapeConfig(), train, FACTS)
    # Bi et al. 2024, by hand: M = 2.07e7 a token, rate 0.00370, batch 32,300 tokens.
    wanted, tokens = dial.split(2.6e15)
    assert wanted == pytest.approx(2.07e7, rel=0.01)
    assert tokens == pytest.approx(1.25e8, rel=0.02)
    assert settled.train.optimizer.rate == pytest.approx(0.00370, rel=0.01)
    assert settled.train.batch == round(dial.batch_tokens(2.6e15) / 256) == 126
    assert settled.model.layers == 4
    assert settled.flops == 2.6e15
    said = "\n".join(settled.lines())
    assert "depth       4 (derived)" in said
    assert "rate        0.00369, adamw (derived)" in said
    assert "budget      2.6e+15 operations" in said


@given(st.floats(1e12, 1e21), st.floats(1.5, 100))
def test_more_operations_never_mean_a_smaller_model_or_batch(flops, times):
    small, large = (dial.depth(each, ShapeConfig(), context=512) for each in (flops, flops * times))
    assert small <= large
    assert dial.batch_tokens(flops) < dial.batch_tokens(flops * times)
    assert dial.rate(flops) > dial.rate(flops * times)


def test_what_is_set_is_kept_and_said_so():
    train = TrainConfig(
        batch=8, budget=BudgetConfig(steps=10), optimizer=OptimizerConfig(name="lion", rate=0.5)
    )
    settled = plan(ShapeConfig(depth=2, width=64, heads=2, inner=96), train, FACTS)
    assert settled.train == train
    assert settled.flops == 10 * 8 * 256 * settled.model.flops_per_token(256)
    assert "derived" not in "\n".join(settled.lines())


@pytest.mark.parametrize(
    ("shape", "train", "complaint"),
    [
        ({}, {"budget": BudgetConfig(tokens=10)}, r"model\.depth is not set"),
        ({"depth": 2}, {"budget": BudgetConfig(minutes=1.0)}, "from a budget in minutes"),
        ({"depth": 2}, {"budget": BudgetConfig(steps=5)}, r"train\.batch is not derived"),
        ({"depth": 2, "heads": 3}, {}, "3 heads do not divide a width of 128"),
    ],
)
def test_what_cannot_be_derived_is_asked_for(shape, train, complaint):
    with pytest.raises(ConfigError, match=complaint):
        plan(ShapeConfig(**shape), TrainConfig(**train), FACTS)
