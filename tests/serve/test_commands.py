"""Commands as processes: what comes back, what does not, and that nothing stays."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from codewright.errors import MachineError, UserError
from codewright.serve.commands import CallLimits, Commands


async def quiet(seconds: float, message: str) -> None: ...


def called(program: str, *, given: bytes = b"", told=quiet, **limits):
    """Runs a program as a command, and returns its value."""
    commands = Commands((sys.executable, "-c"), CallLimits(**limits))

    async def main():
        async with commands.call({"a.txt": b"content"}) as call:
            folders.append(call.folder)
            return await call.run([program, str(call.folder / "a.txt")], told, given=given)

    folders: list[Path] = []
    try:
        return asyncio.run(main())
    finally:
        assert not any(folder.exists() for folder in folders)


def test_a_value_comes_back_whatever_the_verdict():
    program = (
        "import sys, json; print(json.dumps([open(sys.argv[1]).read(), len(sys.stdin.read())]));"
        "sys.exit({code})"
    )
    for code in (0, 1, 3):
        given = b"x" * 1_000_000
        assert called(program.format(code=code), given=given) == ["content", 1_000_000]
    assert called("print(1)", given=b"x" * 1_000_000) == 1, "who does not read is not waited for"


@pytest.mark.parametrize(
    ("program", "kind", "message", "hint"),
    [
        ("print('error: no file', file=sys.stderr); sys.exit(2)", UserError, "no file", ""),
        (
            "print('talk\\nerror: a: b\\nhint: do c', file=sys.stderr); sys.exit(2)",
            UserError,
            "a: b",
            "do c",
        ),
        ("print('error: no kernel', file=sys.stderr); sys.exit(3)", MachineError, "no kernel", ""),
        ("print('{}'); sys.exit(70)", MachineError, "exit code 70", ""),
        ("print('no JSON')", MachineError, "exit code 0", ""),
        ("", MachineError, "exit code 0", ""),
        ("os.kill(os.getpid(), 11)", MachineError, "exit code -11", ""),
        ("while True: print('x' * 9999)", MachineError, "more than 100000 bytes", "ask for less"),
        ("time.sleep(60)", UserError, "more than 3 s", "--seconds"),
    ],
)
def test_why_there_is_no_value_is_told(program, kind, message, hint):
    with pytest.raises(kind) as caught:
        called(f"import os, sys, time\n{program}", output=100_000, seconds=3)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_flood_of_talk_is_cut_and_the_last_line_is_told():
    heard: list[tuple[float, str]] = []

    async def told(seconds: float, message: str) -> None:
        heard.append((seconds, message))

    program = (
        "import sys, time\n"
        "print('x' * 5_000_000 + '\\nlast words', file=sys.stderr, flush=True)\n"
        "time.sleep(2.5); print(7)"
    )
    assert called(program, told=told) == 7
    assert [message for _, message in heard] == ["last words"] * len(heard)
    times = [seconds for seconds, _ in heard]
    assert len(times) >= 2
    assert times == sorted(times)
