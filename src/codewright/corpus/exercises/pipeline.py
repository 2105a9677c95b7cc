"""Compositions: a source, conditions, maps and one way to end, as one `Task` in several styles.

A pipeline means the same in each style: one expression, a loop, a loop that skips, named steps,
an index loop, lambdas. Which pieces it has is its key.
"""

from __future__ import annotations

import re
from random import Random

from codewright.corpus.exercises import names
from codewright.corpus.exercises.parts import Param, Task
from codewright.corpus.exercises.pieces import (
    ELEMENTS,
    Map,
    Predicate,
    attach,
    being,
    maps,
    predicates,
)
from codewright.corpus.exercises.reducers import (
    COUNT,
    IN,
    REDUCERS,
    SEQUENCES,
    SLICES,
    SOURCES,
    Reducer,
    Source,
)
from codewright.corpus.exercises.styles import Plan, bodies

ATOM = re.compile(r"\w+|\w+\([^()]*\)|\w+(\.\w+\([^()]*\))+|\w+\[[^\[\]]*\]")
THRESHOLDS = ("k", "limit", "threshold", "n", "bound", "m")
ABOVE_DIGITS = ("one_digit", "two_digit", "non_negative", "negative", "large", "ending_in")
TOO_PLAIN = ("list", "string", "max", "longest", "first", "concat", "total_length")
"""Ends that say nothing worth an exercise where nothing is chosen and nothing is mapped."""
NUMERALS = ("text", "binary")
OF_NUMERALS = ("length", "reversed", "initial", "last_letter", "sorted_letters")
"""What is worth saying of a number that is written down: letters and case are not."""
LETTERS = ("letter", "char", "target", "letter", "ch")


class Constants:
    """The constants of one pipeline: some are literals, some become parameters."""

    def __init__(self, rng: Random, taken: set[str], *, top: int = 20) -> None:
        self.rng = rng
        self.taken = taken
        self.top = top
        self.params: list[Param] = []
        self.key: list[str] = []

    def get(self, kind: str) -> tuple[str, str]:
        """Returns (code, English) of a constant of `kind`, both empty where there is none."""
        if not kind:
            return "", ""
        rng = self.rng
        if rng.random() < 0.4 and len(self.params) < 2:
            pool = LETTERS if kind == "char" else THRESHOLDS
            name = next((n for n in rng.sample(pool, len(pool)) if n not in self.taken), "")
            if name:
                self.taken.add(name)
                tag = {"char": "char", "int": "tiny", "pos": "small"}[kind]
                self.params.append(Param(name=name, kind=tag, about=ABOUT[kind]))
                return name, "{" + name + "}"
        if kind == "char":
            letter = rng.choice("aeiostrbcdm")
            return f'"{letter}"', f"'{letter}'"
        numbers = (2, 3, 4, 5, 6, 7) if kind == "pos" else (1, 2, 3, 5, 8, 10, 12, 20)
        number = rng.choice([number for number in numbers if number <= self.top])
        return str(number), str(number)


ABOUT = {
    "char": "the character to look for",
    "int": "the number to compare with",
    "pos": "a positive number",
}


def pipeline(rng: Random) -> Task:
    """Draws a pipeline; one that is too poor, or cannot be written, is drawn again."""
    while True:
        source, params = _source(rng)
        element = ELEMENTS[source.element]
        taken = {"i", *(name for name, _ in params), *source.outer.split()}
        variable = rng.choice(element.variables)
        if source.noun is not None and rng.random() < 0.5:
            variable = source.noun[0]
        if variable in taken:
            continue
        taken.add(variable)
        digits = source.noun == ("digit", "digits")
        constants = Constants(rng, taken, top=8 if digits else 20)
        conditions = _conditions(rng, source.element, constants)
        if digits and any(p.name in ABOVE_DIGITS for p, _ in conditions):
            continue
        chain, position = _maps(rng, source, constants)
        gives = chain[-1][0].gives if chain else source.element
        gives = "int" if position else gives
        reducer = _reducer(rng, gives, plain=not chain and not position, some=bool(conditions))
        if len(conditions) + len(chain) + position > 0 or reducer.name not in TOO_PLAIN:
            break
    value = variable
    for piece, (code, _) in chain:
        value = _apply(piece.code, value, code)
    either = len(conditions) == 2 and rng.random() < 0.2
    plan = Plan(
        source=source,
        variable=variable,
        conditions=tuple(_put(p.code, variable, code) for p, (code, _) in conditions),
        negations=tuple(_put(p.negated, variable, code) for p, (code, _) in conditions),
        either=either,
        value="i" if position else value,
        position=position,
        reducer=reducer,
    )
    if either and any(" and " in code for code in plan.conditions):
        return pipeline(rng)
    written = tuple(body for body in bodies(plan) if not _shadows(body, params))
    if not written:
        return pipeline(rng)
    all_params = (*(Param(name=n, kind=k) for n, k in params), *constants.params)
    noun = source.noun or rng.choice(element.nouns)
    english = _english(rng, plan, noun, conditions, chain)
    says = tuple((reducer.form, _fill(pattern, english)) for pattern in reducer.english)
    return Task(
        key=_key(plan, conditions, chain),
        names=_names(rng, plan, noun, conditions, chain),
        params=all_params,
        returns=_returns(reducer, gives),
        says=says,
        notes=(rng.choice(reducer.notes),) if reducer.notes else (),
        gives=rng.choice(says)[1],
        bodies=written,
    )


