"""The server in front of others that lack something, fail, or are of our own make."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import openai
import pytest
from openai import OpenAI

from codewright.errors import UserError
from codewright.serve import upstream as upstreams
from codewright.serve.forwarded import Forwarded
from tests.serve.running import Running, serving
from tests.serve.upstream import KEY, Upstream, upstream

BEFORE, AFTER = "def double(value):\n    return ", "\n\n\nprint(double(3))\n"


@pytest.fixture(scope="module")
def machine() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


def forwarded(machine: Upstream, **changes) -> Forwarded:
    told = upstreams.Upstream(machine.url, key=KEY, silence=changes.pop("silence", 5.0))
    machine.set(**changes)
    return Forwarded("name", told)


Connect = Callable[..., OpenAI]


@pytest.fixture
def client() -> Iterator[Connect]:
    """Makes clients, which are closed at the end: a stream that broke off may hold a socket."""
    with ExitStack() as stack:

        def make(url: str, key: str = "sk-the-clients-key") -> OpenAI:
            made = OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
            return stack.enter_context(made)

        yield make


@pytest.mark.parametrize(
    ("settings", "by", "text", "path"),
    [
        ({}, "suffix", "value * 2", "suffix"),
        ({"suffix": "refuses", "marks": "qwen"}, "marks of qwen", "value * 2", "marks"),
        ({"suffix": "ignores", "marks": "starcoder"}, "marks of starcoder", "value * 2", "marks"),
        ({"suffix": "ignores", "marks": "deepseek"}, "marks of deepseek", "value * 2", "marks"),
        ({"suffix": "ignores", "marks": "codellama"}, "marks of codellama", "value * 2", "marks"),
        ({"suffix": "ignores", "marks": "codestral"}, "marks of codestral", "value * 2", "marks"),
        ({"suffix": "ignores"}, "chat", "value * 2", "messages"),
        ({"prompts": False}, "chat", "value * 2", "messages"),
        ({"counts": False}, "chat", "value * 2", "messages"),
        ({"suffix": "refuses", "chats": False}, "none", None, ""),
    ],
)
def test_a_gap_is_filled_by_what_the_server_has(
    machine: Upstream, settings, by, text, path, client: Connect
):
    """Tried once, kept, told in /v1/models; whole, streamed, several, and by llama.cpp's form."""
    with serving(forwarded(machine, **settings)) as door:
        ask = client(door.url)
        (card,) = ask.models.list().data
        told = card.model_dump()
        assert (told["suffix_by"], told["suffix"]) == (by, by != "none")
        assert told["chat"] is settings.get("chats", True)
        assert told["completions"] is settings.get("prompts", True)
        asked = {"model": "any", "prompt": BEFORE, "suffix": AFTER, "max_tokens": 20}
        if text is None:
            with pytest.raises(openai.BadRequestError, match="fills no gaps") as caught:
                ask.completions.create(**asked)
            assert caught.value.param == "suffix"
            return
        tried = len(machine.bodies)
        said = ask.completions.create(**asked, n=2, stop=["\n\n"])
        assert [choice.text for choice in said.choices] == [text] * 2
        assert [choice.index for choice in said.choices] == [0, 1]
        streamed = ""
        for piece in ask.completions.create(**asked, stream=True):
            streamed += "".join(choice.text for choice in piece.choices)
        assert streamed == text
        if path == "suffix":
            assert machine.bodies[-1]["suffix"] == AFTER
        else:
            assert "suffix" not in machine.bodies[-1]
            key = "messages" if path == "messages" else "prompt"
            shown = machine.bodies[-1][key]
            shown = shown if isinstance(shown, str) else shown[-1]["content"]
            assert BEFORE in shown
            assert AFTER in shown
        filled = httpx.post(
            f"{door.url}/infill", json={"input_prefix": BEFORE, "input_suffix": AFTER}
        ).json()
        assert filled["content"] == text
        held = {"input_prefix": BEFORE, "input_suffix": AFTER, "grammar": 'root ::= "a"'}
        assert httpx.post(f"{door.url}/infill", json=held).status_code == 400
        assert len(machine.bodies) == tried + 3, "what was found out is kept"
        assert {body["model"] for body in machine.bodies} == {"name"}


