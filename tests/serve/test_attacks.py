"""Clients that err, crowd, vanish and mean harm: each gets its answer, and the server goes on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from openai import AuthenticationError, OpenAI

from codewright.cli.serve import listen
from codewright.generate.local_model import LocalModel
from codewright.serve.guard import Limits
from tests.serve.conftest import EXACT
from tests.serve.running import Running, Telling, running

ASK = {"model": "tiny", "prompt": "def f(x):", "max_tokens": 8, "seed": 1}


def works(server: Running) -> bool:
    answer = httpx.post(f"{server.url}/v1/completions", json=ASK, timeout=30)
    return answer.status_code == 200 and answer.json()["choices"][0]["finish_reason"] != ""


def endless(server: Running) -> list[int]:
    """A script that no text comes to the end of."""
    return server.engine.model.tokenizer.encode("word " * 2000)


def message(answer: httpx.Response) -> str:
    """Returns what is said; every error has OpenAI's form."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["message"]


def test_bodies_that_are_none(server: Running):
    url = f"{server.url}/v1/completions"
    head = {"content-type": "application/json"}
    cases = {
        b'{"prompt": ': "no JSON",
        b"[1, 2]": "the body",
        b'{"prompt": {"a": 1}}': "prompt",
        b'{"max_tokens": "many"}': "max_tokens",
        b"\xff\xfe": "",
        b'{"prompt": "x", "temperature": NaN}': "",
        b'{"prompt": "x", "top_k": 4294967296}': "top_k",
        b'{"prompt": "x", "repetition_penalty": 1e-300}': "repetition_penalty",
        b'{"prompt": "x", "seed": 1.5}': "seed",
        b"[" * 100_000: "",
    }
    for body, said in cases.items():
        answer = httpx.post(url, content=body, headers=head)
        assert answer.status_code == 400, body[:20]
        assert said in message(answer)
    assert httpx.get(url).status_code == 405
    assert httpx.post(f"{server.url}/v2/x", json={}).status_code == 404
    assert "model" not in message(httpx.get(f"{server.url}/nothing"))
    assert works(server)


def test_ten_megabytes(server: Running):
    url = f"{server.url}/v1/completions"
    big = {**ASK, "prompt": "x" * 10_000_000}
    assert "bytes" in message(httpx.post(url, json=big, timeout=60))

    def drops():
        for _ in range(10_000):
            yield b"x" * 1000

    # Without a length, and refused before the end: a client may see the answer or a closed door.
    try:
        answer = httpx.post(url, content=drops(), timeout=60)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass
    long = {**ASK, "prompt": "x = 1\n" * 100_000}
    assert httpx.post(url, json=long, timeout=60).status_code == 200, "its end is shown"
    tokens = {**ASK, "prompt": [5] * 5000}
    assert "context" in message(httpx.post(url, json=tokens, timeout=60))
    assert works(server)


def test_keys(chatty: Path):
    with running(LocalModel(chatty, EXACT), keys=("right", "also")) as server:
        for key, status in (("right", 200), ("also", 200), ("wrong", 401), ("righ", 401)):
            head = {"authorization": f"Bearer {key}"}
            assert httpx.get(f"{server.url}/v1/models", headers=head).status_code == status
        assert httpx.get(f"{server.url}/v1/models").status_code == 401
        assert httpx.get(f"{server.url}/health").status_code == 200
        client = OpenAI(base_url=f"{server.url}/v1", api_key="bad", max_retries=0)
        with pytest.raises(AuthenticationError, match="API key"):
            client.models.list()
        assert not any("right" in line or "wrong" in line for line in server.log)


def test_five_hundred_at_once(server: Running):
    async def crowd() -> list[int]:
        limits = httpx.Limits(max_connections=500)
        async with httpx.AsyncClient(limits=limits, timeout=120) as client:
            url = f"{server.url}/v1/completions"
            asks = [client.post(url, json={**ASK, "seed": place}) for place in range(500)]
            return [answer.status_code for answer in await asyncio.gather(*asks)]

    assert asyncio.run(crowd()) == [200] * 500
    assert server.idle()


