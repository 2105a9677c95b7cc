"""POST /infill as llama.cpp's clients use it: what llama.vim and llama.vscode send and read."""

from __future__ import annotations

import json

import httpx
import pytest

from codewright.engine.sampling import Sampling
from codewright.serve.forms import InfillBody
from tests.serve.running import Running, Telling
from tests.serve.test_attacks import endless, message, works

FIELDS = [
    "content",
    *(f"timings/prompt_{each}" for each in ("n", "ms", "per_token_ms", "per_second")),
    *(f"timings/predicted_{each}" for each in ("n", "ms", "per_token_ms", "per_second")),
    "truncated",
    "tokens_cached",
]
VIM = {
    "id_slot": 0,
    "input_prefix": "def add(a, b):\n    total = a + b\n",
    "input_suffix": "\n\nprint(add(1, 2))\n",
    "input_extra": [{"text": "x = 1\n", "time": [1, 2], "filename": "other.py"}],
    "prompt": "    return ",
    "n_predict": 12,
    "stop": ["\n\n\n"],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.9,
    "stream": False,
    "samplers": ["top_k", "top_p", "infill"],
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 1000,
    "response_fields": FIELDS,
}
"""What llama.vim sends while somebody types."""


def asked(server: Running, **changes: object) -> dict:
    answer = httpx.post(f"{server.url}/infill", json={**VIM, **changes}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_infill_has_limits_too(server: Running):
    body = {"input_prefix": "x", "input_suffix": "y"}
    for wrong in (
        {"presence_penalty": 1e300},
        {"repeat_penalty": 0},
        {"top_k": 1 << 40},
        {"n_probs": 99},
        {"n_probs": 1},
        {"logit_bias": [[1, 2.0]]},
        {"n_indent": -1},
    ):
        answer = httpx.post(f"{server.url}/infill", json={**body, **wrong})
        assert (answer.status_code, next(iter(wrong)) in message(answer)) == (400, True)
    assert works(server)


def test_infill_is_llama_cpps(server: Running):
    body = {
        "input_prefix": "def add(a, b):\n    return ",
        "input_suffix": "\n\nprint(add(1, 2))\n",
        "input_extra": [{"filename": "other.py", "text": "x = 1\n"}],
        "n_predict": 12,
        "temperature": 0.7,
        "seed": 3,
    }
    whole = httpx.post(f"{server.url}/infill", json=body).json()
    assert whole["stop"] is True
    assert whole["tokens_predicted"] <= 12
    alone = httpx.post(f"{server.url}/infill", json={**body, "input_extra": []}).json()
    assert whole["tokens_evaluated"] > alone["tokens_evaluated"]
    text, last = "", {}
    with httpx.stream("POST", f"{server.url}/infill", json={**body, "stream": True}) as answer:
        for line in answer.iter_lines():
            if line:
                last = json.loads(line.removeprefix("data: "))
                text += last["content"]
    assert (text, last["stop"]) == (whole["content"], True)
    missing = httpx.post(f"{server.url}/infill", json={"input_prefix": "x"})
    assert (missing.status_code, "input_suffix" in message(missing)) == (400, True)


def test_llama_vim_finds_what_it_reads(server: Running):
    first = asked(server)
    assert set(first) == set(FIELDS)
    assert first["content"]
    assert first["truncated"] is False
    assert first["timings/predicted_n"] <= 12
    assert first["timings/predicted_ms"] >= 0 < first["timings/prompt_ms"]
    assert asked(server)["content"] == first["content"], "infill takes the most probable"
    again = asked(server, response_fields=[])
    assert again["timings"]["cache_n"] > 0, "its prompt was read before"
    counted = again["timings"]["cache_n"] + again["timings"]["prompt_n"]
    assert counted == again["tokens_evaluated"]
    assert again["tokens_cached"] == counted + again["tokens_predicted"]
    assert again["generation_settings"]["n_ctx"] > 0
    assert again["timings"]["predicted_n"] == again["tokens_predicted"]
    took = again["timings"]["predicted_ms"]  # in whole microseconds, of which there may be few
    rate = again["tokens_predicted"] / took * 1000
    assert again["timings"]["predicted_per_second"] == pytest.approx(rate, rel=0.01 + 0.001 / took)


def test_the_prompt_can_be_read_ahead(server: Running):
    # As llama.vim does for its ring of other files, between key strokes.
    other = "def helper(values):\n    return sorted(set(values))\n" * 4
    quiet = {"input_prefix": "", "input_suffix": "", "prompt": "", "response_fields": [""]}
    extra = [{"filename": "helper.py", "text": other}]
    assert asked(server, n_predict=0, input_extra=extra, **quiet) == {}
    told = asked(server, n_predict=0, input_extra=extra, response_fields=[])
    assert (told["content"], told["tokens_predicted"], told["stop_type"]) == ("", 0, "limit")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_line_that_is_less_indented_ends_the_text(telling: tuple[Running, Telling], streamed):
    server, runner = telling
    said = "x\n\n        deep\n    level\n  out\n    lost\n"
    runner.script = server.engine.model.tokenizer.encode(said)
    ask = {"n_predict": 80, "stop": [], "response_fields": [], "t_max_predict_ms": -1}
    if streamed:
        text = ""
        body = {**VIM, **ask, "stream": True}
        with httpx.stream("POST", f"{server.url}/infill", json=body, timeout=30) as answer:
            for line in filter(None, answer.iter_lines()):
                last = json.loads(line.removeprefix("data: "))
                text += last["content"]
    else:
        last = asked(server, **ask)
        text = last["content"]
    assert text == "x\n\n        deep\n    level\n  "
    assert (last["stop_type"], last["stop"], last["has_new_line"]) == ("limit", True, True)
    assert server.idle(), "what was cut off is not written on"
    assert asked(server, **ask, n_indent=0)["content"] == said


def test_time_ends_a_text_at_a_line_break(telling: tuple[Running, Telling]):
    server, runner = telling
    runner.script = server.engine.model.tokenizer.encode("word\n" * 2000)
    runner.seconds = 0.01
    ask = {"n_predict": -1, "n_indent": 0, "stop": [], "response_fields": []}
    told = asked(server, **ask, t_max_predict_ms=200)
    assert (told["stop_type"], told["content"][-1]) == ("limit", "\n")
    assert 200 < told["timings"]["predicted_ms"] < 5000
    assert server.idle()
    runner.script = endless(server)
    told = asked(server, **{**ask, "n_predict": 60}, t_max_predict_ms=1)
    assert told["tokens_predicted"] == 60, "there is no line break to end at"


def test_how_a_text_ended_is_told(telling: tuple[Running, Telling]):
    server, runner = telling
    runner.script = server.engine.model.tokenizer.encode("total STOP rest")
    ask = {"n_predict": 200, "response_fields": [], "t_max_predict_ms": -1}
    assert asked(server, **ask)["stop_type"] == "eos"
    told = asked(server, **{**ask, "stop": ["STOP"]})
    assert (told["content"], told["stop_type"]) == ("total ", "word")


def test_samplers_that_are_not_named_are_off():
    body = InfillBody(input_prefix="", input_suffix="", temperature=0.3, top_k=7, repeat_penalty=2)
    assert body.sampling() == Sampling(
        temperature=0.3, top_k=7, top_p=0.95, min_p=0.05, repetition=2
    )
    named = body.model_copy(update={"samplers": ["top_k", "dry"]})
    assert named.sampling() == Sampling(temperature=1.0, top_k=7)
    greedy = body.model_copy(update={"samplers": ["infill", "temperature"]})
    assert greedy.sampling() == Sampling(temperature=0.0)
