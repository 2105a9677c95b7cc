"""`codewright mcp` when calls, clients and servers end, and over HTTP: nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytest.importorskip("mcp", reason="mcp is not installed; it comes with codewright[mcp]")

from mcp.client.client import Client

from tests.cli.mcp_world import (
    ENDLESS,
    HELLO,
    alive,
    at_work,
    children,
    endless,
    every_tool,
    folders,
    gone,
    message,
    own_server,
    raw,
    scripted,
    server,
    session,
    until,
)

pytestmark = pytest.mark.usefixtures("own_scratch")


def test_a_call_that_is_cancelled_leaves_no_process(folder: Path):
    before = folders()

    async def main() -> None:
        async with session(folder, *scripted(folder), "--calls", "1") as client:
            process = own_server()
            for _ in range(2):
                call = asyncio.create_task(endless(client))
                await until(lambda: at_work(process))
                running = children(process)
                call.cancel()
                await asyncio.wait([call])
                assert await asyncio.to_thread(gone, running)
                assert folders() == before
            arguments = {"program_file": "good.py", "tests": "assert f(1) == 2"}
            answer = await client.call_tool("judge", arguments)
            assert answer.structured_content["status"] == "passed", "its place is free again"

    asyncio.run(main())


def test_calls_have_limits_of_time_and_number(folder: Path):
    limits = ("--calls", "1", "--waiting", "1", "--seconds", "4")

    async def main() -> None:
        async with session(folder, *scripted(folder), *limits) as client:
            process = own_server()
            first = asyncio.create_task(endless(client))
            await until(lambda: children(process))
            second = asyncio.create_task(client.call_tool("doctor", {}))
            await asyncio.sleep(0.5)
            third = await client.call_tool("doctor", {})
            assert third.is_error
            assert "calls are waiting" in third.content[0].text
            answer = await first
            assert answer.is_error
            assert "more than 4 s" in answer.content[0].text
            assert not (await second).is_error, "who waited came in"
            assert await asyncio.to_thread(gone, children(process))

    asyncio.run(main())


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGKILL"])
def test_however_it_ends_nothing_is_left(folder: Path, how: str):
    before = folders()
    process = raw(folder, *scripted(folder))
    assert process.stdin is not None
    arguments = {"program": ENDLESS, "tests": "assert f(1)", "cpu_seconds": 100}
    process.stdin.write(HELLO + message(1, "tools/call", name="judge", arguments=arguments))
    process.stdin.flush()
    asyncio.run(until(lambda: at_work(process.pid)))
    running = children(process.pid)
    if how == "end of input":
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, how))
    assert process.wait(20) == {"end of input": 0, "SIGTERM": 143, "SIGKILL": -9}[how]
    assert gone(running)
    if how != "SIGKILL":
        assert folders() == before
    for left in folders() - before:
        subprocess.run(["rm", "-r", left], check=True)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


CLIENT = """
import asyncio, sys
from pathlib import Path
from tests.cli.mcp_world import ENDLESS, session

async def main():
    async with session(Path(sys.argv[1]), *sys.argv[2:]) as client:
        arguments = {"program": ENDLESS, "tests": "assert f(1)", "cpu_seconds": 100}
        await client.call_tool("judge", arguments)

asyncio.run(main())
"""


def test_a_client_that_is_killed_takes_everything_along(folder: Path):
    before = folders()
    client = subprocess.Popen([sys.executable, "-c", CLIENT, str(folder), *scripted(folder)])
    # The client, its server, the call, and the sandbox's processes.
    asyncio.run(until(lambda: len(children(client.pid)) >= 5, 30))
    running = children(client.pid)
    client.kill()
    client.wait()
    assert gone(running)
    assert folders() == before


VISITOR = """
import asyncio, sys
from mcp.client.client import Client
from tests.cli.mcp_world import endless

async def main():
    async with Client(sys.argv[1]) as client:
        await endless(client)

asyncio.run(main())
"""


def test_over_http_everything_is_the_same(folder: Path, monkeypatch):
    before = folders()
    parameters = server(folder, *scripted(folder), "--port", "0")
    process = subprocess.Popen(
        [parameters.command, *parameters.args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        url = found[0]
        assert url.startswith("http://127.0.0.1:")

        async def main() -> None:
            async with Client(url) as client:
                await every_tool(client)
                call = asyncio.create_task(endless(client))
                await until(lambda: at_work(process.pid))
                running = children(process.pid)
                call.cancel()
                await asyncio.wait([call])
                assert await asyncio.to_thread(gone, running)

        asyncio.run(main())
        client = subprocess.Popen([sys.executable, "-c", VISITOR, url])
        asyncio.run(until(lambda: at_work(process.pid), 30))
        running = children(process.pid)
        client.kill()
        client.wait()
        assert gone(running), "who vanishes takes the call along"
        hello = json.loads(HELLO.split(b"\n")[0])
        accept = {"accept": "application/json, text/event-stream"}
        rebound = httpx.post(url, json=hello, headers={**accept, "host": "evil.example"})
        assert rebound.status_code == 421
        crossed = httpx.post(url, json=hello, headers={**accept, "origin": "http://evil.example"})
        assert crossed.status_code == 403
        large = httpx.post(url, content=b"x" * 10_000_000, headers=accept)
        assert large.status_code == 413
        running = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert gone(running)
        assert folders() == before
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_http_asks_for_a_key_where_there_are_some(folder: Path):
    parameters = server(folder, *scripted(folder), "--port", "0")
    process = subprocess.Popen(
        [parameters.command, *parameters.args],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "CODEWRIGHT_API_KEYS": "sesame"},
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        hello = json.loads(HELLO.split(b"\n")[0])
        accept = {"accept": "application/json, text/event-stream"}
        assert httpx.post(found[0], json=hello, headers=accept).status_code == 401
        with_key = {**accept, "authorization": "Bearer sesame"}
        assert httpx.post(found[0], json=hello, headers=with_key).status_code == 200
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_alive_sees_who_is(folder: Path):
    assert alive({os.getpid()}) == {os.getpid()}
    sleeper = subprocess.Popen(["sleep", "60"])
    assert sleeper.pid in children(os.getpid())
    assert not gone({sleeper.pid}, 0.2)
    sleeper.kill()
    assert gone({sleeper.pid}, 5)
    sleeper.wait()
