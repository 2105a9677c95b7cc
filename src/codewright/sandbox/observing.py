"""A trial in which programs are not judged but observed: what does each do on all inputs?

One program after the other meets the inputs in a process of its own (see `witness.py`). Programs
and what they did travel in memory files, so that nothing blocks and no flood grows past its limit.
The inputs are one sealed file for all programs: none can change what the next one meets.

A call that takes its process with it (a crash, memory, one endless operation) is an outcome; the
calls after it are made in a new process, until that has happened too often.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from codewright.sandbox.server import ForkServer
from codewright.sandbox.stdio import fill
from codewright.sandbox.trial import Task, Turn
from codewright.sandbox.unpack import TooSlow, Unpacker
from codewright.sandbox.values import Packer, Reference
from codewright.sandbox.verdict import Ending, how_it_ended
from codewright.sandbox.wire import WireError
from codewright.sandbox.witness import HEADER, INPUTS_FD, OUTCOMES_FD, PROGRAM_FD, frames
from codewright.types.behaviour import Call, Observation, Outcome, OutcomeKind, Probe

_MOST_DEATHS = 3
_LARGEST_REPORT = 16 << 20
_READING_SECONDS = 0.5
# What the outcomes of one program may say together, in bytes: as values they take twenty times
# as many. Beyond it, those that are not small are kept as digests.
_LARGEST_KEPT, _SMALL = 1 << 18, 1 << 10
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_GIVEN_UP = -signal.SIGPROF
_KINDS: dict[str, OutcomeKind] = {"timeout": "timeout", "memory": "memory"}


class ObservingTrial:
    """Programs that meet the same inputs, one after the other.

    Args:
        server: where their processes come from.
        tasks: the probes; all have the same inputs.
    """

    def __init__(self, server: ForkServer, tasks: list[Task]) -> None:
        self._server = server
        self._tasks = tasks
        self._at = 0
        self._inputs = _probe(tasks[0]).inputs
        self._inputs_file = _sealed(self._inputs.calls)
        self._outcomes_file = -1
        self._reader = _Reader()
        self._done: list[tuple[Task, Observation]] = []
        self._begin()

    def _begin(self) -> None:
        self._outcomes: list[Outcome] = []
        self._message = ""
        self._cpu = 0.0
        self._deaths = 0

    def start(self) -> None:
        """Starts the first program, where there is one."""
        self._fork()

    def _fork(self) -> None:
        probe = _probe(self._tasks[self._at])
        program = os.memfd_create("program")
        outcomes = os.memfd_create("outcomes")
        try:
            fill(program, probe.program.encode("utf-8", "surrogatepass"))
            limits = replace(probe.limits, file_bytes=min(probe.limits.file_bytes, _LARGEST_REPORT))
            self._server.fork(
                "witness", limits,
                [program, self._inputs_file, outcomes], [PROGRAM_FD, INPUTS_FD, OUTCOMES_FD],
                watch="wall", entry_point=probe.entry_point, first=len(self._outcomes),
                call_seconds=self._inputs.call_seconds, most_late=self._inputs.most_late,
            )  # fmt: skip
        finally:
            os.close(program)
        self._outcomes_file = outcomes

    def on_ended(self, endings: list[Ending], *, over: bool) -> None:
        """A program's process has ended: read what it did, and go on."""
        (ending,) = endings
        assert over
        data = os.pread(self._outcomes_file, _LARGEST_REPORT, 0)
        os.close(self._outcomes_file)
        self._outcomes_file = -1
        self._cpu += ending.cpu
        left = len(self._inputs.calls) - len(self._outcomes)
        seen, ended = self._reader.read(data, left)
        self._outcomes += seen
        if len(seen) < left:
            self._deaths += 1
            limits = _probe(self._tasks[self._at]).limits
            status, self._message = how_it_ended(ending, limits)
            kind = "timeout" if ending.code == _GIVEN_UP else _KINDS.get(status, "crashed")
            # Who had to be ended from outside has had all its time.
            spent = status == "timeout" or self._cpu >= limits.cpu_seconds
            missing = left - len(seen) if spent or self._deaths > _MOST_DEATHS else 1
            self._outcomes += [Outcome(kind=kind, wire=kind.encode())] * missing
        elif not ended.clean:
            # It met every input and ended when it met them again.
            self._message = "the program ended when its calls were repeated"
            self._outcomes[len(self._outcomes) - left :] = [_unstable(o) for o in seen]
        for index in ended.unstable:
            if index < len(self._outcomes):
                self._outcomes[index] = _unstable(self._outcomes[index])
        if len(self._outcomes) < len(self._inputs.calls):
            self._fork()
            return
        self._conclude()

    def _conclude(self) -> None:
        seen = Observation(
            outcomes=tuple(self._outcomes), message=self._message, cpu_seconds=self._cpu
        )
        self._done.append((self._tasks[self._at], seen))
        self._at += 1
        self._begin()
        if self._at < len(self._tasks):
            self._fork()

    def turn(self) -> Turn | None:
        """What has come of it since the last time; None where there is nothing new."""
        over = self._at == len(self._tasks)
        done, self._done = self._done, []
        return Turn(done, [], over=over) if done or over else None

    def close(self) -> None:
        """Closes its files."""
        for file in (self._inputs_file, self._outcomes_file):
            if file >= 0:
                os.close(file)
        self._inputs_file = self._outcomes_file = -1