def test_a_crowd_streams_and_nobody_starves(telling: tuple[Running, Telling]):
    server, runner = telling
    runner.script = server.engine.model.tokenizer.encode("word " * 40)

    async def one(client: httpx.AsyncClient, ends: list[float]) -> str:
        text = ""
        body = {**ASK, "max_tokens": 30, "stream": True, "temperature": 0}
        async with client.stream("POST", f"{server.url}/v1/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    text += json.loads(line[6:])["choices"][0]["text"]
        ends.append(time.monotonic())
        return text

    async def crowd() -> tuple[list[str], list[float]]:
        ends: list[float] = []
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(limits=limits, timeout=120) as client:
            return list(await asyncio.gather(*(one(client, ends) for _ in range(200)))), ends

    texts, _ = asyncio.run(crowd())
    assert len(set(texts)) == 1
    assert texts[0].startswith("word")
    assert server.idle()


def test_more_than_can_wait_is_sent_away_with_a_time(chatty: Path):
    limits = Limits(texts=4, body=100_000)
    with running(LocalModel(chatty, EXACT), limits=limits) as server:

        async def crowd() -> list[httpx.Response]:
            async with httpx.AsyncClient(timeout=60) as client:
                url = f"{server.url}/v1/completions"
                body = {**ASK, "n": 3, "max_tokens": 60}
                return list(await asyncio.gather(*(client.post(url, json=body) for _ in range(30))))

        answers = asyncio.run(crowd())
        by_status = {answer.status_code for answer in answers}
        assert by_status == {200, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert "waiting" in message(refused)
        assert server.idle()
        assert works(server)


def test_a_refused_stream_is_no_answer_with_an_error_in_it(telling: tuple[Running, Telling]):
    first, runner = telling
    runner.seconds, runner.script = 0.02, endless(first)
    busy = {**ASK, "n": 4, "max_tokens": 500, "stream": True, "temperature": 0.1}
    chat = {"messages": [{"role": "user", "content": "x"}], "n": 3, "stream": True}
    echo = {**ASK, "echo": True, "stream": True}
    with running(first.engine.model, limits=Limits(texts=4)) as server:
        url = f"{server.url}/v1"
        with httpx.stream("POST", f"{url}/completions", json=busy, timeout=30) as streaming:
            lines = streaming.iter_lines()
            next(lines)  # kept: without it, the client has left
            assert server.engine.texts == 4
            for path, body in (("chat/completions", chat), ("completions", echo)):
                refused = httpx.post(f"{url}/{path}", json=body, timeout=30)
                assert refused.status_code == 429
                assert int(refused.headers["retry-after"]) >= 1
        assert server.idle()


def test_clients_that_leave_take_their_texts_with_them(telling: tuple[Running, Telling]):
    server, runner = telling
    runner.seconds, runner.script = 0.01, endless(server)
    body = {**ASK, "max_tokens": 1500, "temperature": 0}
    for stream in (False, True):
        with socket.create_connection(("127.0.0.1", server.port)) as gone:
            _send(gone, {**body, "stream": stream})
            until = time.monotonic() + 5
            while not server.engine.texts and time.monotonic() < until:
                time.sleep(0.01)
            assert server.engine.texts == 1
        assert server.idle(), "the text of a client that has gone is still being written"


def test_what_nobody_reads_does_not_stop_others(telling: tuple[Running, Telling]):
    server, runner = telling
    runner.seconds, runner.script = 0.001, endless(server)
    idle = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        body = {**ASK, "max_tokens": 1000, "temperature": 0, "stream": True, "logprobs": 20}
        _send(connection, body)
        idle.append(connection)
    assert works(server), "others are served meanwhile"
    assert server.idle(60), "what nobody reads is written to its end, and no further"
    for connection in idle:
        connection.close()


def test_an_answer_has_its_time(telling: tuple[Running, Telling]):
    first, runner = telling
    runner.seconds, runner.script = 0.05, endless(first)
    model = first.engine.model
    with running(model, limits=Limits(seconds=0.4)) as server:
        body = {**ASK, "max_tokens": 1000, "temperature": 0}
        answer = httpx.post(f"{server.url}/v1/completions", json=body, timeout=30)
        assert answer.status_code == 408, answer.text
        assert "0.4 s" in message(answer)
        with httpx.stream(
            "POST", f"{server.url}/v1/completions", json={**body, "stream": True}, timeout=30
        ) as stream:
            lines = [line for line in stream.iter_lines() if line]
        assert "0.4 s" in json.loads(lines[-2][6:])["error"]["message"]
        assert server.idle()


def test_a_failing_engine_is_said_to_have_failed(telling: tuple[Running, Telling], monkeypatch):
    server, runner = telling

    def breaks(step):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(runner, "forward", breaks)
    answer = httpx.post(f"{server.url}/v1/completions", json=ASK, timeout=30)
    assert answer.status_code == 503
    assert "a defect" in message(answer)
    assert httpx.get(f"{server.url}/health").status_code == 503
    assert httpx.post(f"{server.url}/v1/completions", json=ASK).status_code == 503


def test_metrics_and_the_log_count_and_tell_no_secrets(server: Running):
    assert works(server)
    secret = {**ASK, "prompt": "password = 'hunter2'"}
    httpx.post(f"{server.url}/v1/completions", json=secret)
    page = httpx.get(f"{server.url}/metrics").text
    assert re.search(r'codewright_requests_total{path="/v1/completions",status="200"} \d+', page)
    assert re.search(r"^codewright_tokens_written_total [1-9]", page, re.MULTILINE)
    assert "codewright_texts_running 0.0" in page
    for place in range(5):
        httpx.get(f"{server.url}/made/up/{place}")
    assert "made" not in httpx.get(f"{server.url}/metrics").text
    assert "hunter2" not in page + "".join(server.log)
    lines = [json.loads(line) for line in server.log]
    assert {"/v1/completions", "/made/up/4"} <= {line["path"] for line in lines}
    assert all(line["status"] == 404 for line in lines if "made" in line["path"])


def start(folder: Path, *words: str) -> tuple[subprocess.Popen, str]:
    """Starts the command, and returns it with the address that it names."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "codewright",
            "serve",
            "--model",
            str(folder),
            "--port",
            "0",
            *words,
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = re.search(r"http://\S+?(?=,)", process.stderr.readline())
    assert found
    return process, found[0]


def test_the_command_serves_and_ends_when_it_is_told(chatty: Path):
    process, url = start(chatty, "--threads", "1")
    try:
        assert httpx.get(f"{url}/health", timeout=30).json()["status"] == "ok"
        with httpx.stream(
            "POST", f"{url}/v1/completions", json={**ASK, "max_tokens": 100, "stream": True}
        ) as stream:
            lines = stream.iter_lines()
            next(lines)
            process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]", "what was begun is finished"
        assert process.wait(30) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_small_writes_are_not_held_back():
    """An answer is two of them; the second would wait 40 ms for the first to be acknowledged."""
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()) as _,
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_keeps_it_from_starting(chatty: Path, tmp_path: Path):
    def said(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "codewright", "serve", *words],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "COLUMNS": "200"},
        )
        return done.returncode, done.stderr

    half = tmp_path / "half"
    half.mkdir()
    for path in chatty.iterdir():
        data = path.read_bytes()
        (half / path.name).write_bytes(data[: len(data) // 2] if "00001" in path.name else data)
    code, text = said("--model", str(half), "--port", "0")
    assert (code, "is broken" in text, "hint:" in text) == (2, True, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = said("--model", str(chatty), "--port", str(taken.getsockname()[1]))
        assert (code, "cannot listen" in text) == (2, True)
    code, text = said("--model", "nothing/at/all")
    assert (code, "no model is called" in text) == (2, True)
    code, text = said("--model", "openai/gpt", "--isolation", "none")
    assert (code, "isolation policy" in text) == (2, True)


def _send(connection: socket.socket, body: dict) -> None:
    content = json.dumps(body).encode()
    connection.sendall(
        b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(content)}\r\n\r\n".encode()
        + content
    )
