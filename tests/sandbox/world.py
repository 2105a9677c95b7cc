"""Runs programs that the gate found clean, and looks whether the interpreter is as it was.

Used by test_gate.py as a child process: `python -m tests.sandbox.world` reads one JSON object from
stdin, `{"problems": [{"entry", "calls", "programs", "repeatable"}]}`, and prints one, `{"alone": n,
"together": n, "late": n, "faults": [text]}`. Every program runs in a fork of its own, and then all
of a problem in one fork, as a session does; the outcomes of the two must be equal where the
programs are repeatable.
"""

from __future__ import annotations

import abc
import ast
import atexit
import builtins
import contextlib
import decimal
import functools
import gc
import importlib
import io
import json
import locale
import os
import random
import re
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from codewright.sandbox.purity import MEMBERS

_MODULES = [
    *(importlib.import_module(name) for name in sorted(MEMBERS)),
    *(builtins, abc, importlib.import_module("_strptime"), importlib.import_module("enum")),
    *(warnings, gc, locale, importlib.import_module("contextvars"), signal),
]
# Memos of pure functions, and what a run leaves by itself.
_MEMOS = {
    *(("re", "_cache"), ("re", "_cache2"), ("_strptime", "_regex_cache"), ("sys", "modules")),
    *(("sys", "path_importer_cache"), ("sys", "last_exc"), ("builtins", "_")),
    *(("base64", "_b32tab2"), ("base64", "_b32rev"), ("_strptime", "_TimeRE_cache")),
    *(("warnings", "onceregistry"), ("warnings", "_onceregistry")),
}
_SECONDS = 0.4
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def _frozen(value: Any) -> Any:
    """What would differ if the object were changed in place."""
    if isinstance(value, list | tuple | set | frozenset):
        return (type(value).__name__, tuple(map(id, value)))
    if isinstance(value, dict):
        return tuple((repr(k), id(v)) for k, v in value.items())
    if isinstance(value, bytearray):
        return bytes(value)
    return None


def _of_function(function: types.FunctionType) -> Any:
    defaults = (function.__defaults__ or (), function.__kwdefaults__ or {})
    inside = [_frozen(d) for d in (*defaults[0], *defaults[1].values())]
    own = _frozen(function.__dict__)
    return (id(function.__code__), _frozen(defaults[0]), _frozen(defaults[1]), inside, own)


def _of_namespace(owner: str, names: dict[str, Any]) -> dict[Any, Any]:
    state: dict[Any, Any] = {}
    for name, value in names.items():
        if (owner, name) in _MEMOS or name == "__warningregistry__":
            continue
        state[owner, name] = (id(value), _frozen(value))
        if isinstance(value, types.FunctionType):
            state[owner, name, "function"] = _of_function(value)
    return state


def snapshot() -> dict[Any, Any]:
    """The state of the interpreter that one program could leave to the next."""
    state: dict[Any, Any] = {"modules": tuple(sorted(sys.modules))}
    classes: dict[int, type] = {}
    for module in _MODULES:
        state.update(_of_namespace(module.__name__, vars(module)))
        for value in vars(module).values():
            if isinstance(value, type):
                classes[id(value)] = value
    for kind in classes.values():
        state.update(
            _of_namespace(f"class {kind.__module__}.{kind.__qualname__}", dict(vars(kind)))
        )
    context = decimal.getcontext()
    state["decimal"] = (context.prec, context.rounding, context.Emin, context.Emax, context.clamp)
    state["traps"] = tuple(context.traps.items())
    state["limits"] = (sys.getrecursionlimit(), sys.get_int_max_str_digits(), gc.get_threshold())
    state["hooks"] = (sys.gettrace(), sys.getprofile(), tuple(gc.callbacks), atexit._ncallbacks())
    state["signals"] = tuple(id(signal.getsignal(s)) for s in signal.valid_signals())
    state["machine"] = (os.getcwd(), dict(os.environ))
    state["locale"] = locale.setlocale(locale.LC_ALL)
    state["registered"] = abc.get_cache_token()
    state["threads"] = threading.active_count()
    return state


def differences(before: dict[Any, Any], after: dict[Any, Any]) -> list[str]:
    """The names of what changed."""
    keys = before.keys() | after.keys()
    return sorted(str(k) for k in keys if before.get(k) != after.get(k))


def outcome(program: str, entry: str, calls: list[str]) -> list[str]:
    """What the program answers to each call, as text; addresses are left out."""
    names: dict[str, Any] = {"__name__": "program"}
    answers: list[str] = []
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(program, "<program>", "exec", dont_inherit=True), names)
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]
        for call in calls:
            try:
                value = names[entry](*ast.literal_eval(call))
            except Exception as error:
                answers.append(_ADDRESS.sub("", f"{type(error).__name__}: {error}"))
            else:
                answers.append(_ADDRESS.sub("", repr(value)))
    return [*answers, printed.getvalue()]


def forked(work: Callable[[], Any]) -> Any:
    """The value of `work` in a fork, by way of JSON; None where the fork used up its time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
        text = json.dumps(work())
        with open(writing, "w") as pipe:
            pipe.write(text)
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def unchanged(work: Callable[[], Any], before: dict[Any, Any]) -> list[Any]:
    """[the value of `work`, what differs afterwards from `before`]."""
    files, chance = os.listdir("/proc/self/fd"), random.getstate()  # a fork makes them anew
    value = work()
    gc.collect()
    changed = differences(before, snapshot())
    changed += ["files"] * (os.listdir("/proc/self/fd") != files)
    changed += ["random"] * (random.getstate() != chance)
    return [value, changed]


def compare(
    before: dict[Any, Any],
    *,
    entry: str,
    calls: list[str],
    programs: Iterable[str],
    repeatable: bool = True,
) -> dict[str, Any]:
    """Runs each program alone and then all of them in one process."""
    report: dict[str, Any] = {"alone": 0, "together": 0, "late": 0, "faults": []}
    kept: list[tuple[str, list[str]]] = []
    for program in programs:
        one = functools.partial(outcome, program, entry, calls)
        ran = forked(lambda one=one: unchanged(one, before))  # type: ignore[misc]
        if ran is None:
            report["late"] += 1
            continue
        report["alone"] += 1
        kept.append((program, ran[0]))
        report["faults"] += [f"{entry} alone changed {what}" for what in ran[1]]
    ran = forked(lambda: unchanged(lambda: [outcome(p, entry, calls) for p, _ in kept], before))
    if ran is None:
        return report
    report["faults"] += [f"{entry} together changed {what}" for what in ran[1]]
    for (program, alone), answers in zip(kept, ran[0], strict=True):
        report["together"] += 1
        if repeatable and alone != answers:
            report["faults"].append(f"{entry}: {alone} alone, {answers} together\n{program}")
    return report


def main() -> None:
    warnings.simplefilter("ignore")
    outcome("def f(x):\n    return [x, 1 / 0]", "f", ["(1,)"])  # warms what the harness uses
    total: dict[str, Any] = {"alone": 0, "together": 0, "late": 0, "faults": []}
    problems = json.load(sys.stdin)["problems"]
    gc.collect()
    before = snapshot()
    for problem in problems:
        report = compare(before, **problem)
        for key, value in report.items():
            total[key] += value
    print(json.dumps(total))


if __name__ == "__main__":
    main()