def _put(code: str, variable: str, k: str) -> str:
    return code.replace("{x}", variable).replace("{k}", k)


def _source(rng: Random) -> tuple[Source, tuple[tuple[str, str], ...]]:
    if rng.random() < 0.3:
        source = rng.choice(SOURCES)
        generic = [name for name, _ in source.params if name == "items"]
        if not generic:
            return source, source.params
        kind = source.params[0][1]
        name = rng.choice(PARAMETERS[kind])
        code, outer = source.code.replace("items", name), source.outer.replace("items", name)
        where = tuple(text.replace("{items}", "{" + name + "}") for text in source.where)
        params = ((name, kind),)
        if code == "map(int, str(n))":
            params = (("n", kind),)
            where = tuple(text.replace(name, "n") for text in where)
        elif code == "map(int, digits)":
            params = (("digits", kind),)
            where = tuple(text.replace("{" + name + "}", "{digits}") for text in where)
        return Source(
            element=source.element, code=code, where=where, params=params, noun=source.noun,
            outer=outer,
        ), params  # fmt: skip
    kind = rng.choice(SEQUENCES)
    element = ELEMENTS[kind]
    name = rng.choice(element.parameters)
    params = ((name, element.sequence),)
    if rng.random() < 0.16:
        code, said = rng.choice(SLICES)
        where = tuple(part.strip().replace("items", name) for part in said.split("|"))
        code = code.replace("items", name)
        return Source(element=kind, code=code, where=where, params=params), params
    where = tuple(text % name for text in IN)
    return Source(element=kind, code=name, where=where, params=params, indexed=True), params


PARAMETERS = {
    "big": ("n", "number", "num", "value"),
    "digits": ("digits",),
    "text": ("text", "sentence", "s", "line", "phrase"),
    "counts": ("counts", "d", "mapping", "table", "prices", "scores", "stock"),
    "matrix": ("matrix", "grid", "rows", "table"),
    "nested": ("lists", "groups", "nested", "list_of_lists"),
    "strs": ("words", "strings", "lines", "names"),
}


def _conditions(
    rng: Random, element: str, constants: Constants
) -> list[tuple[Predicate, tuple[str, str]]]:
    how_many = rng.choices((0, 1, 2), (22, 60, 18))[0]
    found: list[tuple[Predicate, tuple[str, str]]] = []
    for predicate in rng.sample(predicates(element), how_many):
        if found and found[0][0].code.split()[1:2] == predicate.code.split()[1:2]:
            continue
        found.append((predicate, constants.get(predicate.constant)))
    order = {"adj": 0, "post": 1, "verb": 2}
    return sorted(found, key=lambda pair: order[pair[0].form])


def _maps(
    rng: Random, source: Source, constants: Constants
) -> tuple[list[tuple[Map, tuple[str, str]]], bool]:
    if not source.outer and source.indexed and rng.random() < 0.08:
        return [], True
    how_many = rng.choices((0, 1, 2), (42, 46, 12))[0]
    chain: list[tuple[Map, tuple[str, str]]] = []
    kind = source.element
    for _ in range(how_many):
        piece = rng.choice(maps(kind))
        if chain and (chain[-1][0].single == piece.single or piece.name == "double"):
            continue
        if chain and chain[-1][0].name in NUMERALS and piece.name not in OF_NUMERALS:
            continue
        chain.append((piece, constants.get(piece.constant)))
        kind = piece.gives
    return chain, False


