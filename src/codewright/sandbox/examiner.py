"""The process that holds the tests: runs them against programs that live elsewhere.

It is forked for a set of tests, sits in a jail of its own, and may weigh many programs one after
the other, each in a fresh namespace. Tests that the static gate finds unable to leave anything
behind may be followed by others in the same process. It reports observations; the verdict is formed
outside (`verdict.py`). Orders come on descriptor 3; on descriptor 4 it asks the
programs' fork server for their processes (see `zygote.py`).
"""

from __future__ import annotations

import ast
import builtins
import json
import marshal  # trusted: nothing is read with it here
import os
import random
import secrets
import socket
import struct
import sys
import types
import warnings
from typing import Any

from codewright.sandbox import compare
from codewright.sandbox.capture import Capture
from codewright.sandbox.evidence import TESTS_FILE, TestSource, program_trace, shown, shown_call
from codewright.sandbox.gate import objection
from codewright.sandbox.guest import PROGRAM_FILE
from codewright.sandbox.remote import Conversation, RemoteObject
from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import Packer
from codewright.sandbox.wire import Closed, Stream, WireError

_ORDERS, _LINK = 3, 4
_MOST_GATED = 20_000
_BATCH = 16
_REHEARSALS = 24

Report = dict[str, Any]
"""`found`: passed, failed, error, memory, lost or gated; the rest are fields of `Evidence`."""


class AssertPaper:
    """Asserting code.

    Args:
        code, preamble: as in `AssertTests`.
        entry_point: a name that always means the program's.
    """

    def __init__(self, code: str, preamble: str, entry_point: str) -> None:
        self._entry_point = entry_point
        self._source = TestSource(code)
        self._code = compile(code, TESTS_FILE, "exec", dont_inherit=True)
        self._base: dict[str, Any] = {"__name__": "tests"}
        if preamble:
            exec(compile(preamble, "<preamble>", "exec", dont_inherit=True), self._base)
            self._base["__name__"] = "tests"
        self._base.pop(entry_point, None)
        used = set(_names(self._code)) - self._base.keys() - set(dir(builtins))
        self.wanted = sorted(used | ({entry_point} if entry_point else set()))

    def weigh(self, talk: Conversation, found: list[Any]) -> Report:
        """Runs the tests once; `found` holds the program's wanted names."""
        names = dict(self._base)
        for name, have in zip(self.wanted, found, strict=True):
            if have:
                names[name] = have[0]
            elif name == self._entry_point:
                return {"found": "error", "message": f"the program does not define {name}"}
        random.seed(0)
        try:
            exec(self._code, names)
        except BaseException as error:  # boundary: the tests and, by relay, the program raise
            return self._failure(talk, error)
        used_data = any(have and not isinstance(have[0], RemoteObject) for have in found)
        if talk.calls == 0 and not used_data:
            return {"found": "error", "message": "the tests never used the program"}
        return {"found": "passed"}

    def _failure(self, talk: Conversation, error: BaseException) -> Report:
        if error is talk.raised:
            return _raised(talk, error)
        said = self._source.failure(error, talk.last_value)
        name = type(error).__name__
        if not isinstance(error, AssertionError):
            said["message"] = f"{name}: {said['message']}" if said.get("message") else name
        return {"found": "failed", "input": _last_input(talk), **said}


class CallPaper:
    """Input/output pairs of a function."""

    def __init__(self, pairs: list[Any], tolerance: float, entry_point: str) -> None:
        self._pairs = pairs
        self._tolerance = tolerance
        self.wanted = [entry_point]

    def weigh(self, talk: Conversation, found: list[Any]) -> Report:
        """Makes each call and compares what comes back."""
        name = self.wanted[0]
        if not found[0] or not isinstance(found[0][0], RemoteObject):
            return {"found": "error", "message": f"the program defines no function {name}"}
        unpack = Unpacker(_nothing, _nothing, _nothing).unpack
        for number, text in enumerate(self._pairs):
            # Fresh values for each program: a call may change its arguments.
            args, kwargs, expected = unpack(text)
            said = {"test": f"pair {number}", "input": shown_call(name, args, kwargs)}
            try:
                got = found[0][0](*args, **kwargs)
            except BaseException as error:  # boundary: the program's exception, rebuilt
                return {**_raised(talk, error), **said}
            if not compare.values_match(got, expected, self._tolerance, loose_sequences=True):
                return {"found": "failed", "expected": shown(expected), "got": shown(got), **said}
        return {"found": "passed"}


