"""The official client, unchanged, against the server."""

from __future__ import annotations

import json

import openai
import pytest
from openai import OpenAI

from codewright.generate.local import LocalGenerator
from codewright.tokens.special import TOOL_CALL, TOOL_CALL_END
from codewright.types.generation import Request
from tests.serve.conftest import EXACT
from tests.serve.running import Running, Telling

PROMPT = "def add(a, b):\n    return "
SUFFIX = "\n\n\ndef sub(a, b):\n"


@pytest.fixture(scope="module")
def client(server: Running) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


def test_texts_are_those_of_the_generator(client: OpenAI, chatty):
    """The same seed gives the same, in this process and through the door."""
    local = LocalGenerator(chatty, EXACT)
    for suffix in (None, SUFFIX):
        request = Request(
            prompt=PROMPT, suffix=suffix, n=4, max_tokens=30, temperature=0.9, top_p=0.95, seed=5
        )
        (wanted,) = local.generate([request])
        said = client.completions.create(
            model="tiny",
            prompt=PROMPT,
            suffix=suffix,
            n=4,
            max_tokens=30,
            temperature=0.9,
            top_p=0.95,
            seed=5,
        )
        assert [choice.text for choice in said.choices] == [one.text for one in wanted]
        assert [choice.finish_reason for choice in said.choices] == [one.finish for one in wanted]
        assert said.usage.completion_tokens == sum(one.tokens for one in wanted)
        assert [choice.index for choice in said.choices] == [0, 1, 2, 3]


@pytest.mark.parametrize("stop", [None, ["e"], ["\n", "ret"]])
def test_a_stream_comes_to_what_is_said_at_once(client: OpenAI, stop):
    asked = {
        "model": "tiny",
        "prompt": PROMPT,
        "n": 3,
        "max_tokens": 40,
        "seed": 3,
        "temperature": 1.2,
        "logprobs": 2,
        "stop": stop,
    }
    whole = client.completions.create(**asked)
    texts, tokens, ends = [""] * 3, [[] for _ in range(3)], [None] * 3
    pieces = client.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    usage = None
    for piece in pieces:
        usage = piece.usage or usage
        for choice in piece.choices:
            assert ends[choice.index] is None, "nothing comes after the end"
            texts[choice.index] += choice.text
            tokens[choice.index] += choice.logprobs.tokens
            ends[choice.index] = choice.finish_reason
    assert texts == [choice.text for choice in whole.choices]
    assert tokens == [choice.logprobs.tokens for choice in whole.choices]
    assert ends == [choice.finish_reason for choice in whole.choices]
    assert usage == whole.usage
    if stop:
        assert not any(mark in text for mark in stop for text in texts)


def test_log_probabilities_echo_best_of_and_prompts_of_all_kinds(client: OpenAI, server: Running):
    tokenizer = server.engine.model.tokenizer
    warm = {"model": "tiny", "max_tokens": 12, "temperature": 1.0, "seed": 8}
    (choice,) = client.completions.create(**warm, prompt=PROMPT, logprobs=3, echo=True).choices
    assert choice.text.startswith(PROMPT)
    for token, log, top in zip(
        choice.logprobs.tokens,
        choice.logprobs.token_logprobs,
        choice.logprobs.top_logprobs,
        strict=True,
    ):
        assert log <= 0
        assert len(top) == 3 or "bytes:" in "".join(top)
        if token in top:
            assert top[token] == pytest.approx(log, abs=1e-4)
        assert max(top.values()) >= log - 1e-4
    many = client.completions.create(**warm, prompt=PROMPT, n=8, logprobs=0).choices
    means = [sum(c.logprobs.token_logprobs) / max(1, len(c.logprobs.tokens)) for c in many]
    best = client.completions.create(**warm, prompt=PROMPT, best_of=8, n=1).choices
    assert len(best) == 1
    # The end of a text counts too, so the best is among those that are nearly so.
    assert best[0].text in {
        c.text for c, m in zip(many, means, strict=True) if m >= sorted(means)[3]
    }
    ids = [0, *tokenizer.encode("x = 1\n")]
    by_ids = client.completions.create(**warm, prompt=ids).choices
    both = client.completions.create(**warm, prompt=["x = 1\n", PROMPT]).choices
    assert [c.index for c in both] == [0, 1]
    assert by_ids[0].text
    cold = {"model": "tiny", "max_tokens": 5, "temperature": 0}
    assert len(client.completions.create(**cold, prompt=[ids, ids]).choices) == 2
    nothing = client.completions.create(model="tiny", prompt="x", max_tokens=0, echo=True)
    assert (nothing.choices[0].text, nothing.usage.completion_tokens) == ("x", 0)


