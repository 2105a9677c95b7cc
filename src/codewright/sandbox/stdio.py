"""Whole programs that read stdin and write stdout, one fork for each input.

Input and output are memory files, so that nothing can block and no flood can grow past the
limit. Programs of other languages are built once, in the jail, and then run for each input.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from codewright.sandbox import compare
from codewright.sandbox.languages import LANGUAGES, Language
from codewright.sandbox.server import ForkServer
from codewright.sandbox.verdict import Ending, form, how_it_ended
from codewright.types.judging import Evidence, Job, StdioTests, Verdict

_SHOWN = 2000


class StdioTrial:
    """One program and its input/output pairs; stops at the first that does not hold.

    Args:
        server: where its forks come from.
        job: the program; its tests are `StdioTests`.
        isolation: the layers that hold.
    """

    def __init__(self, server: ForkServer, job: Job, isolation: tuple[str, ...]) -> None:
        assert isinstance(job.tests, StdioTests)
        self._server = server
        self._job = job
        self._tests = job.tests
        self._isolation = isolation
        self._language: Language | None = LANGUAGES.get(job.language)
        self._next = -1 if self._language is not None and self._language.build else 0
        self._limits = job.limits
        if self._language is not None:
            self._limits = self._language.limits(job.limits)
        self._files: tuple[int, int] | None = None
        self._used: list[Ending] = []
        self._verdict: Verdict | None = None

    def start(self) -> None:
        """Starts the build, or the run for the first input."""
        if self._language is not None and (missing := self._language.missing()):
            self._conclude("refused", message=missing)
            return
        if not self._tests.pairs:
            self._conclude("error", message="there are no tests")
            return
        self._fork()

    def _fork(self) -> None:
        stdin = self._tests.pairs[self._next].stdin if self._next >= 0 else ""
        files = tuple(os.memfd_create(name) for name in ("stdin", "stdout", "stderr", "order"))
        try:
            fill(files[0], stdin.encode("utf-8", "surrogatepass"))
            limits, more = self._limits, {}
            if self._language is None:
                role = "script"
                fill(files[3], self._job.program.encode("utf-8", "surrogatepass"))
            else:
                role = "command"
                building = self._next < 0
                limits = self._language.build_limits if building else limits
                order = self._language.order(self._job.program, building=building)
                fill(files[3], order)
                more = {"keep_build": not (building or self._first_run()), "cwd": "/build"}
            self._server.fork(role, limits, list(files), [0, 1, 2, 3], watch="wall", **more)
        finally:
            os.close(files[0])
            os.close(files[3])
        self._files = (files[1], files[2])

    def _first_run(self) -> bool:
        return self._next == 0 and self._language is not None and not self._language.build

    def on_ended(self, endings: list[Ending], *, over: bool) -> None:
        """The run has ended: compare what it printed."""
        (ending,) = endings
        assert over
        assert self._files is not None
        output, errors = (_drain(fd, self._limits.output_bytes) for fd in self._files)
        self._files = None
        self._used.append(ending)
        if self._next < 0:
            self._after_build(ending, output + errors)
            return
        pair = self._tests.pairs[self._next]
        said = {"test": f"input {self._next}", "input": pair.stdin[:_SHOWN]}
        if ending.why or ending.code != 0:
            self._fail(ending, output, errors, said)
        elif not compare.outputs_match(output, pair.stdout, self._tests.tolerance):
            difference = compare.first_difference(output, pair.stdout, self._tests.tolerance)
            said.update(expected=pair.stdout[:_SHOWN], got=output[:_SHOWN], message=difference)
            self._conclude("failed", **said)
        else:
            self._next += 1
            if self._next < len(self._tests.pairs):
                self._fork()
            else:
                self._conclude("passed")

    def _after_build(self, ending: Ending, output: str) -> None:
        if ending.why or ending.code != 0:
            what = output[-_SHOWN:] or how_it_ended(ending, self._limits)[1]
            self._conclude("error", message="the program does not compile", traceback=what)
            return
        self._next = 0
        self._fork()

    def _fail(self, ending: Ending, output: str, errors: str, said: dict[str, str]) -> None:
        status, sentence = how_it_ended(ending, self._limits)
        if status == "crashed" and ending.code > 0:
            # It ran to its own end and said that it failed.
            status, sentence = "error", f"the program ended with exit code {ending.code}"
            if errors.rstrip().endswith("MemoryError"):
                status = "memory"
        said.update(output=output[-_SHOWN:], traceback=errors[-_SHOWN:])
        self._conclude(status, message=sentence, **said)

    def _conclude(self, status: Any, **said: str) -> None:
        last = self._used[-1] if self._used else Ending(code=0, why="", cpu=0, wall=0, peak=0)
        total = replace(
            last,
            cpu=sum(e.cpu for e in self._used),
            wall=sum(e.wall for e in self._used),
            peak=max((e.peak for e in self._used), default=0),
        )
        base = form(
            {"found": "failed"}, total, self._limits,
            level="isolated", mode="fork", isolation=self._isolation,
        )  # fmt: skip
        self._verdict = replace(base, status=status, evidence=Evidence(**said))

    def turn(self) -> Verdict | None:
        """The verdict, once it is there."""
        return self._verdict


def fill(fd: int, data: bytes) -> None:
    """Writes a memory file whole, to be read from its beginning."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)


def _drain(fd: int, limit: int) -> str:
    """What was written, up to the limit, and closes the file."""
    try:
        data = os.pread(fd, limit, 0)
    finally:
        os.close(fd)
    return data.decode("utf-8", "replace")
