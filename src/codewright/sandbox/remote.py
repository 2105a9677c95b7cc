"""The examiner's side of a judgement: the program's names as stand-ins whose calls are relayed.

What comes back is plain data of exact built-in types, or a `RemoteObject` for something that is
no data. A remote object takes part in calls and attribute access, but never decides a
comparison, a membership or a truth: those are computed here, on data.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from codewright.sandbox.unpack import TooSlow, Unpacker
from codewright.sandbox.values import Handed, Packer, Reference
from codewright.sandbox.wire import Closed, WireError

# Raised inside an iteration of the tests these would end it early instead of failing it.
_WOULD_END_A_LOOP = frozenset({"StopIteration", "StopAsyncIteration", "GeneratorExit"})
SLOW_ANSWERS = "reading its answers took longer than the program itself may compute"
_QUICK_TO_READ = 1 << 12
_DATA = (list, dict, set, bytearray)


class ProgramLost(BaseException):
    """The program's process is gone; no test may go on."""


class BrokenProtocol(BaseException):
    """The program's process said something that its harness would not say."""


class RemoteObject:
    """An object that lives in the program's process."""

    __slots__ = ("_conversation", "_reference")

    def __init__(self, conversation: Conversation, reference: Reference) -> None:
        object.__setattr__(self, "_conversation", conversation)
        object.__setattr__(self, "_reference", reference)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._conversation.call(self._reference.number, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._conversation.ask(["get", self, name])

    def __setattr__(self, name: str, value: Any) -> None:
        self._conversation.ask(["set", self, name, value])

    def _method(self, name: str, *args: Any) -> Any:
        return self._conversation.ask(["get", self, name])(*args)

    def __getitem__(self, key: Any) -> Any:
        return self._method("__getitem__", key)

    def __iter__(self) -> Iterator[Any]:
        items = self._method("__iter__")
        if isinstance(items, RemoteObject):
            raise TypeError("the program's iterator is not plain data")
        return iter(items)

    def __len__(self) -> int:
        size = self._method("__len__")
        if type(size) is not int:
            raise TypeError("the program's length is not a whole number")
        return size

    def __str__(self) -> str:
        return str(self._method("__str__"))

    def __repr__(self) -> str:
        return repr(self._reference)

    def __bool__(self) -> bool:
        return bool(self._reference)


def _number_of(remote: RemoteObject) -> int:
    number: int = object.__getattribute__(remote, "_reference").number
    return number


class Channel(Protocol):
    """Frames to and from the program's process."""

    def send(self, body: bytes) -> None: ...

    def receive(self) -> bytes: ...

    def close(self) -> None: ...


class Conversation:
    """Requests to one program's process, and what was last said: evidence if a test fails.

    One object serves one process after the other: `connect` gives it the next one's channel.

    Args:
        on_stall: called when an answer is long in coming.
    """

    def __init__(self, on_stall: Callable[[], None]) -> None:
        self._stream: Channel | None = None
        self._on_stall = on_stall
        self._number = 0
        self._handed = Handed()
        self._objects: dict[int, RemoteObject] = {}
        self._labels: dict[int, str] = {}
        self._packer = Packer(self._handed.number, RemoteObject, _number_of)
        self._unpacker = Unpacker(self._handed.find, self._stand_in, _module)
        self._budget = 0.0
        self.lost = ""
        self.renew("")

    def connect(self, stream: Channel, budget: float) -> None:
        """Talks to another process from now on; the last one may leave.

        Args:
            budget: CPU seconds that reading one program's answers may take here.
        """
        self._budget = budget
        self.close()
        self._stream = stream
        self._number = 0
        self.lost = ""

    def close(self) -> None:
        """Ends the conversation; the program's process leaves."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def renew(self, source: str) -> None:
        """Forgets the last program; the next one's text is given for evidence."""
        self.source = source
        self._handed.clear()
        self._objects.clear()
        self._labels.clear()
        self.calls = 0
        self._spent = 0.0
        self.printed = False
        self.raised: BaseException | None = None
        self.raised_name = ""
        self.trace: list[list[Any]] = []
        self.last_call: bytes | None = None
        self.last_value: Any = None

    def _stand_in(self, reference: Reference) -> RemoteObject:
        known = self._objects.get(reference.number)
        if known is None:
            known = self._objects[reference.number] = RemoteObject(self, reference)
        return known

    def call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls a function of the program; its changes to the arguments are made here too."""
        self.calls += 1
        text = self._packer.text(["call", self._objects[number], args, kwargs])
        self.last_call = text
        value, changed = self._exchange(text)
        for index, new in changed or ():
            _become(args[index], new)
        self.last_value = value
        return value

    def ask(self, request: list[Any]) -> Any:
        """Sends a request and returns the value of its answer.

        Raises:
            ProgramLost: the process is gone.
            BrokenProtocol: it answered something else.
            BaseException: what the program raised, rebuilt from plain data.
        """
        self.calls += 1
        return self._exchange(self._packer.text(request))[0]

    def load(self, program: str | bytes, wanted: list[str]) -> list[Any]:
        """Runs the program (text or code); returns [value] or [] for each wanted name."""
        names, _ = self._exchange(self._packer.text(["load", program, wanted]))
        if type(names) is not list or len(names) != len(wanted):
            raise self._broken("the answer to a load has another form")
        for name, have in zip(wanted, names, strict=True):
            if type(have) is not list:
                raise self._broken("the answer to a load has another form")
            if have and type(have[0]) is RemoteObject:
                self._labels[_number_of(have[0])] = name
        return names

    def output(self) -> str:
        """What the program printed; empty when it is gone."""
        if self.lost or not self.printed:
            return ""
        try:
            return str(self._exchange(self._packer.text(["output"]))[0])
        except (ProgramLost, BrokenProtocol):
            return ""

    def describe_last_call(self) -> list[Any]:
        """[name, arguments, keywords] of the last call as sent; [] where there was none."""
        if self.last_call is None:
            return []
        mine = Unpacker(lambda number: self._objects[number], lambda ref: ref, lambda name: name)
        _, target, args, kwargs = mine.unpack(self.last_call)
        return [self._labels.get(_number_of(target), "it"), args, kwargs]

    def _exchange(self, text: bytes) -> tuple[Any, Any]:
        if self.lost:
            raise ProgramLost
        assert self._stream is not None
        self._number += 1
        try:
            self._stream.send(text)
            while True:
                answer = self._understand(self._receive())
                if type(answer) is list and len(answer) > 2 and answer[0] == "ask":
                    self._stream.send(self._answer(answer[2:]))
                    continue
                break
        except Closed:
            self.lost = "died"
            raise ProgramLost from None
        except WireError as error:
            raise self._broken(str(error)) from None
        return self._read(answer)

    def _read(self, answer: Any) -> tuple[Any, Any]:
        if type(answer) is not list or len(answer) < 5 or answer[1] != self._number:
            raise self._broken("an answer has another form or number")
        self.printed = bool(answer[2])
        if answer[0] == "ok":
            return answer[3], answer[4]
        if answer[0] != "error" or len(answer) != 7 or type(answer[5]) not in (tuple, list):
            raise self._broken("an answer has another form")
        _, _, _, name, base, args, trace = answer
        self.raised = _rebuild(str(name), str(base), tuple(args))
        self.raised_name = str(name)
        self.trace = trace if type(trace) is list else []
        raise self.raised

    def _understand(self, body: bytes) -> Any:
        """The value of an answer; a program pays for answers that are made to be slow to read."""
        if len(body) < _QUICK_TO_READ:
            return self._unpacker.unpack(body)
        started = time.process_time()
        try:
            answer = self._unpacker.unpack(body, self._budget - self._spent)
        except TooSlow:
            self.lost = SLOW_ANSWERS
            raise BrokenProtocol(SLOW_ANSWERS) from None
        self._spent += time.process_time() - started
        return answer

    def _broken(self, why: str) -> BrokenProtocol:
        self.lost = f"broke the protocol: {why}"
        return BrokenProtocol(why)

    def _receive(self) -> bytes:
        assert self._stream is not None
        while True:
            try:
                return self._stream.receive()
            except TimeoutError:
                self._on_stall()

    def _answer(self, question: list[Any]) -> bytes:
        """Answers the program about an object of the tests: public names only."""
        try:
            verb, number, *rest = question
            target = self._handed.find(number)
            if verb == "call" and not isinstance(target, type):
                value = target(*rest[0], **rest[1])
            elif verb in ("get", "set") and not str(rest[0]).startswith("_"):
                if isinstance(target, types.FunctionType | types.MethodType | types.ModuleType):
                    raise AttributeError(rest[0])
                if verb == "get":
                    value = getattr(target, str(rest[0]))
                else:
                    value = setattr(target, str(rest[0]), rest[1])  # type: ignore[func-returns-value]
            else:
                raise AttributeError("only public names of the tests' objects can be used")
            return self._packer.text(["value", value])
        except (ProgramLost, BrokenProtocol, Closed):
            raise
        except Exception as error:  # boundary: the tests' own code, asked by the program
            return self._packer.text(["raise", type(error).__name__, [str(error)]])


def _module(name: str) -> Any:
    """A module that the program imported, for tests that use it without importing it.

    Of the standard library and numpy it is this side's own; of anything else an empty one.
    """
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "numpy":
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return types.ModuleType(name)


def _rebuild(name: str, base: str, args: tuple[Any, ...]) -> BaseException:
    """The program's exception as one of this side: a built-in type, or a fresh subclass of one."""
    if name in _WOULD_END_A_LOOP or base in _WOULD_END_A_LOOP:
        return RuntimeError(f"the program raised {name}", *args)
    kind = getattr(builtins, base, Exception)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        kind = Exception
    if name != base and name.isidentifier():
        kind = type(name, (kind,), {"__module__": "program"})
    error: BaseException
    try:
        error = kind(*args)
    except TypeError:
        error = type(name, (Exception,), {"__module__": "program"})(*args)
    return error


def _become(target: Any, new: Any) -> None:
    """Makes a mutable value equal to `new` in place, keeping inner objects where types agree."""
    if type(target) is not type(new) or not isinstance(target, _DATA):
        return
    if isinstance(target, list):
        for i, (old, fresh) in enumerate(zip(target, new, strict=False)):
            if isinstance(old, _DATA) and type(old) is type(fresh):
                _become(old, fresh)
                new[i] = old
        target[:] = new
    elif isinstance(target, dict):
        for key, fresh in new.items():
            old = target.get(key)
            if isinstance(old, _DATA) and type(old) is type(fresh):
                _become(old, fresh)
                new[key] = old
        target.clear()
        target.update(new)
    elif isinstance(target, set):
        target.clear()
        target.update(new)
    else:
        target[:] = new
