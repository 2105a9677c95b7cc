"""The remote generator against a real server that misbehaves in every usual way, and works."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator

import pytest

from codewright.errors import CodewrightError, DataError, MachineError, UnknownName, UserError
from codewright.generate.remote import Remote, Service
from codewright.generate.transport import Patience
from codewright.types.generation import Message, Request
from tests.generate.server import KEY, Server, running

QUICK = Patience(attempts=6, first_wait=0.01, wait_cap=0.05)


@pytest.fixture(scope="module")
def machine() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def server(machine: Server) -> Server:
    machine.bodies.clear()
    machine.times.clear()
    machine.headers.clear()
    machine.calls.clear()
    machine.most_at_once = 0
    return machine


def remote(server: Server, model: str, *, key: str = KEY, **settings) -> Remote:
    service = Service(**{"patience": QUICK, "timeout": 2.0} | settings)
    return Remote(model, service=service, base_url=server.url, key=key)


def chat(words: str, **settings) -> Request:
    return Request(messages=(Message(role="user", content=words),), **settings)


def test_completions_and_chats_in_the_order_of_the_requests(server: Server):
    model = remote(server, "good")
    requests = [
        Request(prompt="a", n=2, seed=5, max_tokens=7, temperature=0.1, top_p=0.9, stop=("x",) * 6),
        chat("b", n=1),
    ]
    plain, talk = model.generate(requests)
    assert [c.text for c in plain] == ["a!5.0", "a!5.1"]
    assert [c.text for c in talk] == ["b!None.0"]
    assert [c.log_probability for c in (*plain, *talk)] == [-1.75, -1.75, -0.75]
    assert [c.tokens for c in (*plain, *talk)] == [3, 3, 2]
    assert model.name == "openai/good"
    assert model.spent == 16 + 13
    body = next(body for body in server.bodies if "prompt" in body)
    assert body == {
        "model": "good", "n": 2, "max_tokens": 7, "temperature": 0.1, "top_p": 0.9,
        "prompt": "a", "stop": ["x"] * 4, "seed": 5, "logprobs": 1,
    }  # fmt: skip
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}


def test_the_stream_gives_each_as_it_is_ready_and_never_too_many_at_once(server: Server):
    model = remote(server, "slow", concurrency=3)
    found = dict(model.stream([Request(prompt=str(i), seed=i) for i in range(12)]))
    assert {i: c[0].text for i, c in found.items()} == {i: f"{i}!{i}.0" for i in range(12)}
    assert 2 <= server.most_at_once <= 3


def test_leaving_the_stream_early_leaves_nothing_behind(server: Server):
    stream = remote(server, "stuck", timeout=60).stream([Request(prompt="a"), Request(prompt="b")])
    quick = remote(server, "slow").stream([Request(prompt=str(i)) for i in range(40)])
    next(iter(quick))
    began = time.monotonic()
    quick.close()  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 1
    assert len(server.bodies) < 40


@pytest.mark.parametrize(("model", "asked"), [("shaky", 4), ("garbled", 6)])
def test_what_may_be_better_next_time_is_tried_again(server: Server, model: str, asked: int):
    ((answer,),) = remote(server, model).generate([Request(prompt="a")])
    assert answer.text == "a!None.0"
    assert server.calls[model] == asked


def test_retry_after_is_honoured(server: Server):
    remote(server, "greets").generate([Request(prompt="a")])
    first, second = server.times
    assert 0.6 <= second - first < 2


def test_waits_grow(server: Server):
    patience = Patience(attempts=5, first_wait=0.04, wait_cap=10.0)
    with pytest.raises(MachineError):
        remote(server, "down", patience=patience).generate([Request(prompt="a")])
    waits = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    assert len(waits) == 4
    for i, wait in enumerate(waits):
        assert 0.02 * 2**i <= wait < 0.04 * 2**i + 0.3


@pytest.mark.parametrize(
    ("model", "kind", "complaint", "asked"),
    [
        ("down", MachineError, "answered 500: broken", 6),
        ("forever", MachineError, "asks to wait 7200 s", 1),
        ("locked", UserError, "refused the key .401.", 1),
        ("absent", UnknownName, "does not exist", 1),
        ("poor", UserError, "quota is spent", 1),
        ("narrow", DataError, "this prompt is too long", 1),
    ],
)
def test_what_will_not_work_is_told_without_the_key(server, model, kind, complaint, asked):
    with pytest.raises(kind, match=complaint) as caught:
        remote(server, model).generate([Request(prompt="a")])
    assert server.calls[model] == asked
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert KEY not in told
    assert repr(remote(server, model)).find(KEY) == -1


def test_a_slow_server_runs_into_the_timeout(server: Server):
    patience = Patience(attempts=2, first_wait=0.01)
    with pytest.raises(MachineError, match="ReadTimeout"):
        remote(server, "stuck", timeout=0.2, patience=patience).generate([Request(prompt="a")])


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1/v1", MachineError),
        ("http://user:word@127.0.0.1:1/v1", MachineError),
        ("nonsense", UserError),
        ("ftp://127.0.0.1/v1", UserError),
        ("http://[::1/v1", UserError),
    ],
)
def test_no_server_at_all(url: str, kind: type[CodewrightError]):
    service = Service(patience=Patience(attempts=2, first_wait=0.01))
    model = Remote("m", service=service, base_url=url, key=KEY)
    with pytest.raises(kind) as caught:
        model.generate([Request(prompt="a")])
    assert "word" not in caught.value.message
    assert KEY not in caught.value.message


@pytest.mark.parametrize("key", ["sk-a\nb", "sk a", "sk-ü", "\x00"])
def test_a_key_that_no_header_can_carry(server: Server, key: str):
    with pytest.raises(UserError, match="OPENAI_API_KEY") as caught:
        remote(server, "good", key=key).generate([Request(prompt="a")])
    assert key not in caught.value.message


def test_a_key_is_trimmed_and_may_be_missing(server: Server):
    remote(server, "good", key=f" {KEY}\n").generate([Request(prompt="a")])
    remote(server, "good", key="").generate([Request(prompt="a")])
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in server.headers[1]


def test_a_server_that_ignores_n_is_asked_for_the_rest_with_other_seeds(server: Server):
    (got,) = remote(server, "single").generate([Request(prompt="a", n=4, seed=10)])
    assert [c.text for c in got] == ["a!10.0", "a!11.0", "a!12.0", "a!13.0"]
    assert [body["n"] for body in server.bodies] == [4, 3, 2, 1]
    (got,) = remote(server, "generous").generate([Request(prompt="a", n=2)])
    assert len(got) == 2


@pytest.mark.parametrize("request_", [Request(prompt="a", n=2), chat("a", n=2)])
def test_a_server_without_log_probabilities(server: Server, request_: Request):
    (got,) = remote(server, "bare").generate([request_])
    assert [c.log_probability for c in got] == [None, None]
    (got,) = remote(server, "good", log_probabilities=False).generate([request_])
    assert [c.log_probability for c in got] == [None, None]
    assert "logprobs" not in server.bodies[-1]


def test_what_a_server_does_not_understand_is_learnt_once(server: Server):
    model = remote(server, "strict", concurrency=1)
    model.generate([Request(prompt=str(i)) for i in range(3)])
    assert ["logprobs" in body for body in server.bodies] == [True, False, False, False]
    server.bodies.clear()
    model = remote(server, "modern", concurrency=1)
    model.generate([chat(str(i), max_tokens=9) for i in range(2)])
    names = {"max_tokens", "max_completion_tokens"}
    assert [(set(body) & names).pop() for body in server.bodies] == [
        "max_tokens", "max_completion_tokens", "max_completion_tokens",
    ]  # fmt: skip


def test_the_budget_is_never_passed_and_the_error_says_so(server: Server):
    model = remote(server, "good", budget=100, concurrency=8)
    got = []
    requests = [Request(prompt="a", max_tokens=30) for _ in range(20)]
    with pytest.raises(UserError, match="budget of 100 tokens") as caught:
        got.extend(model.stream(requests))
    assert "kept" in caught.value.hint
    # 13 tokens each, and the last must leave room for the 31 that the next could cost.
    assert model.spent <= 100
    assert len(got) == 6
    with pytest.raises(UserError, match="budget"):
        model.generate([Request(prompt="a", max_tokens=30)])


def test_a_server_that_does_not_count_is_charged_by_the_byte(server: Server):
    model = remote(server, "bare")
    model.generate([Request(prompt="x" * 300)])
    assert model.spent >= 100
    with pytest.raises(UserError, match="budget"):
        remote(server, "bare", budget=50).generate([Request(prompt="x", max_tokens=60)])


def test_both_sides_of_a_gap_are_sent(server: Server):
    model = Remote("good", service=Service(), base_url=server.url)
    model.generate([Request(prompt="a", suffix="b"), Request(prompt="a", suffix="")])
    model.generate([Request(prompt="a")])
    assert sorted(body.get("suffix", "none") for body in server.bodies) == ["", "b", "none"]
    assert [body["prompt"] for body in server.bodies] == ["a"] * 3


def test_what_follows_a_gap_is_paid_for_too(server: Server):
    model = Remote("good", service=Service(budget=100), base_url=server.url)
    with pytest.raises(UserError, match="budget"):
        model.generate([Request(prompt="a", suffix="b" * 100, max_tokens=1)])
    assert server.bodies == []
