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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from codewright import console
from codewright.errors import CodewrightError, UserError
from codewright.files import FULL, cannot_write


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives (module:function), and the first line of its docstring.

    The function of a group is called without arguments and returns the Typer app of its commands.
    """

    target: str
    summary: str
    group: bool = False


COMMANDS: Mapping[str, Command] = {
    "write": Command(
        "codewright.cli.write:write",
        "Writes a program: many candidates, run and compared, one answer with its trust report.",
    ),
    "complete": Command(
        "codewright.cli.complete:complete",
        "Fills in the middle of a file: what belongs at a line and column, by what stands around.",
    ),
    "context": Command(
        "codewright.cli.context:context",
        "Shows what a model would be shown of a repository, for a cursor or a task, and why.",
    ),
    "serve": Command(
        "codewright.cli.serve:serve",
        "Serves a model by OpenAI's HTTP protocol: one on this machine, or one behind a server.",
    ),
    "lsp": Command(
        "codewright.cli.lsp:lsp",
        "Completes in an editor, by the language server protocol.",
    ),
    "mcp": Command(
        "codewright.cli.mcp:mcp",
        "Offers write, complete, judge and evaluate to agents, by the Model Context Protocol.",
    ),
    "index": Command(
        "codewright.cli.index:index",
        "Brings the index of a repository up to date, and shows what is in it and what changed.",
        group=True,
    ),
    "judge": Command(
        "codewright.cli.judge:judge",
        "Judges one program by its tests and says why.",
    ),
    "evaluate": Command(
        "codewright.cli.evaluate:evaluate",
        "Grades programs for a benchmark: pass@k with intervals, references first.",
    ),
    "symbols": Command(
        "codewright.cli.symbols:symbols",
        "Lists what a file or folder defines, what of it nothing uses, and what it uses in vain.",
    ),
    "impact": Command(
        "codewright.cli.impact:impact",
        "Says what may break when a definition changes: users, heirs, overrides, tests to run.",
    ),
    "search": Command(
        "codewright.cli.search:search",
        "Finds code and text by words, names and meaning, or shows an outline of what is where.",
    ),
    "corpus": Command(
        "codewright.cli.corpus:corpus",
        "Builds a cleaned corpus of code, or shows what one is made of.",
        group=True,
    ),
    "tokenizer": Command(
        "codewright.cli.tokenizer:tokenizer",
        "Learns a tokenizer from code, or shows the tokens of a text.",
        group=True,
    ),
    "train": Command(
        "codewright.cli.train:train",
        "Makes a model from a recipe: corpus, tokenizer, packed rows, training, scores.",
    ),
    "export": Command(
        "codewright.cli.export:export",
        "Writes a model for other tools: a Hugging Face folder, a GGUF file, or a checkpoint.",
    ),
    "compress": Command(
        "codewright.cli.compress:compress",
        "Makes a checkpoint smaller: int8 and int4 weights, zeros, fewer heads and layers.",
    ),
    "doctor": Command(
        "codewright.cli.doctor:doctor",
        "Says which layers of isolation hold on this machine, and how to get the rest.",
    ),
    "demo": Command(
        "codewright.cli.demo:demo",
        "Writes a program, with classes and a question, and judges right, wrong and hostile ones.",
    ),
}
"""The commands, in the order in which `--help` lists them.

The summaries stand here too so that `--help` imports no command; a test holds them equal.
"""

EXIT_DEFECT = 70
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141


def main() -> None:
    """Runs the command line in `sys.argv` and exits."""
    code = run(sys.argv[1:], COMMANDS)
    try:
        if not sys.stdout.closed:  # the language server closes it
            sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        code = EXIT_UNREAD
    sys.exit(code)


def run(arguments: Sequence[str], commands: Mapping[str, Command]) -> int:
    """Runs one command line.

    Args:
        arguments: the words after `codewright`.
        commands: the commands by name.

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
        console.print_error(_usage_error(error, named(arguments, commands)))
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


def build(arguments: Sequence[str], commands: Mapping[str, Command]) -> typer.Typer:
    """Makes the app, importing only the command that `arguments` name."""
    app = typer.Typer(
        name="codewright",
        help="Writes, runs, judges and measures programs with language models.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    wanted = named(arguments, commands)
    for name, command in commands.items():
        if name == wanted:
            module, _, function = command.target.partition(":")
            target = getattr(importlib.import_module(module), function)
            if command.group:
                app.add_typer(target(), name=name, help=command.summary)
            else:
                app.command(name)(target)
        else:
            app.command(name, help=command.summary)(_not_imported)
    return app


def named(arguments: Sequence[str], commands: Mapping[str, Command]) -> str | None:
    """Returns the command on a command line: its first word that is no option."""
    first = next((word for word in arguments if not word.startswith("-")), None)
    return first if first in commands else None


def _not_imported() -> None:
    raise AssertionError("a command ran that the command line does not name")


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


def _usage_error(error: typer.TyperException, command: str | None) -> UserError:
    """Says a command-line mistake in the house's form."""
    message = " ".join(error.format_message().split()).rstrip(".")
    place = f"codewright {command}" if command else "codewright"
    return UserError(message[:1].lower() + message[1:], hint=f"{place} --help shows what fits")


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
