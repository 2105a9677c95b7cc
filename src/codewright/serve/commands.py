"""Commands of this package as processes: bounded, cancelled by killing, and never left behind.

Each call is a process of its own, in a group of its own, with a folder of its own that is removed
with it. Who is cancelled kills it; the sandbox's processes end with it. A command prints one JSON
value; what it says on stderr is its progress, or the reason why there is no value.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process

from codewright.errors import MachineError, UserError

Told = Callable[[float, str], Awaitable[None]]
"""Takes the seconds that a call has run, and what it said last."""

_EVERY = 1.0
"""Seconds between two words about a call that goes on."""
_TALK = 1 << 16
"""Bytes of stderr that are kept, the last ones."""
_DONE = (0, 1)
"""Exit codes with a value: done and good, done and not good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """seconds: of a call. calls: at the same time. waiting: that may wait. output: bytes."""

    seconds: float = 300.0
    calls: int = 2
    waiting: int = 16
    output: int = 32 << 20


class Commands:
    """Runs commands; `command` is what stands before their words."""

    def __init__(self, command: Sequence[str], limits: CallLimits) -> None:
        self._command = tuple(command)
        self._limits = limits
        self._places = anyio.Semaphore(limits.calls)
        self._inside = 0
        self._running: set[int] = set()
        self._folders: set[Path] = set()

    def end(self) -> None:
        """Kills what runs and removes what it left: for a process that is about to end itself."""
        for group in self._running:
            _kill(group)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    @asynccontextmanager
    async def call(self, files: Mapping[str, bytes]) -> AsyncIterator[Call]:
        """Waits for a place; gives a call with `files` in its folder.

        Raises:
            MachineError: too many are waiting.
        """
        limits = self._limits
        if self._inside >= limits.calls + limits.waiting:
            raise MachineError(f"{limits.waiting} calls are waiting", hint="call again later")
        self._inside += 1
        try:
            async with self._places:
                folder = Path(tempfile.mkdtemp(prefix="codewright-call-"))
                self._folders.add(folder)
                try:
                    for name, data in files.items():
                        (folder / name).write_bytes(data)
                    yield Call(self, folder)
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                    self._folders.discard(folder)
        finally:
            self._inside -= 1

    async def run(self, words: Sequence[str], given: bytes, told: Told) -> Any:
        """See `Call.run`."""
        limits = self._limits
        with anyio.move_on_after(limits.seconds):
            process = await anyio.open_process(
                [*self._command, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process.pid)
            try:
                output, talk = await _watched(process, given, told, limits.output)
                return _value(process.returncode, output, talk)
            finally:
                if process.returncode is None:  # else its number may be somebody else's by now
                    _kill(process.pid)
                with anyio.CancelScope(shield=True):
                    await process.aclose()
                self._running.discard(process.pid)
        raise UserError(
            f"the call took more than {limits.seconds:g} s and was ended",
            hint="ask for less, or start the server with more --seconds",
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A place among the calls, and a folder."""

    commands: Commands
    folder: Path

    async def run(self, words: Sequence[str], told: Told, *, given: bytes = b"") -> Any:
        """Runs a command to its end.

        Args:
            words: of the command line.
            told: hears of it once a second.
            given: its standard input.

        Returns:
            The JSON value that it printed.

        Raises:
            UserError: it says that the user erred, or takes longer than a call may.
            MachineError: it says that the machine lacks something, prints too much, or broke.
        """
        return await self.commands.run(words, given, told)


async def _watched(
    process: Process, given: bytes, told: Told, most: int
) -> tuple[bytearray, bytearray]:
    """Returns what a process prints on both, read as it comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    output, talk = bytearray(), bytearray()
    began = time.monotonic()

    async def beat() -> None:
        while True:
            await anyio.sleep(_EVERY)
            await told(time.monotonic() - began, _last_line(talk))

    async def read(stream: ByteReceiveStream, into: bytearray, kept: int | None) -> None:
        async for chunk in stream:
            into += chunk
            if kept is not None:
                del into[:-kept]
            elif len(into) > most:
                _kill(process.pid)

    async with anyio.create_task_group() as beside:
        beside.start_soon(beat)
        async with anyio.create_task_group() as readers:
            readers.start_soon(read, process.stdout, output, None)
            readers.start_soon(read, process.stderr, talk, _TALK)
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await process.stdin.send(given)
            await process.stdin.aclose()
        await process.wait()
        beside.cancel_scope.cancel()
    if len(output) > most:
        raise MachineError(f"the answer has more than {most} bytes", hint="ask for less")
    return output, talk


def _value(code: int | None, output: bytes | bytearray, talk: bytearray) -> Any:
    text = bytes(output).decode("utf-8", "replace").strip()
    if text:
        with contextlib.suppress(ValueError):
            value = json.loads(text)
            # What a machine lacks is what `doctor` is asked for: exit code 3 and a value.
            if code in (*_DONE, MachineError.exit_code):
                return value
    said = bytes(talk).decode("utf-8", "replace")
    message, hint = _said(said)
    if code == UserError.exit_code:
        raise UserError(message, hint=hint)
    raise MachineError(message or f"the command ended with exit code {code}", hint=hint)


def _said(talk: str) -> tuple[str, str]:
    """Returns the last error and hint of what was said."""
    found = {"error": "", "hint": ""}
    for line in talk.splitlines():
        label, _, rest = line.partition(": ")
        if label in found:
            found[label] = rest
    return found["error"], found["hint"]


def _last_line(talk: bytearray) -> str:
    lines = bytes(talk).decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "")[:500]


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
