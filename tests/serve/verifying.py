"""A model whose candidates are chosen, a server that runs them, and what it may leave behind."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from openai import OpenAI

from codewright.generate.scripted import Scripted
from codewright.serve.replayed import Replayed
from codewright.serve.verification import Trials
from codewright.types.generation import Request
from tests.serve.running import Door

SPEC = '''def double(value: int) -> int:
    """Return twice the value.

    >>> double(4)
    8
    """
'''
RIGHT, OTHER = "    return value * 2\n", "    return value + value if value >= 0 else value\n"
ONE = Trials(workers=1, at_once=1)

HOSTILE = {
    "forks": "    import os\n    while True:\n        os.fork()\n",
    "fills memory": "    kept = []\n    while True:\n        kept.append(bytearray(1 << 24))\n",
    "never ends": "    while True:\n        pass\n",
    "sleeps": "    import time\n    time.sleep(1000)\n",
    "forges": (
        "    class Yes(int):\n        def __eq__(self, other):\n            return True\n"
        "        __hash__ = int.__hash__\n    return Yes()\n"
    ),
    "kills": "    import os, signal\n    os.kill(-1, signal.SIGKILL)\n    os._exit(0)\n",
    "writes": "    open('/tmp/verified-was-here', 'w').write('x')\n    return 8\n",
    "prints": "    print('x' * 10_000_000)\n    return 8\n",
    "recurses": "    return double(value + 1)\n",
    "deep": "    return " + "-" * 3000 + "1\n",
    "long": "    return " + "+".join("1" * 3000) + "\n",
    "half": "    return '\ud800'\n",
    "nothing": "",
}


def scripted(*bodies: str, slow: float = 0.0) -> Replayed:
    """A model whose candidates are these, in turn."""

    def say(request: Request, _: random.Random) -> str:
        time.sleep(slow)
        say.turn += 1
        return bodies[(say.turn - 1) % len(bodies)]

    say.turn = 0
    return Replayed(Scripted(default=say))


def client(door: Door) -> OpenAI:
    return OpenAI(base_url=f"{door.url}/v1", api_key="any", max_retries=0)


def ask(door: Door, verify: object = True, **changes) -> httpx.Response:
    body = {"prompt": SPEC, "verify": verify, "seed": 0, **changes}
    return httpx.post(f"{door.url}/v1/completions", json=body, timeout=120)


def below() -> set[int]:
    """Every process that descends from this one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found, fresh = set(), {os.getpid()}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fails where a process was left behind."""
    before = below()
    yield
    wait(lambda: not below() - before)


def wait(done, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
