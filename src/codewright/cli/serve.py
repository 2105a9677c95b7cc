"""`codewright serve`: a model behind OpenAI's HTTP protocol, wherever the model runs."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codewright import console
from codewright.cli import serve_options as these
from codewright.cli import write_options as options
from codewright.errors import MissingExtra, UserError
from codewright.generate.registry import EMBEDDED, is_local, open_generator, open_model
from codewright.generate.remote import Service
from codewright.generate.settings import Local
from codewright.sandbox.policy import find

if TYPE_CHECKING:
    from codewright.serve.guard import Limits
    from codewright.serve.loop import EngineLoop
    from codewright.serve.served import Served
    from codewright.serve.verification import Trials

KEYS = "CODEWRIGHT_API_KEYS"
GRACE = 10.0
"""Seconds that answers have to come to their end when the server is asked to stop."""


def serve(
    model: options.Model = EMBEDDED,
    host: these.Host = "127.0.0.1",
    port: these.Port = 8080,
    rows: these.Rows = 64,
    waiting: these.Waiting = 1024,
    timeout: these.Timeout = 300.0,
    body: these.BodySize = 4 << 20,
    memory: these.Memory = 0,
    threads: these.Threads = 0,
    guesses: these.Guesses = 0,
    draft: options.Draft = "",
    runner: these.Runner = "auto",
    precision: these.Precise = "auto",
    device: these.On = "auto",
    silence: these.Silence = 120.0,
    verifications: these.Verifications = 2,
    candidates: these.Candidates = 100,
    isolation: options.Isolation = "default",
    packages: options.Packages = "numpy",
    workers: options.Workers = 0,
) -> None:
    """Serves a model by OpenAI's HTTP protocol: one on this machine, or one behind a server."""
    local = Local(
        runner=runner,
        precision=precision,
        device=device,
        rows=rows,
        memory=memory << 20,
        threads=threads,
        guesses=guesses,
        draft=draft,
    )
    find(isolation)
    try:
        from codewright.serve.guard import Limits
        from codewright.serve.verification import Trials
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "serve") from None
    trials = Trials(
        at_once=verifications,
        candidates=candidates,
        seconds=timeout,
        isolation=isolation,
        packages=tuple(filter(None, packages.split(","))),
        workers=workers,
    )
    limits = Limits(body=body, seconds=timeout, texts=waiting)
    listening = listen(host, port)
    _run(listening, _open(model, local, limits, silence), limits, trials)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A model, by what it is run, and the engine that has to be closed where there is one."""

    served: Served
    by: str
    engine: EngineLoop | None = None


def _open(model: str, local: Local, limits: Limits, silence: float) -> _Opened:
    """Opens what `--model` names."""
    kind, _, name = model.partition("/")
    if is_local(model):
        from codewright.serve.local import Local as OnThisMachine
        from codewright.serve.loop import EngineLoop

        opened = open_model(model, local)
        engine = EngineLoop(opened, most=limits.texts)
        return _Opened(OnThisMachine(engine), opened.runner.name, engine)
    if kind == "openai" and name:
        from codewright.serve.forwarded import Forwarded
        from codewright.serve.upstream import Upstream

        address = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        key = os.environ.get("OPENAI_API_KEY", "")
        upstream = Upstream(address, key=key, silence=silence)
        return _Opened(Forwarded(name, upstream), f"behind {upstream.place}")
    from codewright.serve.replayed import Replayed

    generator = open_generator(model, environment=os.environ, service=Service())
    return _Opened(Replayed(generator), "replayed")


def _run(listening: socket.socket, opened: _Opened, limits: Limits, trials: Trials) -> None:
    """Serves until the server is asked to stop."""
    import uvicorn

    from codewright.serve.http import application
    from codewright.serve.verification import Verifier

    served = opened.served
    verifier = Verifier(trials, served.name, served.write)
    keys = [key for key in os.environ.get(KEYS, "").split(",") if key]
    app = application(served, verifier=verifier, keys=keys, limits=limits, log=console.say)
    address, bound = listening.getsockname()[:2]
    console.say(f"{served.name} on http://{address}:{bound}, {opened.by}")
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=int(GRACE))
    )
    server.run(sockets=[listening])
    verifier.close(GRACE)
    if opened.engine is not None:
        opened.engine.close(GRACE)


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; raises UserError where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            hint="name another --port, or end what listens there",
        ) from None
    # Connections inherit it. The head of an answer and its body are two writes, and without it the
    # second one waits for the client's acknowledgement of the first: 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
