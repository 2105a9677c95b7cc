"""What `export --to gguf` writes, run by llama.cpp itself: choices, tokens, template.

Both sides are shown the same tokens, those that llama.cpp chooses greedily. Where ours is another,
the two must be as near in our logits as numbers can tell: no further than twice the largest
difference of any logit. In f32 that never happens, and may a few times in the smaller forms.
"""

from __future__ import annotations

import ctypes
import dataclasses
import sysconfig
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType

from codewright.generate.registry import embedded
from codewright.model import checkpoint, gguf_file
from codewright.tokens import fim, special
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.chat import TEMPLATE, Chat
from tests.model.shapes import changed, config, decoder
from tests.model.test_gguf import SHAPES

llama_cpp = pytest.importorskip(
    "llama_cpp", reason="llama-cpp-python is not installed; it comes with codewright[bench]"
)

CODE = '''def median(values):
    """Return the middle one."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return '''
CASES = {
    **SHAPES,
    "linear": config(rotary="linear"),
    "yarn": config(rotary="yarn"),
    "qwen2, yarn": config(biases="qkv", rotary="yarn"),
    "multi-query mixtral": config(experts=4, kv_heads=1),
    "heads wider than the model": config(head_dim=16),
    "starcoder2 untied": config(
        norm="layer", activation="gelu_tanh", biases="qkv out ff", tied=False, kv_heads=1
    ),
    "multi-head qwen3": config(qk_norm=True, kv_heads=4, tied=False),
}
LOGITS = {"f32": 2e-5, "f16": 0.03, "bf16": 0.15, "q8_0": 1.0}
"""By how much a logit may differ: there, activations are rounded to the form of the weights."""
GELU = 5e-3
"""The same in f32 where there is GELU, which llama.cpp looks up in a table of f16."""
FORMS = {"f16": GGMLQuantizationType.F16, "bf16": GGMLQuantizationType.BF16,
         "q8_0": GGMLQuantizationType.Q8_0}  # fmt: skip


def opened(path: Path, *, context: int = 64):
    # A cache in f32, so that nothing is rounded which is not rounded here.
    return llama_cpp.Llama(
        str(path), n_ctx=context, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False,
        type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32,
    )  # fmt: skip


