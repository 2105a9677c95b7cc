"""Inputs from type hints, from calls that are known, and where there is neither, from guesses.

Annotations are read as syntax, never evaluated. What is drawn is small: programs that were written
for ordinary inputs should not be sent into endless computation. The same seed gives the same calls
everywhere: Hypothesis does not promise that, for it also draws constants of the modules that
happen to be loaded, so the drawing is done here.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

from codewright.types.behaviour import Call
from codewright.verify.calls import Place, distinct, is_hashable, levelled, places, tied
from codewright.verify.literals import expression, literal
from codewright.verify.operations import Refused
from codewright.verify.shapes import (
    Make,
    always,
    any_of,
    boolean,
    integer,
    many,
    real,
    shape_of,
    text,
)
from codewright.verify.signature import Signature, signature

_ATTEMPTS: Final = 6
_ANYTHING: Final = any_of((integer, text, real, boolean, many(integer, 0, 3), always(None)))


def _bytes(rng: random.Random) -> bytes:
    return text(rng).encode()


def _complex(rng: random.Random) -> complex:
    return complex(rng.randint(-5, 5), rng.randint(-5, 5))


_PLAIN: Final[Mapping[str, Make]] = {
    "int": integer,
    "float": real,
    "str": text,
    "bool": boolean,
    "bytes": _bytes,
    "complex": _complex,
    "None": always(None),
    "NoneType": always(None),
    "Any": _ANYTHING,
    "object": _ANYTHING,
    "Number": any_of((integer, real)),
    "Text": text,
    "Hashable": any_of((integer, text)),
    "T": integer,
}
_LISTS: Final = frozenset({
    "list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "Iterator",
})  # fmt: skip
_SETS: Final = frozenset({"set", "Set", "AbstractSet", "MutableSet", "frozenset", "FrozenSet"})
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "DefaultDict"})
_WRAPPERS: Final = frozenset({"Annotated", "Final", "Required", "NotRequired"})

_SHAPES: Final[tuple[Make, ...]] = (
    integer,
    many(integer, 1, 6),
    text,
    many(text, 1, 4),
    real,
    many(many(integer, 1, 3), 1, 3),
    lambda rng: {text(rng): integer(rng) for _ in range(rng.randint(1, 3))},
    lambda rng: (integer(rng), integer(rng)),
    boolean,
)
"""What parameters are, the most usual first."""


def maker(annotation: ast.expr | None) -> Make | None:
    """Returns a maker of values of an annotated type; None where it is not known."""
    match annotation:
        case ast.Constant(value=None):
            return always(None)
        case ast.Constant(value=str() as quoted):
            return maker(expression(quoted))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _bare(name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union([left, right])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _generic(name, parts)
    return None


def _bare(name: str) -> Make | None:
    if name in _LISTS:
        return many(integer)
    if name in ("tuple", "Tuple"):
        return _tuples(many(integer, 0, 4))
    if name in _SETS or name in _MAPPINGS:
        return _generic(name, [ast.Name(id="str")] if name in _SETS else [])
    return _PLAIN.get(name)


def _generic(name: str, parts: list[ast.expr]) -> Make | None:
    if name == "Literal":
        return _literals(parts)
    if name == "Optional":
        return _union([*parts, ast.Constant(value=None)])
    if name == "Union":
        return _union(parts)
    if name in _WRAPPERS:
        return maker(parts[0])
    if name in ("tuple", "Tuple") and len(parts) == 2 and _is_ellipsis(parts[1]):
        item = maker(parts[0])
        return item and _tuples(many(item, 0, 6))
    if name in _MAPPINGS and not parts:
        parts = [ast.Name(id="str"), ast.Name(id="int")]
    makers = [made for part in parts if (made := maker(part)) is not None]
    if len(makers) != len(parts) or not makers:
        return None
    if name in ("tuple", "Tuple"):
        return lambda rng: tuple(make(rng) for make in makers)
    if name in _LISTS:
        return many(makers[0])
    if name in _SETS:
        kind = frozenset if name.lower() == "frozenset" else set
        drawn = many(makers[0], 0, 6)
        return lambda rng: kind(item for item in drawn(rng) if is_hashable(item))
    if name in _MAPPINGS and len(makers) == 2:
        key, value = makers
        return lambda rng: {
            drawn: value(rng) for _ in range(rng.randint(0, 5)) if is_hashable(drawn := key(rng))
        }
    return None


def _tuples(drawn: Make) -> Make:
    return lambda rng: tuple(drawn(rng))


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _union(parts: list[ast.expr]) -> Make | None:
    makers = [made for part in parts if (made := maker(part)) is not None]
    if not makers:
        return None
    # None is one value, so it is drawn less often than the values of a type.
    weighted = [
        make
        for make, part in zip(makers, parts, strict=False)
        for _ in range(1 if isinstance(part, ast.Constant) and part.value is None else 3)
    ]
    return any_of(weighted)


def _literals(parts: list[ast.expr]) -> Make | None:
    try:
        values = [literal(part) for part in parts]
    except Refused:
        return None
    return any_of([always(value) for value in values])


def from_hints(
    prompt: str, entry_point: str, count: int, seed: int, known: Sequence[Call] = ()
) -> list[Call]:
    """Returns up to `count` different calls of `entry_point` with values of its annotated types.

    Args:
        known: calls that are like what is wanted. A parameter without an annotation, or with one
            that leaves the items open (`list`), is drawn like theirs.

    Their source is "hint", or "inferred" where a parameter was drawn like the known. Empty where
    there is a parameter of which neither is known.
    """
    shown = signature(prompt, entry_point)
    if shown is None:
        return []
    makers: dict[Place, Make] = {}
    inferred = False
    for position, name in enumerate((*shown.names, *sorted(shown.needed))):
        place: Place = position if position < len(shown.names) else name
        annotation = shown.annotations[name]
        made = maker(annotation)
        alike = _values_at(known, shown, place)
        if alike and (made is None or _open(annotation)):
            made, inferred = shape_of(alike), True
        if made is None:
            if isinstance(place, int) and place >= shown.required:
                break
            return []
        makers[place] = made
    return _draw(makers, shown.required, known, count, seed, "inferred" if inferred else "hint")


def inferred(known: Sequence[Call], count: int, seed: int) -> list[Call]:
    """Returns up to `count` different calls with values like those of the known calls."""
    if not known:
        return []
    least = min(len(call.args) for call in known)
    makers: dict[Place, Make] = {}
    for place in [*range(max(len(call.args) for call in known)), *_shared_keywords(known)]:
        makers[place] = shape_of([v for call in known for at, v in places(call) if at == place])
    return _draw(makers, least, known, count, seed, "inferred")


def guesses(arity: int, seed: int) -> list[Call]:
    """Returns probing calls of `arity` positional arguments, of several shapes, the usual first.

    Whoever runs them learns which shapes a function takes: those that do not raise.
    """
    rng = random.Random(f"guesses {seed}")
    usual = sorted(product(range(len(_SHAPES)), repeat=min(arity, 3)), key=_rarity)[:24]
    rest = max(0, arity - 3)
    calls = []
    for shape in usual:
        chosen = [*shape, *shape[-1:] * rest]
        for _ in range(3):
            args = tuple(_SHAPES[number](rng) for number in chosen)
            calls.append(Call(args=args, source="inferred"))
    return list(distinct(calls))


def _rarity(shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Parameters that are all alike are likelier than their shapes alone would be."""
    return (sum(shape) if len(set(shape)) > 1 else max(shape, default=0)), shape


