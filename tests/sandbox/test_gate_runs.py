"""What the gate lets through changes nothing: programs are run between snapshots of the world."""

from __future__ import annotations

import ast
import collections
import json
import random
import subprocess
import sys
from typing import Any

from codewright.sandbox.gate import objection
from codewright.sandbox.purity import ATTRIBUTES, BUILTINS, EXISTING, MEMBERS
from tests.sandbox.corpus import ROOT, needs_data, problems_by_prompt, samples
from tests.sandbox.test_purity import fresh_values, public


def _run_world(problems: list[dict[str, Any]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.world"],
        input=json.dumps({"problems": problems}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_world_sees_changes() -> None:
    """The instrument itself: what each of these leaves behind is noticed."""
    changes = {
        "import math\nmath.pi = 3": "math",
        "import sys\nsys.setrecursionlimit(5000)": "limits",
        "import random\nrandom.random()": "random",
        "import builtins\nbuiltins.more = None": "more",
        "import copy\ncopy.deepcopy.__defaults__[1].append(2)": "deepcopy",
        "import collections\ncollections.Counter.x = 2": "Counter",
        "import collections.abc\ncollections.abc.Sized.register(type(iter('')))": "registered",
        "import os\nos.environ['a'] = 'b'": "machine",
        "f = open('/dev/null')\nimport gc\ngc.callbacks.append(f.close)": "files",
        "from typing import overload\n@overload\ndef f(): pass": "_overload_registry",
        "import base64\nbase64.b85decode(b'VPaz')": "_b85dec",
    }
    for program, what in changes.items():
        assert objection(ast.parse(program)), program
        report = _run_world([{"entry": "f", "calls": [], "programs": [program]}])
        assert any(what in fault for fault in report["faults"]), program


def _calls(problem: dict[str, Any]) -> list[str]:
    """The arguments that the tests call the reference with, as text."""
    calls: list[str] = []
    names: dict[str, Any] = {}
    exec(problem["prompt"] + problem["canonical_solution"], names)
    exec(problem["test"], names)
    reference = names[problem["entry_point"]]

    def recorder(*args: Any) -> Any:
        text = repr(args)
        try:
            ast.literal_eval(text)
        except ValueError:
            pass
        else:
            calls.append(text)
        return reference(*args)

    names["check"](recorder)
    return calls[:12]


@needs_data
def test_clean_samples_change_nothing() -> None:
    trees, owner, _ = samples()
    by_problem: dict[str, list[str]] = collections.defaultdict(list)
    for program, tree in trees.items():
        if not objection(tree):
            by_problem[owner[program]["prompt"]].append(program)
    problems = []
    for prompt, programs in by_problem.items():
        problem = problems_by_prompt()[prompt]
        some = programs[:: max(1, len(programs) // 2)][:2]
        problems.append(
            {"entry": problem["entry_point"], "calls": _calls(problem), "programs": some}
        )
    report = _run_world(problems)
    assert report["faults"] == []
    assert report["alone"] > 280
    assert report["together"] > 280


def _random_programs(chance: random.Random, count: int) -> list[str]:
    """Programs that poke about: any builtin or member, any attribute that any value has."""

    def mostly(allowed: list[str], others: list[str]) -> str:
        return chance.choice(allowed if chance.random() < 0.9 else others)

    values = fresh_values()
    pool = sorted({name for value in values for name in dir(value)})
    attributes = sorted(ATTRIBUTES)
    builtin = sorted(BUILTINS - {"hash"})
    literals = ["0", "1", "-1", "2.5", "'a'", "b'a'", "[1, 2]", "{'a': 1}", "(1,)", "None", "{1}"]
    literals += ["lambda *a: a[-1]", "'{}'", "range(3)", "''", "'utf-8'", "(lambda: [])"]
    programs = []
    for _ in range(count):
        module = chance.choice(sorted(MEMBERS.keys() - {"__future__", "typing", "collections.abc"}))
        others = sorted(public(module))
        members = sorted(MEMBERS[module]) or others
        sources = [f"{module}.{mostly(members, others)}" for _ in range(2)]
        sources += [mostly(builtin, sorted(EXISTING)) for _ in range(2)]
        lines = [f"import {module}", "def f():", "    seen = []", "    v0 = 'ab'"]
        for at in range(1, 7):
            base = chance.choice([*sources, *sources, f"v{chance.randrange(at)}"])
            dots = "".join(
                f".{mostly(attributes, pool)}" for _ in range(chance.choice([0, 0, 1, 1, 2]))
            )
            args = [chance.choice([*literals, f"v{chance.randrange(at)}"]) for _ in range(3)]
            call = chance.choice(["", f"({', '.join(args[: chance.randrange(4)])})"])
            lines += [
                f"    try:\n        v{at} = {base}{dots}{call}",
                f"        seen.append(v{at})",
            ]
            lines += [f"    except Exception as e:\n        v{at} = e"]
        programs.append("\n".join([*lines, "    return len(seen)"]))
    return programs


def test_random_programs_change_nothing() -> None:
    programs = _random_programs(random.Random(7), 4000)
    clean = [program for program in programs if not objection(ast.parse(program))]
    print(f"\n{len(clean)} of {len(programs)} random programs are clean")
    assert 400 < len(clean) < len(programs)
    problems = [
        {"entry": "f", "calls": ["()"], "programs": clean[at : at + 20], "repeatable": False}
        for at in range(0, 320, 20)
    ]
    report = _run_world(problems)
    assert report["faults"] == []
    assert report["alone"] > 250