def stored(model, weights: str):
    """Rounds the weights as the file does: matrices, but for the gate of experts."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if (
                weights == "f32"
                or parameter.dim() == 1
                or name.endswith("feed_forward.gate.weight")
            ):
                continue
            rows = parameter.numpy()
            packed = gguf.quants.quantize(rows, FORMS[weights])
            read = gguf.quants.dequantize(packed, FORMS[weights])
            parameter.copy_(torch.from_numpy(read.reshape(rows.shape)))
    return model


def follow(model, theirs, prompt: list[int], count: int) -> tuple[list[int], int, float]:
    """Returns their greedy choice, how often ours is another, and how far logits differ at most."""
    ids = list(prompt)
    theirs.reset()
    theirs.eval(prompt)
    for _ in range(count):
        ids.append(int(theirs.scores[len(ids) - 1].argmax()))
        theirs.eval(ids[-1:])
    with torch.no_grad():
        ours_TV = model.logits(model(torch.tensor([ids])).hidden_BTD)[0].numpy()
    difference = float(np.abs(ours_TV - theirs.scores[: len(ids)]).max())
    ties = 0
    for place in range(len(prompt) - 1, len(ids) - 1):
        gap = ours_TV[place].max() - ours_TV[place, ids[place + 1]]
        assert gap <= 2 * difference
        ties += gap > 0
    return ids[len(prompt) :], ties, difference


def spelled(theirs, ids: list[int], *, special: bool = False) -> bytes:
    """Returns what llama.cpp shows for tokens; its Python binding cuts them at 32 bytes."""
    vocabulary = llama_cpp.llama_model_get_vocab(theirs.model)
    buffer = ctypes.create_string_buffer(256)
    text = b""
    for token in ids:
        size = llama_cpp.llama_token_to_piece(vocabulary, token, buffer, 256, 0, special)
        assert size >= 0
        text += buffer.raw[:size]
    return text


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tokens") / "tokenizer.json"
    Tokenizer.train([CODE * 9], vocabulary=320).save(path)
    return path


@pytest.fixture(scope="module", params=["f32", "f16"])
def shipped(request, tmp_path_factory):
    """The embedded model, ours and theirs, with weights as they are in the file."""
    folder = embedded()
    model, _ = checkpoint.load(folder)
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    gguf_file.write(path, model, folder / "tokenizer.json", name="e", weights=request.param)
    stored(model, request.param)
    theirs = opened(path, context=2048)
    yield model.eval(), theirs, Tokenizer.load(folder / "tokenizer.json"), request.param
    theirs.close()


@pytest.mark.parametrize("case", CASES)
def test_llama_cpp_chooses_what_we_choose(case, tokenizer, tmp_path):
    path = tmp_path / "m.gguf"
    prompt = Tokenizer.load(tokenizer).encode(CODE)[:30]
    # Another expert that is chosen by a rounding changes everything: exact enough, or not at all.
    for weights in ("f32", "f16") if CASES[case].experts else LOGITS:
        shape = changed(CASES[case], vocabulary=330)
        if weights == "q8_0":
            shape = changed(shape, width=shape.attention.heads * shape.attention.head_dim * 2)
            attention = dataclasses.replace(shape.attention, head_dim=shape.attention.head_dim * 2)
            feed_forward = dataclasses.replace(shape.feed_forward, width=96)
            shape = changed(shape, attention=attention, feed_forward=feed_forward)
        model = decoder(shape)
        gguf_file.write(path, model, tokenizer, name="m", weights=weights)
        theirs = opened(path)
        ties, difference = follow(stored(model, weights), theirs, prompt, 20)[1:]
        theirs.close()
        gelu = weights == "f32" and shape.feed_forward.activation != "swiglu"
        assert difference <= (GELU if gelu else LOGITS[weights]), weights
        assert ties <= {"f32": 0, "f16": 1}.get(weights, 3), weights


def test_the_embedded_model_says_the_same_there(shipped):
    model, theirs, tokens, weights = shipped
    prompts = [
        tokens.encode(CODE),
        tokens.encode("import os\n\n\ndef main() -> None:\n"),
        fim.prompt(tokens, "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", "psm"),
        fim.prompt(tokens, "total = 0\nfor x in values:\n    ", "\nreturn total\n", "spm"),
    ]
    for prompt in prompts:
        ours, ties, difference = follow(model, theirs, prompt, 40)
        assert ties == 0
        assert difference <= (1e-4 if weights == "f32" else 0.05)
        theirs.reset()
        greedy = theirs.generate(prompt, temp=0.0, repeat_penalty=1.0)
        said = [token for token, _ in zip(greedy, ours, strict=False)]
        assert said == ours
        assert spelled(theirs, said, special=True) == tokens.decode_bytes(said, special=True)


def test_tokens_mean_the_same_there(shipped):
    _, theirs, tokens, _ = shipped
    for token in range(special.SLOTS, tokens.vocabulary):
        assert spelled(theirs, [token]) == tokens.token_bytes(token), token
    for token, name in enumerate(special.SPECIAL[:13]):
        assert theirs.tokenize(name.encode(), add_bos=False, special=True) == [token]
        assert len(theirs.tokenize(name.encode(), add_bos=False)) > 1, "text is text"
    vocabulary = llama_cpp.llama_model_get_vocab(theirs.model)
    for name, token in {
        "fim_pre": special.PREFIX,
        "fim_mid": special.MIDDLE,
        "fim_suf": special.SUFFIX,
        "fim_pad": special.PAD,
        "fim_rep": special.REPOSITORY,
        "fim_sep": special.FILE,
        "eos": special.END,
        "eot": special.TURN_END,
    }.items():
        assert getattr(llama_cpp, f"llama_vocab_{name}")(vocabulary) == token, name
    for token in (special.END, special.TURN_END):
        assert llama_cpp.llama_vocab_is_eog(vocabulary, token)
    for token in (special.PREFIX, special.SUFFIX, special.MIDDLE, special.TURN, special.TOOL_CALL):
        assert not llama_cpp.llama_vocab_is_eog(vocabulary, token)
    assert not llama_cpp.llama_vocab_get_add_bos(vocabulary)
    assert theirs.metadata["general.name"] == "e"


def test_a_gap_is_laid_out_there_as_here(shipped):
    _, theirs, tokens, _ = shipped
    before, after = "def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n"
    text = f"<|fim_prefix|>{before}<|fim_suffix|>{after}<|fim_middle|>"
    found = theirs.tokenize(text.encode(), add_bos=False, special=True)
    assert found == fim.prompt(tokens, before, after, "psm")


def test_the_template_is_carried_and_renders_the_same(shipped):
    _, theirs, tokens, _ = shipped
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    template = theirs.metadata["tokenizer.chat_template"]
    assert template == TEMPLATE
    formatter = Jinja2ChatFormatter(
        template, eos_token="<|endoftext|>", bos_token="<|endoftext|>", add_generation_prompt=True
    )
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Sort <these> & those."},
        {"role": "assistant", "content": "sorted(those)"},
        {"role": "user", "content": "Thanks."},
    ]
    chat = Chat(tokens)
    said = formatter(messages=turns).prompt
    assert said == chat.text(turns, answer=True)
    found = theirs.tokenize(said.encode(), add_bos=False, special=True)
    assert found == chat.render(turns, answer=True).ids


def test_real_code_loses_nothing_and_is_cut_nearly_as_here(shipped):
    _, theirs, tokens, _ = shipped
    same = wanted = found = 0
    library = Path(sysconfig.get_paths()["stdlib"])
    for name in ("textwrap", "heapq", "csv", "shlex", "statistics", "calendar", "fractions"):
        data = (library / f"{name}.py").read_bytes()
        here, there = tokens.encode(data), theirs.tokenize(data, add_bos=False)
        assert spelled(theirs, there) == data
        places = [set(zip(starts(tokens, ids), ids, strict=True)) for ids in (here, there)]
        same += len(places[0] & places[1])
        wanted += len(here)
        found += len(there)
    assert same / wanted > 0.975
    assert abs(found / wanted - 1) < 0.01


def starts(tokens: Tokenizer, ids: list[int]) -> list[int]:
    return (np.cumsum(tokens.lengths_V[ids]) - tokens.lengths_V[ids]).tolist()