def test_what_has_no_sense_with_a_gap_is_refused_by_name(machine: Upstream, client: Connect):
    gap = {"model": "x", "prompt": BEFORE, "suffix": AFTER}
    with serving(forwarded(machine, prompts=False)) as door:
        with pytest.raises(openai.BadRequestError, match="in words") as caught:
            client(door.url).completions.create(**gap, logprobs=2)
        assert caught.value.param == "logprobs"
        said = client(door.url).completions.create(**gap, stop=["*"], max_tokens=5)
        assert (said.choices[0].text, said.choices[0].finish_reason) == ("value ", "stop")
        assert machine.bodies[-1]["max_tokens"] > 5, "the fence costs tokens too"
    with serving(forwarded(machine, suffix="ignores", marks="qwen")) as door:
        for wrong in ({"echo": True}, {"prompt": ["a", "b"]}):
            with pytest.raises(openai.BadRequestError):
                client(door.url).completions.create(**{**gap, **wrong})


@pytest.mark.parametrize("manner", ["gives", "ignores", "refuses"])
def test_n_texts_come_whatever_the_server_gives(machine: Upstream, manner: str, client: Connect):
    with serving(forwarded(machine, n=manner)) as door:
        ask = client(door.url)
        asked = {"model": "x", "prompt": "a", "n": 5, "seed": 3}
        for _ in range(2):
            said = ask.completions.create(**asked)
            assert [choice.text for choice in said.choices] == [f"plain {3 + i}" for i in range(5)]
            assert [choice.index for choice in said.choices] == list(range(5))
            assert said.usage.completion_tokens == 15
            assert said.model == "the-real-name"
        turns = {"model": "x", "messages": [{"role": "user", "content": "b"}], "n": 3, "seed": 1}
        assert [
            choice.message.content for choice in ask.chat.completions.create(**turns).choices
        ] == ["to 'b', 1", "to 'b', 2", "to 'b', 3"]
    with serving(forwarded(machine, n=manner)) as door:
        texts, usage, ends, ids = [""] * 5, None, [None] * 5, set()
        options = {"include_usage": True}
        pieces = client(door.url).completions.create(**asked, stream=True, stream_options=options)
        for piece in pieces:
            usage = piece.usage or usage
            ids.add(piece.id)
            for choice in piece.choices:
                texts[choice.index] += choice.text
                ends[choice.index] = choice.finish_reason
        assert texts == [f"plain {3 + i}" for i in range(5)]
        assert (ends, usage.completion_tokens, len(ids)) == (["stop"] * 5, 15, 1)


def test_bodies_and_answers_pass_as_they_are_and_keys_do_not(machine: Upstream, client: Connect):
    with serving(forwarded(machine), keys=("sk-the-clients-key",)) as door:
        ask = client(door.url)
        strange = {
            "grammar": "root ::= x",
            "suffix": "of another kind",
            "tools": [],
            "response_format": {"type": "json_object"},
        }
        turns = [{"role": "user", "content": "hi", "name": "me"}]
        said = ask.chat.completions.create(
            model="gpt", messages=turns, temperature=0.25, extra_body=strange
        )
        assert machine.bodies[-1] == {
            "model": "name", "messages": turns, "temperature": 0.25, **strange,
        }  # fmt: skip
        assert said.model_extra == {"extra": "kept"}
        (sent,) = machine.headers
        assert sent["authorization"] == f"Bearer {KEY}"
        assert "clients" not in json.dumps(sent)
        page = httpx.get(f"{door.url}/metrics").text
        assert "codewright_forwarded_total 1.0" in page
        assert not any(key in "".join(door.log) + page for key in (KEY, "sk-the-clients-key"))
        with pytest.raises(openai.AuthenticationError):
            client(door.url, "wrong").chat.completions.create(model="x", messages=turns)
        assert len(machine.bodies) == 1, "who has no key of ours is not passed on"


