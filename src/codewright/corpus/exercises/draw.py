"""Inputs for exercises: one value of a kind, edge cases included, from a random generator.

Values are small, so that examples can be read, and never shared between calls.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

VOCABULARY = """
    apple river stone cloud green paper light table music window garden silver orange kitten
    summer bridge candle forest market planet rocket pepper button castle dragon engine flower
    guitar hammer island jacket ladder mirror needle ocean pencil rabbit saddle temple violin
    winter yellow zebra level radar noon kayak civic sea sky sun map cat dog tree book lamp door
    a an the of and to in is it on no we tea egg ice oak ant owl bee cup hat ink jam key log mud
    banana letter hello world python code data alpha beta gamma delta echo north south east west
    mississippi balloon committee coffee success bookkeeper pool moon wheel apple sea
"""
PEOPLE = "Ada Ben Cleo Dan Eve Finn Gus Hana Ivy Jon Kim Leo Mia Noah Olga Pia"
WORDS = tuple(VOCABULARY.split())
NAMES = tuple(PEOPLE.split())
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def draw(rng: Random, kind: str) -> Any:
    """Returns a fresh value of `kind`, an edge case about one time in eight."""
    edges = EDGES.get(kind)
    if edges is not None and rng.random() < 0.13:
        return copied(rng.choice(edges))
    return DRAW[kind](rng)


def copied(value: Any) -> Any:
    """Returns a copy that shares nothing that can change with `value`."""
    if isinstance(value, list):
        return [copied(item) for item in value]
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, set):
        return set(value)
    return value


def ints(rng: Random, low: int = -9, high: int = 20, least: int = 1, most: int = 7) -> list[int]:
    length = rng.randint(least, most)
    width = rng.choice((high, high, max(5, low + 3)))
    low = low if rng.random() < 0.5 else max(low, 0)
    return [rng.randint(min(low, width), width) for _ in range(length)]


def word(rng: Random) -> str:
    chosen = rng.choice(WORDS)
    how = rng.random()
    if how < 0.1:
        return chosen.capitalize()
    return chosen.upper() if how < 0.13 else chosen


def strs(rng: Random) -> list[str]:
    found = [word(rng) for _ in range(rng.randint(1, 5))]
    if len(found) > 1 and rng.random() < 0.25:
        found[-1] = found[0]
    return found


def text(rng: Random) -> str:
    how = rng.random()
    if how < 0.3:
        return word(rng)
    if how < 0.4:
        return word(rng).capitalize() + str(rng.randint(1, 99))
    chosen = " ".join(word(rng) for _ in range(rng.randint(2, 4)))
    if how < 0.6:
        chosen = chosen.capitalize()
    return chosen + rng.choice("!?.") if how > 0.88 else chosen


def lower(rng: Random) -> str:
    how = rng.random()
    if how < 0.6:
        return rng.choice(WORDS)
    return "".join(rng.choice("abc") for _ in range(rng.randint(2, 7)))


def runs(rng: Random) -> str:
    return "".join(rng.choice("abcxy") * rng.randint(1, 4) for _ in range(rng.randint(1, 4)))


def brackets(rng: Random) -> str:
    if rng.random() < 0.5:
        return "".join(rng.choice("()[]{}") for _ in range(rng.randint(1, 5)))
    found = ""
    for _ in range(rng.randint(1, 3)):
        left, right = rng.choice(("()", "[]", "{}", "()"))
        found = left + found + right if rng.random() < 0.6 else found + left + right
    return found


def matrix(rng: Random, square: bool = False) -> list[list[int]]:
    rows = rng.randint(1, 3)
    columns = rows if square else rng.randint(1, 4)
    low = rng.choice((0, 0, -5))
    return [[rng.randint(low, 9) for _ in range(columns)] for _ in range(rows)]


def intervals(rng: Random) -> list[tuple[int, int]]:
    found = []
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(0, 12)
        found.append((start, start + rng.randint(1, 5)))
    return found


def counts(rng: Random) -> dict[str, int]:
    return {rng.choice(WORDS): rng.randint(-3, 12) for _ in range(rng.randint(1, 4))}


def graph(rng: Random) -> dict[str, list[str]]:
    nodes = "ABCDE"[: rng.randint(2, 5)]
    return {
        node: [other for other in nodes if other != node and rng.random() < 0.4] for node in nodes
    }


def deep(rng: Random, level: int = 0) -> list[Any]:
    return [
        deep(rng, level + 1) if level < 2 and rng.random() < 0.35 else rng.randint(0, 9)
        for _ in range(rng.randint(1, 3))
    ]


def postfix(rng: Random, depth: int = 2) -> list[str]:
    if depth == 0 or rng.random() < 0.3:
        return [str(rng.randint(0, 9))]
    return [*postfix(rng, depth - 1), *postfix(rng, depth - 1), rng.choice("+-*")]


def pairs_text(rng: Random) -> str:
    chosen = rng.sample(WORDS[:40], rng.randint(1, 3))
    return ";".join(f"{key}={rng.randint(0, 50)}" for key in chosen)


DRAW: dict[str, Callable[[Random], Any]] = {
    "ints": ints,
    "nonempty": ints,
    "naturals": lambda rng: ints(rng, 0, 15),
    "positives": lambda rng: ints(rng, 1, 15),
    "ascending": lambda rng: sorted(ints(rng, -9, 20, 1, 8)),
    "distinct": lambda rng: rng.sample(range(-5, 20), rng.randint(1, 6)),
    "bits": lambda rng: [rng.randint(0, 1) for _ in range(rng.randint(1, 8))],
    "floats": lambda rng: [rng.randint(-20, 60) / 4 for _ in range(rng.randint(1, 5))],
    "somefloats": lambda rng: [rng.randint(-20, 60) / 4 for _ in range(rng.randint(1, 5))],
    "bools": lambda rng: [rng.random() < 0.5 for _ in range(rng.randint(1, 5))],
    "strs": strs,
    "somestrs": strs,
    "text": text,
    "sometext": text,
    "word": word,
    "lower": lower,
    "digits": lambda rng: str(rng.randint(1, 10 ** rng.randint(1, 7))),
    "binary": lambda rng: format(rng.randint(1, 255), "b"),
    "brackets": brackets,
    "steps": lambda rng: "".join(rng.choice("UDLR") for _ in range(rng.randint(1, 7))),
    "lower2": lambda rng: "".join(rng.choice("abcx") for _ in range(rng.randint(1, 2))),
    "snake": lambda rng: "_".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3))),
    "camel": lambda rng: (
        rng.choice(WORDS)
        + "".join(rng.choice(WORDS).capitalize() for _ in range(rng.randint(0, 2)))
    ),
    "mixed": lambda rng: "".join(
        rng.choice((rng.choice(WORDS), str(rng.randint(0, 120)), " "))
        for _ in range(rng.randint(1, 4))
    ),
    "runs": runs,
    "clock": lambda rng: f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
    "pairstext": pairs_text,
    "char": lambda rng: rng.choice("aeiourstln" + LETTERS),
    "int": lambda rng: rng.randint(-20, 60) if rng.random() < 0.5 else rng.randint(-5, 12),
    "nat": lambda rng: rng.randint(0, 30),
    "pos": lambda rng: rng.randint(1, 40),
    "pos2": lambda rng: rng.randint(2, 60),
    "pos20": lambda rng: rng.randint(8, 30),
    "digit1": lambda rng: rng.randint(0, 9),
    "base": lambda rng: rng.randint(2, 10),
    "month": lambda rng: rng.randint(1, 12),
    "weekday": lambda rng: rng.randint(0, 6),
    "small": lambda rng: rng.randint(1, 5),
    "tiny": lambda rng: rng.randint(0, 8),
    "big": lambda rng: rng.randint(1, 10 ** rng.randint(1, 5)),
    "year": lambda rng: rng.choice((1900, 2000, 1996, 2023, 2024, rng.randint(1600, 2400))),
    "float": lambda rng: rng.randint(-40, 80) / 4,
    "posfloat": lambda rng: rng.randint(1, 80) / 4,
    "bool": lambda rng: rng.random() < 0.5,
    "matrix": matrix,
    "square3": lambda rng: [[rng.randint(-3, 9) for _ in range(2)] for _ in range(2)],
    "few": lambda rng: rng.sample(range(1, 9), rng.randint(0, 3)),
    "postfix": postfix,
    "onepoint": lambda rng: [
        (rng.randint(-5, 9), rng.randint(-5, 9)) for _ in range(rng.randint(1, 4))
    ],
    "pair2": lambda rng: ((start := rng.randint(0, 9)), start + rng.randint(0, 6)),
    "square": lambda rng: matrix(rng, square=True),
    "grid": lambda rng: [
        "".join(rng.choice("..#") for _ in range(4)) for _ in range(rng.randint(1, 3))
    ],
    "nested": lambda rng: [ints(rng, 0, 9, 0, 4) for _ in range(rng.randint(1, 3))],
    "deep": deep,
    "points": lambda rng: [
        (rng.randint(-5, 9), rng.randint(-5, 9)) for _ in range(rng.randint(1, 4))
    ],
    "point": lambda rng: (rng.randint(-5, 9), rng.randint(-5, 9)),
    "pair": lambda rng: (rng.randint(-5, 9), rng.randint(-5, 9)),
    "triple": lambda rng: (rng.randint(0, 9), rng.randint(0, 9), rng.randint(0, 9)),
    "intervals": intervals,
    "scores": lambda rng: [
        (name, rng.randint(1, 99)) for name in rng.sample(NAMES, rng.randint(1, 4))
    ],
    "counts": counts,
    "groups": lambda rng: {
        name: ints(rng, 0, 9, 0, 4) for name in rng.sample(WORDS[:30], rng.randint(1, 3))
    },
    "graph": graph,
    "intset": lambda rng: set(ints(rng, 0, 12)),
    "strset": lambda rng: set(strs(rng)),
    "maybes": lambda rng: [
        None if rng.random() < 0.3 else rng.randint(0, 9) for _ in range(rng.randint(1, 6))
    ],
}

EDGES: dict[str, tuple[Any, ...]] = {
    "ints": ([], [0], [5], [-1], [3, 3, 3], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
    "nonempty": ([0], [7], [-2], [4, 4], [1, 2, 3]),
    "naturals": ([], [0], [1]),
    "positives": ([], [1], [2, 2]),
    "ascending": ([], [1], [1, 2, 3, 4, 5], [2, 2, 2]),
    "distinct": ([], [3]),
    "bits": ([], [0], [1, 1, 1]),
    "floats": ([], [0.0], [1.5]),
    "bools": ([], [True], [False]),
    "strs": ([], [""], ["a"], ["same", "same"]),
    "text": ("", "a", "A", " ", "hello", "Hello World", "abc abc", "123"),
    "sometext": ("a", "A b", "hello"),
    "word": ("a", "level"),
    "lower": ("", "a", "aa", "abcba"),
    "digits": ("0", "7", "100"),
    "binary": ("0", "1"),
    "brackets": ("", "(", ")", "()", "([)]", "(a + b) * [c]"),
    "steps": ("", "U", "UDLR"),
    "runs": ("", "a", "aaaa"),
    "clock": ("00:00", "23:59", "12:00"),
    "pairstext": ("a=1",),
    "int": (0, 1, -1, 2, 10, 100),
    "nat": (0, 1, 2, 100),
    "pos": (1, 2, 3, 100),
    "big": (1, 10, 12, 1000),
    "float": (0.0, 1.0),
    "deep": ([], [[]], [1, [2, [3]]]),
    "points": ([], [(0, 0)]),
    "intervals": ([], [(1, 2)], [(1, 4), (2, 6)]),
    "scores": ([],),
    "counts": ({}, {"a": 1}, {"a": 0, "b": 0}),
    "groups": ({},),
    "intset": (set(), {1}),
    "strset": (set(), {"a"}),
    "maybes": ([], [None]),
    "nested": ([], [[]]),
}
