"""`codewright mcp`: the commands as tools for agents, by the Model Context Protocol."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import console
from codewright.cli import write_options as options
from codewright.cli.serve import GRACE, KEYS, listen
from codewright.errors import MissingExtra, UserError
from codewright.generate.registry import EMBEDDED

if TYPE_CHECKING:
    from mcp.server import MCPServer


def mcp(
    model: options.Model = EMBEDDED,
    root: Annotated[
        list[Path] | None,
        typer.Option(help="A folder whose files may be read; again for more (default: this one)."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Speak HTTP on 127.0.0.1; 0: any that is free."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Of a call, at most.")] = 300.0,
    calls: Annotated[int, typer.Option(min=1, help="At the same time.")] = 2,
    waiting: Annotated[int, typer.Option(min=0, help="Calls that may wait.")] = 16,
) -> None:
    """Offers write, complete, judge and evaluate to agents, by the Model Context Protocol."""
    try:
        from codewright.serve.commands import CallLimits, Commands
        from codewright.serve.confined import Roots
        from codewright.serve.mcp import Tools, mcp_server
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "mcp") from None
    roots = Roots(root or [_here()])
    # -P: what lies in the working directory is not imported.
    command = (sys.executable, "-P", "-m", "codewright.cli.called", str(os.getpid()))
    limits = CallLimits(seconds=seconds, calls=calls, waiting=waiting)
    commands = Commands(command, limits)
    server = mcp_server(Tools(commands, roots, model), version=version("codewright"))

    def leave(number: int, _: object) -> None:
        commands.end()
        os._exit(128 + number)

    if port is not None:
        _over_http(server, port)
    else:
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        server.run("stdio")


def _here() -> Path:
    """Returns the working directory, unless a client chose it that knows no better.

    Raises:
        UserError: it is the whole disk.
    """
    here = Path.cwd()
    if here == Path("/"):
        raise UserError(
            "the working directory is /, and all of it would be offered",
            hint="name the project by --root FOLDER",
        )
    return here


def _over_http(server: MCPServer[Any], port: int) -> None:
    """Serves until it is told to end; calls that run then are killed."""
    try:
        import uvicorn

        from codewright.serve.guard import Guard, Limits
        from codewright.serve.metrics import Metrics
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "serve") from None
    listening = listen("127.0.0.1", port)
    keys = [key for key in os.environ.get(KEYS, "").split(",") if key]
    app = Guard(
        server.streamable_http_app(),
        keys=keys,
        limits=Limits(),
        metrics=Metrics([]),
        log=console.say,
    )
    console.say(f"MCP on http://127.0.0.1:{listening.getsockname()[1]}/mcp")
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=int(GRACE)
    )
    uvicorn.Server(config).run(sockets=[listening])
