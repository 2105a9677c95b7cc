"""What programs do on inputs: every way in which a call can end, and programs that would cheat."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from codewright.sandbox.pool import Pool
from codewright.sandbox.values import Reference
from codewright.sandbox.wire import WireError
from codewright.types.behaviour import Call, Inputs, Observation, Outcome, Probe
from codewright.types.judging import Limits

LIMITS = Limits(cpu_seconds=1.0, wall_seconds=1.0, memory_bytes=512 << 20)
CALLS = tuple(Call(args=(list(range(size, 0, -1)),)) for size in range(6))
INPUTS = Inputs(calls=CALLS, call_seconds=0.1)
HONEST = "def f(xs):\n    return sorted(xs)\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as made:
        yield made


def observe(pool: Pool, program: str, inputs: Inputs = INPUTS) -> Observation:
    (seen,) = pool.observe([Probe(program=program, inputs=inputs, entry_point="f", limits=LIMITS)])
    return seen


def kinds(seen: Observation) -> list[str]:
    return [outcome.kind for outcome in seen.outcomes]


def test_values_come_back_as_they_are(pool: Pool) -> None:
    assert [o.value for o in observe(pool, HONEST).outcomes] == [sorted(c.args[0]) for c in CALLS]
    changing = observe(pool, "def f(xs):\n    xs.sort()\n    print('sorted', len(xs))\n")
    assert changing.outcomes[3].changed == ((0, [1, 2, 3]),)
    assert changing.outcomes[1].changed == ()
    assert changing.outcomes[3].output == "sorted 3\n"
    several = "def f(a, *, b):\n    b.append(a)\n    return {a: (b, {1.5})}, 10**5000, None\n"
    call = Call(args=("x",), kwargs={"b": [None, float("inf")]})
    (outcome,) = observe(pool, several, Inputs(calls=(call,))).outcomes
    kept = [None, float("inf"), "x"]
    assert outcome.value == ({"x": (kept, {1.5})}, 10**5000, None)
    assert outcome.changed == (("b", kept),)
    assert call.kwargs == {"b": [None, float("inf")]}
    thing = observe(pool, "class A: pass\ndef f(xs): return A()").outcomes
    assert type(thing[0].value) is Reference
    assert len({outcome.wire for outcome in thing}) == 1
    flood = observe(pool, "def f(xs):\n    print('x' * 10**7)\n    return list(range(10**5))")
    assert len(flood.outcomes[0].output) <= 400
    assert "list of" in repr(flood.outcomes[0].value)


def test_every_way_to_end(pool: Pool) -> None:
    ends = {
        "def f(xs): return xs[3]": ["exception"] * 4 + ["value"] * 2,
        "def f(xs):\n    while len(xs) == 3: pass": ["value"] * 3 + ["timeout"] + ["value"] * 2,
        "import os\ndef f(xs):\n    if len(xs) == 2: os._exit(0)\n    return 1": (
            ["value"] * 2 + ["crashed"] + ["value"] * 3
        ),
        "import random\ndef f(xs): return random.random()": ["unstable"] * 6,
        "n = []\ndef f(xs):\n    n.append(1)\n    return len(n)": ["unstable"] * 6,
        "def f(xs, seen=[]):\n    seen.extend(xs)\n    return len(seen)": ["unstable"] * 6,
        "def f(xs): return len('a' * (1 << 33))": ["memory"] * 6,
        "def g(xs): return 1": ["exception"] * 6,
        "def f(xs: return": ["exception"] * 6,
        "f = 3": ["exception"] * 6,
        "while True: pass\ndef f(xs): return 1": ["timeout"] * 6,
        "import sys\ndef f(xs): sys.exit(0)": ["exception"] * 6,
        "def f(xs):\n    return f(xs)": ["exception"] * 6,
    }
    for program, expected in ends.items():
        assert kinds(observe(pool, program)) == expected, program
    loading = observe(pool, "def f(xs: return").outcomes[0]
    assert loading.loading
    assert loading.exception == "SyntaxError"
    assert observe(pool, "f = 3").outcomes[0].exception == "TypeError"
    assert not observe(pool, "def f(xs): raise KeyError").outcomes[0].loading


def test_a_program_that_will_not_end_costs_its_own_time_only(pool: Pool) -> None:
    stubborn = {
        "catches all": (
            "def f(xs):\n    while True:\n        try:\n            while True: pass\n"
            "        except BaseException: pass\n"
        ),
        "sleeps": "import time\ndef f(xs): time.sleep(30)",
        "stops the clock": (
            "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
            "signal.setitimer(signal.ITIMER_PROF, 0)\n"
            "def f(xs):\n    while True: pass\n"
        ),
        "one long operation": (
            "import re\ndef f(xs): return re.match(r'(a+)+$', 'a' * 60 + 'b') is None\n"
        ),
        "yields forever": "def f(xs):\n    while True: yield 1",
        "yields slowly": "import time\ndef f(xs):\n    while True:\n        time.sleep(1); yield 1",
    }
    for name, program in stubborn.items():
        began = time.monotonic()
        seen = observe(pool, program)
        assert set(kinds(seen)) <= {"timeout", "exception", "crashed"}, name
        assert time.monotonic() - began < 20, name
    began = time.monotonic()
    both = [
        Probe(program=program, inputs=INPUTS, entry_point="f", limits=LIMITS)
        for program in (stubborn["sleeps"], HONEST, stubborn["catches all"], HONEST)
    ]
    seen = list(pool.observe(both))
    assert kinds(seen[1]) == kinds(seen[3]) == ["value"] * 6


FORGED = """
import os, struct
def frame(text):
    body = text.encode()
    return struct.pack("<I", len(body)) + body
