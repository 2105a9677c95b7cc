"""Fills the holes of a catalogue entry: one `Task` from one `Idiom`.

The element type, the predicate, the map, the slots and the numbers are drawn; code, names and
English are filled alike, so that they go on telling the same.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from codewright.corpus.exercises import names
from codewright.corpus.exercises.catalogue import Idiom, helpers, idioms
from codewright.corpus.exercises.parts import Param, Task
from codewright.corpus.exercises.pieces import ELEMENTS, Element, attach, being, maps, predicates
from codewright.corpus.exercises.pipeline import Constants

PREDICATE = re.compile(r"\b(N?P)\(([^()]*)\)")
MAP = re.compile(r"\bM\(([^()]*)\)")
SIMPLE = re.compile(r"\w+(\[[^\[\]]*\])?")
CALL = re.compile(r"\b([a-z_]\w*)\(")


def draw_idiom(rng: Random) -> Task:
    """Draws an idiom and fills it. Entries with more holes have more to say and come oftener."""
    entries = idioms()
    idiom = rng.choice(entries)
    if len(holes(idiom)) == 0 and rng.random() < 0.35:
        idiom = rng.choice(entries)
    return fill(rng, idiom)


def holes(idiom: Idiom) -> set[str]:
    """Returns which holes an idiom has."""
    text = "".join(idiom.bodies)
    found = {name for name, _ in idiom.slots} | {name for name, _, _ in idiom.numbers}
    found |= {"P"} if PREDICATE.search(text) else set()
    found |= {"M"} if MAP.search(text) else set()
    return found | ({"T"} if len(idiom.elements) > 1 else set())


def fill(rng: Random, idiom: Idiom) -> Task:
    """Returns the idiom with its holes filled."""
    element = ELEMENTS[rng.choice(idiom.elements)]
    noun = rng.choice(element.nouns)
    taken = names.identifiers("".join(idiom.bodies)) | {param.name for param in idiom.params}
    constants = Constants(rng, taken)
    text: list[str] = [*idiom.names, *(say for _, say in idiom.says), *idiom.notes, idiom.gives]
    bodies = list(idiom.bodies)
    key = [idiom.names[0]]
    for name, options in idiom.slots:
        option = rng.choice(options)
        for index, part in enumerate(option):
            text = [line.replace(f"${name}{index}", part) for line in text]
            bodies = [body.replace(f"${name}{index}", part) for body in bodies]
        key.append("/".join(option))
    for name, low, high in idiom.numbers:
        number = str(rng.randint(low, high))
        text = [line.replace("$" + name, number) for line in text]
        bodies = [body.replace("$" + name, number) for body in bodies]
        key.append(number)
    marks = {"<item>": noun[0], "<items>": noun[1], "<p>": "", "<m>": ""}
    if any(PREDICATE.search(body) for body in bodies):
        predicate = rng.choice(predicates(element.kind))
        code, k = constants.get(predicate.constant)
        bodies = [_put(PREDICATE, body, predicate.code, code, predicate.negated) for body in bodies]
        for number, plural in ((noun[0], False), (noun[1], True)):
            marks["<P items>" if plural else "<P item>"] = attach(
                number, predicate, k, plural=plural
            )
            marks["<are P>" if plural else "<is P>"] = being(predicate, k, plural=plural)
        marks["<p>"] = predicate.name
        key.append(predicate.name)
    gives = ""
    if any(MAP.search(body) for body in bodies):
        piece = rng.choice(maps(element.kind, idiom.gives_map))
        code, k = constants.get(piece.constant)
        bodies = [_put(MAP, body, piece.code, code, "") for body in bodies]
        marks |= {"<M>": piece.single.replace("{k}", k), "<Ms>": piece.plural.replace("{k}", k)}
        marks["<m>"] = piece.name
        key.append(piece.name)
        gives = piece.gives
    kinds = _kinds(element, gives)
    for mark, words in marks.items():
        text = [line.replace(mark, words) for line in text]
    if len(idiom.elements) > 1:
        key.append(element.kind)
    task = _task(rng, idiom, text, bodies, kinds, constants.params, "-".join(key))
    return _named(rng, task, element.parameters, element.variables)


def _kinds(element: Element, gives: str) -> dict[str, str]:
    """Returns what the generic kinds stand for, given the element and what the map gives."""
    numbers, numeric = element.kind == "int", gives in ("int", "")
    grouped = ("intints" if numeric else "groups") if numbers else (
        "intstrs" if numeric else "strstrs"
    )  # fmt: skip
    table = ("intcounts" if numeric else "inttexts") if numbers else (
        "counts" if numeric else "strtext"
    )  # fmt: skip
    return {
        "seq": element.sequence,
        "elem": element.kind,
        "elem?": element.optional,
        "list": "ints" if numbers else "strs",
        "lists": "nested" if numbers else "liststrs",
        "twolists": "two" if numbers else "twostrs",
        "elemcounts": "intcounts" if numbers else "counts",
        "maplists": grouped,
        "mapcounts": "intcounts" if numeric else "counts",
        "elemmap": table,
        "dictmap": "counts" if numeric else "strtext",
    }


def _put(pattern: re.Pattern[str], body: str, code: str, k: str, negated: str) -> str:
    def write(match: re.Match[str]) -> str:
        chosen = negated if match[1] == "NP" and negated else code
        argument = match[match.lastindex or 1]
        if not SIMPLE.fullmatch(argument):
            chosen = chosen.replace("({x})", "{x}").replace("{x}", f"({argument})")
        return chosen.replace("{x}", argument).replace("{k}", k)

    return pattern.sub(write, body)


def _task(
    rng: Random, idiom: Idiom, text: list[str], bodies: list[str], kinds: dict[str, str],
    more: list[Param], key: str,
) -> Task:  # fmt: skip
    said = iter(text)
    titles = tuple(re.sub(r"__+", "_", next(said)).strip("_") for _ in idiom.names)
    says = tuple((form, next(said)) for form, _ in idiom.says)
    # Of several ways to say a note, one.
    notes = tuple(rng.choice(next(said).split(" | ")) for _ in idiom.notes)
    params = [replace(param, kind=kinds.get(param.kind, param.kind)) for param in idiom.params]
    return Task(
        key=key,
        names=titles,
        params=(*params, *more),
        returns=kinds.get(idiom.returns, idiom.returns),
        says=says,
        notes=notes,
        gives=next(said),
        bodies=tuple(bodies),
        own="" if "<" in idiom.names[0] else titles[0],
    )


def _named(
    rng: Random, task: Task, parameters: tuple[str, ...], variables: tuple[str, ...]
) -> Task:
    """Gives the generic names `items` and `x` those of the element type."""
    code = "\n".join(task.bodies)
    taken = names.identifiers(code) | {param.name for param in task.params}
    mapping = {}
    for generic, pool in (("items", parameters), ("x", variables)):
        if generic in taken:
            chosen = rng.choice(pool)
            if chosen not in taken:
                mapping[generic] = chosen
                taken.add(chosen)
    return renamed(task, mapping)


def renamed(task: Task, mapping: dict[str, str]) -> Task:
    """Returns the task with variables and parameters renamed in code and English."""
    if not mapping:
        return task

    def english(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda m: "{" + mapping.get(m[1], m[1]) + "}", text)

    return replace(
        task,
        params=tuple(replace(p, name=mapping.get(p.name, p.name)) for p in task.params),
        says=tuple((form, english(text)) for form, text in task.says),
        notes=tuple(english(note) for note in task.notes),
        gives=english(task.gives),
        bodies=tuple(names.rename(body, mapping) for body in task.bodies),
    )


def needed(code: str, own: str = "") -> list[str]:
    """Returns the helpers that the code calls, those that they call before them."""
    table = helpers()
    found: list[str] = []
    for name in CALL.findall(code):
        if name in table and name != own and name not in found:
            for deeper in needed(table[name].bodies[0], name):
                if deeper not in found:
                    found.append(deeper)
            found.append(name)
    return found
