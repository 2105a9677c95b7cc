"""GGUF files: read back tensor by tensor, and run by a slow reading of what llama.cpp does."""

from __future__ import annotations

import re

import gguf
import numpy as np
import pytest
import torch
from gguf import GGUFReader

from codewright.errors import ConfigError, DataError
from codewright.model import gguf_file
from codewright.model.gguf_names import architecture, tensors
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SPECIAL
from tests.model.shapes import changed, config, decoder
from tests.reference.decoder import SlowDecoder

SHAPES = {
    "llama": config(),
    "llama untied, biases": config(tied=False, kv_heads=4, biases="qkv out ff"),
    "llama3": config(rotary="llama3"),
    "qwen2": config(biases="qkv", kv_heads=1),
    "qwen3": config(qk_norm=True, head_dim=16),
    "starcoder2": config(norm="layer", activation="gelu_tanh", biases="qkv out ff"),
    "mixtral": config(experts=4, tied=False),
    "a window as long as the context": config(window=64),
}
ARCHITECTURE = {
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "starcoder2": "starcoder2",
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokenizer.json"
    text = "def f(x):\n    return x + 1\n\n\nclass Thing:\n    name = 'größe'\n" * 20
    Tokenizer.train([text], vocabulary=320).save(path)
    return path


def big(shape):
    return changed(shape, vocabulary=330)


def read(path):
    reader = GGUFReader(path)
    found = dict(gguf_file.read_tensor(reader, index) for index in range(len(reader.tensors)))
    return reader, found


def value(reader, key):
    return reader.get_field(key).contents()


@pytest.mark.parametrize("case", SHAPES)
def test_every_tensor_is_read_back(case, tokenizer, tmp_path):
    model = decoder(big(SHAPES[case]))
    written = gguf_file.write(tmp_path / "m.gguf", model, tokenizer, name="m", weights="f32")
    reader, found = read(tmp_path / "m.gguf")
    assert written.architecture == value(reader, "general.architecture")
    assert written.architecture == ARCHITECTURE.get(case, "llama")
    assert written.max_error == 0.0
    wanted = dict(tensors(model))
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor.numpy(), err_msg=name)
    known = gguf.MODEL_TENSORS[
        {v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[written.architecture]
    ]
    stems = {gguf.TENSOR_NAMES[tensor].replace("{bid}", "N") for tensor in known}
    for name in found:
        stem = re.sub(r"^blk\.\d+\.", "blk.N.", name).rpartition(".")[0]
        assert stem in stems, f"{written.architecture} has no {name}"


class AsLlamaCpp(SlowDecoder):
    """Runs the tensors of a GGUF file: rotary over neighbours where the architecture says so."""

    def __init__(self, shape, reader, found):
        self.neighbours = value(reader, "general.architecture") == "llama"
        self.factors = found.get("rope_freqs.weight")
        weights = {
            "embedding.weight": found["token_embd.weight"],
            "head.weight": found.get("output.weight", found["token_embd.weight"]),
        }
        for name, tensor in found.items():
            if name.startswith("output_norm"):
                weights[name.removeprefix("output_")] = tensor
            elif name.startswith("blk."):
                _, layer, rest = name.split(".", 2)
                weights[f"{layer}.{rest}"] = tensor
        for layer in range(shape.layers):
            self.fuse(weights, layer)
        super().__init__(shape, weights)

    @staticmethod
    def fuse(weights, layer):
        def join(ours, *theirs):
            for kind in ("weight", "bias"):
                parts = [weights.pop(f"{layer}.{each}.{kind}", None) for each in theirs]
                if parts[0] is not None:
                    weights[f"layers.{layer}.{ours}.{kind}"] = np.concatenate(parts)

        join("attention.qkv", "attn_q", "attn_k", "attn_v")
        join("attention.out", "attn_output")
        join("attention_norm", "attn_norm")
        join("attention.q_norm", "attn_q_norm")
        join("attention.k_norm", "attn_k_norm")
        join("feed_forward_norm", "ffn_norm")
        join("feed_forward.down", "ffn_down")
        join("feed_forward.gate", "ffn_gate_inp")
        gated = f"{layer}.ffn_gate.weight" in weights
        join("feed_forward.up", *(("ffn_gate", "ffn_up") if gated else ("ffn_up",)))
        if f"{layer}.ffn_gate_exps.weight" in weights:
            pair = [weights.pop(f"{layer}.ffn_{each}_exps.weight") for each in ("gate", "up")]
            weights[f"layers.{layer}.feed_forward.up_EFD"] = np.concatenate(pair, 1)
            down = weights.pop(f"{layer}.ffn_down_exps.weight")
            weights[f"layers.{layer}.feed_forward.down_EDF"] = down

    def turn(self, x, position):
        if not self.neighbours:
            return super().turn(x, position)
        turned = x.copy()
        for pair in range(len(x) // 2):
            angle = position * self.config.rotary.base ** (-2 * pair / len(x))
            if self.factors is not None:
                angle /= self.factors[pair]
            a, b = x[2 * pair], x[2 * pair + 1]
            turned[2 * pair] = a * np.cos(angle) - b * np.sin(angle)
            turned[2 * pair + 1] = b * np.cos(angle) + a * np.sin(angle)
        return turned


@pytest.mark.parametrize("case", SHAPES)
def test_what_llama_cpp_would_compute_is_what_we_compute(case, tokenizer, tmp_path):
    model = decoder(big(SHAPES[case]))
    gguf_file.write(tmp_path / "m.gguf", model, tokenizer, name="m", weights="f32")
    reader, found = read(tmp_path / "m.gguf")
    ids = torch.randint(330, (1, 14), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = model.logits(model(ids).hidden_BTD)[0]
    logits = AsLlamaCpp(model.config, reader, found).logits(ids[0].tolist())
    np.testing.assert_allclose(logits, wanted, atol=5e-4)


@pytest.mark.parametrize(
    ("weights", "bound"), [("f16", 2**-11), ("bf16", 2**-8), ("q8_0", 1 / 220)]
)
def test_smaller_forms_are_near(weights, bound, tokenizer, tmp_path):
    model = decoder(big(config(experts=4)))
    written = gguf_file.write(tmp_path / "m.gguf", model, tokenizer, name="m", weights=weights)
    _, found = read(tmp_path / "m.gguf")
    errors = []
    for name, tensor in tensors(model):
        largest = tensor.abs().max().item()
        errors.append(np.abs(found[name] - tensor.numpy()).max())
        assert errors[-1] <= bound * largest, name
        if tensor.dim() == 1 or "gate_inp" in name:
            assert errors[-1] == 0
    assert written.max_error == max(errors) > 0
    assert written.bytes == (tmp_path / "m.gguf").stat().st_size


def test_the_tokenizer_and_the_numbers_are_there(tokenizer, tmp_path):
    shape = big(config(qk_norm=True, head_dim=16, rotary="yarn"))
    gguf_file.write(tmp_path / "m.gguf", decoder(shape), tokenizer, name="small")
    reader, _ = read(tmp_path / "m.gguf")
    tokens = value(reader, "tokenizer.ggml.tokens")
    kinds = value(reader, "tokenizer.ggml.token_type")
    known = Tokenizer.load(tokenizer)
    assert len(tokens) == len(kinds) == shape.vocabulary
    assert tuple(tokens[:32]) == SPECIAL
    assert kinds[:13] == [gguf.TokenType.CONTROL] * 13
    assert set(kinds[13:32]) == {gguf.TokenType.UNUSED}
    for token in range(32, known.vocabulary):
        text = known.token_bytes(token).decode("utf-8", "replace")
        forced = re.fullmatch(r"[\r\n]+[ \t]*| ?[^\sa-zA-Z0-9_]?_*[0-9]", text)
        assert kinds[token] == gguf.TokenType.USER_DEFINED if forced else gguf.TokenType.NORMAL
        assert not forced or tokens[token] == text
    assert set(kinds[known.vocabulary :]) == {gguf.TokenType.UNUSED}
    assert len(set(tokens)) == len(tokens)
    merges = value(reader, "tokenizer.ggml.merges")
    assert {merge.replace(" ", "") for merge in merges} <= set(tokens)
    for key, wanted in {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": gguf_file.PRE,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.fim_pre_token_id": 1,
        "tokenizer.ggml.fim_mid_token_id": 2,
        "tokenizer.ggml.fim_suf_token_id": 3,
        "general.name": "small",
        "qwen3.context_length": 64,
        "qwen3.attention.key_length": 16,
        "qwen3.attention.head_count_kv": 2,
        "qwen3.rope.scaling.type": "yarn",
        "qwen3.rope.scaling.factor": 4.0,
        "qwen3.rope.scaling.original_context_length": 16,
        "qwen3.rope.freq_base": 10000.0,
    }.items():
        assert value(reader, key) == wanted, key


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        (config(biases="qkv", window=7), "sliding window"),
        (config(biases="qkv", head_dim=16), "share the width"),
        (config(norm="layer", activation="gelu_tanh", biases="qkv out ff", head_dim=4), "share"),
        (config(norm="layer", activation="gelu_tanh"), "all biases"),
        (config(norm="layer", activation="gelu", biases="qkv out ff"), "tanh-GELU"),
        (config(qk_norm=True, biases="qkv out"), "no biases"),
        (config(qk_norm=True, rotary="llama3"), "llama3 scaling"),
        (config(norm="layer"), "no Hugging Face family"),
    ],
)
def test_what_llama_cpp_cannot_run_is_refused(shape, complaint):
    with pytest.raises(ConfigError, match=complaint):
        architecture(shape)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(tokenizer, tmp_path):
    with pytest.raises(DataError, match="320 tokens, and the model 61"):
        gguf_file.write(tmp_path / "m.gguf", decoder(config()), tokenizer, name="m")
    assert list(tmp_path.iterdir()) == []
