"""What programs do on inputs, and the answer that is chosen by it: records and protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from codewright.types.judging import Executor, Limits


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
class Probe:
    """One program to be observed on inputs. Its limits hold for all of its calls together."""

    program: str
    inputs: Inputs
    entry_point: str
    limits: Limits = field(default_factory=Limits)


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


class Observer(Protocol):
    """Anything that runs programs on inputs to see what they do."""

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        """Yields what each program did on its inputs, in order."""
        ...


class Sandbox(Executor, Observer, Protocol):
    """What both judges programs and observes them."""
