"""The starter's handle of one examiner: a fork that holds one set of tests."""

from __future__ import annotations

import socket
import struct
from typing import Any

from codewright.sandbox.server import ForkServer
from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import Packer
from codewright.sandbox.wire import MAX_FRAME, WireError
from codewright.types.judging import AssertTests, CallTests, Job, Limits, SuiteTests

# The tests are not what is judged: their limits are there to catch an answer that makes
# comparing endless (colliding hashes, huge numbers).
LIMITS = Limits(cpu_seconds=60.0, wall_seconds=600.0, memory_bytes=6 << 30, open_files=64)
_SEND_SECONDS = 30
_HEADER = 4


class ExaminerGone(Exception):
    """The examiner's process is gone, or says what an examiner would not say."""


def _no_objects(_: Any) -> Any:
    raise WireError("test data may only hold plain values")


class Examination:
    """One examiner, and its link to the fork server that programs come from.

    Args:
        server: the fork server that examiners come from.
        programs: the fork server that programs come from.
        job: whose tests it holds.
    """

    def __init__(self, server: ForkServer, programs: ForkServer, job: Job) -> None:
        self._packer = Packer(_no_objects)
        self._unpack = Unpacker(_no_objects, _no_objects, _no_objects).unpack
        self._tests, self._entry_point = job.tests, job.entry_point
        self.orders, far_orders = socket.socketpair()
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        timeout = struct.pack("ll", _SEND_SECONDS, 0)
        self.orders.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
        self._buffer = b""
        self.clean = False
        with far_orders, near, far:
            fds = [far_orders.fileno(), far.fileno()]
            self.number = server.fork("examiner", LIMITS, fds, [3, 4])
            programs.link(near)
        self._send(["setup", *_paper(self._packer, job)])

    def retake(self, job: Job) -> None:
        """Gives the examiner other tests; only one that is `clean` may be given any."""
        assert self.clean
        self.clean = False
        self._tests, self._entry_point = job.tests, job.entry_point
        self._send(["setup", *_paper(self._packer, job)])

    def holds(self, job: Job) -> bool:
        """Whether these are the tests of the job."""
        same = self._tests is job.tests or self._tests == job.tests
        return same and self._entry_point == job.entry_point

    def examine(
        self,
        programs: list[str],
        *,
        gated: bool,
        compiled: bool,
        patience: float,
        budget: float,
    ) -> None:
        """Sends programs to be weighed one after the other.

        Args:
            gated: whether they share a process, which the static gate must allow each first;
                otherwise each gets its own.
            compiled: whether the examiner's interpreter can compile for the program's.
            budget: CPU seconds that reading one program's answers may take.
            patience: seconds without an answer after which the program counts as stalled.
        """
        self._send(["examine", programs, gated, compiled, patience, budget])

    def _send(self, message: list[Any]) -> None:
        text = self._packer.text(message)
        try:
            self.orders.sendall(len(text).to_bytes(_HEADER, "little") + text)
        except OSError as error:
            raise ExaminerGone(str(error)) from None

    def receive(self) -> list[list[Any]]:
        """The messages that have come in; does not wait.

        Raises:
            ExaminerGone: it died.
        """
        try:
            data = self.orders.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            data = b""
        if not data:
            raise ExaminerGone("the examiner died")
        buffer = self._buffer + data
        messages = []
        while len(buffer) >= _HEADER:
            end = _HEADER + int.from_bytes(buffer[:_HEADER], "little")
            if end > MAX_FRAME:
                raise ExaminerGone("a message is too long")
            if len(buffer) < end:
                break
            try:
                messages.append(self._unpack(buffer[_HEADER:end]))
            except WireError as error:
                raise ExaminerGone(str(error)) from None
            buffer = buffer[end:]
        self._buffer = buffer
        return [m for m in messages if not self._is_about_itself(m)]

    def _is_about_itself(self, message: list[Any]) -> bool:
        """Takes in whether its tests leave traces in its process."""
        match message:
            case ["ready", bool() as clean]:
                self.clean = clean
                return True
        return False

    def close(self) -> None:
        """Lets the examiner go; it leaves when its orders end."""
        self.orders.close()


def _paper(packer: Packer, job: Job) -> list[Any]:
    tests = job.tests
    if isinstance(tests, AssertTests):
        return ["assert", [tests.code, tests.preamble, job.entry_point]]
    if isinstance(tests, CallTests):
        pairs = [packer.text((p.args, p.kwargs, p.expected)) for p in tests.pairs]
        return ["calls", [pairs, tests.tolerance, job.entry_point]]
    assert isinstance(tests, SuiteTests)
    return ["suite", [tests.code]]
