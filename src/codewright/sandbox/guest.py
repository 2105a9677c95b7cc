"""The program's side of a judgement: loads the program, makes the calls it is asked for.

This runs in the fork that the program lives in, so nothing it says is trusted: it can only answer
with plain data. It never learns what a call should return.

Requests are lists `[verb, ...]`; a reply is `["ok", number, printed, value, changed]` or
`["error", number, printed, type, base, args, traceback]`, where number counts the requests.
"""

from __future__ import annotations

import builtins
import marshal  # trusted: only the examiner writes what is read here
import random
import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn

from codewright.sandbox.capture import Capture
from codewright.sandbox.suite import Snapshot, run_suite
from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import Handed, Packer, Reference
from codewright.sandbox.wire import Closed, Stream, WireError

PROGRAM_FILE = "<program>"
MODULE = "program"
_CHANNEL = 3
_MUTABLE = (list, dict, set, bytearray)
_BUILTIN_EXCEPTIONS = {
    value: name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
_MAX_TRACE_LINES = 12


class _Foreign:
    """An object that stayed with the examiner: its public attributes and calls are relayed."""

    __slots__ = ("_codewright",)

    def __init__(self, relay: tuple[Guest, Reference]) -> None:
        object.__setattr__(self, "_codewright", relay)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        guest, reference = object.__getattribute__(self, "_codewright")
        return guest.ask(["call", reference.number, args, kwargs])

    def __getattr__(self, name: str) -> Any:
        guest, reference = object.__getattribute__(self, "_codewright")
        return guest.ask(["get", reference.number, name])

    def __setattr__(self, name: str, value: Any) -> None:
        guest, reference = object.__getattribute__(self, "_codewright")
        guest.ask(["set", reference.number, name, value])


def _number_of(foreign: _Foreign) -> int:
    number: int = object.__getattribute__(foreign, "_codewright")[1].number
    return number


class Guest:
    """One conversation with an examiner.

    Args:
        capture: where the program's prints go.
    """

    def __init__(self, capture: Capture) -> None:
        self._stream: Stream | _Script = _Script([])
        self._capture = capture
        self._number = 0
        self._names: dict[str, Any] = {}
        self._snapshot: Snapshot | None = None
        self._handed = Handed()
        self._foreigners: dict[int, _Foreign] = {}
        self._packer = Packer(self._handed.number, _Foreign, _number_of)
        self._unpacker = Unpacker(self._handed.find, self._foreign, lambda name: name)
        self._verbs: dict[str, Callable[..., list[Any]]] = {
            "call": self._call,
            "get": self._get,
            "set": self._set,
            "load": self._load,
            "output": self._output,
            "prepare": self._prepare,
            "suite": self._suite,
        }

    def _foreign(self, reference: Reference) -> Any:
        known = self._foreigners.get(reference.number)
        if known is None:
            known = self._foreigners[reference.number] = _Foreign((self, reference))
        return known

    def run(self, stream: Stream | _Script) -> NoReturn:
        """Answers requests until the examiner goes away.

        Args:
            stream: the channel.

        Raises:
            Closed: it went away.
        """
        self._stream = stream
        self._number = 0
        self._handed.clear()
        while True:
            request = self._unpacker.unpack(self._stream.receive())
            self._number += 1
            self._answer(self._verbs[request[0]], request)

    def _answer(self, verb: Any, request: list[Any]) -> None:
        try:
            reply = verb(*request[1:])
            text = self._packer.text(["ok", self._number, self._capture.used, *reply])
        except (Closed, KeyboardInterrupt) as error:
            if isinstance(error, Closed):
                raise
            text = self._failure(error)
        except BaseException as error:  # boundary: whatever the program raises is its answer
            text = self._failure(error)
        self._stream.send(text)

    def _failure(self, error: BaseException) -> bytes:
        """The reply for an exception; every part is read past the program's overrides."""
        kind = type(error)
        mro = type.__dict__["__mro__"].__get__(kind)
        base = next((n for k in mro if (n := _BUILTIN_EXCEPTIONS.get(k))), "BaseException")
        name = kind.__name__
        if isinstance(error, WireError):
            name, base = "WireError", "ValueError"
        trace = self._trace(error)
        args: Any = BaseException.__dict__["args"].__get__(error)
        if isinstance(error, SyntaxError):
            args = (f"{error.msg} (line {error.lineno})",)
        head = ["error", self._number, self._capture.used, name, base]
        try:
            return self._packer.text([*head, args, trace])
        except BaseException:  # boundary: the arguments are the program's own objects
            return self._packer.text([*head, (), trace])

    def _trace(self, error: BaseException) -> list[list[Any]]:
        """[line, function] of the program's own frames, outermost first."""
        frames = []
        at = BaseException.__dict__["__traceback__"].__get__(error)
        while at is not None:
            code = at.tb_frame.f_code
            if code.co_filename == PROGRAM_FILE:
                frames.append([at.tb_lineno or 0, code.co_name])
            at = at.tb_next
        return frames[-_MAX_TRACE_LINES:]

    def _load(self, program: str | bytes, wanted: list[str]) -> list[Any]:
        """Runs the program; gives [value] for each wanted name, [] where there is none.

        Args:
            program: its text, or its code object as the examiner compiled it.
        """
        if self._number > 1:
            # Not the first in this process: the last one's traces go.
            self._handed.clear()
            self._foreigners.clear()
            self._capture.clear()
            random.seed(0)
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module
        names = module.__dict__
        if isinstance(program, bytes):
            code = marshal.loads(program)
        else:
            code = compile(program, PROGRAM_FILE, "exec", dont_inherit=True)
        self._names = names
        exec(code, names)
        return [[[names[n]] if n in names else [] for n in wanted], None]

    def _call(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        mutable = [i for i, a in enumerate(args) if isinstance(a, _MUTABLE)]
        if not mutable:
            return [target(*args, **kwargs), None]
        before = [self._packer.text(args[i]) for i in mutable]
        value = target(*args, **kwargs)
        changed = None
        for i, text in zip(mutable, before, strict=True):
            if self._packer.text(args[i]) != text:
                changed = changed or []
                changed.append([i, args[i]])
        return [value, changed]

    def _get(self, target: Any, name: str) -> list[Any]:
        return [getattr(target, name), None]

    def _set(self, target: Any, name: str, value: Any) -> list[Any]:
        setattr(target, name, value)
        return [None, None]

    def _suite(self, code: str, proof: str) -> list[Any]:
        assert self._snapshot is not None, "a suite is prepared before its program is loaded"
        return [run_suite(code, proof, self._names, self._snapshot), None]

    def _prepare(self) -> list[Any]:
        self._snapshot = Snapshot()
        return [None, None]

    def _output(self) -> list[Any]:
        return [self._capture.text()[:20_000], None]

    def ask(self, question: list[Any]) -> Any:
        """Asks the examiner, in the middle of a call, about an object of its own."""
        self._stream.send(self._packer.text(["ask", self._number, *question]))
        answer = self._unpacker.unpack(self._stream.receive())
        if answer[0] == "raise":
            raise _rebuilt(answer[1], answer[2])
        return answer[1]


def _rebuilt(name: str, args: tuple[Any, ...]) -> BaseException:
    kind = getattr(builtins, name, RuntimeError)
    error: BaseException = kind(*args)
    return error


class _Script:
    """A stream that holds both sides of a conversation, to rehearse one."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests

    def receive(self) -> bytes:
        if not self._requests:
            raise Closed
        return self._requests.pop(0)

    def send(self, body: bytes) -> None:
        assert body


_REHEARSALS = 24
_REHEARSED = """
from typing import List
def f(xs: List[int], k: int = 1) -> List[int]:
    seen = {}
    for i, x in enumerate(sorted(xs)):
        if x % 2 == 0 and str(x).isdigit():
            seen[x] = seen.get(x, 0) + i
    return [max(seen, default=k), len(seen), " ".join(map(str, seen))]
"""


class Stage:
    """The role of a program that is called by tests, made ready before the fork."""

    def __init__(self) -> None:
        self._capture = Capture()
        self._guest = Guest(self._capture)

    def rehearse(self) -> None:
        """Goes through whole conversations, so that every fork starts warm.

        The interpreter specialises bytecode as it runs it; done once here, no fork has to, and no
        fork has to copy the memory that it happens in.
        """
        packer = Packer(lambda _: 0)
        program = marshal.dumps(compile(_REHEARSED, PROGRAM_FILE, "exec"))
        function = Reference(0, "function", "", True)
        calls = [
            packer.text(["call", function, ([3, 4, 8],), {}]),
            packer.text(["call", function, ("ab",), {"k": 2}]),
        ]
        for _ in range(_REHEARSALS):
            script = _Script([packer.text(["load", program, ["f", "g"]]), *calls * 2])
            try:
                self._guest.run(script)
            except Closed:
                continue

    def play(self, order: dict[str, Any]) -> None:
        """Plays the program's part on descriptor 3 until the examiner goes away."""
        sys.stdout = sys.stderr = self._capture.stream
        self._capture.limit(order["limits"]["output_bytes"])
        try:
            self._guest.run(Stream(_CHANNEL))
        except (Closed, WireError):
            return
