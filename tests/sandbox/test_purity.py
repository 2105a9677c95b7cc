"""The tables of what a gated program may name: they lead to nothing shared and mutable."""

from __future__ import annotations

import collections
import functools
import importlib
import json
import sys
import types
from typing import Any

import pytest

from codewright.sandbox.environment import COMMON_MODULES
from codewright.sandbox.purity import (
    ATTRIBUTES,
    BUILTINS,
    EXISTING,
    INERT,
    LATE,
    MEMBERS,
    RE_FLAGS_AT,
    TYPING_VALUES,
    WHOLE,
)


def public(module: str) -> set[str]:
    return {name for name in dir(importlib.import_module(module)) if not name.startswith("_")}


def test_tables_are_consistent() -> None:
    assert {"type", "id", "open", "getattr", "object", "exit"}.isdisjoint(BUILTINS)
    assert EXISTING >= BUILTINS
    assert not any(a.startswith("_") for a in ATTRIBUTES)
    assert {"format", "format_map", "mro", "register", "throw", "obj"}.isdisjoint(ATTRIBUTES)
    frames = ("f_", "tb_", "gi_", "co_", "cr_", "ag_", "func_", "im_")
    assert not any(a.startswith(frames) for a in ATTRIBUTES)
    assert MEMBERS["re"] >= RE_FLAGS_AT.keys()
    for module, members in MEMBERS.items():
        assert members <= set(dir(importlib.import_module(module))), module


@pytest.mark.parametrize("module", sorted(INERT))
def test_inert_modules_keep_nothing_back(module: str) -> None:
    members = public(module) if module in WHOLE else MEMBERS[module]
    assert ATTRIBUTES.isdisjoint(public(module) - members)


def fresh_values() -> list[Any]:
    """One object of each kind that a clean program can make."""
    import base64, copy, datetime, decimal, fractions, hashlib, itertools, re, statistics  # noqa: E401, I001
    from typing import TypeVar

    error = ValueError("x")
    return [
        *(1, 1.5, 1j, "a", b"a", bytearray(b"a"), (1,), [1], {1: 2}, {1}, frozenset({1}), None),
        *(range(3), slice(1), lambda: 0, (i for i in ()), map(str, ()), iter([]), error, len),
        *({}.keys(), {}.items(), {}.values(), reversed([]), zip(), enumerate([]), Ellipsis),
        *(collections.Counter(), collections.deque(), collections.defaultdict(list)),
        *(collections.OrderedDict(), decimal.Decimal(1), fractions.Fraction(1, 2)),
        *(datetime.date.min, datetime.time(), datetime.datetime.min, datetime.timedelta()),
        *(datetime.UTC, re.compile("a"), re.match("a", "a"), re.I, hashlib.md5(b"")),
        *(functools.partial(int), functools.lru_cache(lambda: 0), itertools.chain(), [].append),
        *(
            TypeVar("T"),
            base64.b64encode,
            copy.copy,
            statistics.mean,
            decimal.Decimal(1).as_tuple(),
        ),
        *(StopIteration(1), KeyError(1), list[int], int | None, functools.cmp_to_key(max), "".join),
        *(json.JSONDecodeError("a", "b", 0), sys.float_info, sys.version_info, datetime.tzinfo()),
    ]


METHODS = (types.BuiltinFunctionType, types.MethodDescriptorType, types.MethodType)


def reachable() -> dict[int, tuple[str, Any]]:
    """Everything that outlives a program and that the tables lead to, without calling."""
    todo: list[tuple[str, Any]] = [(name, vars(__import__("builtins"))[name]) for name in BUILTINS]
    for module, members in MEMBERS.items():
        loaded = importlib.import_module(module)
        names = public(module) if module in WHOLE else members
        todo += [(f"{module}.{name}", getattr(loaded, name)) for name in names]
        if module in INERT:
            todo.append((module, loaded))
    fresh = fresh_values()
    roots = {id(value) for value in fresh}
    todo += [(f"a {type(value).__name__}", value) for value in fresh]
    found: dict[int, tuple[str, Any]] = {}  # holds what it saw, so ids stay unique
    while todo:
        path, value = todo.pop()
        if id(value) in found:
            continue
        found[id(value)] = (path, value)
        if isinstance(value, METHODS) or path.count(".") > 3:
            continue  # a method has nothing but its name
        for attribute in (*ATTRIBUTES, "__name__"):
            try:
                below = getattr(value, attribute)
            except (AttributeError, TypeError, NotImplementedError, ValueError):
                continue
            todo.append((f"{path}.{attribute}", below))
    return {key: value for key, value in found.items() if key not in roots}


def test_nothing_shared_and_mutable_is_reachable() -> None:
    containers = (list, dict, set, bytearray, collections.deque)
    internals = (types.FrameType, types.CodeType, types.TracebackType, types.ModuleType)
    inert = {id(importlib.import_module(module)) for module in INERT}
    own = {"a partial.keywords"}  # the program's own partial made it
    reached = reachable()
    for path, value in reached.values():
        if path in own:
            continue
        assert not isinstance(value, containers), path
        assert value is not type, path
        assert value is not object, path
        assert not (isinstance(value, type) and issubclass(value, type)), path
        if isinstance(value, internals):
            assert id(value) in inert, path
        if isinstance(value, type(functools.lru_cache(len))):
            assert path.startswith("a "), path
        if isinstance(value, types.FunctionType) and not path.startswith("a function"):
            shared = [d for d in value.__defaults__ or () if isinstance(d, containers)]
            # deepcopy's marker for "not there" goes to nobody but memo.get.
            assert not shared or path == "copy.deepcopy", path
    assert len(reached) > 1000


def test_modules_are_loaded_beforehand() -> None:
    assert MEMBERS.keys() - LATE <= set(COMMON_MODULES)


def test_typing_values_are_few() -> None:
    assert {"TYPE_CHECKING", "TypeVar", "cast"} == TYPING_VALUES
