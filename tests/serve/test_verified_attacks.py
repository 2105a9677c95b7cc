"""Candidates that mean harm, and clients that crowd, leave, and ask for too much."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path

import httpx
import openai
import pytest

from codewright.errors import IsolationError
from codewright.generate.local_model import LocalModel
from codewright.sandbox import policy, worker
from codewright.serve.guard import Limits
from codewright.serve.verification import Trials
from tests.serve.conftest import EXACT
from tests.serve.running import running, serving
from tests.serve.verifying import (
    HOSTILE,
    ONE,
    RIGHT,
    SPEC,
    ask,
    below,
    client,
    nothing_left,
    scripted,
    wait,
)


def test_hostile_candidates_harm_nothing():
    """One of each among right ones: they are answered about, and nothing of them stays."""
    bodies = [each for body in HOSTILE.values() for each in (body, RIGHT)]
    with nothing_left(), serving(scripted(*bodies), trials=ONE) as door:
        told = ask(door, {"candidates": len(bodies), "early_stop": False, "detail": True})
        assert told.status_code == 200, told.text
        answer = told.json()
        assert answer["choices"][0]["text"] == RIGHT
        assert answer["codewright"]["classes"][0]["size"] >= len(HOSTILE)
        assert not Path("/tmp/verified-was-here").exists()
        assert httpx.get(f"{door.url}/health").status_code == 200
        alone = [HOSTILE[name] for name in ("forks", "kills", "deep", "half", "nothing")]
    with nothing_left(), serving(scripted(*alone), trials=ONE) as door:
        told = ask(door, {"candidates": len(alone), "early_stop": False})
        assert told.status_code == 200, told.text
        choice = told.json()["choices"][0]
        assert (choice["text"], choice["finish_reason"]) == ("", "content_filter")


def test_programs_that_are_nested_deeply_are_programs_like_others():
    """Reading them takes more than Python's stack has; that is their fault alone."""
    deep = "+".join("1" * 900)
    heads = (f"value={deep}", f"value: {deep}", "value")
    said = [f"```python\ndef double({head}):\n    return value * 2\n```" for head in heads]
    said += [f"```python\n@(lambda f: f) if {deep} else 0\ndef double(value): return 1\n```"]
    turns = [{"role": "user", "content": "Return twice the value, like double(4) == 8."}]
    with serving(scripted(*said, said[2]), trials=ONE) as door:
        body = {"messages": turns, "verify": {"candidates": 10, "early_stop": False}}
        told = httpx.post(f"{door.url}/v1/chat/completions", json=body, timeout=60)
        assert told.status_code == 200, told.text
        assert "value * 2" in told.json()["choices"][0]["message"]["content"]


