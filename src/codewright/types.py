"""The records that cross a room's wall, and the protocols between rooms.

Records are frozen, keyword-only dataclasses with slots. Nothing here runs code, opens a file or
knows how a record is made; each room builds its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
class Call:
    """One input of a function: the arguments of one call, plain data.

    `source` says where it comes from: example, test, hint, mutation, boundary, inferred.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Calls to be made of a function, one after the other in one process, to see what it does.

    `call_seconds` is the CPU time that one call may take. A program that was late so many times
    is late on the calls that are left: they are not made.
    """

    calls: tuple[Call, ...]
    call_seconds: float = 0.1
    most_late: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A task with its tests. `prompt` is what a generator sees; `tests` is what a judge sees.

    `examples` are the pairs that the prompt itself shows. `reference` is a whole program that
    should pass. `entry_point` is empty for programs that read stdin.
    """

    id: str
    prompt: str
    entry_point: str
    tests: Tests
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
class Probe:
    """One program to be observed on inputs. Its limits hold for all of its calls together."""

    program: str
    inputs: Inputs
    entry_point: str
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


OutcomeKind = Literal["value", "exception", "timeout", "memory", "crashed", "unstable"]
"""How a call ended.

value      it returned
exception  it raised; so does every call of a program that cannot be loaded
timeout    it used up its CPU time, or waited too long
memory     it met the memory limit
crashed    its process died of it
unstable   a second call with the same arguments did something else
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one call did.

    value: what it returned, as plain data; what is no data comes as an opaque reference.
    exception: the name of the exception's type; `loading` where the program raised it before any
    call. changed: the arguments that it altered, as
    (position or keyword, value now). output: the beginning of what it printed. wire: all of
    this as it crossed; outcomes with equal `wire` are equal.
    """

    kind: OutcomeKind
    value: Any = None
    exception: str = ""
    loading: bool = False
    changed: tuple[tuple[int | str, Any], ...] = ()
    output: str = ""
    wire: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a program did on each of its inputs, in their order. CPU time in seconds."""

    outcomes: tuple[Outcome, ...]
    message: str = ""
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourClass:
    """Candidates that did the same on every input: at least one, numbers ascending.

    mass: share of all candidates that are in it; `probability_mass` the share by length-normalised
    probability where log-probabilities exist. outcomes: one per input. representative: the
    member that stands for it. score: the choosing method's, the larger the better.
    """

    members: tuple[int, ...]
    representative: int
    outcomes: tuple[Outcome, ...]
    mass: float
    probability_mass: float | None = None
    score: float = 0.0
    examples_held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An input on which the two heaviest classes differ: which outcome is meant?

    `classes` are their numbers in the answer, `choices` their outcomes, in the same order.
    """

    call: Call
    classes: tuple[int, int]
    choices: tuple[Outcome, Outcome]


State = Literal["confident", "uncertain", "abstain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One program chosen among candidates, and how far to trust it.

    chosen: the candidate's number; None where no candidate can be offered. classes: heaviest
    score first. entropy: semantic entropy over the classes, in bits; text_entropy: over the
    distinct texts. confidence: calibrated chance that the program is right. examples: how many
    the user gave. findings: what was checked and what was seen, as sentences.
    """

    chosen: int | None
    program: str
    entry_point: str
    state: State
    confidence: float
    entropy: float
    probability_entropy: float | None
    text_entropy: float
    classes: tuple[BehaviourClass, ...]
    calls: tuple[Call, ...]
    candidates: int
    examples: int = 0
    method: str = "best"
    question: Question | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat. `role` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a generator is asked for: a prompt to continue, or a chat to answer.

    Exactly one of `prompt` and `messages` is set. `n` completions are wanted; with `seed` set,
    the same request gives the same completions where the generator can promise it. `task` names
    the problem that the request was made from, for generators that replay records of it.
    """

    prompt: str = ""
    messages: tuple[Message, ...] = ()
    n: int = 1
    max_tokens: int = 512
    temperature: float = 0.8
    top_p: float = 0.95
    stop: tuple[str, ...] = ()
    seed: int | None = None
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One continuation or answer. `log_probability` sums over its `tokens`, natural logarithm."""

    text: str
    finish: str = "stop"
    log_probability: float | None = None
    tokens: int = 0


class Generator(Protocol):
    """Any model: batch in, batch out."""

    @property
    def name(self) -> str: ...

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns, for each request in order, its `n` completions."""
        ...

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index of the request, its completions) as each is ready."""
        ...


class Executor(Protocol):
    """Anything that judges programs: a pool of workers here, or a cluster."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that hold."""
        ...

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        """Yields one verdict per job, in order."""
        ...


class Observer(Protocol):
    """Anything that runs programs on inputs to see what they do."""

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        """Yields what each program did on its inputs, in order."""
        ...


class Sandbox(Executor, Observer, Protocol):
    """What both judges programs and observes them."""
