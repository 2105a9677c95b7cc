"""`codewright serve`: a model on this machine behind OpenAI's HTTP protocol."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from codewright import console
from codewright.cli import write_options as options
from codewright.errors import MissingExtra, UserError
from codewright.generate.registry import EMBEDDED, embedded, is_local
from codewright.generate.settings import Device, Local, Precision, RunnerName

KEYS = "CODEWRIGHT_API_KEYS"
GRACE = 10.0
"""Seconds that answers have to come to their end when the server is asked to stop."""


def serve(
    model: options.Model = EMBEDDED,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    rows: Annotated[int, typer.Option(min=1, help="Texts written at the same time.")] = 64,
    waiting: Annotated[int, typer.Option(min=1, help="Texts taken in; more get 429.")] = 1024,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for an answer.")] = 300.0,
    body: Annotated[int, typer.Option(min=1000, help="Bytes of a request at most.")] = 4 << 20,
    memory: Annotated[int, typer.Option(min=0, help="MiB for keys and values; 0: 4096.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="0: one for each core.")] = 0,
    guesses: Annotated[int, typer.Option(min=0, max=32, help="Tokens guessed ahead.")] = 0,
    runner: Annotated[RunnerName, typer.Option(help="C, or torch.")] = "auto",
    precision: Annotated[Precision, typer.Option(help="Of weights and activations.")] = "auto",
    device: Annotated[Device, typer.Option(help="Where it runs.")] = "auto",
) -> None:
    """Serves a model on this machine by OpenAI's HTTP protocol, and llama.cpp's /infill."""
    if not is_local(model):
        raise UserError(
            f"{model!r} is no model on this machine", hint="embedded, or a checkpoint folder"
        )
    local = Local(
        runner=runner,
        precision=precision,
        device=device,
        rows=rows,
        memory=memory << 20,
        threads=threads,
        guesses=guesses,
    )
    try:
        import uvicorn

        from codewright.generate.local_model import LocalModel
        from codewright.serve.guard import Limits
        from codewright.serve.http import application
        from codewright.serve.loop import EngineLoop
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "serve") from None
    listening = _listen(host, port)
    folder = embedded() if model == EMBEDDED else Path(model)
    opened = LocalModel(folder, local, name=EMBEDDED if model == EMBEDDED else "")
    engine = EngineLoop(opened, most=waiting)
    keys = [key for key in os.environ.get(KEYS, "").split(",") if key]
    limits = Limits(body=body, seconds=timeout, texts=waiting)
    app = application(engine, keys=keys, limits=limits, log=console.say)
    address, bound = listening.getsockname()[:2]
    console.say(f"{opened.name} on http://{address}:{bound}, {opened.runner.name}")
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=int(GRACE))
    )
    server.run(sockets=[listening])
    engine.close(GRACE)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            hint="name another --port, or end what listens there",
        ) from None
