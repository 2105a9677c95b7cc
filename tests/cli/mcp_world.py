"""A real `codewright mcp` process with the official client, and who is still alive afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from jsonschema import validate
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

ENDLESS = "def f(x):\n    while True:\n        pass\n"


def server(folder: Path, *words: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=str(Path(sys.executable).parent / "codewright"),
        args=["mcp", "--root", str(folder), *words],
        env={**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache")},
        cwd=folder,
    )


@asynccontextmanager
async def session(folder: Path, *words: str) -> AsyncIterator[Client]:
    with open(folder / "talk.log", "w") as talk:
        async with Client(stdio_client(server(folder, *words), errlog=talk)) as client:
            yield client


def children(process: int) -> set[int]:
    """Returns the processes under one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    while more := {each for each, up in parents.items() if up in found | {process}} - found:
        found |= more
    return found


def alive(processes: Iterable[int]) -> set[int]:
    """Returns those that run: who has ended and waits to be buried does not."""
    found = set()
    for process in processes:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(process)
    return found


def gone(processes: Iterable[int], seconds: float = 60.0) -> bool:
    """Waits until none runs any more."""
    until = time.monotonic() + seconds
    while left := alive(processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
        processes = left
    return True


def folders() -> set[Path]:
    """Returns the folders of calls that are on this machine."""
    return set(Path(os.environ.get("TMPDIR", "/tmp")).glob("codewright-call-*"))


SCRIPT = {
    "larger": [
        "```python\ndef larger(a, b):\n    return max(a, b)\n```",
        "```python\ndef larger(a, b):\n    return a if a >= b else b\n```",
        "```python\ndef larger(a, b):\n    return a\n```",
    ],
    "for value in": ["result += value"],
}
LOOP = "def total(values):\n    result = 0\n    for value in values:\n        \n    return result\n"


def make_root(tmp_path: Path) -> Path:
    """A root with a few files, and the script of a model."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "said.json").write_text(json.dumps(SCRIPT))
    (root / "loop.py").write_text(LOOP)
    (root / "good.py").write_text("def f(x):\n    return x + 1\n")
    (root / "tests.json").write_text('[{"args": [1], "expected": 2}]')
    (tmp_path / "secret.py").write_text("def f(x):\n    return 'hunter2'\n")
    # What lies in the working directory must never be imported by the server or its calls.
    for name in ("codewright", "typer", "json", "mcp"):
        (root / f"{name}.py").write_text("raise SystemExit('imported')\n")
    return root


def scripted(folder: Path) -> tuple[str, str]:
    return ("--model", f"scripted/{folder / 'said.json'}")


async def endless(client: Client, *, seconds: int = 100):
    arguments = {"program": ENDLESS, "tests": "assert f(1)", "cpu_seconds": seconds}
    return await client.call_tool("judge", arguments)


async def until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def own_server() -> int:
    """Returns the server that this process's client has started."""
    (found,) = [each for each in children(os.getpid()) if b"mcp\0--root" in _words(each)]
    return found


def _words(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def at_work(process: int) -> set[int]:
    """Returns what runs under a server once a call has come to judging: its whole tree."""
    found = children(process)
    return found if len(found) >= 4 else set()


def raw(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    parameters = server(folder, *words)
    return subprocess.Popen(
        [parameters.command, *parameters.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )


def message(number: int, method: str, **params: object) -> bytes:
    told = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(told).encode() + b"\n"


HELLO = message(
    0, "initialize", protocolVersion="2025-06-18", capabilities={},
    clientInfo={"name": "raw", "version": "1"},
) + b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'  # fmt: skip


async def every_tool(client: Client) -> None:
    """Calls each tool, holds the answers to their schemas, and looks at what they say."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"write", "complete", "judge", "search", "evaluate", "doctor"}
    for tool in tools.values():
        assert tool.description
        assert tool.annotations.read_only_hint
        assert all("description" in each or "default" in each for each in
                   tool.input_schema["properties"].values())  # fmt: skip
    beats: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        beats.append(progress)
        assert message

    async def done(name: str, **arguments: object):
        answer = await client.call_tool(name, arguments, progress_callback=heard)
        assert not answer.is_error, answer.content[0].text
        validate(answer.structured_content, tools[name].output_schema)
        return answer.structured_content, answer.content[0].text

    told, text = await done("judge", program_file="good.py", tests="assert f(1) == 2")
    assert (told["status"], text) == ("passed", "passed")
    told, text = await done("judge", program_file="good.py", tests="assert f(1) == 3")
    assert told["status"] == "failed"
    assert "got: 2" in text
    told, _ = await done("judge", program="def f(x): return x", tests_file="tests.json",
                         entry_point="f")  # fmt: skip
    assert told["status"] == "failed"
    pairs = json.dumps([{"stdin": "3\n", "stdout": "6\n"}])
    told, _ = await done("judge", program="print(2 * int(input()))", tests=pairs)
    assert told["status"] == "passed"
    told, _ = await done("judge", program='{"a": [1, 2]}', tests="null")
    assert told["status"] != "passed", "a text that is JSON stays a text"
    told, text = await done("complete", file="loop.py", line=4, column=9)
    assert told["completion"] == text == "result += value"
    told, _ = await done("complete", file="new.py", content="# a\n" + LOOP, line=5, column=9)
    assert told["completion"] == "result += value"
    told, text = await done("search", query="total of values", kinds=["function"])
    found = [(hit["path"], hit["name"]) for hit in told["hits"]]
    assert found[0] == ("loop.py", "total"), found
    assert "data from its files" in text
    told, text = await done("search", query="zebra crossing", folder=".", tests="only")
    assert (told["hits"], text) == ([], "nothing was found")
    told, text = await done("doctor")
    assert told["policies"]["default"] is True
    words = {"specification": "A function larger(a, b) that returns the larger number"}
    told, text = await done("write", **words, candidates=6, examples="larger(1, 2) == 2")
    assert told["entry_point"] == "larger"
    assert told["program"].strip() in text
    assert "return a\n" not in told["program"]
    assert sum(each["members"] for each in told["classes"]) == 6
    assert beats, "a call that takes seconds is heard of"
