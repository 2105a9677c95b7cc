"""Logits against `transformers`, in both directions, on random weights of each family."""

from __future__ import annotations

import json
import os
import re

import pytest
import torch

from codewright.errors import ConfigError, DataError
from codewright.model import interop
from codewright.model.interop_config import family, from_huggingface, to_huggingface
from codewright.model.transformer import Decoder
from tests.model.shapes import EVERY, config, decoder, tokens

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
transformers = pytest.importorskip("transformers")

LONG = 40
"""Tokens: more than any window and any original context here."""
SMALL = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 1e4,
    "factor": 4.0,
    "original_max_position_embeddings": 16,
}
WINDOWED = {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1}

THEIRS = {
    "llama grouped": ("Llama", {}),
    "llama multi-head, tied": ("Llama", {"num_key_value_heads": 4, "tie_word_embeddings": True}),
    "llama multi-query, biases": (
        "Llama",
        {"num_key_value_heads": 1, "attention_bias": True, "mlp_bias": True},
    ),
    "llama 3.1": ("Llama", {"rope_parameters": LLAMA3, "rms_norm_eps": 1e-3}),
    "llama linear": (
        "Llama",
        {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}},
    ),
    "llama head size": ("Llama", {"head_dim": 16}),
    "mistral": ("Mistral", {"sliding_window": 9}),
    "mistral without window": ("Mistral", {"sliding_window": None, "tie_word_embeddings": True}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen2 windowed": ("Qwen2", WINDOWED),
    "qwen2 yarn": ("Qwen2", {"rope_parameters": YARN, "num_key_value_heads": 1}),
    "qwen3": ("Qwen3", {"head_dim": 16}),
    "qwen3 windowed, biases": (
        "Qwen3",
        {**WINDOWED, "head_dim": 8, "attention_bias": True, "tie_word_embeddings": True},
    ),
    "qwen3 yarn": (
        "Qwen3",
        {"rope_parameters": {**YARN, "truncate": False, "beta_fast": 16.0, "factor": 8.0}},
    ),
    "qwen3 yarn, factor on attention": (
        "Qwen3",
        {"rope_parameters": {**YARN, "attention_factor": 1.3}, "num_key_value_heads": 4},
    ),
    "starcoder2": ("Starcoder2", {"sliding_window": 9}),
    "starcoder2 without biases, untied": (
        "Starcoder2",
        {"use_bias": False, "tie_word_embeddings": False, "hidden_act": "gelu"},
    ),
    "starcoder2 multi-query": (
        "Starcoder2",
        {"num_key_value_heads": 1, "norm_epsilon": 1e-2, "rope_parameters": YARN},
    ),
    "mixtral": ("Mixtral", {"num_local_experts": 4}),
    "mixtral windowed, three of five": (
        "Mixtral",
        {
            "num_local_experts": 5,
            "num_experts_per_tok": 3,
            "sliding_window": 9,
            "num_key_value_heads": 4,
            "tie_word_embeddings": True,
            "head_dim": 16,
        },
    ),
}


def their_model(name, options, seed=0):
    shape = getattr(transformers, f"{name}Config")(**{**SMALL, **options})
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(shape, attn_implementation="eager")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    return model.eval()


def ours(model, ids):
    with torch.no_grad():
        return model.logits(model(ids).hidden_BTD)


def theirs(model, ids):
    with torch.no_grad():
        return model(ids).logits


@pytest.mark.parametrize("case", THEIRS)
def test_what_they_write_gives_their_logits(case, tmp_path):
    model = their_model(*THEIRS[case])
    model.save_pretrained(tmp_path)
    read = interop.read(tmp_path).eval()
    ids = tokens(read.config, 2, LONG)
    wanted = theirs(model, ids)
    assert wanted.std() > 0.1, "logits that are all alike prove nothing"
    torch.testing.assert_close(ours(read, ids), wanted, atol=1e-4, rtol=0)
    assert family(read.config) == THEIRS[case][0].lower() or "without window" in case
    assert read.config.parameters() == sum(each.numel() for each in read.parameters())


@pytest.mark.parametrize("case", EVERY)
def test_what_we_write_loads_there_unchanged(case, tmp_path):
    shape = EVERY[case]
    if case == "exact gelu":
        shape = config(norm="layer", activation="gelu", biases="qkv out ff")
    model = decoder(shape)
    interop.write(tmp_path / "out", model, file_bytes=20_000)
    loaded, report = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "out", output_loading_info=True, dtype="auto"
    )
    assert not any(report.values()), report
    assert loaded.dtype == torch.float32
    ids = tokens(shape, 2, LONG)
    wanted = ours(model, ids)
    assert wanted.std() > 0.1
    torch.testing.assert_close(theirs(loaded.eval(), ids), wanted, atol=1e-4, rtol=0)
    again = interop.read(tmp_path / "out").eval()
    assert again.config == shape
    assert torch.equal(ours(again, ids), wanted)


def test_reading_what_we_wrote_in_half_precision(tmp_path):
    model = decoder(config())
    interop.write(tmp_path / "out", model, dtype=torch.bfloat16)
    interop.write(tmp_path / "out", model, dtype=torch.bfloat16)  # over itself
    read = interop.read(tmp_path / "out")
    for ours_, theirs_ in zip(model.parameters(), read.parameters(), strict=True):
        assert torch.equal(ours_.bfloat16().float(), theirs_)
    assert next(interop.read(tmp_path / "out", torch.bfloat16).parameters()).dtype == torch.bfloat16


