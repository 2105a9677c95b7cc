"""The records that exercises are made of, and the types that their values have.

A `Task` is one meaning: what a function takes and gives, its English, and several bodies that
all compute the same. Nothing here chooses, prints or runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of value as the exercises know it.

    hint: today's annotation; `typing_hint` derives the older one. english: how prose calls one.
    """

    hint: str
    english: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter: its name in the bodies, the tag of its kind, and what prose says of it."""

    name: str
    kind: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One meaning.

    key: which pieces it is made of. says: (form, text), where form is `np` (a noun phrase), `if`
    (a condition) or `do` (an imperative), and `{name}` stands for a parameter. notes: sentences
    that belong to the meaning. gives: a noun phrase for the returned value. bodies: indented by
    four spaces, all of one meaning. own: the name by which bodies call themselves.
    """

    key: str
    names: tuple[str, ...]
    params: tuple[Param, ...]
    returns: str
    says: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    gives: str = ""
    bodies: tuple[str, ...]
    own: str = ""


KINDS = {
    "ints": Kind(hint="list[int]", english=("a list of integers", "a list of numbers")),
    "nonempty": Kind(hint="list[int]", english=("a non-empty list of integers",)),
    "naturals": Kind(hint="list[int]", english=("a list of non-negative integers",)),
    "positives": Kind(hint="list[int]", english=("a list of positive integers",)),
    "ascending": Kind(
        hint="list[int]", english=("a sorted list of integers", "a list in ascending order")
    ),
    "distinct": Kind(hint="list[int]", english=("a list of distinct integers",)),
    "bits": Kind(hint="list[int]", english=("a list of zeros and ones",)),
    "floats": Kind(hint="list[float]", english=("a list of floats", "a list of numbers")),
    "somefloats": Kind(hint="list[float]", english=("a non-empty list of floats",)),
    "bools": Kind(hint="list[bool]", english=("a list of booleans",)),
    "strs": Kind(hint="list[str]", english=("a list of strings", "a list of words")),
    "somestrs": Kind(hint="list[str]", english=("a non-empty list of strings",)),
    "text": Kind(hint="str", english=("a string", "a piece of text")),
    "sometext": Kind(hint="str", english=("a non-empty string",)),
    "word": Kind(hint="str", english=("a word", "a string")),
    "lower": Kind(hint="str", english=("a string of lower-case letters", "a lower-case string")),
    "lower2": Kind(hint="str", english=("a short string", "a non-empty string")),
    "snake": Kind(hint="str", english=("a snake-case name", "a string")),
    "camel": Kind(hint="str", english=("a camel-case name", "a string")),
    "mixed": Kind(hint="str", english=("a string of letters and digits", "a string")),
    "digits": Kind(hint="str", english=("a string of digits",)),
    "binary": Kind(hint="str", english=("a string of zeros and ones", "a binary string")),
    "brackets": Kind(hint="str", english=("a string that may contain brackets",)),
    "steps": Kind(hint="str", english=("a string of moves (U, D, L and R)",)),
    "runs": Kind(hint="str", english=("a string with runs of equal letters",)),
    "clock": Kind(hint="str", english=("a time as HH:MM",)),
    "pairstext": Kind(hint="str", english=("a string of key=value pairs",)),
    "char": Kind(hint="str", english=("a character", "a single character")),
    "int": Kind(hint="int", english=("an integer", "a number")),
    "nat": Kind(hint="int", english=("a non-negative integer",)),
    "pos": Kind(hint="int", english=("a positive integer",)),
    "pos2": Kind(hint="int", english=("an integer greater than 1",)),
    "pos20": Kind(hint="int", english=("an integer", "a number")),
    "digit1": Kind(hint="int", english=("a digit",)),
    "base": Kind(hint="int", english=("a base from 2 to 10",)),
    "month": Kind(hint="int", english=("a month from 1 to 12",)),
    "weekday": Kind(hint="int", english=("a weekday from 0 to 6",)),
    "small": Kind(hint="int", english=("a small positive integer", "a positive integer")),
    "tiny": Kind(hint="int", english=("a small non-negative integer",)),
    "big": Kind(hint="int", english=("a positive integer", "an integer")),
    "year": Kind(hint="int", english=("a year",)),
    "float": Kind(hint="float", english=("a number", "a float")),
    "posfloat": Kind(hint="float", english=("a positive number",)),
    "bool": Kind(hint="bool", english=("a boolean",)),
    "matrix": Kind(
        hint="list[list[int]]",
        english=("a matrix given as a list of rows", "a list of rows", "a list of lists"),
    ),
    "square3": Kind(hint="list[list[int]]", english=("a square matrix", "a 2 by 2 matrix")),
    "square": Kind(hint="list[list[int]]", english=("a square matrix",)),
    "grid": Kind(hint="list[str]", english=("a grid of characters given as strings",)),
    "nested": Kind(hint="list[list[int]]", english=("a list of lists of integers",)),
    "deep": Kind(hint="list", english=("a nested list of integers",)),
    "points": Kind(hint="list[tuple[int, int]]", english=("a list of points",)),
    "onepoint": Kind(hint="list[tuple[int, int]]", english=("a non-empty list of (x, y) pairs",)),
    "twopoints": Kind(
        hint="tuple[tuple[int, int], tuple[int, int]]", english=("two pairs of integers",)
    ),
    "pair2": Kind(hint="tuple[int, int]", english=("a (start, end) pair",)),
    "few": Kind(hint="list[int]", english=("a short list of distinct integers",)),
    "postfix": Kind(hint="list[str]", english=("a list of strings", "a list of tokens")),
    "point": Kind(hint="tuple[int, int]", english=("a point", "a pair of integers")),
    "pair": Kind(hint="tuple[int, int]", english=("a pair of integers",)),
    "triple": Kind(hint="tuple[int, int, int]", english=("a tuple of three integers",)),
    "intervals": Kind(
        hint="list[tuple[int, int]]",
        english=("a list of (start, end) pairs", "a list of intervals"),
    ),
    "scores": Kind(hint="list[tuple[str, int]]", english=("a list of (name, score) pairs",)),
    "counts": Kind(hint="dict[str, int]", english=("a dictionary", "a dictionary of numbers")),
    "groups": Kind(hint="dict[str, list[int]]", english=("a dictionary of lists",)),
    "graph": Kind(
        hint="dict[str, list[str]]", english=("a graph as a dictionary of neighbour lists",)
    ),
    "intset": Kind(hint="set[int]", english=("a set of integers",)),
    "strset": Kind(hint="set[str]", english=("a set of strings",)),
    "maybes": Kind(hint="list[int | None]", english=("a list of integers and None values",)),
    # What functions only return.
    "int?": Kind(hint="int | None", english=("an integer or None",)),
    "str?": Kind(hint="str | None", english=("a string or None",)),
    "pair?": Kind(hint="tuple[int, int] | None", english=("a pair of integers or None",)),
    "two": Kind(hint="tuple[list[int], list[int]]", english=("two lists",)),
    "twostrs": Kind(hint="tuple[list[str], list[str]]", english=("two lists of strings",)),
    "twotexts": Kind(hint="tuple[str, str]", english=("two strings",)),
    "intstrs": Kind(hint="dict[int, list[str]]", english=("a dictionary",)),
    "strstrs": Kind(hint="dict[str, list[str]]", english=("a dictionary",)),
    "intints": Kind(hint="dict[int, list[int]]", english=("a dictionary",)),
    "intcounts": Kind(hint="dict[int, int]", english=("a dictionary",)),
    "inttexts": Kind(hint="dict[int, str]", english=("a dictionary",)),
    "strtext": Kind(hint="dict[str, str]", english=("a dictionary of strings",)),
    "pairs": Kind(hint="list[tuple[int, int]]", english=("a list of pairs",)),
    "strpairs": Kind(hint="list[tuple[str, str]]", english=("a list of pairs of strings",)),
    "charcounts": Kind(hint="list[tuple[str, int]]", english=("a list of pairs",)),
    "liststrs": Kind(hint="list[list[str]]", english=("a list of lists of strings",)),
    "strsets": Kind(hint="set[str]", english=("a set of strings",)),
}
