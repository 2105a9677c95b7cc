"""Names: variables that may be exchanged for each other, and function names made of parts."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from random import Random

GROUPS = tuple(
    tuple(line.split())
    for line in """
    numbers nums values integers lst arr data xs numbers nums
    words strings tokens words terms
    text s string text sentence phrase line
    total total result acc total_sum s running
    result result output res out answer
    count count counter cnt total num_found
    best best result current_best winner
    left left lo low start i
    right right hi high end j
    index index i idx pos
    i i index idx i pos
    seen seen visited known seen
    current current cur curr
    previous previous prev last
    stack stack stack pending
    counts counts freq frequency tally counter
    parts parts pieces chunks
    chars chars letters chars
    groups groups buckets grouped
    matrix matrix grid rows mat
    row row line r row
    product product result prod
    first first a xs left
    second second b ys right
    queue queue queue to_visit
    value value val v value
    letter letter ch char c
    """.strip().splitlines()
)
"""The first name of each group is the one that bodies are written with."""

RENAMES = {group[0]: group[1:] for group in GROUPS}
WORD = re.compile(r"(?<![\w.\"'])([A-Za-z_]\w*)")
BUILTINS = frozenset(dir(builtins)) | frozenset(keyword.kwlist)
OPAQUE = ("f", "func", "solve", "process", "compute", "g", "run", "transform", "helper", "calc")
STRING = re.compile(r"""(f?"(?:[^"\\\n]|\\.)*"|f?'(?:[^'\\\n]|\\.)*'|\#.*)""")


def identifiers(code: str) -> set[str]:
    """Returns every word in the code, attributes too."""
    return set(re.findall(r"[A-Za-z_]\w*", code))


def rename(code: str, mapping: dict[str, str]) -> str:
    """Replaces whole names in code, not attributes, keyword arguments or plain strings."""
    if not mapping:
        return code
    pieces = STRING.split(code)
    pattern = re.compile(
        r"(?<![\w.])(" + "|".join(map(re.escape, mapping)) + r")\b(?!=[^=])(?!\s*\()"
    )
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            pieces[index] = pattern.sub(lambda match: mapping[match[1]], piece)
        elif piece.startswith("f"):
            pieces[index] = re.sub(
                r"\{([^{}]*)\}",
                lambda field: "{" + pattern.sub(lambda match: mapping[match[1]], field[1]) + "}",
                piece,
            )
    return "".join(pieces)


def choose(rng: Random, code: str, names: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """Draws new names for those in `names` that have others; nothing in `code` is captured."""
    taken = identifiers(code) | set(used)
    mapping = {}
    for name in names:
        others = RENAMES.get(name)
        if not others or rng.random() < 0.4:
            continue
        other = rng.choice(others)
        if other not in taken:
            mapping[name] = other
            taken.add(other)
    return mapping


def function_name(rng: Random, names: tuple[str, ...], used: Iterable[str]) -> str:
    """Draws one of the names that a task offers, seldom one that says nothing; never a used one."""
    taken = set(used)
    if rng.random() < 0.05:
        name = rng.choice(OPAQUE)
    else:
        name = rng.choice(names)
        if rng.random() < 0.06 and not name.startswith(("is_", "has_", "get_")):
            name = rng.choice(("get_", "compute_", "find_", "calc_", "my_")) + name
    while name in taken:
        name += "_2"
    return name


def join(parts: Iterable[str], longest: int = 34) -> str:
    """Returns parts as one snake-case name, leaving out from the right what makes it too long."""
    name = ""
    for part in parts:
        if part and len(name) + len(part) < longest:
            name = f"{name}_{part}" if name else part
    return name