def test_experts_that_transformers_left_fused_are_read(tmp_path):
    model = their_model("Mixtral", {"num_local_experts": 4})
    model.save_pretrained(tmp_path, save_original_format=False)
    from safetensors import safe_open

    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert any(name.endswith("experts.gate_up_proj") for name in file.keys())  # noqa: SIM118
    read = interop.read(tmp_path).eval()
    ids = tokens(read.config, 1, LONG)
    torch.testing.assert_close(ours(read, ids), theirs(model, ids), atol=1e-4, rtol=0)


def test_the_balance_loss_is_theirs():
    model = their_model("Mixtral", {"num_local_experts": 5, "num_experts_per_tok": 3})
    shape, name = from_huggingface(model.config.to_dict())
    mine = Decoder(shape)
    interop.fill(mine, name, iter(model.state_dict().items()))
    ids = tokens(shape, 2, LONG)
    with torch.no_grad():
        wanted = model(ids, output_router_logits=True).aux_loss
    assert wanted > 3.001
    torch.testing.assert_close(mine(ids).balance, wanted, atol=1e-5, rtol=0)


def test_gradients_are_theirs():
    model = their_model("Qwen2", {**WINDOWED, "tie_word_embeddings": True})
    shape, name = from_huggingface(model.config.to_dict())
    mine = Decoder(shape)
    interop.fill(mine, name, iter(model.state_dict().items()))
    ids = tokens(shape, 2, LONG)
    model(ids).logits.square().mean().backward()
    mine.logits(mine(ids).hidden_BTD).square().mean().backward()
    for place in interop.places(shape, name):
        wanted = model.get_parameter(place.theirs).grad
        found = mine.get_parameter(place.ours).grad[place.part]
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-3)


OLD = {
    "rope_parameters": None,
    "rope_theta": 1e4,
    "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
}


def test_the_config_of_transformers_4_is_read():
    new = to_huggingface(EVERY["yarn"], "llama")
    del new["rope_parameters"]
    assert from_huggingface(new)[0] == EVERY["yarn"]
    assert from_huggingface({**to_huggingface(config(), "llama"), **OLD})[0] == EVERY["yarn"]
    bare = to_huggingface(EVERY["mixtral"], "mixtral")
    for key in ("rope_parameters", "rope_theta", "rope_scaling"):
        del bare[key]
    assert from_huggingface(bare)[0].rotary.base == 1e6


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2'"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "'dynamic'"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"num_hidden_layers": None}, "num_hidden_layers"),
        ({"num_hidden_layers": -1}, "layers is -1"),
        ({"num_key_value_heads": 3}, "cannot share"),
        (
            {
                "model_type": "qwen2",
                "use_sliding_window": True,
                "sliding_window": 4,
                "layer_types": ["sliding_attention", "full_attention", "full_attention"],
            },
            "layer_types",
        ),
    ],
)
def test_what_we_do_not_have_is_refused(changes, complaint):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        from_huggingface({**to_huggingface(config(), "llama"), **changes})


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        (config(norm="layer"), "layer norms"),
        (config(activation="gelu"), "not gelu"),
        (config(biases="out"), "bias"),
        (config(experts=4, biases="qkv"), "no biases"),
        (config(qk_norm=True, experts=4), "it has no experts"),
        (config(biases="qkv ff"), "all biases or none"),
        (config(window=4, window_from=1), "window"),
        (config(norm="layer", activation="gelu", biases="qkv"), "all biases or none"),
    ],
)
def test_an_option_without_a_home_is_named(shape, complaint):
    with pytest.raises(ConfigError, match="no Hugging Face family") as caught:
        family(shape)
    assert complaint in caught.value.message


def test_broken_folders_are_told_apart(tmp_path):
    folder = tmp_path / "out"
    interop.write(folder, decoder(config()), file_bytes=20_000)
    with pytest.raises(DataError, match=r"does not exist"):
        interop.read(tmp_path / "none")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    file = index["weight_map"]["model.norm.weight"]
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(whole[:-4])
    with pytest.raises(DataError, match="is broken"):
        interop.read(folder)
    (folder / file).unlink()
    with pytest.raises(DataError, match="does not exist"):
        interop.read(folder)
    (folder / file).write_bytes(whole)
    index["weight_map"] = {key: name for key, name in index["weight_map"].items() if name != file}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(DataError, match="is missing"):
        interop.read(folder)
    index["weight_map"]["x"] = "../evil.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(DataError, match="no file of weights"):
        interop.read(folder)
    (folder / "model.safetensors.index.json").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match=r"has no model\.safetensors") as caught:
        interop.read(folder)
    assert "pickles" in caught.value.hint
    with pytest.raises(DataError, match=r"holds pytorch_model\.bin"):
        interop.write(folder, decoder(config()))
    assert (folder / "pytorch_model.bin").exists()


def test_tensors_of_another_model_are_refused(tmp_path):
    interop.write(tmp_path / "out", decoder(config()))
    content = json.loads((tmp_path / "out" / "config.json").read_text())
    for changes, complaint in (
        ({"vocab_size": 60}, "where config.json asks for"),
        ({"num_hidden_layers": 2}, "has no place"),
        ({"num_hidden_layers": 4}, "is missing"),
        ({"attention_bias": True}, "is missing"),
    ):
        (tmp_path / "out" / "config.json").write_text(json.dumps({**content, **changes}))
        with pytest.raises(DataError, match=complaint):
            interop.read(tmp_path / "out")