@pytest.mark.parametrize(
    ("fails", "status", "said"),
    [
        (401, 401, "this server's key"),
        (404, 404, "refused"),
        (422, 422, "refused"),
        (429, 429, "refused"),
        (500, 502, "answered 500"),
        (503, 502, "answered 503"),
        ("html", 502, "no JSON"),
        ("silent", 504, "said nothing for 0.3 s"),
        ("gone", 502, "ConnectError"),
    ],
)
def test_errors_come_in_their_status_without_the_key(machine: Upstream, fails, status, said):
    served = forwarded(machine, fails=fails, silence=0.3 if fails == "silent" else 5.0)
    if fails == "gone":
        told = upstreams.Upstream("http://user:secret@127.0.0.1:9/v1", key=KEY, silence=5.0)
        served = Forwarded("name", told)
    with serving(served) as door:
        for body in ({"prompt": "x"}, {"prompt": "x", "stream": True}, {"prompt": "x", "n": 3}):
            answer = httpx.post(f"{door.url}/v1/completions", json=body, timeout=20)
            assert answer.status_code == status, answer.text
            error = answer.json()["error"]
            assert set(error) == {"message", "type", "param", "code"}
            wanted = "a stream was asked for" if fails == "html" and "stream" in body else said
            assert wanted in error["message"]
            assert not any(word in answer.text for word in (KEY, "secret"))
            assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
        if status not in (404, 422):
            card = httpx.get(f"{door.url}/v1/models", timeout=20).json()["data"][0]
            assert (card["suffix"], bool(card["suffix_why"])) == (None, True)
        machine.set()
        if fails != "gone":
            assert httpx.get(f"{door.url}/health").json() == {"status": "ok", "texts": 0}
            again = httpx.post(f"{door.url}/v1/completions", json={"prompt": "x"})
            assert again.status_code == 200, "and it works when the server does"


def test_a_stream_that_breaks_off_says_so(machine: Upstream, client: Connect):
    with (
        serving(forwarded(machine, fails="cut")) as door,
        pytest.raises(openai.APIError, match="RemoteProtocolError"),
    ):
        for _ in client(door.url).completions.create(model="x", prompt="a", stream=True):
            pass


def test_a_stream_comes_as_it_is_said_and_ends_when_its_client_leaves(
    machine: Upstream, client: Connect
):
    with serving(forwarded(machine, pause=0.15, text="a b c d e f g h " * 20)) as door:
        gap = {"model": "x", "prompt": BEFORE, "suffix": AFTER}
        began = time.monotonic()
        stream = client(door.url).completions.create(**gap, stream=True)
        next(iter(stream))
        assert time.monotonic() - began < 6
        assert machine.written < 20
        stream.close()
        wait(lambda: machine.left == 1)
        wait(lambda: httpx.get(f"{door.url}/health").json()["texts"] == 0)
        machine.set(pause=30.0)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{door.url}/v1/completions", json={"prompt": "x"}, timeout=0.5)
        wait(lambda: httpx.get(f"{door.url}/health").json()["texts"] == 0)
        wait(lambda: machine.left == 1)


def wait(done) -> None:
    until = time.monotonic() + 5
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_in_front_of_a_server_of_our_own(server: Running, client: Connect):
    """A real engine behind it: the same texts come through, and gaps are filled by its suffix."""
    served = Forwarded("tiny", upstreams.Upstream(f"{server.url}/v1", key="", silence=30.0))
    with serving(served) as door:
        asked = {"model": "tiny", "prompt": BEFORE, "seed": 5, "max_tokens": 12, "n": 3}
        for suffix in (None, AFTER):
            direct, through = (
                client(url).completions.create(**asked, suffix=suffix, logprobs=2)
                for url in (server.url, door.url)
            )
            assert through.choices == direct.choices
            assert through.usage == direct.usage
            text = ["", "", ""]
            for piece in client(door.url).completions.create(**asked, suffix=suffix, stream=True):
                for choice in piece.choices:
                    text[choice.index] += choice.text
            assert text == [choice.text for choice in direct.choices]
        (card,) = client(door.url).models.list().data
        assert (card.suffix_by, card.chat) == ("suffix", True)
        many = client(door.url).completions.create(
            model="x", prompt=["a", "b"], n=2, seed=1, max_tokens=3
        )
        assert [choice.index for choice in many.choices] == [0, 1, 2, 3]
        with pytest.raises(openai.BadRequestError, match="logit_bias"):
            client(door.url).completions.create(model="x", prompt="a", logit_bias={"5": 1})
    assert server.idle()


def test_addresses_and_keys_that_cannot_be():
    for address, key in (("ftp://x", ""), ("x", ""), ("http://x", "two words")):
        with pytest.raises(UserError):
            upstreams.Upstream(address, key=key, silence=1.0)
