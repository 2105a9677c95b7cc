"""The config as JSON and back, and what it refuses."""

from __future__ import annotations

import copy
import json

import pytest

from codewright import config as settings
from codewright.errors import ConfigError
from codewright.model.config import AttentionConfig, ModelConfig, RotaryConfig
from tests.model.shapes import EVERY, config


@pytest.mark.parametrize("case", EVERY)
def test_json_and_back_is_the_identity(case):
    assert ModelConfig.from_dict(json.loads(json.dumps(EVERY[case].to_dict()))) == EVERY[case]


def changed(path: str, value: object) -> dict:
    table = copy.deepcopy(config(experts=4).to_dict())
    *outer, last = path.split(".")
    inner = table
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return table


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("depth", 3, "unknown key depth"),
        ("attention.head", 3, "unknown key attention.head"),
        ("layers", "3", "layers is '3', which does not fit int"),
        ("layers", True, "layers is True"),
        ("layers", 0, "layers is 0, and must be above 0"),
        ("tied", 1, "tied is 1"),
        ("norm", "batch", "norm is 'batch'"),
        ("rotary.scaling", "dynamic", "rotary.scaling is 'dynamic'"),
        ("attention", 3, "attention is 3, where an object was expected"),
        ("attention.kv_heads", 3, "cannot share 3 key heads evenly"),
        ("attention.head_dim", 7, "turn pairs"),
        ("attention.window", 0, "window is 0"),
        ("experts.active", 5, "5 experts cannot be active of 4"),
        ("feed_forward.activation", "gelu", "experts are SwiGLU"),
        ("feed_forward.width", 20, "multiples of 8"),
        ("attention", None, "attention is None"),
    ],
)
def test_what_does_not_fit_is_named(path, value, complaint):
    with pytest.raises(ConfigError) as caught:
        ModelConfig.from_dict(changed(path, value))
    assert complaint in caught.value.message


def test_a_missing_key_is_named():
    table = config().to_dict()
    del table["width"]
    with pytest.raises(ConfigError, match="width"):
        ModelConfig.from_dict(table)
    with pytest.raises(ConfigError, match="where an object was expected"):
        ModelConfig.from_dict([])  # type: ignore[arg-type]


def test_scaling_needs_its_numbers():
    with pytest.raises(ValueError, match="original_context"):
        RotaryConfig(scaling="yarn", factor=2.0)
    with pytest.raises(ValueError, match="above low_frequency"):
        RotaryConfig(scaling="llama3", factor=2.0, original_context=8, high_frequency=1.0)
    with pytest.raises(ValueError, match="heads is 0"):
        AttentionConfig(heads=0, kv_heads=1, head_dim=8)


def test_it_is_a_settings_class(tmp_path):
    (tmp_path / "model.toml").write_text(
        "vocabulary = 9\ncontext = 8\nlayers = 1\nwidth = 8\n"
        "[attention]\nheads = 2\nkv_heads = 1\nhead_dim = 4\n[feed_forward]\nwidth = 16\n"
    )
    shape = settings.load(ModelConfig, tmp_path / "model.toml", ["attention.window=4"])
    assert shape.attention.window == 4
    assert shape.rotary == RotaryConfig()
    assert shape.experts is None