class SuitePaper:
    """A unittest suite that runs in the program's own process (level `shared`)."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.wanted: list[str] = []

    def weigh(self, talk: Conversation, found: list[Any]) -> Report:
        """Lets the suite run over there, and believes it only with the one-time proof."""
        proof = secrets.token_hex(16)
        try:
            said = talk.ask(["suite", self._code, proof])
        except BaseException as error:  # boundary: the suite and the program share a process
            return _raised(talk, error)
        if type(said) is not dict or said.get("proof") != proof or type(said.get("ran")) is not int:
            return {"found": "failed", "message": "the suite did not prove that it ran"}
        problems = said.get("problems")
        if type(problems) is list and problems:
            name, message = (str(part) for part in problems[0])
            return {"found": "failed", "test": name, "message": message[-2000:]}
        if said["ran"] < 1 or problems != []:
            return {"found": "error", "message": "the suite holds no test"}
        return {"found": "passed"}


Paper = AssertPaper | CallPaper | SuitePaper


def _nothing(_: Any) -> Any:
    raise WireError("no objects in test data")


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return found


def _last_input(talk: Conversation) -> str:
    call = talk.describe_last_call()
    if len(call) != 3:
        return ""
    return shown_call(call[0], tuple(call[1]), call[2])


def _raised(talk: Conversation, error: BaseException) -> Report:
    """The program raised; the tests did not expect it to."""
    if talk.lost:
        return {"input": _last_input(talk)}
    name = talk.raised_name or type(error).__name__
    return {
        "found": "memory" if name == "MemoryError" else "error",
        "input": _last_input(talk),
        "message": name,
        "traceback": program_trace(talk.source, talk.trace, name, error),
    }


def _leaves_traces(code: str) -> bool:
    """Whether tests may leave something behind that the next set of tests could find."""
    return len(code) > _MOST_GATED or bool(objection(ast.parse(code)))


class Examiner:
    """Obeys orders about one set of tests, or, while they leave no traces, one after the other."""

    def __init__(self) -> None:
        self._orders = Stream(_ORDERS)
        self._link = socket.socket(fileno=_LINK)
        self._packer = Packer(_nothing)
        self._unpack = Unpacker(_nothing, _nothing, _nothing).unpack
        self._talk = Conversation(self._stalled)
        self._paper: Paper | None = None
        self._unusable = ""
        self._printed = Capture()
        sys.stdout = sys.stderr = self._printed.stream
        # What the compiler thinks of a program's style is nobody's business here.
        warnings.simplefilter("ignore")

    def run(self) -> None:
        """Obeys until the orders end."""
        while True:
            order = self._unpack(self._orders.receive())
            if order[0] == "setup":
                self._setup(*order[1:])
            else:
                self._examine(*order[1:])

    def _stalled(self) -> None:
        self._link.send(b"s")

    def _say(self, message: list[Any]) -> None:
        self._orders.send(self._packer.text(message))

    def _setup(self, kind: str, parts: list[Any]) -> None:
        makers = {"assert": AssertPaper, "calls": CallPaper, "suite": SuitePaper}
        try:
            self._paper = makers[kind](*parts)
            clean = kind != "assert" or not any(map(_leaves_traces, parts[:2]))
        except BaseException as error:  # boundary: the tests' text may be anything
            self._paper = None
            self._unusable = f"the tests cannot be used: {type(error).__name__}: {error}"
            clean = False
        self._say(["ready", clean])

    def _examine(
        self,
        programs: list[str],
        gated: bool,
        compiled: bool,
        patience: float,
        budget: float,
    ) -> None:
        """Weighs programs one after the other; gated ones share a process, others do not."""
        waiting: list[Report] = []
        talk, fresh = self._talk, True
        for program in programs:
            report, code = self._read(program, gated, compiled)
            if not report:
                if fresh or not gated:
                    self._connect(patience, budget)
                    fresh = False
                talk.renew(program)
                report = {**self._weigh(talk, code), "ran": True}
            waiting.append(report)
            if report["found"] == "lost" and gated:
                break
            if len(waiting) >= _BATCH:
                self._say(["reports", waiting])
                waiting = []
        talk.close()
        self._link.send(b"e")
        self._say(["reports", waiting])
        self._say(["done"])

    def _connect(self, patience: float, budget: float) -> None:
        """Asks the programs' server for the next process; the last one may leave."""
        self._talk.close()
        self._link.send(b"n")
        _, fds, _, _ = socket.recv_fds(self._link, 1, 1)
        if not fds:
            raise Closed
        channel = socket.socket(fileno=fds[0])
        seconds = int(patience)
        limit = struct.pack("ll", seconds, int((patience - seconds) * 1e6))
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._talk.connect(Stream(channel.detach()), budget)

    def _read(self, program: str, gated: bool, compiled: bool) -> tuple[Report, str | bytes]:
        """A report if the program need not be run, else what its process is sent."""
        if self._paper is None:
            return {"found": "error", "message": self._unusable}, ""
        if not compiled:
            return {}, program
        try:
            if gated:
                tree = ast.parse(program, PROGRAM_FILE)
                if reason := objection(tree):
                    return {"found": "gated", "message": reason}, ""
                code = compile(tree, PROGRAM_FILE, "exec", dont_inherit=True)
            else:
                code = compile(program, PROGRAM_FILE, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            return _unreadable(error), ""
        return {}, marshal.dumps(code)

    def _weigh(self, talk: Conversation, program: str | bytes) -> Report:
        assert self._paper is not None
        self._printed.clear()
        try:
            if isinstance(self._paper, SuitePaper):
                talk.ask(["prepare"])
            found = talk.load(program, self._paper.wanted)
            report = self._paper.weigh(talk, found)
        except BaseException as error:  # boundary: the program's own exceptions, rebuilt
            report = _raised(talk, error)
        if talk.lost:
            return {**report, "found": "lost", "message": talk.lost}
        if report["found"] != "passed":
            report["output"] = talk.output()
        return report


def _unreadable(error: Exception) -> Report:
    """The program's text is no Python."""
    where = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    name = type(error).__name__
    return {"found": "error", "message": name, "traceback": f"{name}: {what}{where}"}


class _Parrot:
    """A stream that answers as a program would, to rehearse with."""

    def __init__(self) -> None:
        self._number = 0
        self._load = False

    def send(self, body: bytes) -> None:
        self._number += 1
        self._load = body.startswith(b'["load"')

    def receive(self) -> bytes:
        told = {"h": [0, "function", "<function f>", True]}
        value: Any = [[], [told]] if self._load else [3, 1]
        return json.dumps(["ok", self._number, 0, value, None]).encode()

    def close(self) -> None:
        """Nothing is open."""


class Stage:
    """The role of the tests, made ready before the fork."""

    def rehearse(self) -> None:
        """Weighs a program that a parrot plays, so that every examiner starts warm."""
        code = "def check(f):\n    assert f([1], 2) == [3, 1]\n\n\ncheck(f)\n"
        paper = AssertPaper(code, "import math\n", "f")
        talk = Conversation(lambda: None)
        for _ in range(_REHEARSALS):
            talk.connect(_Parrot(), 1.0)
            talk.renew("")
            program = "def f(x, y):\n    return sorted([x, y])\n"
            tree = ast.parse(program)
            objection(tree)
            compiled = marshal.dumps(compile(tree, PROGRAM_FILE, "exec", dont_inherit=True))
            report = paper.weigh(talk, talk.load(compiled, paper.wanted))
            assert report == {"found": "passed"}, report

    def play(self, order: dict[str, Any]) -> None:
        """Obeys orders about one set of tests until they end."""
        assert order["targets"] == [_ORDERS, _LINK]
        try:
            Examiner().run()
        except (Closed, WireError):
            os._exit(0)
