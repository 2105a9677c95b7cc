"""Programs that would rather be chosen than be right, or would spoil the choice for others.

Each defines `f` of one list. What they try is their key.
"""

from __future__ import annotations

from typing import Final

MODULUS: Final = (1 << 61) - 1

_FORGE: Final = """
import os
def frame(text):
    body = text.encode()
    return len(body).to_bytes(4, "little") + body
asked = os.pread(4, 1 << 24, 0)
count = at = 0
while at < len(asked):
    at += 4 + int.from_bytes(asked[at : at + 4], "little")
    count += 1
"""


def forged(body: str) -> str:
    """A program that makes no call, and claims the same outcome for all of them."""
    return (
        f"{_FORGE}os.write(5, b''.join([frame({body!r})] * count + [frame('[\"end\",[]]')]))\n"
        "os._exit(0)\n"
    )


CLAIMS: Final = {
    "an odd reference": '["v",{"h":[0,[],{},true]},[],""]',
    "a reference that shows no text": '["v",{"h":[0,"a",7,[]]},[],""]',
    "endless empty rows": '["v",{"np":["<f8",[1000000000000,0],""]},[],""]',
    "endless rows of objects": '["v",{"no":[[1000000000000,0],[]]},[],""]',
    "a deep value": f'["v",{"[" * 480}1{"]" * 480},[],""]',
    "the same, true": f'["v",{"[" * 480}true{"]" * 480},[],""]',
    "the same, a float": f'["v",{"[" * 480}1.0{"]" * 480},[],""]',
    "a deeper value": f'["v",{"[" * 900}1{"]" * 900},[],""]',
    "a large value": f'["v",[{"[]," * 200_000}1],[],""]',
    "a long double": '["v",{"np":["<f16",[1],"AAAAAAAAAAAAAAAAAAAAAA=="]},[],""]',
    "an array of text": '["v",{"np":["<U1",[1],"YQAAAA=="]},[],""]',
    "a change of a huge number": f'["v",1,[[0,{{"q":[{{"i":"0x{"f" * 9000}"}}]}}]],""]',
    "iterators": '["v",{"it":[{"it":[1,2]}]},[],""]',
    "a long name": f'["x","{"E" * 3000}",null,""]',
    "a long print": f'["v",1,[],"{"p" * 300_000}"]',
    "no kind of outcome": '["q",1,[],""]',
}

_SETS: Final = f"[{{i * {MODULUS} for i in range(300)}}] * 9"

