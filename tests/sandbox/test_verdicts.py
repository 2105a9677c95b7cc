"""What the judge says of programs of every kind, through a real pool."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from codewright.errors import IsolationError, UnknownName, UserError
from codewright.sandbox import policy
from codewright.sandbox.aio import AsyncPool
from codewright.sandbox.environment import Environment, layout
from codewright.sandbox.languages import LANGUAGES
from codewright.sandbox.pool import Pool
from codewright.types.judging import (
    AssertTests,
    CallPair,
    CallTests,
    Job,
    Limits,
    StdioPair,
    StdioTests,
    SuiteTests,
    Verdict,
)

QUICK = Limits(cpu_seconds=1.0, wall_seconds=1.0, memory_bytes=512 << 20)
DOUBLE = AssertTests(
    code="def check(f):\n    assert f(2) == 4\n    assert f([1]) == [1, 1]\ncheck(g)"
)
RIGHT = "def g(x):\n    return x * 2"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as made:
        yield made


def one(pool: Pool, program: str, tests: object, **more: object) -> Verdict:
    (verdict,) = pool.judge([Job(program=program, tests=tests, limits=QUICK, **more)])  # type: ignore[arg-type]
    return verdict


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [
        (RIGHT, "passed", ""),
        ("def g(x):\n    return 4", "failed", "g([1])"),
        ("def g(x):\n    print('seen')\n    return None", "failed", "seen"),
        ("def g(x):\n    raise KeyError('k')", "error", "KeyError"),
        ("def g(x) return x", "error", "SyntaxError"),
        ("def h(x):\n    return x * 2", "error", "does not define g"),
        ("import sys; sys.exit(0)", "error", "SystemExit"),
        ("import os; os._exit(0)", "crashed", "exit code 0"),
        ("while True: pass", "timeout", "CPU time"),
        ("import time; time.sleep(60)", "timeout", "without computing"),
        ("def g(x):\n    return 'a' * 10**10", "memory", "MemoryError"),
        ("import ctypes; ctypes.string_at(0)", "crashed", "SIGSEGV"),
    ],
)
def test_statuses_come_with_their_evidence(
    pool: Pool, program: str, status: str, said: str
) -> None:
    verdict = one(pool, program, DOUBLE, entry_point="g")
    assert verdict.status == status
    assert said in str(verdict.evidence)
    assert verdict.level == "isolated"
    assert verdict.mode == "fork"
    assert {"seccomp", "landlock", "no_new_privs"} <= set(verdict.isolation)


def test_what_crosses_and_what_does_not(pool: Pool) -> None:
    program = """
class Node:
    def __init__(self, value):
        self.value, self.left = value, None
class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
class MyList(list):
    def __eq__(self, other): return True
class Oops(ValueError): pass
def depth(node): return 0 if node is None else 1 + depth(node.left)
def liar(): return Liar()
def listed(): return MyList([1, 2])
def empty(xs): xs.clear(); return 1
def apply(f, x): return f(x) + 1
def fail(): raise Oops("no", 3)
def gen(n):
    for i in range(n): yield i
def stop(): raise StopIteration
def match(s):
    import re
    return re.match("a", s)
