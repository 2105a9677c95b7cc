"""A unittest suite in the program's own process: level `shared`.

Suites that replace parts of a program while it runs, or subclass what it defines, cannot be kept
apart from it. What can be done is done: before the suite runs, everything that the program may
have replaced in the standard library is put back as the fork server had it and unittest is loaded
afresh; the suite's results are sent with a proof that the examiner gave for this run alone; a
suite that ends early sends none. A program that studies the suite while it runs can still
influence it, which is why the verdict names the level.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import importlib
import sys
import threading
import types
from typing import Any

_TESTS = "tests"


class Snapshot:
    """What the interpreter looked like before any program ran."""

    def __init__(self) -> None:
        self._modules = {
            name: (module, dict(vars(module)))
            for name, module in sys.modules.items()
            if isinstance(module, types.ModuleType) and name != "__main__"
        }
        self._path = list(sys.path)
        self._finders = (list(sys.meta_path), list(sys.path_hooks))

    def restore(self) -> None:
        """Puts back what was replaced; modules that were loaded since, unittest above all, go."""
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        gc.callbacks.clear()
        atexit._clear()
        for name, (module, contents) in self._modules.items():
            now = vars(module)
            for added in now.keys() - contents.keys():
                del now[added]
            now.update(contents)
            sys.modules[name] = module
        for name in sys.modules.keys() - self._modules.keys():
            if name.partition(".")[0] == "unittest":
                del sys.modules[name]
        sys.path[:] = self._path
        sys.meta_path[:], sys.path_hooks[:] = self._finders
        sys.path_importer_cache.clear()


def run_suite(code: str, proof: str, program: dict[str, Any], snapshot: Snapshot) -> dict[str, Any]:
    """Runs every TestCase of a suite.

    Args:
        code: the suite's text; the program's names are there for it.
        proof: sent back when the suite has come to its end.
        program: the program's namespace.
        snapshot: from before the program.

    Returns:
        `ran` (tests that ran to their end), `problems` ([test, traceback] of each that did not
        hold), `proof`.
    """
    out, err = sys.stdout, sys.stderr
    snapshot.restore()
    sys.stdout, sys.stderr = out, err
    unittest = importlib.import_module("unittest")
    module = types.ModuleType(_TESTS)
    sys.modules[_TESTS] = module
    names = vars(module)
    names.update({k: v for k, v in program.items() if not k.startswith("__")})
    exec(compile(code, "<tests>", "exec", dont_inherit=True), names)
    loader, result = unittest.TestLoader(), unittest.TestResult()
    before = _machinery(unittest)
    suite = unittest.TestSuite(
        loader.loadTestsFromTestCase(value)
        for value in list(names.values())
        if isinstance(value, type)
        and issubclass(value, unittest.TestCase)
        and value.__module__ == _TESTS
    )
    suite.run(result)
    problems = [
        [str(test), text]
        for test, text in [*result.failures, *result.errors]
    ]  # fmt: skip
    problems += [[str(test), "unexpected success"] for test in result.unexpectedSuccesses]
    if _machinery(unittest) != before:
        problems.append(["the suite", "the program changed unittest or the builtins under it"])
    if threading.active_count() > 1:
        problems.append(["the suite", "the program left threads running"])
    ran = result.testsRun - len(result.skipped) - len(result.expectedFailures)
    return {"ran": ran, "problems": problems, "proof": proof}


def _machinery(unittest: Any) -> list[tuple[str, int]]:
    """The functions that a suite's verdict hangs on, by identity."""
    parts: list[tuple[str, int]] = []
    for owner in (unittest.TestCase, unittest.TestResult, unittest.TestSuite, builtins):
        parts += [(name, id(value)) for name, value in vars(owner).items() if callable(value)]
    return sorted(parts)
