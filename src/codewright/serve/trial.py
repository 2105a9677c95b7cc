"""Grammars that strangers send, compiled where that can be ended.

A schema of forty bytes can take half a minute and a gigabyte to compile, and nothing in a thread
can be stopped. So a grammar that is new is first compiled in a process of its own, which also looks
at what the first tokens after it may be; where that takes more than `SECONDS`, or too much memory,
the process is ended and the request refused. What passed is compiled again in a thread beside the
event loop, and remembered. The engine's thread never compiles.

The process lives on for the next grammar: one at a time is tried, others wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from codewright.engine.checked import stuck
from codewright.errors import MachineError, UserError
from codewright.generate.constrained import Rules, Tokens
from codewright.generate.grammars import Grammars, each_byte
from codewright.types.generation import Grammar

if TYPE_CHECKING:
    # The process that tries grammars reads no model.
    from codewright.generate.local_model import LocalModel

SECONDS = 3.0
"""For one grammar; `STARTING` more where the process has to be started."""
STARTING = 20.0
STEP_SECONDS = 0.25
"""For what may follow one token, at most."""
STEPS = 24
MEMORY = 1 << 30
"""Bytes of the process."""


class Trial:
    """Prepares grammars for a model, one after the other."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self._process: subprocess.Popen[bytes] | None = None
        # A thread of its own: whoever sends bombs keeps nobody waiting but those with grammars.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grammars")

    async def prepare(self, grammar: Grammar | None) -> None:
        """Returns when a grammar can be asked for without waiting.

        Raises:
            UserError: it is none, or too much.
            MissingExtra: llguidance is not installed.
        """
        if grammar is None or grammar.kind == "python" or self._model.grammars.knows(grammar):
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._prepared, grammar)

    def close(self) -> None:
        """Ends the process; nothing can be prepared any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._end()

    def _prepared(self, grammar: Grammar) -> None:
        if self._model.grammars.knows(grammar):
            return
        if self._process is None:
            self._start()
        asked = {"kind": grammar.kind, "source": grammar.source, "lenient": grammar.lenient}
        said = self._say(asked, SECONDS)
        if said is None:
            self._end()
            raise _too_much()
        if said["error"]:
            raise UserError(said["error"], hint=said["hint"])
        self._model.rules(grammar)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "codewright.serve.trial"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        tokens = [each.hex() for each in self._model.spelled]
        if self._say({"tokens": tokens, "ends": sorted(self._model.ends)}, STARTING) is None:
            self._end()
            raise MachineError("the process that tries grammars does not start")

    def _say(self, what: dict[str, object], seconds: float) -> dict[str, str] | None:
        """Returns the reply; None where there is none in time, and the process has ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(what).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            return None
        finally:
            timer.cancel()
        return json.loads(line) if line.endswith(b"\n") else None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def _too_much() -> UserError:
    return UserError("the grammar takes too long to compile", hint="make a simpler one")


def _serve() -> None:
    """What the process does: one line of JSON in, one out."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told = json.loads(sys.stdin.readline())
    tokens = Tokens([bytes.fromhex(each) for each in told["tokens"]], told["ends"])
    grammars = Grammars(tokens, each_byte)
    _reply("")
    for line in sys.stdin:
        try:
            _walk(grammars.rules(Grammar(**json.loads(line))), tokens)
        except UserError as error:
            _reply(error.message, error.hint)
        else:
            _reply("")


def _walk(rules: Rules, tokens: Tokens) -> None:
    """Writes a text of any tokens that may come, and looks how long each takes."""
    draw = random.Random(0)
    for _ in range(STEPS):
        began = time.monotonic()
        mask_V = rules.mask()
        assert mask_V is not None
        if time.monotonic() - began > STEP_SECONDS:
            raise _too_much()
        allowed = np.flatnonzero(mask_V)
        if rules.over or not len(allowed):
            if not rules.complete:
                raise stuck()
            return
        token = int(draw.choice(allowed))
        rules.push(token, tokens.spelled[token])


def _reply(error: str, hint: str = "") -> None:
    sys.stdout.write(json.dumps({"error": error, "hint": hint}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