@dataclass(frozen=True, slots=True)
class _End:
    """What a program's process said at last: whether it came so far, what is unstable."""

    clean: bool
    unstable: tuple[int, ...] = ()


class _Reader:
    """What programs wrote, as outcomes. Programs that did the same share an outcome."""

    def __init__(self) -> None:
        self._known: dict[bytes, Outcome] = {}
        self._unpacker = Unpacker(_nothing, lambda reference: reference, _module)

    def read(self, data: bytes, expected: int) -> tuple[list[Outcome], _End]:
        """At most `expected` outcomes, and the end; what cannot be understood is a crash."""
        until = time.process_time() + _READING_SECONDS
        outcomes: list[Outcome] = []
        room = _LARGEST_KEPT
        for body in frames(data):
            if len(outcomes) == expected:
                return outcomes, self._end(body)
            room -= len(body) if len(body) > _SMALL else 0
            outcome = self._known.get(body)
            if outcome is None and room < 0 and len(body) > _SMALL:
                outcome = _digest(body)
            elif outcome is None:
                try:
                    budget = max(until - time.process_time(), 0.0)
                    outcome = _outcome(self._unpacker.unpack(body, budget), body)
                except (WireError, TooSlow):
                    outcome = Outcome(kind="crashed", wire=b"crashed")
                self._known[body] = outcome
            outcomes.append(outcome)
        return outcomes, _End(clean=not expected)

    def _end(self, body: bytes) -> _End:
        try:
            match self._unpacker.unpack(body, _READING_SECONDS):
                case ["end", list() as unstable] if all(type(i) is int for i in unstable):
                    return _End(clean=True, unstable=tuple(i for i in unstable if i >= 0))
        except (WireError, TooSlow):
            pass
        return _End(clean=False)


def _nothing(_: int) -> Any:
    raise WireError("the inputs hold no objects")


def _module(name: str) -> Reference:
    return Reference(0, "module", f"<module {name}>", True)


def _outcome(said: Any, wire: bytes) -> Outcome:
    """Raises `WireError` where it is not what a witness would say."""
    match said:
        case ["v", value, list() as changed, str() as printed]:
            pairs = []
            for each in changed:
                if type(each) is not list or len(each) != 2 or type(each[0]) not in (int, str):
                    raise WireError("no such change")
                pairs.append((each[0], each[1]))
            return Outcome(
                kind="value", value=value, changed=tuple(pairs), output=printed, wire=wire
            )
        case ["x", "MemoryError", None, str()]:
            return Outcome(kind="memory", wire=b"memory")
        case ["x" | "l" as how, str() as name, None, str() as printed]:
            loading = how == "l"
            return Outcome(
                kind="exception", exception=name, loading=loading, output=printed, wire=wire
            )
        case ["t", None, None, ""]:
            return Outcome(kind="timeout", wire=b"timeout")
    raise WireError("no such outcome")


def _digest(body: bytes) -> Outcome:
    """An outcome that is not looked into: equal to those that were written alike."""
    name = hashlib.sha256(body).hexdigest()[:16]
    value = Reference(0, "outcome", f"<outcome of {len(body)} bytes, {name}>", True)
    return Outcome(kind="value", value=value, wire=name.encode())


def _unstable(outcome: Outcome) -> Outcome:
    return replace(outcome, kind="unstable", wire=b"unstable")


def _probe(task: Task) -> Probe:
    assert isinstance(task.job, Probe)
    return task.job


def _sealed(calls: Sequence[Call]) -> int:
    """A memory file of the packed calls that nobody can write to."""
    packer = Packer(_no_object)
    file = os.memfd_create("inputs", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        bodies = [packer.text([call.args, call.kwargs]) for call in calls]
        fill(file, b"".join(len(b).to_bytes(HEADER, "little") + b for b in bodies))
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(file)
        raise
    return file


def _no_object(value: Any) -> int:
    raise WireError(f"an input holds {type(value).__name__}, which is no plain data")