def kinds(t): return isinstance(3, t)
big, odd = 10**5000, "\\ud800"
"""
    held = [
        "root = Node(1)\nroot.left = Node(2)\nassert depth(root) == 2 and root.left.value == 2",
        "assert listed() == [1, 2]",
        "xs = [1, 2]\nassert empty(xs) == 1 and xs == []",
        "assert apply(lambda v: v * 10, 4) == 41",
        "try:\n    fail()\nexcept ValueError as e:\n    assert e.args == ('no', 3)\n"
        "else:\n    assert False",
        "assert list(gen(3)) == [0, 1, 2] and gen(3) != [0, 1, 2]",
        "assert match('ab') and not match('b')",
        "assert kinds(int) and not kinds(str)",
        "assert big == 10**5000 and odd == '\\ud800'",
    ]
    not_held = [
        "assert liar() == 1",
        "assert not (liar() != 1)",
        "assert liar() < 5",
        "assert listed() == [3]",
        "assert all(map(lambda _: stop(), [1]))",
        "assert 1 in liar()",
        "x = 1",
        "def broken(:",
    ]
    jobs = [
        Job(program=program, tests=AssertTests(code=code), limits=QUICK)
        for code in [*held, *not_held]
    ]
    verdicts = list(pool.judge(jobs))
    assert [v.status for v in verdicts[: len(held)]] == ["passed"] * len(held), verdicts
    assert "passed" not in {v.status for v in verdicts[len(held) :]}


def test_helpers_of_the_tests_win_over_the_program(pool: Pool) -> None:
    tests = AssertTests(code="assert scale(f(1)) == 20", preamble="def scale(x): return 10 * x")
    program = "def f(x): return {}\ndef scale(x): return 20"
    assert one(pool, program.format(2), tests, entry_point="f").status == "passed"
    assert one(pool, program.format(7), tests, entry_point="f").status == "failed"


def test_pairs_of_calls(pool: Pool) -> None:
    pairs = CallTests(
        pairs=(CallPair(args=(1.0, 3), expected=1 / 3), CallPair(args=(4, 2), expected=2))
    )
    close = "def d(a, b): return a / b + 1e-9"
    assert one(pool, close, pairs, entry_point="d").status == "passed"
    wrong = one(pool, "def d(a, b): return a // b", pairs, entry_point="d")
    assert wrong.status == "failed"
    assert (wrong.evidence.test, wrong.evidence.got) == ("pair 0", "0.0")
    assert one(pool, "d = 3", pairs, entry_point="d").status == "error"


SUM = StdioTests(
    pairs=(StdioPair(stdin="3\n1 2 3\n", stdout="6\n"), StdioPair(stdin="1\n5", stdout="5"))
)
SUMS = {
    "python": "import sys\ninput()\nprint(sum(map(int, sys.stdin.read().split())))",
    "c": '#include <stdio.h>\nint main(){int n,s=0,x;scanf("%d",&n);'
    'while(scanf("%d",&x)==1)s+=x;printf("%d\\n",s);}',
    "cpp": "#include <iostream>\nint main(){int n,s=0,x;std::cin>>n;"
    "while(std::cin>>x)s+=x;std::cout<<s;}",
    "javascript": 'const l=require("fs").readFileSync(0,"utf8").split("\\n");'
    "console.log(l[1].split(' ').map(Number).reduce((a,b)=>a+b))",
    "rust": "use std::io::*;fn main(){let mut s=String::new();stdin().read_to_string(&mut s)"
    '.unwrap();println!("{}",s.split_whitespace().skip(1).map(|x|x.parse::<i64>().unwrap())'
    ".sum::<i64>());}",
    "java": "import java.util.*;public class Sum{public static void main(String[] a){"
    "Scanner s=new Scanner(System.in);int n=s.nextInt(),t=0;while(n-->0)t+=s.nextInt();"
    "System.out.println(t);}}",
    "go": 'package main\nimport "fmt"\nfunc main(){var n,s,x int;fmt.Scan(&n);'
    "for i:=0;i<n;i++{fmt.Scan(&x);s+=x};fmt.Println(s)}",
}


@pytest.mark.parametrize("language", sorted(SUMS))
def test_programs_that_read_and_print(pool: Pool, language: str) -> None:
    missing = LANGUAGES[language].missing() if language in LANGUAGES else ""
    limits = Limits(cpu_seconds=10, wall_seconds=10)
    jobs = [
        Job(program=text, tests=SUM, language=language, limits=limits)
        for text in (SUMS[language], "}} this is no program {{")
    ]
    right, broken = pool.judge(jobs)
    if missing:
        assert right.status == broken.status == "refused"
        assert right.evidence.message == missing
        return
    assert right.status == "passed", right
    assert broken.status == "error"


def test_whole_programs_end_as_scripts_do(pool: Pool) -> None:
    programs = {
        "import atexit; atexit.register(print, 6)": "failed",
        "print(open(0).read().count(' ') + 4)": "failed",
        "import sys; print('noise', file=sys.stderr); print(6)": "failed",
        "import sys; sys.exit(3)": "error",
        "print(1 / 0)": "error",
        "while True: print('x' * 99)": "error",
        "import os; os.kill(os.getpid(), 11)": "failed",
        "x = [0] * 10**10": "memory",
    }
    jobs = [Job(program=p, tests=SUM, limits=QUICK) for p in programs]
    for (program, status), verdict in zip(programs.items(), pool.judge(jobs), strict=True):
        assert verdict.status == status, (program, verdict)


def test_suites_share_a_process_and_say_so(pool: Pool) -> None:
    suite = SuiteTests(
        code="import unittest\nfrom unittest import mock\n"
        "class T(unittest.TestCase):\n"
        "    def test_plain(self): self.assertEqual(C().two(), 2)\n"
        "    def test_mock(self):\n"
        "        with mock.patch.object(C, 'two', return_value=5): self.assertEqual(C().two(), 5)\n"
    )
    right = "class C:\n    def two(self): return 2"
    passed = one(pool, right, suite)
    assert (passed.status, passed.level) == ("passed", "shared")
    wrong = right.replace("return 2", "return 3")
    patches = (
        "import unittest\nunittest.TestCase.assertEqual = lambda *a: None",
        "import unittest\nunittest.TestCase.run = lambda self, result=None: result",
        "import builtins\nbuiltins.isinstance = lambda *a: False",
        "import os, atexit\natexit.register(os._exit, 0)",
        "import unittest.case, sys\nsys.modules['unittest'] = None",
    )
    for patch in ("", *patches):
        assert one(pool, f"{patch}\n{wrong}", suite).status != "passed", patch
    leaves = right.replace("return 2", "__import__('os')._exit(0)")
    assert one(pool, leaves, suite).status == "crashed"
    assert one(pool, right, SuiteTests(code="import unittest")).status == "error"


def test_sessions_say_what_forks_say(pool: Pool) -> None:
    programs = [
        RIGHT, "def g(x):\n    return 5", "def g(x):\n    return eval('x * 2')", "while True: pass",
        "def g(x):\n    return x / 0", "def g(x):\n    while x: pass\n    return 1", "g = 3",
        "def g(x) return", "def g(x):\n    return [x] * 10**10", RIGHT + "  # again",
        "import os\nos._exit(0)", "def g(x):\n    print('p')\n    return x * 2",
    ]  # fmt: skip
    jobs = [Job(program=p, tests=DOUBLE, entry_point="g", limits=QUICK) for p in programs * 2]
    alone = list(pool.judge(jobs))
    together = list(pool.judge(jobs, mode="session"))
    assert [v.status for v in together] == [v.status for v in alone]
    assert {v.mode for v in alone} == {"fork"}
    assert {v.mode for v in together} == {"fork", "session"}


def test_order_laziness_and_cancellation() -> None:
    read = itertools.count()

    def endless() -> Iterator[Job]:
        for i in read:
            tests = AssertTests(code=f"assert g({i}) == {i} + ({i} % 3 == 0)")
            yield Job(program="def g(x):\n    return x", tests=tests, entry_point="g")

    with Pool(workers=2) as made:
        verdicts = made.judge(endless())
        statuses = [next(verdicts).status for _ in range(30)]
        assert statuses == ["failed" if i % 3 == 0 else "passed" for i in range(30)]
        verdicts.close()  # type: ignore[attr-defined]
        assert next(read) < 2000
        assert one(made, RIGHT, DOUBLE, entry_point="g").status == "passed"


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def test_a_server_that_dies_is_replaced_and_nothing_stays() -> None:
    before = set(_children(os.getpid()))
    with Pool(workers=1) as made:
        verdicts = made.judge(
            Job(program=RIGHT, tests=DOUBLE, entry_point="g", limits=QUICK) for _ in range(600)
        )
        assert next(verdicts).status == "passed"
        for pid in set(_children(os.getpid())) - before:
            os.kill(pid, signal.SIGKILL)
        assert {v.status for v in verdicts} == {"passed"}
        servers = set(_children(os.getpid())) - before
        assert len(servers) == 2
    assert set(_children(os.getpid())) == before
    assert not any(os.path.exists(f"/proc/{pid}") for pid in servers)


def test_many_waits_of_one_event_loop() -> None:
    async def main() -> list[str]:
        async with AsyncPool(Pool(workers=2)) as waiting:
            jobs = [
                Job(program=RIGHT if i % 2 else "def g(x): return x", tests=DOUBLE, entry_point="g")
                for i in range(40)
            ]
            dropped = asyncio.ensure_future(waiting.judge(jobs[0]))
            await asyncio.sleep(0)
            dropped.cancel()
            verdicts = await asyncio.gather(*(waiting.judge(job) for job in jobs))
            return [v.status for v in verdicts]

    assert asyncio.run(main()) == ["failed", "passed"] * 20


def test_what_a_program_sees_of_the_machine(pool: Pool) -> None:
    program = """
