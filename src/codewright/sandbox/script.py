"""The program's side for whole programs: a Python text as `__main__`, or a command.

Runs in the fork. Descriptors 0, 1 and 2 are the memory files of its input and output; 3 holds the
program's text, or for a command its order: JSON with `files` (name to text) and `command`.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import signal
import sys
import threading
import traceback
import types
from typing import Any, NoReturn

_TEXT = 3
_FILE = "program.py"


class Script:
    """The role of a Python text that runs as `__main__`."""

    def rehearse(self) -> None:
        """There is nothing to make ready."""

    def play(self, order: dict[str, Any]) -> None:
        """Runs the text."""
        run_script(order)


class Command:
    """The role of a compiler, or of what it built."""

    def rehearse(self) -> None:
        """There is nothing to make ready."""

    def play(self, order: dict[str, Any]) -> None:
        """Runs the command."""
        run_command(order)


def run_script(order: dict[str, Any]) -> None:
    """Runs Python text as a script would run: `__main__`, exit codes, atexit and threads."""
    _cap_output(order)
    source = _read_text().decode("utf-8", "surrogatepass")
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = [_FILE]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    gc.enable()
    code = 1
    try:
        exec(compile(source, _FILE, "exec", dont_inherit=True), module.__dict__)
        code = 0
    except SystemExit as left:
        code = _exit_code(left.code)
    except BaseException as error:  # boundary: the outermost of the program
        _print_traceback(error)
    code = _wind_up(code)
    os._exit(code)


def _wind_up(code: int) -> int:
    """What an interpreter does at its end: threads, atexit, flush."""
    try:
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException as error:  # boundary: the program's own exit functions
        _print_traceback(error)
        return code or 1
    return code


def _exit_code(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    os.write(2, f"{value}\n".encode("utf-8", "replace"))
    return 1


def _print_traceback(error: BaseException) -> None:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == _FILE]
    lines = [f"  line {f.lineno}, in {f.name}" for f in frames[-12:]]
    last = traceback.format_exception_only(error)[-1].strip()
    os.write(2, "\n".join([*lines, last, ""]).encode("utf-8", "replace"))


def _cap_output(order: dict[str, Any]) -> None:
    size = order["limits"]["output_bytes"]
    hard = min(order["limits"]["file_bytes"], size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def _read_text() -> bytes:
    size = os.fstat(_TEXT).st_size
    parts = []
    while size > 0:
        part = os.read(_TEXT, size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    os.close(_TEXT)
    return b"".join(parts)


def run_command(order: dict[str, Any]) -> None:
    """Writes the order's files into the current folder and runs its command.

    A built program takes this process's place, so that the CPU time that is watched is its own. A
    compiler starts helpers: for it this process stays, as the init of its pid namespace, reaps
    what it leaves behind, and when it ends the kernel ends the rest.
    """
    wanted = json.loads(_read_text())
    for name, text in wanted["files"].items():
        with open(name, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    if not wanted["building"]:
        _cap_output(order)
        _become(wanted)
    pid = os.fork()
    if pid == 0:
        _become(wanted)
    while True:
        done, status = os.wait()
        if done == pid:
            break
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _become(wanted: dict[str, Any]) -> NoReturn:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(wanted["command"][0], wanted["command"], wanted["environ"])
    except OSError as error:
        os.write(2, f"{wanted['command'][0]}: {error.strerror}\n".encode())
    os._exit(127)
