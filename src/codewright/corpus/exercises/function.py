"""One function of an exercise: a task with its body, names and examples chosen.

`write` gives its text without documentation, `examples` runs it on drawn inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from codewright.corpus.exercises import names
from codewright.corpus.exercises.check import call, has_set, literal
from codewright.corpus.exercises.draw import copied, draw
from codewright.corpus.exercises.idiom import renamed
from codewright.corpus.exercises.parts import KINDS, Task

IMPORTS = (
    ("math.", re.compile(r"\bmath\."), "import math"),
    ("itertools.", re.compile(r"\bitertools\."), "import itertools"),
    ("heapq.", re.compile(r"\bheapq\."), "import heapq"),
    ("bisect.", re.compile(r"\bbisect\."), "import bisect"),
    ("string.", re.compile(r"\bstring\.ascii_lowercase"), "import string"),
    ("re.", re.compile(r"\bre\.(?:sub|findall)\("), "import re"),
    ("Counter(", re.compile(r"\bCounter\("), "from collections import Counter"),
    ("defaultdict(", re.compile(r"\bdefaultdict\("), "from collections import defaultdict"),
    ("deque(", re.compile(r"\bdeque\("), "from collections import deque"),
    ("@dataclass", re.compile(r"@dataclass"), "from dataclasses import dataclass"),
)
LONGEST_LINE = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call and what it gave: the call as text, the result as text and as a value."""

    call: str
    result: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function without its documentation."""

    name: str
    task: Task
    body: str

    def text(self, documentation: str = "", hints: str = "") -> str:
        """Returns the definition; hints: "" for none, "new" or "typing"."""
        params = ", ".join(
            f"{p.name}: {hint(p.kind, hints)}" if hints else p.name for p in self.task.params
        )
        arrow = f" -> {hint(self.task.returns, hints)}" if hints else ""
        head = f"def {self.name}({params}){arrow}:\n"
        if len(head) > 100 and len(self.task.params) > 1:
            inside = params.replace(": ", ":\0").replace(", ", ",\n    ").replace(":\0", ": ")
            if "[" not in params:
                head = f"def {self.name}(\n    {inside}\n){arrow}:\n"
        return head + documentation + self.body + "\n"


def hint(kind: str, style: str) -> str:
    """Returns the annotation of a kind in today's style or in that of typing."""
    text = KINDS[kind].hint
    if style != "typing":
        return text
    text = re.sub(r"\b(list|dict|tuple|set)\[", lambda m: m[1].capitalize() + "[", text)
    return re.sub(r"([\w\[\], ]+?) \| None", r"Optional[\1]", text) if " | None" in text else text


def typing_names(text: str) -> list[str]:
    """Returns the names of typing that the annotations in a text use."""
    return [n for n in ("Dict", "List", "Optional", "Set", "Tuple") if re.search(rf"\b{n}\[", text)]


def imports(text: str) -> list[str]:
    """Returns the import lines that the code needs, in order."""
    found: dict[str, None] = {}
    for sign, pattern, line in IMPORTS:
        # The plain search is for speed: it is nearly always in vain.
        if sign in text and pattern.search(text):
            found[line] = None
    plain = sorted(line for line in found if line.startswith("import"))
    by_module: dict[str, list[str]] = {}
    for line in found:
        if line.startswith("from"):
            _, module, _, name = line.split()
            by_module.setdefault(module, []).append(name)
    return plain + [
        f"from {module} import {', '.join(sorted(chosen))}"
        for module, chosen in sorted(by_module.items())
    ]


def choose(rng: Random, task: Task, used: Iterable[str], *, keep: bool = False) -> Function:
    """Draws a body, its variables and the function's name; `keep` leaves the names as they are."""
    bodies = [body for body in task.bodies if longest_line(body) <= LONGEST_LINE]
    body = rng.choice(bodies or [min(task.bodies, key=longest_line)])
    task = replace(task, bodies=(body,))
    if keep:
        return Function(name=task.own, task=task, body=body)
    words = names.identifiers(body) | {param.name for param in task.params}
    # The functions of the file keep their names, where they are passed on too.
    candidates = sorted(word for word in words if word in names.RENAMES and word not in set(used))
    task = renamed(task, names.choose(rng, body, candidates, [p.name for p in task.params]))
    body = task.bodies[0]
    taken = set(used) | {param.name for param in task.params} | names.identifiers(body)
    name = names.function_name(rng, task.names, taken - {task.own})
    if task.own:
        body = re.sub(rf"(?<![\w.]){task.own}\b(?=\()", name, body)
    return Function(name=name, task=task, body=body)


def longest_line(text: str) -> int:
    return max(map(len, text.splitlines()))


def examples(
    rng: Random, name: str, task: Task, function: Callable[..., Any], wanted: int
) -> list[Example]:
    """Runs the function on drawn inputs, and returns calls that can be read, all different.

    Raises:
        AssertionError: the function raises on an input of its kinds.
    """
    found: dict[str, Example] = {}
    results: set[str] = set()
    for attempt in range(3 * wanted):
        arguments = tuple(draw(rng, param.kind) for param in task.params)
        written = f"{name}({', '.join(map(literal, arguments))})"
        try:
            value = call(function, copied_all(arguments))
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError,
                RecursionError, NameError, StopIteration) as error:  # fmt: skip
            raise AssertionError(f"{task.key}: {written} raised {error!r}") from error
        result = literal(value)
        dull = result in results and attempt < 2 * wanted
        if written in found or dull or len(written) > 76 or len(result) > 70:
            continue
        results.add(result)
        found[written] = Example(call=written, result=result, value=value)
        if len(found) == wanted:
            break
    return list(found.values())


def copied_all(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(copied, arguments))


def doctest_lines(example: Example) -> list[str]:
    """Returns the example as an interpreter prints it; empty where it would print nothing."""
    if example.value is None or "\\" in example.call + example.result:
        return []
    if has_set(example.value):
        if not isinstance(example.value, set):
            return []
        return [f">>> sorted({example.call})", literal(sorted(example.value))]
    return [f">>> {example.call}", example.result]
