"""Which Hugging Face family a config belongs to, and how its config.json says it.

The families are those of `transformers`: Llama, Mistral, Qwen2, Qwen3, StarCoder2 and Mixtral. A
config that none of them can express is refused with the option that has no home. Both forms of
config.json are read, that of transformers 4 (`rope_theta`, `rope_scaling`) and that of 5
(`rope_parameters`), and both are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from codewright.errors import ConfigError
from codewright.model.config import (
    Activation,
    AttentionConfig,
    ExpertsConfig,
    FeedForwardConfig,
    ModelConfig,
    RotaryConfig,
)

Family = Literal["llama", "mistral", "qwen2", "qwen3", "starcoder2", "mixtral"]

CLASSES: Mapping[Family, str] = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "starcoder2": "Starcoder2ForCausalLM",
    "mixtral": "MixtralForCausalLM",
}

BASE: Mapping[Family, float] = {"mixtral": 1e6}
"""Rotary bases that a config.json may leave out; 10,000 for the other families."""

_GELU: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_new": "gelu_tanh",
}


def family(config: ModelConfig) -> Family:
    """Returns the first family that can express `config`.

    Raises:
        ConfigError: none can; the message says what the nearest one lacks.
    """
    found = {name: (_strange(name, config), _amiss(name, config)) for name in get_args(Family)}
    best: Family = min(found, key=lambda name: tuple(map(len, found[name])))
    lacking = [*found[best][0], *found[best][1]]
    if lacking:
        raise ConfigError(
            f"no Hugging Face family can express this model: {best} comes nearest, but "
            + " and ".join(lacking),
            hint="docs/export.md lists what each family has",
        )
    return best


def _strange(name: Family, config: ModelConfig) -> list[str]:
    """Returns in which parts a model is of another kind than a family."""
    plain = name == "starcoder2"
    activation = config.feed_forward.activation
    checks = (
        (config.norm == ("layer" if plain else "rms"), f"its norms are not {config.norm} norms"),
        ((activation == "swiglu") != plain, f"its feed-forward layers are not {activation}"),
        (name == "mixtral" or config.experts is None, "it has no experts"),
        (name != "mixtral" or config.experts is not None, "it has experts"),
        (name == "qwen3" or not config.attention.qk_norm, "it has no q/k norm"),
        (name != "qwen3" or config.attention.qk_norm, "it has a q/k norm"),
    )
    return [text for holds, text in checks if not holds]


def _amiss(name: Family, config: ModelConfig) -> list[str]:
    """Returns which biases and windows a family does not have."""
    attention, bias = config.attention, config.feed_forward.bias
    biases = (attention.qkv_bias, attention.out_bias)
    windowed = attention.window is not None
    late = windowed and attention.window_from > 0
    checks = [
        (name != "llama" or not windowed, "it has no sliding window"),
        (name in ("qwen2", "qwen3") or not late, "its window is on all layers"),
        (name in ("llama", "starcoder2") or not bias, "its feed-forward layers have no biases"),
    ]
    if name == "qwen2":
        checks.append((biases == (True, False), "its bias is on q, k and v"))
    elif name in ("mistral", "mixtral"):
        checks.append((biases == (False, False), "its attention has no biases"))
    elif name == "starcoder2":
        checks.append((set(biases) == {bias}, "it has all biases or none"))
    else:
        checks.append((len(set(biases)) == 1, "its attention has all biases or none"))
    return [text for holds, text in checks if not holds]


def to_huggingface(config: ModelConfig, name: Family) -> dict[str, Any]:
    """Returns the config.json of a family, without token ids and dtype."""
    attention = config.attention
    content: dict[str, Any] = {
        "architectures": [CLASSES[name]],
        "model_type": name,
        "vocab_size": config.vocabulary,
        "max_position_embeddings": config.context,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.kv_heads,
        "head_dim": attention.head_dim,
        "tie_word_embeddings": config.tied,
        "hidden_act": "silu",
        **_rope_to_huggingface(config.rotary),
    }
    if name == "starcoder2":
        exact = config.feed_forward.activation == "gelu"
        content["hidden_act"] = "gelu" if exact else "gelu_pytorch_tanh"
        content["use_bias"] = attention.qkv_bias
        content["norm_epsilon"] = config.norm_eps
    else:
        content["rms_norm_eps"] = config.norm_eps
    if name in ("llama", "qwen3"):
        content["attention_bias"] = attention.qkv_bias
    if name == "llama":
        content["mlp_bias"] = config.feed_forward.bias
    elif name in ("qwen2", "qwen3"):
        content |= _windows_to_huggingface(config)
    else:
        content["sliding_window"] = attention.window
    if config.experts is not None:
        content["num_local_experts"] = config.experts.count
        content["num_experts_per_tok"] = config.experts.active
        content["router_aux_loss_coef"] = config.experts.balance
    return content


def from_huggingface(content: Mapping[str, Any]) -> tuple[ModelConfig, Family]:
    """Reads a config.json.

    Raises:
        ConfigError: the family is another one, or the model has something that we do not.
    """
    name: Family = content.get("model_type")  # type: ignore[assignment]
    if name not in get_args(Family):
        known = ", ".join(get_args(Family))
        raise ConfigError(f"model_type is {name!r}", hint=f"these families are read: {known}")
    plain = name == "starcoder2"
    _refuse(content, "quantization_config", None)
    heads, width = _need(content, "num_attention_heads"), _need(content, "hidden_size")
    head_dim = content.get("head_dim") or (128 if name == "qwen3" else width // heads)
    biased = bool(content.get("use_bias", True) if plain else content.get("attention_bias", False))
    window, window_from = _windows_from_huggingface(content)
    try:
        config = ModelConfig(
            vocabulary=_need(content, "vocab_size"),
            context=_need(content, "max_position_embeddings"),
            layers=_need(content, "num_hidden_layers"),
            width=width,
            norm="layer" if plain else "rms",
            norm_eps=_need(content, "norm_epsilon" if plain else "rms_norm_eps"),
            tied=bool(content.get("tie_word_embeddings", plain)),
            attention=AttentionConfig(
                heads=heads,
                kv_heads=content.get("num_key_value_heads") or heads,
                head_dim=head_dim,
                qkv_bias=biased or name == "qwen2",
                out_bias=biased and name != "qwen2",
                qk_norm=name == "qwen3",
                window=window,
                window_from=window_from,
            ),
            rotary=_rope_from_huggingface(content, name),
            feed_forward=FeedForwardConfig(
                width=_need(content, "intermediate_size"),
                activation=_activation(content, plain=plain),
                bias=biased if plain else bool(content.get("mlp_bias", False)),
            ),
            experts=_experts_from_huggingface(content) if name == "mixtral" else None,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config.json: {error}") from None
    return config, name


def _need(content: Mapping[str, Any], key: str) -> Any:
    value = content.get(key)
    if type(value) not in (int, float):
        raise ConfigError(f"{key} in config.json is {value!r}, where a number is needed")
    return value


def _refuse(content: Mapping[str, Any], key: str, *plain: Any) -> None:
    if content.get(key) is not None and content[key] not in plain:
        raise ConfigError(f"{key} in config.json is {content[key]!r}, which is not supported")


def _activation(content: Mapping[str, Any], *, plain: bool) -> Activation:
    name = content.get("hidden_act", "gelu_pytorch_tanh" if plain else "silu")
    if not plain and name in ("silu", "swish"):
        return "swiglu"
    if plain and name in _GELU:
        return _GELU[name]
    raise ConfigError(f"hidden_act in config.json is {name!r}, which is not supported")


def _experts_from_huggingface(content: Mapping[str, Any]) -> ExpertsConfig:
    return ExpertsConfig(
        count=_need(content, "num_local_experts"),
        active=_need(content, "num_experts_per_tok"),
        balance=content.get("router_aux_loss_coef", 0.001),
    )


def _windows_to_huggingface(config: ModelConfig) -> dict[str, Any]:
    window = config.attention.window
    windows = [config.window(layer) for layer in range(config.layers)]
    types = ["full_attention" if each is None else "sliding_attention" for each in windows]
    return {
        "use_sliding_window": window is not None,
        "sliding_window": window,
        "max_window_layers": config.layers if window is None else config.attention.window_from,
        "layer_types": types,
    }


def _windows_from_huggingface(content: Mapping[str, Any]) -> tuple[int | None, int]:
    """Returns the window and the first layer that has it."""
    window = content.get("sliding_window")
    if content["model_type"] == "llama" or window is None:
        return None, 0
    if content["model_type"] not in ("qwen2", "qwen3"):
        return window, 0
    if not content.get("use_sliding_window", False):
        return None, 0
    layers = _need(content, "num_hidden_layers")
    first = content.get("max_window_layers", 28)
    types = content.get("layer_types")
    if types is not None:
        first = sum(kind == "full_attention" for kind in types)
        if types != ["full_attention"] * first + ["sliding_attention"] * (layers - first):
            raise ConfigError(
                "layer_types in config.json mixes windows in an order that is not supported",
                hint="layers without a window come first, those with one after them",
            )
    return (window, first) if first < layers else (None, 0)


def _rope_to_huggingface(rotary: RotaryConfig) -> dict[str, Any]:
    scaling: dict[str, Any] = {}
    if rotary.scaling != "none":
        scaling = {"rope_type": rotary.scaling, "factor": rotary.factor}
    if rotary.scaling in ("llama3", "yarn"):
        scaling["original_max_position_embeddings"] = rotary.original_context
    if rotary.scaling == "llama3":
        scaling["low_freq_factor"] = rotary.low_frequency
        scaling["high_freq_factor"] = rotary.high_frequency
    if rotary.scaling == "yarn":
        scaling["beta_fast"], scaling["beta_slow"] = rotary.beta_fast, rotary.beta_slow
        scaling["truncate"] = rotary.truncate
        if rotary.attention_factor is not None:
            scaling["attention_factor"] = rotary.attention_factor
    return {
        "rope_parameters": {"rope_type": "default", "rope_theta": rotary.base, **scaling},
        "rope_theta": rotary.base,
        "rope_scaling": scaling or None,
    }


def _rope_from_huggingface(content: Mapping[str, Any], name: Family) -> RotaryConfig:
    given = content.get("rope_scaling") or content.get("rope_parameters") or {}
    if not isinstance(given, Mapping):
        raise ConfigError("rope_parameters in config.json is no object")
    kind = given.get("rope_type", given.get("type", "default"))
    if kind not in ("default", "linear", "llama3", "yarn"):
        raise ConfigError(f"rope_type in config.json is {kind!r}, which is not supported")
    for key in ("partial_rotary_factor", "mscale", "mscale_all_dim"):
        _refuse(given, key, 1, 0)
        _refuse(content, key, 1, 0)
    base = given.get("rope_theta", content.get("rope_theta", BASE.get(name, 10_000.0)))
    if kind == "default":
        return RotaryConfig(base=base)
    context = _need(content, "max_position_embeddings")
    original = given.get("original_max_position_embeddings") or context
    factor = given.get("factor")
    rest: dict[str, Any] = {}
    if kind == "llama3":
        rest = {
            "low_frequency": _need(given, "low_freq_factor"),
            "high_frequency": _need(given, "high_freq_factor"),
        }
    elif kind == "yarn":
        rest = {
            "beta_fast": given.get("beta_fast") or 32.0,
            "beta_slow": given.get("beta_slow") or 1.0,
            "attention_factor": given.get("attention_factor"),
            "truncate": given.get("truncate", True),
        }
    return RotaryConfig(
        base=base,
        scaling=kind,
        factor=context / original if factor is None else factor,
        original_context=0 if kind == "linear" else original,
        **rest,
    )
