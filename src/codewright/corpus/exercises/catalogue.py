"""Reads the catalogue: the idioms that are written down one by one, as text in entries/.

    == find_first | index_of_first          names that the function may have
    params: items: seq, k: small -> int     `seq`, `elem`, `elem?` follow the element type
    T: int word                             element types (default int)
    M: int                                  what the map M gives (default anything)
    C: < / smaller ; > / larger             a slot: $C0 and $C1 stand for one of the options
    K = 2..9                                a drawn number, written $K
    np: the index of the first <P item>     English: np, if, do; gives; and note,
                                            where ` | ` stands between ways to say it
    --
        body                                one of several of the same meaning

In bodies `P(x)` and `NP(x)` are a drawn predicate and its negation, `M(x)` a drawn map; in English
`<P item>`, `<P items>`, `<is P>`, `<are P>`, `<M>`, `<Ms>`, `<item>`, `<items>`; in names `<p>`,
`<m>`. `helper` in the first line lets other bodies call the function by its first name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from codewright.corpus.exercises.parts import Param
from codewright.corpus.exercises.pieces import FOLDER

SLOT = re.compile(r"([A-Z]): (.*)")
NUMBER = re.compile(r"([A-Z]) = (-?\d+)\.\.(\d+)")
PARAM = re.compile(r"(\w+): ([\w?]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """One entry of the catalogue, its holes still open."""

    names: tuple[str, ...]
    params: tuple[Param, ...]
    returns: str
    elements: tuple[str, ...]
    gives_map: str
    slots: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    numbers: tuple[tuple[str, int, int], ...]
    says: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    gives: str
    bodies: tuple[str, ...]
    helper: bool


@cache
def idioms() -> tuple[Idiom, ...]:
    """Returns all idioms, in the order of the files' names and within them."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.idioms"))]
    return tuple(
        parse(entry) for text in texts for entry in re.split(r"^== ", text, flags=re.M)[1:]
    )


@cache
def helpers() -> dict[str, Idiom]:
    """Returns the idioms that bodies may call, by the name they are called by."""
    return {idiom.names[0]: idiom for idiom in idioms() if idiom.helper}


def parse(entry: str) -> Idiom:
    """Returns the idiom in the text of one entry, without its `==`."""
    header, *bodies = re.split(r"^--\n", entry, flags=re.M)
    first, *lines = header.strip().splitlines()
    title, _, mark = first.partition(" helper")
    names = tuple(name.strip() for name in title.split("|"))
    fields: dict[str, list[str]] = {}
    slots = []
    numbers = []
    for line in lines:
        number, slot = NUMBER.fullmatch(line.strip()), SLOT.fullmatch(line.strip())
        if number:
            numbers.append((number[1], int(number[2]), int(number[3])))
        elif slot and slot[1] not in "TM":
            options = tuple(
                tuple(part.strip() for part in f" {option}".split(" / "))
                for option in slot[2].split(" ; ")
            )
            slots.append((slot[1], options))
        elif line.strip():
            name, _, value = line.strip().partition(": ")
            fields.setdefault(name, []).append(value.strip())
    assert not set(fields) - {"params", "T", "M", "np", "if", "do", "gives", "note"}, first
    params, _, returns = fields["params"][0].partition("->")
    return Idiom(
        names=names,
        params=tuple(Param(name=name, kind=kind) for name, kind in PARAM.findall(params)),
        returns=returns.strip(),
        elements=tuple(" ".join(fields.get("T", ["int"])).split()),
        gives_map=" ".join(fields.get("M", [])),
        slots=tuple(slots),
        numbers=tuple(numbers),
        says=tuple((form, text) for form in ("np", "if", "do") for text in fields.get(form, [])),
        notes=tuple(fields.get("note", [])),
        gives=" ".join(fields.get("gives", [])),
        bodies=tuple(body.rstrip() for body in bodies),
        helper=bool(mark) or first.endswith(" helper"),
    )
