"""The HTTP server on a loopback port, in this process; and a model that says what it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import uvicorn

from codewright.engine import sampling
from codewright.engine.runner import Step
from codewright.generate.local_model import LocalModel
from codewright.serve.guard import Limits
from codewright.serve.http import application
from codewright.serve.local import Local
from codewright.serve.loop import EngineLoop
from codewright.serve.served import Served
from codewright.serve.verification import Trials, Verifier


@dataclass
class Running:
    """Where it listens, what it runs, and its log."""

    url: str
    port: int
    engine: EngineLoop
    log: list[str] = field(default_factory=list)

    def idle(self, seconds: float = 10.0) -> bool:
        """Waits until nothing is being written; tells whether that came to be."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            scheduler = self.engine.model.engine.scheduler
            if not (self.engine.texts or scheduler.running or scheduler.waiting):
                return True
            time.sleep(0.01)
        return False


@contextmanager
def running(
    model: LocalModel, *, keys: tuple[str, ...] = (), limits: Limits | None = None
) -> Iterator[Running]:
    """Serves a model until the block ends."""
    limits = limits or Limits()
    engine = EngineLoop(model, most=limits.texts)
    try:
        with serving(Local(engine), keys=keys, limits=limits) as door:
            yield Running(door.url, door.port, engine, door.log)
    finally:
        engine.close(5)


@dataclass
class Door:
    """Where a server listens, what verifies there, and its log."""

    url: str
    port: int
    verifier: Verifier
    log: list[str]


@contextmanager
def serving(
    served: Served,
    *,
    keys: tuple[str, ...] = (),
    limits: Limits | None = None,
    trials: Trials | None = None,
) -> Iterator[Door]:
    """Serves anything that can be served until the block ends."""
    log: list[str] = []
    verifier = Verifier(trials or Trials(workers=1), served.name, served.write)
    app = application(
        served, verifier=verifier, keys=keys, limits=limits or Limits(), log=log.append
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Door(f"http://127.0.0.1:{port}", port, verifier, log)
    finally:
        server.should_exit = True
        thread.join()
        verifier.close(5)
        listening.close()


class Telling:
    """A runner whose model goes on with `script` where a prompt ends, and then ends the text."""

    name = "telling"
    blocks, block_size, wide = 400, 16, 16

    def __init__(self, vocabulary: int, context: int, *, seconds: float = 0.0) -> None:
        self.vocabulary, self.context = vocabulary, context
        self.script: list[int] = []
        self.seconds = seconds
        self._begun: dict[int, int] = {}

    def forward(self, step: Step) -> np.ndarray:
        time.sleep(self.seconds)
        logits = np.full((len(step.wanted_R), self.vocabulary), -20.0, np.float32)
        for place, row in enumerate(step.wanted_R):
            table, position = int(step.table_T[row]), int(step.position_T[row])
            if np.count_nonzero(step.table_T == table) > 1 or table not in self._begun:
                self._begun[table] = position  # the end of a prompt
            written = position - self._begun[table]
            token = self.script[written] if written < len(self.script) else 0
            logits[place, token] = 20.0
        return logits

    def copy_blocks(self, pairs) -> None: ...

    def draw(self, logits_RV, manners_R):
        drawn = [sampling.draw(*pair) for pair in zip(logits_RV, manners_R, strict=True)]
        return np.array([t for t, _ in drawn], np.int32), np.array(
            [s for _, s in drawn], np.float32
        )

    def close(self) -> None: ...