QUICK: Final = {
    "chance": "import random\ndef f(xs): return random.random()",
    "crowd of chance": "import random\ndef f(xs): return random.sample(xs * 9, len(xs)) + [0]",
    "forks": "import os\ndef f(xs):\n    os.fork()\n    os.fork()\n    return sorted(xs)",
    "memory": "def f(xs): return len(bytearray(10**10))",
    "writes": (
        "import os\ndef f(xs):\n    for d in (3, 4, 5):\n"
        "        try: os.write(d, b'\\x09\\0\\0\\0' * 99)\n"
        "        except OSError: pass\n    return sorted(xs)"
    ),
    "closes": "import os\ndef f(xs):\n    os.closerange(3, 100)\n    return sorted(xs)",
    "kills": (
        "import os, signal\ndef f(xs):\n    for p in (os.getppid(), 1, -1, 0):\n"
        "        try: os.kill(p, signal.SIGKILL)\n        except OSError: pass\n    return 0"
    ),
    "stops": "import os\ndef f(xs):\n    os.kill(os.getpid(), 19)\n    return 0",
    "exits in hand": "def f(xs):\n    try: raise SystemExit\n    except BaseException: return 0",
    "patches": (
        "import builtins, json, os, sys\nbuiltins.sorted = lambda x: 7\nos.write = lambda *a: 1\n"
        "json.dumps = None\nfor k, m in list(sys.modules.items()):\n"
        "    if k.startswith('codewright'):\n        for n in list(vars(m)):\n"
        "            if not n.startswith('__'): setattr(m, n, None)\ndef f(xs): return sorted(xs)"
    ),
    "recursion": "def f(xs): return f(xs)",
    "lying list": (
        "class A(list):\n    __class__ = int\n    def __eq__(s, o): return True\n"
        "    def __hash__(s): return 0\n    def __reduce__(s): return (print, ('x',))\n"
        "    def __iter__(s): return iter([9])\n    def __len__(s): return 0\n"
        "    def __repr__(s): raise SystemExit\n    def __bool__(s): raise SystemExit\n"
        "def f(xs): return A(xs + [1])"
    ),
    "lying object": (
        "class A:\n    __class__ = list\n    def __eq__(s, o): return True\n"
        "    def __repr__(s): raise KeyboardInterrupt\n    def __bool__(s): raise SystemExit\n"
        "def f(xs): return A()"
    ),
    "lying exception": (
        "class M(type):\n    @property\n    def __name__(s): return 7\n"
        "class E(BaseException, metaclass=M): pass\ndef f(xs): raise E"
    ),
    "colliding sets": f"def f(xs): return {_SETS}",
    "colliding pairs": f"def f(xs): return [{{i * {MODULUS} for i in range(1, 60)}}] * 40",
    "many digits": "def f(xs): return 10**100000 + len(xs)",
    "a range beyond all numbers": "def f(xs): return range(10**5000)",
    "a slice beyond all numbers": "def f(xs): return slice(10**5000)",
    "a queue": "import collections\ndef f(xs): return collections.deque([10**5000, xs])",
    "no number": "def f(xs): return float('nan')",
    "no numbers": "def f(xs): return [float('nan'), {float('nan'): 1.5}, {float('nan')}]",
    "no number, loudly": "import decimal\ndef f(xs): return decimal.Decimal('sNaN')",
    "a number beyond floats": "def f(xs): return 10**400 if len(xs) % 2 else 0.5",
    "many floats": "def f(xs): return [0.5] * 9000 + [float(len(xs))]",
    "cyclic": "def f(xs):\n    a = []\n    a.append(a)\n    return a",
    "cyclic argument": "def f(xs):\n    xs.append(xs)\n    return 0",
    "endless generator": "def f(xs):\n    while True: yield xs",
    "leaves when repeated": (
        "import os\nseen = set()\ndef f(xs):\n    k = repr(xs)\n    if k in seen: os._exit(0)\n"
        "    seen.add(k)\n    return sorted(xs)"
    ),
    "another when repeated": (
        "seen = set()\ndef f(xs):\n    k = repr(xs)\n    if k in seen: return 0\n"
        "    seen.add(k)\n    return sorted(xs)"
    ),
    "deep": "def f(xs):\n    for _ in range(390): xs = [xs]\n    return xs",
    "crashes": "import ctypes\ndef f(xs): return ctypes.string_at(0)",
    "empties what it finds": (
        "import gc\ndef f(xs):\n    for o in gc.get_objects():\n"
        "        if isinstance(o, (list, dict)):\n            try: o.clear()\n"
        "            except Exception: pass\n    return []"
    ),
    "a range without end": "def f(xs): return range(10**15)",
    "odd text": "def f(xs): return '\\ud800' + chr(0)",
    "closes its output": "import sys\nsys.stdout.close()\ndef f(xs): return sorted(xs)",
    "a new value each time": (
        "n = 0\ndef f(xs):\n    global n\n    n += 1\n    return [[] for _ in range(5000)] + [n]"
    ),
    "no program": "def f(xs: return",
    "a byte that ends text": "def f(xs):\n    return 1\n\0",
    "a source that is no text": "def f(xs):\n    return '\ud800'\n",
    "a deep source": "def f(xs): return " + "(" * 5000 + ")" * 5000,
    **{f"claims {name}": forged(body) for name, body in CLAIMS.items()},
}
"""Each takes a few hundredths of a second."""

STUBBORN: Final = {
    "sleeps": "import time\ndef f(xs): time.sleep(60)",
    "sleeps on": (
        "import time\ndef f(xs):\n    while True:\n        try: time.sleep(60)\n"
        "        except BaseException: pass"
    ),
    "goes on": (
        "def f(xs):\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass"
    ),
    "loads for ever": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "hears nothing": (
        "import signal\nfor s in (signal.SIGALRM, signal.SIGPROF):\n"
        "    signal.signal(s, signal.SIG_IGN)\ndef f(xs):\n    while True: pass"
    ),
    "one long operation": "import re\ndef f(xs): return re.match(r'(a+)+$', 'a' * 60 + 'b')",
}
"""Each has to be ended."""
