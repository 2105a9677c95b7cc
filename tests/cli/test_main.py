"""The command line says mistakes in one form, keeps its exit codes apart, and starts quickly."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from codewright.cli.main import COMMANDS, Command, run

COMMAND = '''
"""A command for the tests."""

import errno
from pathlib import Path
from typing import Annotated, Literal

import typer

from codewright import console
from codewright.errors import DataError, IsolationError


def act(
    what: Annotated[str, typer.Argument(metavar="WHAT")],
    level: Annotated[Literal["isolated", "shared"], typer.Option()] = "isolated",
    cpu: Annotated[float, typer.Option()] = 1.0,
) -> None:
    """Does one thing."""
    match what:
        case "bad":
            raise typer.Exit(1)
        case "user":
            raise DataError("no such file\\x1b[2J", hint="name another")
        case "machine":
            raise IsolationError("no namespaces")
        case "interrupt":
            raise KeyboardInterrupt
        case "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/run/out.jsonl")
        case "os":
            raise OSError(errno.EIO, "Input/output error")
        case "defect":
            raise ZeroDivisionError("by zero")
        case "flood":
            for _ in range(100_000):
                console.print_text("x" * 80)
    console.print_json({"what": what, "level": level, "cpu": cpu})
'''


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A command, and one whose module is broken."""
    (tmp_path / "a_command.py").write_text(COMMAND)
    (tmp_path / "a_broken_command.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    act = Command("a_command:act", "Does one thing.")
    yield {"act": act, "also": Command("a_broken_command:act", "Does another.")}
    sys.modules.pop("a_command", None)


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("bad", 1, ""),
        ("user", 2, "error: no such file\\x1b[2J\nhint: name another\n"),
        ("machine", 3, "error: no namespaces\n"),
        ("full", 3, "error: no space left to write /run/out.jsonl\nhint: free some space"),
    ],
)
def test_each_ending_has_its_code_and_its_words(commands, capsys, what, code, said):
    assert run(["act", what], commands) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert (err == "") is (said == "")
    assert "Traceback" not in err


def test_an_interruption_is_no_verdict(commands):
    assert run(["act", "interrupt"], commands) == 130


@pytest.mark.parametrize("what", ["defect", "os"])
def test_a_defect_shows_its_traceback_and_is_no_verdict(commands, capsys, what):
    assert run(["act", what], commands) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" in err
    assert "Error: " in err
    assert err.splitlines()[-2] == "error: codewright itself failed, so nothing was judged"
    assert err.splitlines()[-1].startswith("hint: ")


def test_a_good_ending_prints_data_alone(commands, capsys):
    assert run(["act", "x", "--level", "shared", "--cpu", "2"], commands) == 0
    assert capsys.readouterr() == ('{"what": "x", "level": "shared", "cpu": 2.0}\n', "")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["atc", "x"], "no such command 'atc'", "codewright --help"),
        (["--nope"], "no such option: --nope", "codewright --help"),
        (["--", "atc"], "no such command 'atc'", "codewright --help"),
        (["act"], "missing argument 'WHAT'", "codewright act --help"),
        (["act", "x", "y"], "unexpected extra argument", "codewright act --help"),
        (["act", "x", "--nope"], "no such option: --nope", "codewright act --help"),
        (["act", "x", "--cpu"], "option '--cpu' requires an argument", "codewright act --help"),
        (["act", "x", "--cpu", "fast"], "invalid value for '--cpu'", "codewright act --help"),
        (["act", "x", "--level", "none"], "invalid value for '--level'", "codewright act --help"),
    ],
)
def test_a_mistake_on_the_command_line_is_said_in_the_house_form(
    commands, capsys, arguments, message, hint
):
    assert run(arguments, commands) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert message in first
    assert first.startswith("error: ")
    assert second == f"hint: {hint} shows what fits"


def test_a_near_miss_names_the_command(commands, capsys):
    assert run(["actt"], commands) == 2
    assert "'act'" in capsys.readouterr().err


def test_help_and_version_are_data(commands, capsys):
    for arguments in ([], ["--help"]):
        assert run(arguments, commands) == 0
        out, err = capsys.readouterr()
        assert "act" in out
        assert "Does one thing." in out
        assert "Does another." in out
        assert err == ""
    assert run(["--version"], commands) == 0
    assert capsys.readouterr() == (f"codewright {version('codewright')}\n", "")
    assert run(["act", "--help"], commands) == 0
    assert "WHAT" in capsys.readouterr().out


def test_a_command_imports_no_other(commands, capsys):
    assert run(["act", "x"], commands) == 0
    assert run(["--", "act", "x"], commands) == 0
    assert run(["also"], commands) == 70
    assert "RuntimeError: imported" in capsys.readouterr().err


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="codewright")
    assert script.value == "codewright.cli.main:main"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_says_what_it_does(name):
    module, function = COMMANDS[name].target.split(":")
    command = getattr(importlib.import_module(module), function)
    assert (inspect.getdoc(command) or "").splitlines()[0] == COMMANDS[name].summary


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, **options
    )


def test_help_needs_none_of_the_heavy_libraries():
    heavy = {"numpy", "matplotlib", "httpx", "pandas", "ray", "asyncio", "multiprocessing"}
    code = (
        "import sys; from codewright.cli.main import COMMANDS, run; run(['--help'], COMMANDS);"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    result = python("-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "[]\n"


def test_the_module_runs_as_the_command():
    result = python("-m", "codewright", "--version")
    assert (result.returncode, result.stdout) == (0, f"codewright {version('codewright')}\n")
    assert python("-m", "codewright", "no-such").returncode == 2


def test_a_reader_who_leaves_is_no_verdict_and_no_traceback(commands, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from codewright.cli.main import Command, run;"
        "sys.exit(run(['act', 'flood'], {'act': Command('a_command:act', '')}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().startswith(b"xxx")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