def test_models_say_what_they_can(client: OpenAI):
    (model,) = client.models.list().data
    told = model.model_dump()
    assert (told["id"], told["suffix"], told["chat"], told["context"]) == ("tiny", True, True, 160)
    assert "float32" in told["runner"]
    assert client.models.retrieve("tiny").id == "tiny"
    with pytest.raises(openai.NotFoundError, match="there is no model"):
        client.models.retrieve("gpt")


def test_what_is_wrong_is_said_by_name(client: OpenAI):
    def refused(**changes) -> openai.BadRequestError:
        asked = {"model": "tiny", "prompt": "x", **changes}
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(**asked)
        return caught.value

    assert refused(temperature=-1).param == "temperature"
    assert refused(n=0).param == "n"
    assert refused(top_p=3).param == "top_p"
    assert refused(logit_bias={"5": 3}).param == "logit_bias"
    assert "best_of" in refused(n=3, best_of=2).message
    assert "best_of" in refused(best_of=2, stream=True).message
    assert "tokens" in refused(prompt=[10**9]).message
    assert "suffix" in refused(prompt=[5, 6], suffix="x").message
    assert "empty" in refused(prompt=[]).message
    assert "echo" in refused(echo=True, logprobs=1, max_tokens=0).message
    with pytest.raises(openai.BadRequestError, match="response_format"):
        client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": "x"}],
            response_format={"type": "xml"},
        )
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    turns = [{"role": "user", "content": [picture]}]
    with pytest.raises(openai.BadRequestError, match="image_url"):
        client.chat.completions.create(model="tiny", messages=turns)


def test_a_conversation(client: OpenAI):
    asked = {
        "model": "tiny",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        ],
        "max_completion_tokens": 20,
        "seed": 4,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
    }
    whole = client.chat.completions.create(**asked)
    assert [choice.message.role for choice in whole.choices] == ["assistant"] * 2
    assert all(len(t.top_logprobs) == 2 for t in whole.choices[0].logprobs.content)
    texts, counted = ["", ""], None
    for piece in client.chat.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}
    ):
        counted = piece.usage or counted
        for choice in piece.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert counted == whole.usage


TOOLS = [
    {
        "type": "function",
        "function": {"name": "add", "parameters": {"type": "object", "properties": {}}},
    }
]
CALLS = 'Let me see.\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
BROKEN = 'So: <tool_call>\n{"name": 3}\n</tool_call> <tool_cal'


def test_calls_are_told_whole_and_what_is_none_stays_text(telling: tuple[Running, Telling]):
    server, runner = telling
    client = OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)
    asked = {"model": "telling", "messages": [{"role": "user", "content": "1 + 1?"}]}
    asked |= {"temperature": 0, "tools": TOOLS}
    encode = server.engine.model.tokenizer.encode

    def both(text: str):
        runner.script = encode(text)
        whole = client.chat.completions.create(**asked).choices[0]
        content, calls, end = "", [], None
        for piece in client.chat.completions.create(**asked, stream=True):
            delta = piece.choices[0].delta
            content += delta.content or ""
            calls += delta.tool_calls or []
            end = piece.choices[0].finish_reason or end
        assert content == (whole.message.content or "")
        assert end == whole.finish_reason
        assert [(call.function.name, call.function.arguments) for call in calls] == [
            (call.function.name, call.function.arguments) for call in whole.message.tool_calls or []
        ]
        return whole

    # What a model that was trained on such turns writes: the marks are tokens of their own.
    special = [TOOL_CALL, *encode('\n{"name": "add", "arguments": {}}\n'), TOOL_CALL_END]
    encode = {"special": special}.get
    marked = both("special")
    assert marked.finish_reason == "tool_calls"
    encode = server.engine.model.tokenizer.encode
    called = both(CALLS)
    assert (called.finish_reason, called.message.content) == ("tool_calls", "Let me see.")
    (call,) = called.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", {"a": 1})
    twice = both(CALLS[12:] + "\n" + CALLS[12:])
    assert [len(twice.message.tool_calls), twice.message.content] == [2, None]
    plain = both(BROKEN)
    assert (plain.finish_reason, plain.message.content) == ("stop", BROKEN)
    asked["tool_choice"] = "none"
    assert both("no 🦊 call").message.content == "no 🦊 call"
    assert both(CALLS).message.content == CALLS, "where none may be called, none is"


def test_stops_and_characters_across_tokens(telling: tuple[Running, Telling]):
    """No piece ends inside a character, and nothing is shown that a stop string takes back."""
    server, runner = telling
    client = OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)
    runner.script = server.engine.model.tokenizer.encode("a 🦊 fox\n\nEN said ENDE and more")
    asked = {"model": "telling", "prompt": [9, 10, 11], "temperature": 0, "max_tokens": 200}
    pieces = [
        piece.choices[0].text
        for piece in client.completions.create(**asked, stop=["ENDE", "zzz"], stream=True)
    ]
    assert "".join(pieces) == "a 🦊 fox\n\nEN said "
    assert len(pieces) > 5
    assert not any("\ufffd" in piece for piece in pieces)