import os, socket
def look():
    seen = {"uid": os.getuid(), "tmp": os.listdir("/tmp")}
    open("/tmp/left", "w").close()
    for path in ("/etc/shadow", "/proc/self", "/home", "/var/log", "/dev/tty"):
        seen[path] = os.path.exists(path)
    try: seen["/"] = os.listdir("/")
    except OSError: seen["/"] = []
    for path in ("/usr/lib/x", "/etc/x", "/x"):
        try: open(path, "w"); seen[path] = True
        except OSError: seen[path] = False
    try: socket.socket(socket.AF_INET); seen["net"] = True
    except OSError: seen["net"] = False
    return seen
"""
    tests = AssertTests(
        code="s = look()\nassert s['tmp'] == [] and s['uid'] != 0\n"
        "assert not any(v for k, v in s.items() if k.startswith('/') or k == 'net'), s"
    )
    jobs = [Job(program=program, tests=tests) for _ in range(4)]
    assert [v.status for v in pool.judge(jobs)] == ["passed"] * 4


def test_packages_are_shown_by_name() -> None:
    tests = AssertTests(code="assert [f(n) for n in ('numpy', 'rich')] == [True, False]")
    program = (
        "def f(name):\n    try: __import__(name)\n    except ImportError: return False\n"
        "    return True"
    )
    with Pool(workers=1, environment=Environment(packages=("numpy",))) as made:
        limits = Limits(memory_bytes=2 << 30)
        (verdict,) = made.judge([Job(program=program, tests=tests, limits=limits)])
        assert verdict.status == "passed", verdict
    with pytest.raises(UnknownName, match="no-such-package"):
        layout(Environment(packages=("no-such-package",)))


def test_policies_fail_closed() -> None:
    held = dict.fromkeys(("no_new_privs", "seccomp", "landlock", "rlimits"), "")
    for name in ("default", "strict"):
        with pytest.raises(IsolationError, match="mount") as told:
            policy.demand(policy.find(name), {**held, "mount": "unshare: refused"})
        assert "--isolation landlock" in told.value.hint
    assert policy.demand(policy.find("landlock"), {**held, "mount": "no"}) == tuple(held)
    with pytest.raises(IsolationError, match="landlock"):
        policy.demand(policy.find("landlock"), {**held, "landlock": "not there"})
    with pytest.raises(UnknownName):
        policy.find("none")
    with pytest.raises(UserError):
        Pool(workers=-1)
