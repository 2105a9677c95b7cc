"""Programs of every kind, with the status that each must get: the sandbox's tests judge them."""

from __future__ import annotations

from codewright.types.judging import (
    AssertTests,
    CallPair,
    CallTests,
    Job,
    Limits,
    Status,
    StdioPair,
    StdioTests,
    SuiteTests,
)

QUICK = Limits(cpu_seconds=0.3, wall_seconds=0.5, memory_bytes=256 << 20)

_DOUBLE = AssertTests(code="assert double(2) == 4\nassert double('a') == 'aa'\n")
_MEAN = CallTests(
    pairs=(
        CallPair(args=([1, 2, 3],), expected=2.0),
        CallPair(args=([0.1, 0.2],), expected=0.15),
    )
)
_SUM = StdioTests(pairs=(StdioPair(stdin="1 2\n", stdout="3"), StdioPair(stdin="5\n", stdout="5")))
_SUITE = SuiteTests(
    code=(
        "import unittest\nfrom unittest import mock\n\n\nclass Tests(unittest.TestCase):\n"
        "    def test_double(self):\n        self.assertEqual(double(2), 4)\n\n"
        "    def test_mock(self):\n        self.assertEqual(double(mock.MagicMock(return_value=1)"
        "()), 2)\n"
    )
)

_LYING = (
    "class Yes:\n    def __eq__(self, other):\n        return True\n\n\n"
    "def double(x):\n    return Yes()\n"
)
DOUBLES: dict[str, Status] = {
    "def double(x):\n    return x * 2\n": "passed",
    "def double(x):\n    print('said')\n    return x + x\n": "passed",
    "from collections import Counter\n\n\ndef double(x):\n    return x * Counter('aa')['a']\n": (
        "passed"
    ),
    "def double(x):\n    return x * 3\n": "failed",
    _LYING: "failed",
    "def double(x):\n    return x / 0\n": "error",
    "def double(x:\n": "error",
    "def triple(x):\n    return 3 * x\n": "error",
    "raise SystemExit(0)\n": "error",
    "import os\n\n\ndef double(x):\n    os._exit(0)\n": "crashed",
    "import ctypes\n\n\ndef double(x):\n    return ctypes.string_at(0)\n": "crashed",
    "def double(x):\n    while True:\n        pass\n": "timeout",
    "import time\n\n\ndef double(x):\n    time.sleep(60)\n": "timeout",
    "def double(x):\n    return x * 2 if [0] * (1 << 30) else x\n": "memory",
}
MEANS: dict[str, Status] = {
    "def mean(xs):\n    return sum(xs) / len(xs)\n": "passed",
    "def mean(xs):\n    return sum(xs) / len(xs) + 1e-9\n": "passed",
    "def mean(xs):\n    return sum(xs) // len(xs)\n": "failed",
    "import sys\n\n\ndef mean(xs):\n    sys.exit()\n": "error",
    "mean = 2.0\n": "error",
}
SUMS: dict[str, Status] = {
    "print(sum(map(int, input().split())))\n": "passed",
    "import sys\nprint(sum(int(w) for w in sys.stdin.read().split()))\n": "passed",
    "print(3)\n": "failed",
    "import sys\nprint(sum(map(int, input().split())))\nsys.exit(4)\n": "error",
    "while True:\n    pass\n": "timeout",
    "import ctypes\nctypes.string_at(0)\n": "crashed",
}
SUITES: dict[str, Status] = {
    "def double(x):\n    return x * 2\n": "passed",
    "def double(x):\n    return x\n": "failed",
    "import os\n\n\ndef double(x):\n    os._exit(0)\n": "crashed",
}


def double(program: str, limits: Limits = QUICK) -> Job:
    """A job about doubling."""
    return Job(program=program, tests=_DOUBLE, entry_point="double", limits=limits)


def mixed() -> list[Job]:
    """Jobs of several problems, forms of test and endings; neighbours have the same tests."""
    jobs = [double(program) for program in DOUBLES]
    jobs += [Job(program=p, tests=_MEAN, entry_point="mean", limits=QUICK) for p in MEANS]
    jobs += [Job(program=p, tests=_SUM, limits=QUICK) for p in SUMS]
    jobs += [Job(program=p, tests=_SUITE, limits=QUICK) for p in SUITES]
    return jobs


def statuses() -> list[Status]:
    """What the jobs of `mixed` must get."""
    return [*DOUBLES.values(), *MEANS.values(), *SUMS.values(), *SUITES.values()]