def _draw(
    makers: Mapping[Place, Make],
    required: int,
    known: Sequence[Call],
    count: int,
    seed: int,
    source: str,
) -> list[Call]:
    rng = random.Random(f"{source} {seed}")
    positions = sum(isinstance(place, int) for place in makers)
    level = tied(known)

    def one() -> Call:
        values = {place: make(rng) for place, make in makers.items()}
        given = (
            positions if rng.random() < 0.7 else rng.randint(min(required, positions), positions)
        )
        call = Call(
            args=tuple(values[place] for place in range(given)),
            kwargs={place: value for place, value in values.items() if isinstance(place, str)},
            source=source,
        )
        return levelled(call, level)

    return list(distinct(one() for _ in range(count * _ATTEMPTS)))[:count]


def _values_at(known: Sequence[Call], shown: Signature, place: Place) -> list[Any]:
    """What known calls give at a place, by position or by the name of the parameter."""
    names = {place}
    if isinstance(place, int):
        names.add(shown.names[place])
    return [value for call in known for at, value in places(call) if at in names]


def _open(annotation: ast.expr | None) -> bool:
    """Whether an annotation names a container without saying of what."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name not in ("int", "float", "str", "bool", "bytes", "complex")
    return False


def _shared_keywords(known: Sequence[Call]) -> list[str]:
    return sorted(set.intersection(*(set(call.kwargs) for call in known)))