def _reducer(rng: Random, gives: str, *, plain: bool, some: bool) -> Reducer:
    if plain and some and rng.random() < 0.16:
        return COUNT
    return rng.choice([reducer for reducer in REDUCERS if gives in reducer.takes])


def _apply(code: str, value: str, k: str) -> str:
    inner = value if ATOM.fullmatch(value) else f"({value})"
    return code.replace("({x})", f"({value})").replace("{x}", inner).replace("{k}", k)


def _shadows(body: str, params: tuple[tuple[str, str], ...]) -> bool:
    """True where a body gives a parameter another value."""
    return any(re.search(rf"^ *{name} =|^ *{name} \+=", body, re.M) for name, _ in params)


def _returns(reducer: Reducer, gives: str) -> str:
    if reducer.returns == "*":
        return "ints" if gives == "int" else "strs"
    if reducer.returns == "?":
        return "int?" if gives == "int" else "str?"
    return "text" if reducer.returns == "=" else reducer.returns


def _english(
    rng: Random,
    plan: Plan,
    noun: tuple[str, str],
    conditions: list[tuple[Predicate, tuple[str, str]]],
    chain: list[tuple[Map, tuple[str, str]]],
) -> str:
    """Returns what the values are, without an article."""
    where = rng.choice(plan.source.where)
    plural = noun[1]
    if plan.either:
        said = " or ".join(being(p, k, plural=True) for p, (_, k) in conditions)
        things = f"{plural} {where} that {said}"
    else:
        adjectives = " ".join(p.single for p, _ in conditions if p.form == "adj")
        after = [(p, k) for p, (_, k) in conditions if p.form != "adj"]
        things = f"{adjectives} {plural}".strip()
        if len(after) == 1 and after[0][0].form == "post" and rng.random() < 0.5:
            things = attach(things, after[0][0], after[0][1], plural=True) + f" {where}"
        elif after:
            said = " and ".join(being(p, k, plural=True) for p, k in after)
            things = f"{things} {where} that {said}"
        else:
            things = f"{things} {where}"
    before = "indices of the " if plan.position else ""
    for piece, (_, k) in chain:
        before = piece.plural.replace("{k}", k) + " of the " + before
    return before + things


def _fill(pattern: str, things: str) -> str:
    pattern = pattern.replace("{of:are}", things + " there are")
    return (
        pattern.replace("{of:bare}", things)
        .replace("{of:the}", "the " + things)
        .replace("{of}", "the " + things)
    )


def _key(
    plan: Plan,
    conditions: list[tuple[Predicate, tuple[str, str]]],
    chain: list[tuple[Map, tuple[str, str]]],
) -> str:
    source = re.sub(r"\b(?!len|range|map|int|str|split|values|n\b)[a-z]\w*", "_", plan.source.code)
    parts = [plan.source.element, source, *(p.name for p, _ in conditions)]
    parts += ["or"] if plan.either else []
    parts += ["index"] if plan.position else []
    return "-".join([*parts, *(piece.name for piece, _ in chain), plan.reducer.name])


def _names(
    rng: Random,
    plan: Plan,
    noun: tuple[str, str],
    conditions: list[tuple[Predicate, tuple[str, str]]],
    chain: list[tuple[Map, tuple[str, str]]],
) -> tuple[str, ...]:
    adjectives = [p.name for p, _ in conditions]
    done = [piece.name for piece, _ in reversed(chain)] + (["indices"] if plan.position else [])
    end = [] if plan.reducer.name in ("list", "string") else [plan.reducer.name]
    middle = "_or_" if plan.either else "_"
    filtered = middle.join(adjectives)
    found = [
        names.join([*end, *done, filtered, noun[1]]),
        names.join([*end, *done, filtered]),
        names.join([filtered, noun[1], *done, *end]),
        names.join([filtered, *done, *end]),
        names.join([*end, "of", *done, filtered, noun[1]] if end else [*done, filtered], 44),
    ]
    return tuple(name for name in found if name and name not in names.BUILTINS) or ("collect",)
