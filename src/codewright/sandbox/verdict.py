"""The verdict, formed outside both processes from what the examiner saw and how the fork ended.

Nothing but a report of a proved pass becomes `passed`; everything unknown is something else.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from codewright.sandbox.remote import SLOW_ANSWERS
from codewright.types.judging import Evidence, Level, Limits, Mode, Status, Verdict

_EVIDENCE = ("test", "input", "expected", "got", "traceback", "output", "message")
_STATUS: dict[str, Status] = {
    "passed": "passed",
    "failed": "failed",
    "error": "error",
    "memory": "memory",
}
_SLOW = {
    "cpu": "used up its CPU time of {cpu:g} s",
    "idle": "waited without computing for more than {wall:g} s",
    "wall": "neither ended nor computed for more than {wall:g} s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a fork ended: exit code (negative: the signal), why it was killed, what it used."""

    code: int
    why: str
    cpu: float
    wall: float
    peak: int

    @classmethod
    def of(cls, ended: list[Any]) -> Ending:
        """From what a fork server reports (see `nursery.Ended`)."""
        _, code, why, cpu, wall, peak = ended
        return cls(code=code, why=why, cpu=cpu, wall=wall, peak=peak)


def evidence(report: dict[str, Any], **more: str) -> Evidence:
    """The evidence in a report; anything that is no text is left out."""
    said = {k: v for k, v in {**report, **more}.items() if k in _EVIDENCE and isinstance(v, str)}
    return Evidence(**said)


def how_it_ended(ending: Ending, limits: Limits) -> tuple[Status, str]:
    """Status and sentence for a fork that ended before its work was done."""
    if ending.why in _SLOW:
        sentence = _SLOW[ending.why].format(cpu=limits.cpu_seconds, wall=limits.wall_seconds)
        return "timeout", f"the program {sentence}"
    if ending.code < 0:
        number = -ending.code
        if number == signal.SIGKILL and ending.peak >= 0.8 * limits.memory_bytes:
            return "memory", f"the program was killed at {ending.peak >> 20} MiB of memory"
        if number == signal.SIGXCPU:
            return "timeout", f"the program used up its CPU time of {limits.cpu_seconds:g} s"
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return "crashed", f"the program's process was ended by {name}"
    return "crashed", f"the program left before its tests were done (exit code {ending.code})"


def form(
    report: dict[str, Any],
    ending: Ending,
    limits: Limits,
    *,
    level: Level,
    mode: Mode,
    isolation: tuple[str, ...],
) -> Verdict:
    """The verdict on one program.

    Args:
        report: the examiner's; `found` says what it saw.
        ending: the fork's.
        isolation: the layers that held.
    """
    status = _STATUS.get(report.get("found", ""))
    if status is not None:
        seen = evidence(report)
    elif report.get("message", "").startswith("broke the protocol"):
        status, seen = "crashed", evidence(report)
    elif report.get("message") == SLOW_ANSWERS:
        status, seen = "timeout", evidence(report)
    else:
        status, sentence = how_it_ended(ending, limits)
        seen = evidence(report, message=sentence)
    return Verdict(
        status=status,
        evidence=seen,
        level=level,
        mode=mode,
        isolation=isolation,
        cpu_seconds=round(ending.cpu, 6),
        wall_seconds=round(ending.wall, 6),
        peak_bytes=ending.peak,
    )
