"""Settings: a TOML file and `a.b=c` overrides, read into frozen dataclasses.

A settings class is a frozen dataclass that stands beside what it configures. Its fields are
bool, int, float, str, Path, Literal, tuples, dicts with string keys, other settings classes, and
unions of these. A key that no field has is an error, never ignored; so is a value of another
type: "3" is no number, and 1 is no truth value. The one conversion is int to float.

Nothing here reads the environment, merges several files or writes a file.
"""

from __future__ import annotations

import dataclasses
import reprlib
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from codewright.errors import ConfigError

T = TypeVar("T")

_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
    NoneType: "none",
}


class _Misfit(Exception):
    """A value does not fit a type; the message says what would."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Typed:
    """The text on the right of an override: a TOML value, or a bare string where one fits."""

    text: str


def load(cls: type[T], path: Path | None = None, overrides: Sequence[str] = ()) -> T:
    """Builds a `cls` from a TOML file and overrides, the later override winning.

    Args:
        cls: a frozen dataclass.
        path: the TOML file; None for the defaults alone.
        overrides: `a.b=c`, where `c` is a TOML value, or plain text for a string or a path, or
            `none` where the field may be None.

    Raises:
        ConfigError: the file is missing or broken, a key is unknown or missing, or a value does
            not fit its field.
    """
    table = {} if path is None else _read(path)
    for override in overrides:
        _place(table, override)
    return _build(cls, table, where="")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="name a TOML file that exists"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error.reason}", hint="TOML is UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} is not TOML: {error}", hint="see toml.io for the form"
        ) from error


def _place(table: dict[str, Any], override: str) -> None:
    """Puts one `a.b=c` into `table`."""
    name, equals, text = override.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or not all(keys):
        raise ConfigError(
            f"{override!r} is not an override", hint="write KEY=VALUE, for example limits.cpu=2"
        )
    for depth, key in enumerate(keys[:-1], start=1):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(
                f"{'.'.join(keys[:depth])} is a value, so it has no {keys[depth]}",
                hint=f"write {'.'.join(keys[:depth])}=VALUE",
            )
    table[keys[-1]] = _Typed(text.strip())


def _build(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    assert dataclasses.is_dataclass(cls), f"{cls} is not a settings class"
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    types = get_type_hints(cls)
    for key in table:
        if key not in fields:
            raise _unknown(where + key, key, list(fields))
    values = {key: _value(types[key], value, where + key) for key, value in table.items()}
    missing = [
        where + name
        for name, field in fields.items()
        if name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(
            f"{missing[0]} is not set",
            hint=f"set {', '.join(missing)} in the file or by {missing[0]}=VALUE",
        )
    try:
        return cls(**values)
    except ValueError as error:
        # A settings class refuses what its types cannot say in its __post_init__.
        place = where.rstrip(".")
        raise ConfigError(f"{place}: {error}" if place else str(error)) from error


def _unknown(name: str, key: str, known: list[str]) -> ConfigError:
    close = get_close_matches(key, known, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return ConfigError(
        f"unknown key {name}", hint=f"{guess}known here: {', '.join(sorted(known)) or 'no key'}"
    )


def _value(kind: Any, value: Any, where: str) -> Any:
    try:
        if isinstance(value, _Typed):
            return _fit_text(kind, value.text, where)
        return _fit(kind, value, where)
    except _Misfit as misfit:
        shown = reprlib.repr(value.text if isinstance(value, _Typed) else value)
        raise ConfigError(
            f"{where} is {shown}, which does not fit", hint=f"{where} takes {misfit}"
        ) from None


def _fit_text(kind: Any, text: str, where: str) -> Any:
    """Reads the right side of an override as a TOML value, or else as a string."""
    members = _members(kind)
    if text == "none" and NoneType in members:
        return None
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    if parsed.keys() != {"value"}:
        return _fit(kind, text, where)
    try:
        return _fit(kind, parsed["value"], where)
    except _Misfit as misfit:
        try:
            return _fit(kind, text, where)
        except _Misfit:
            raise misfit from None


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _fit(kind: Any, value: Any, where: str) -> Any:
    """Returns `value` as a `kind`. Raises _Misfit where it is none."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return _fit_union(arguments, value, where)
    if origin is Literal:
        # 1 == True and 1 == 1.0, so equality alone would let another type in.
        if not any(type(value) is type(choice) and value == choice for choice in arguments):
            raise _Misfit("one of " + ", ".join(str(choice) for choice in arguments))
        return value
    if origin is tuple:
        return _fit_tuple(arguments, value, where)
    if origin is dict:
        if not isinstance(value, dict):
            raise _Misfit("a table")
        return {key: _value(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise _Misfit("a table")
        return _build(kind, value, where + ".")
    return _fit_scalar(kind, value)


def _fit_scalar(kind: Any, value: Any) -> Any:
    assert kind in _NAMES, f"a settings class cannot have a field of type {kind}"
    if kind is Path and isinstance(value, str) and "\0" not in value:
        return Path(value)
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise _Misfit("a number below 1.8e308") from None
    if type(value) is not kind:
        raise _Misfit(_NAMES[kind])
    return value


def _fit_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    wanted = []
    for kind in kinds:
        try:
            return _fit(kind, value, where)
        except _Misfit as misfit:
            wanted.append(str(misfit))
    raise _Misfit(" or ".join(wanted))


def _fit_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _Misfit("a list")
    if kinds[-1:] == (Ellipsis,):
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise _Misfit(f"a list of {len(kinds)}")
    pairs = zip(kinds, value, strict=True)
    return tuple(_value(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(pairs))