def test_others_are_answered_while_programs_run(chatty: Path):
    """Neither the event loop nor the engine waits for a verification."""
    model = LocalModel(chatty, EXACT, name="tiny")
    with running(model) as server:
        turns = {"model": "tiny", "prompt": "x = ", "max_tokens": 8, "seed": 1}
        body = {"prompt": SPEC, "verify": {"candidates": 24, "early_stop": False}, "max_tokens": 60}

        async def both() -> tuple[httpx.Response, list[float]]:
            async with httpx.AsyncClient(timeout=120) as talk:
                url = f"{server.url}/v1/completions"
                verifying = asyncio.ensure_future(talk.post(url, json=body))
                lasted = []
                while not verifying.done():
                    began = time.monotonic()
                    assert (await talk.post(url, json=turns)).status_code == 200
                    assert (await talk.get(f"{server.url}/health")).status_code == 200
                    lasted.append(time.monotonic() - began)
                return await verifying, lasted

        answer, lasted = asyncio.run(both())
        assert answer.status_code == 200, answer.text
        # What a tiny model writes at random is no program.
        assert answer.json()["codewright"]["abstained"]
        assert len(lasted) > 5
        assert sorted(lasted)[len(lasted) // 2] < 1.0
        assert server.idle()


def test_as_many_as_may_and_no_more():
    with nothing_left(), serving(scripted(RIGHT, slow=0.7), trials=ONE) as door:

        async def crowd() -> list[httpx.Response]:
            async with httpx.AsyncClient(timeout=60) as talk:
                body = {"prompt": SPEC, "verify": {"candidates": 1}}
                url = f"{door.url}/v1/completions"
                stream = {**body, "stream": True}
                return list(
                    await asyncio.gather(
                        *(talk.post(url, json=each) for each in (body, body, stream, body))
                    )
                )

        answers = asyncio.run(crowd())
        assert sorted(answer.status_code for answer in answers) == [200, 429, 429, 429]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["code"] == "busy"
        assert ask(door, {"candidates": 1}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", [HOSTILE["never ends"], HOSTILE["sleeps"], HOSTILE["forks"]])
def test_who_leaves_takes_the_verification_along(stream: bool, body: str):
    with nothing_left(), serving(scripted(body, RIGHT), trials=ONE) as door:
        begun = len(below())
        asked = {"prompt": SPEC, "stream": stream, "verify": {"candidates": 60}}
        with socket.create_connection(("127.0.0.1", door.port)) as gone:
            content = json.dumps(asked).encode()
            gone.sendall(
                b"POST /v1/completions HTTP/1.1\r\nHost: x\r\n"
                + f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            wait(lambda: door.verifier.gauges()["verifications_running"] == 1)
            wait(lambda: len(below()) > begun + 2)
        wait(lambda: not door.verifier.gauges()["verifications_running"])
        wait(lambda: len(below()) <= begun)


def test_its_time_is_its_time():
    with nothing_left(), serving(scripted(HOSTILE["never ends"], slow=0.01), trials=ONE) as door:
        late = ask(door, {"candidates": 60, "seconds": 0.5, "early_stop": False})
        assert (late.status_code, "0.5 s" in late.text) == (408, True)
        late = ask(door, {"candidates": 60, "seconds": 0.5}, stream=True)
        assert "0.5 s" in json.loads(late.text.split("\n\n")[-3][6:])["error"]["message"]
    limits = Limits(seconds=0.5)
    with nothing_left(), serving(scripted(RIGHT, slow=0.4), trials=ONE, limits=limits) as door:
        assert ask(door, {"candidates": 6}).status_code == 408


def test_what_cannot_be_had_is_refused_by_name():
    with serving(scripted(RIGHT), trials=Trials(candidates=30, seconds=60)) as door:
        cases: list[tuple[object, dict, str]] = [
            ({"candidates": 31}, {}, "verify.candidates"),
            ({"seconds": 61}, {}, "verify.seconds"),
            ({"method": "luck"}, {}, "verify.method"),
            ({"entry_point": "not a name"}, {}, "verify.entry_point"),
            ({"candidates": 0}, {}, "verify.candidates"),
            ({"shots": 3}, {}, "verify.shots"),
            ("yes", {}, "verify"),
            (True, {"n": 2}, "n"),
            (True, {"best_of": 2}, "best_of"),
            (True, {"logprobs": 1}, "logprobs"),
            (True, {"echo": True}, "echo"),
            (True, {"top_k": 3}, "top_k"),
            (True, {"prompt": [1, 2]}, "prompt"),
            (True, {"prompt": ["a", "b"]}, "prompt"),
        ]
        for verify, changes, param in cases:
            answer = ask(door, verify, **changes)
            assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), param
        for verify, changes in (
            (True, {"prompt": " "}),
            (True, {"prompt": "x" * 300_000}),
            (True, {"prompt": "x = " * 30_000, "suffix": "\n" + "y\n" * 60_000}),
            ({"examples": "double(1) is odd"}, {}),
            ({"examples": [{"in": 1}]}, {}),
            ({"entry_point": "triple"}, {}),
        ):
            assert ask(door, verify, **changes).status_code == 400
        assert ask(door, False).json().keys() >= {"choices"}
        turns = [{"role": "user", "content": SPEC}, {"role": "assistant", "content": "x"}]
        with pytest.raises(openai.BadRequestError, match="user"):
            client(door).chat.completions.create(
                model="x", messages=turns, extra_body={"verify": True}
            )
    with serving(scripted(RIGHT), trials=Trials(at_once=0)) as door:
        assert (ask(door).status_code, "verifies no" in ask(door).text) == (400, True)
        card = httpx.get(f"{door.url}/v1/models").json()["data"][0]
        assert card["verify"]["offered"] is False


def test_without_the_sandbox_nothing_runs(monkeypatch):
    """Where a layer is missing, a request gets an error, and no model is even asked."""

    def demand(asked: policy.Policy, layers: dict[str, str]) -> tuple[str, ...]:
        raise IsolationError("the isolation policy 'default' lacks seccomp (taken away)")

    monkeypatch.setattr(worker, "demand", demand)
    served = scripted(RIGHT)
    with nothing_left(), serving(served, trials=ONE) as door:
        for stream in (False, True):
            answer = ask(door, {"candidates": 2}, stream=stream)
            assert (answer.status_code, "lacks seccomp" in answer.text) == (503, True)
        card = httpx.get(f"{door.url}/v1/models").json()["data"][0]["verify"]
        assert (card["offered"], "seccomp" in card["why"]) == (False, True)
        assert "verifications_total 0.0" in httpx.get(f"{door.url}/metrics").text
        monkeypatch.undo()
        assert ask(door, {"candidates": 2}).status_code == 200, "until it is there"