"""


def test_forged_outcomes_are_the_forger_s_own_vote(pool: Pool) -> None:
    lies = {
        # Six outcomes and an end before any call is made: seen as what this program does.
        "speaks first": FORGED
        + 'os.write(5, frame(\'["v",1,[],""]\') * 6 + frame(\'["end",[]]\'))\n'
        "def f(xs): return 2\n",
        "too many": FORGED + 'os.write(5, frame(\'["v",1,[],""]\') * 1000)\ndef f(xs): return 2\n',
        "not JSON": "import os\nos.write(5, b'\\x05\\0\\0\\0[[[[[')\ndef f(xs): return 2\n",
        "a long frame": "import os\nos.write(5, b'\\xff\\xff\\xff\\xff')\ndef f(xs): return 2\n",
        "unknown tag": FORGED
        + 'os.write(5, frame(\'["v",{"zz":1},[],""]\'))\ndef f(xs): return 2\n',
        "odd change": FORGED + 'os.write(5, frame(\'["v",1,[7],""]\'))\ndef f(xs): return 2\n',
        "no list": FORGED + "os.write(5, frame('{}'))\ndef f(xs): return 2\n",
        "indices beyond": FORGED
        + 'os.write(5, frame(\'["v",1,[],""]\') * 6 + frame(\'["end",[99,-1]]\'))\n'
        "def f(xs): return 2\n",
        "closes the file": "import os\nos.close(5)\ndef f(xs): return 2\n",
        "cuts the file": "import os\ndef f(xs):\n    os.ftruncate(5, 0)\n    return 2\n",
        "fills the file": "import os\nos.ftruncate(5, 1 << 40)\ndef f(xs): return 2\n",
        "writes the inputs": (
            "import os\ntry:\n    os.pwrite(4, b'\\0' * 64, 0)\nexcept OSError:\n    pass\n"
            "def f(xs): return sorted(xs)\n"
        ),
        "cuts the inputs": (
            "import os\ntry:\n    os.ftruncate(4, 0)\nexcept OSError:\n    pass\n"
            "def f(xs): return sorted(xs)\n"
        ),
        "lies about equality": (
            "class A(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
            "def f(xs): return A(7)\n"
        ),
    }
    for name, program in lies.items():
        probes = [
            Probe(program=text, inputs=INPUTS, entry_point="f", limits=LIMITS)
            for text in (program, HONEST)
        ]
        with Pool(workers=1) as alone:
            liar, honest = alone.observe(probes)
        assert len(liar.outcomes) == 6, name
        assert [o.value for o in honest.outcomes] == [sorted(c.args[0]) for c in CALLS], name
    assert type(observe(pool, lies["lies about equality"]).outcomes[0].value) is int


def test_calls_after_a_death_are_made(pool: Pool) -> None:
    fragile = "import os\ndef f(xs):\n    if len(xs) in (0, 2, 5): os.abort()\n    return len(xs)"
    assert kinds(observe(pool, fragile)) == [
        "crashed", "value", "crashed", "value", "value", "crashed",
    ]  # fmt: skip
    assert kinds(observe(pool, "import os\ndef f(xs): os.abort()")) == ["crashed"] * 6
    later = (
        "import os\ncount = 0\ndef f(xs):\n    global count\n    count += 1\n"
        "    if count > 6: os._exit(0)\n    return 1\n"
    )
    seen = observe(pool, later)
    assert kinds(seen) == ["unstable"] * 6
    assert "repeated" in seen.message


def test_inputs_have_to_be_data(pool: Pool) -> None:
    assert observe(pool, HONEST, Inputs(calls=())).outcomes == ()
    with Pool(workers=1) as alone, pytest.raises(WireError, match="object"):
        list(
            alone.observe(
                [
                    Probe(
                        program=HONEST,
                        inputs=Inputs(calls=(Call(args=(object(),)),)),
                        entry_point="f",
                    )
                ]
            )
        )


def test_many_probes_keep_their_order(pool: Pool) -> None:
    inputs = Inputs(calls=tuple(Call(args=(number,)) for number in range(20)))
    others = Inputs(calls=(Call(args=(3,)),))
    probes = [
        Probe(
            program=f"def f(x): return x * {number}",
            inputs=inputs if number % 3 else others,
            entry_point="f",
        )
        for number in range(60)
    ]
    for number, seen in enumerate(pool.observe(probes)):
        calls = (inputs if number % 3 else others).calls
        assert [o.value for o in seen.outcomes] == [c.args[0] * number for c in calls]
    assert all(isinstance(o, Outcome) for o in seen.outcomes)
