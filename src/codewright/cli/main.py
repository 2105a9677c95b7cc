"""The `codewright` command: finds the module of a command, runs it, and turns errors into words.

Each command is one function in a module of its own, imported only when it is wanted, so that
`--help` stays quick and a command pays for nothing that it does not use. A command prints its
data itself and raises `typer.Exit(1)` for "done and not good".

Exit codes: 0 done and good, 1 done and not good, 2 the user's mistake, 3 the machine lacks
something, 70 a defect of Codewright itself, 130 interrupted, 141 nobody read the output to its
end. Neither a crash nor an interruption is 1, so that it cannot be read as a verdict.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from codewright import console
from codewright.errors import CodewrightError, UserError
from codewright.files import FULL, cannot_write

COMMANDS: Mapping[str, str] = {
    "judge": "codewright.cli.judge:judge",
    "evaluate": "codewright.cli.evaluate:evaluate",
    "doctor": "codewright.cli.doctor:doctor",
    "demo": "codewright.cli.demo:demo",
}
"""Command -> module:function, in the order in which `--help` lists them."""

EXIT_DEFECT = 70
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141


def main() -> None:
    """Runs the command line in `sys.argv` and exits."""
    code = run(sys.argv[1:], COMMANDS)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        code = EXIT_UNREAD
    sys.exit(code)


def run(arguments: Sequence[str], commands: Mapping[str, str]) -> int:
    """Runs one command line.

    Args:
        arguments: the words after `codewright`.
        commands: command -> module:function.

    Returns:
        The exit code. Whatever had to be said has been said.
    """
    try:
        # Standalone mode would print usage errors in Typer's own form and exit by itself.
        code = build(arguments, commands)(
            args=list(arguments) or ["--help"], prog_name="codewright", standalone_mode=False
        )
    except CodewrightError as error:
        console.print_error(error)
        return error.exit_code
    except typer.TyperException as error:
        console.print_error(_usage_error(error, arguments, commands))
        return UserError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.say("interrupted")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):  # SystemExit is how Typer answers a broken pipe
        _abandon_stdout()
        return EXIT_UNREAD
    except OSError as error:
        if error.errno not in FULL:
            return _defect()
        full = cannot_write(Path(error.filename or "the output"), error)
        console.print_error(full)
        return full.exit_code
    except Exception:  # boundary: the process's outermost frame; a defect is told as one
        return _defect()
    return code if isinstance(code, int) else 0


def build(arguments: Sequence[str], commands: Mapping[str, str]) -> typer.Typer:
    """Makes the app with the command that `arguments` name, or with all for help and errors."""
    app = typer.Typer(
        name="codewright",
        help="Runs, judges and measures programs that language models write.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    wanted = arguments[0] if arguments and arguments[0] in commands else None
    for name, target in commands.items():
        if wanted in (None, name):
            module, _, function = target.partition(":")
            app.command(name)(getattr(importlib.import_module(module), function))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print_text(f"codewright {version('codewright')}")
        raise typer.Exit


def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Takes the options that stand before a command; each acts in its own callback."""


def _usage_error(
    error: typer.TyperException, arguments: Sequence[str], commands: Mapping[str, str]
) -> UserError:
    """Says a command-line mistake in the house's form."""
    message = " ".join(error.format_message().split()).rstrip(".")
    command = arguments[0] if arguments and arguments[0] in commands else ""
    words = " ".join(("codewright", *filter(None, [command]), "--help"))
    return UserError(message[:1].lower() + message[1:], hint=f"{words} shows what fits")


def _defect() -> int:
    console.say(traceback.format_exc().rstrip())
    console.print_error(
        CodewrightError(
            "codewright itself failed, so nothing was judged",
            hint="report the lines above with the command you ran",
        )
    )
    return EXIT_DEFECT


def _abandon_stdout() -> None:
    """Nobody reads stdout any more: keeps the interpreter from complaining as it closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
