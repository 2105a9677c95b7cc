"""The predicates and maps that exercises are composed of, with their code and their English.

`{x}` stands for the element, `{k}` for a constant or a parameter. Code of a predicate is a
comparison or binds tighter; code of a map binds as tightly as a product, or is a call. The table
itself is entries/pieces.table: code, negation, name, form, English and constant of a predicate;
code, name, noun, plural, kind of the result and constant of a map.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A condition on one element.

    form: `adj` stands before the noun (even numbers), `post` behind it (numbers greater than 3),
    `verb` needs that (words that start with a vowel); `single` and `plural` are its English.
    constant: `int`, `pos` or `char` where it has a `{k}`.
    """

    code: str
    negated: str
    name: str
    form: str
    single: str
    plural: str
    constant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A value made from one element; `single` and `plural` are nouns (square, squares)."""

    code: str
    name: str
    single: str
    plural: str
    constant: str
    gives: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What stands in a sequence: its type and its nouns, one of which a task uses throughout."""

    kind: str
    sequence: str
    optional: str
    nouns: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]
    parameters: tuple[str, ...]


ELEMENTS = {
    "int": Element(
        kind="int",
        sequence="ints",
        optional="int?",
        nouns=(("number", "numbers"), ("number", "numbers"), ("integer", "integers"),
               ("element", "elements"), ("value", "values")),
        variables=("x", "n", "num", "number", "value", "item", "v"),
        parameters=("numbers", "nums", "values", "items", "data", "lst", "arr", "xs", "integers",
                    "elements", "sequence", "numbers", "nums", "values"),
    ),
    "word": Element(
        kind="word",
        sequence="strs",
        optional="str?",
        nouns=(("word", "words"), ("word", "words"), ("string", "strings")),
        variables=("word", "w", "word", "s", "item", "name", "token"),
        parameters=("words", "strings", "words", "items", "tokens", "names", "word_list"),
    ),
    "char": Element(
        kind="char",
        sequence="text",
        optional="str?",
        nouns=(("character", "characters"), ("character", "characters"), ("letter", "letters")),
        variables=("c", "ch", "char", "c", "letter", "character"),
        parameters=("text", "s", "string", "text", "sentence", "word", "line", "message"),
    ),
}  # fmt: skip

FOLDER = Path(__file__).with_name("entries")


@cache
def table(title: str) -> tuple[tuple[str, ...], ...]:
    """Returns the lines of one part of the table of pieces, cut at their bars."""
    text = (FOLDER / "pieces.table").read_text(encoding="utf-8")
    part = text.partition(f"== {title}\n")[2].partition("\n==")[0]
    return tuple(
        tuple(field.strip() for field in line.split(" | ")) for line in part.strip().splitlines()
    )


@cache
def predicates(element: str) -> tuple[Predicate, ...]:
    """Returns the predicates on elements of a kind."""
    found = []
    for code, negated, name, form, english, *constant in table(f"predicates {element}"):
        single, _, plural = english.partition("/")
        found.append(
            Predicate(
                code=code,
                negated=negated,
                name=name,
                form=form,
                single=single,
                plural=plural or single,
                constant=constant[0] if constant else "",
            )
        )
    return tuple(found)


@cache
def maps(element: str, gives: str = "") -> tuple[Map, ...]:
    """Returns the maps on elements of a kind, those with results of kind `gives` if named."""
    found = []
    for code, name, single, plural, result, *constant in table(f"maps {element}"):
        if gives in ("", result):
            found.append(
                Map(
                    code=code,
                    name=name,
                    single=single,
                    plural=plural,
                    constant=constant[0] if constant else "",
                    gives=result,
                )
            )
    return tuple(found)


def attach(noun: str, predicate: Predicate, k: str, *, plural: bool) -> str:
    """Returns the noun with its predicate: even numbers, words that start with 'a'."""
    english = (predicate.plural if plural else predicate.single).replace("{k}", k)
    if predicate.form == "adj":
        return f"{english} {noun}"
    return f"{noun} {english}" if predicate.form == "post" else f"{noun} that {english}"


def being(predicate: Predicate, k: str, *, plural: bool) -> str:
    """Returns the predicate as what is said of the noun: is even, start with 'a'."""
    english = (predicate.plural if plural else predicate.single).replace("{k}", k)
    if predicate.form == "verb":
        return english
    return ("are " if plural else "is ") + english
