"""Problems, programs and verdicts: the records between a judge and those who ask it.

Records are frozen, keyword-only dataclasses with slots. Nothing here runs code, opens a file or
knows how a record is made; each room builds its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Status = Literal["passed", "failed", "error", "timeout", "memory", "crashed", "refused"]
"""How a program fared.

passed   every test was run and held
failed   a test ran and did not hold
error    the program raised (or its text does not parse), or the tests did
timeout  the CPU-time or idle limit was reached
memory   the memory limit was reached
crashed  the program's process died, left early, or broke the protocol
refused  the judge would not run it (policy, missing toolchain)
"""


Level = Literal["isolated", "shared"]
"""isolated: tests and program in two processes. shared: one process, with a one-time proof."""


Mode = Literal["fork", "session"]
"""fork: one process per program.

session: statically gated programs of one problem share a process.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use. Seconds, bytes and counts.

    `cpu_seconds` is what the program itself computes; `wall_seconds` is how long it may wait
    without computing before it counts as idle.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float = 10.0
    memory_bytes: int = 1 << 30
    processes: int = 0
    threads: int = 64
    file_bytes: int = 64 << 20
    output_bytes: int = 1 << 20
    open_files: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertTests:
    """Asserting code that calls the program's names (HumanEval, MBPP, plain test files).

    `code` runs in the examiner. A name that it uses and does not define is looked up in
    `preamble` (trusted helpers, run in the examiner too) and then in the program, by relay.
    """

    code: str
    preamble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPair:
    """One call of the entry point and the value it should return."""

    args: tuple[Any, ...]
    expected: Any
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTests:
    """Input/output pairs of a function. Floats compare within `tolerance`, absolute or relative."""

    pairs: tuple[CallPair, ...]
    tolerance: float = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioPair:
    """What a whole program reads, and what it should print."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioTests:
    """Input/output pairs of a program. White space folds; numbers compare within `tolerance`."""

    pairs: tuple[StdioPair, ...]
    tolerance: float = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteTests:
    """A unittest suite that has to live in the program's own process (level `shared`)."""

    code: str


Tests = AssertTests | CallTests | StdioTests | SuiteTests


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A task with its tests. `prompt` is what a generator sees; `tests` is what a judge sees.

    Where a program has a gap to fill, `prompt` is what stands before it and `suffix` what follows.
    `examples` are the pairs that the prompt itself shows. `reference` is a whole program that
    should pass. `entry_point` is empty for programs that read stdin.
    """

    id: str
    prompt: str
    entry_point: str
    tests: Tests
    suffix: str | None = None
    reference: str = ""
    examples: tuple[CallPair, ...] = ()
    language: str = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A program that somebody or something wrote for a problem.

    `text` is what the generator said, `program` the whole program made of it, `rule` the name of
    the rule that made it, `origin` the generator. `log_probability` sums over its `tokens`,
    natural logarithm. `entry_point` is what to call where the problem names nothing.
    """

    text: str
    program: str
    rule: str = ""
    log_probability: float | None = None
    tokens: int = 0
    origin: str = ""
    entry_point: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One program to be judged."""

    program: str
    tests: Tests
    entry_point: str = ""
    language: str = "python"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a verdict is what it is. Each field is empty where it does not apply.

    test: the source of the test, or its number. input: the last call that the tests made.
    expected, got: as source text. traceback: the program's own frames. output: what it printed.
    """

    test: str = ""
    input: str = ""
    expected: str = ""
    got: str = ""
    traceback: str = ""
    output: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge says. Anything but a proved pass has another status than `passed`.

    `isolation` names the layers that held. CPU and wall time in seconds, `peak_bytes` the
    program's peak memory.
    """

    status: Status
    evidence: Evidence = field(default_factory=Evidence)
    level: Level = "isolated"
    mode: Mode = "fork"
    isolation: tuple[str, ...] = ()
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_bytes: int = 0


class Executor(Protocol):
    """Anything that judges programs: a pool of workers here, or a cluster."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that hold."""
        ...

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        """Yields one verdict per job, in order."""
        ...
