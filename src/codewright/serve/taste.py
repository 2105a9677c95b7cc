"""What a user of the language server wants to see, and how a client says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SECTION = "codewright"
"""Of a client's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What a user wants to see.

    max_tokens: of an offer. least: how probable its tokens have to be, the geometric mean of them;
    less sure offers are not shown. line: offers end with the line. wait: seconds without a key
    stroke before the model writes. window: tokens that the model reads and writes at most; 0: as
    many as it can. context: tokens of other files of the repository that it is shown besides.
    """

    max_tokens: int = 64
    least: float = 0.4
    line: bool = False
    wait: float = 0.05
    window: int = 1024
    context: int = 0


FITS: Mapping[str, Callable[[Any], bool]] = {
    "max_tokens": lambda value: type(value) is int and 0 < value <= 4096,
    "least": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "line": lambda value: type(value) is bool,
    "wait": lambda value: type(value) in (int, float) and 0 <= value <= 10,
    "context": lambda value: type(value) is int and 0 <= value <= 1 << 16,
    "window": lambda value: type(value) is int and (value == 0 or 256 <= value <= 1 << 20),
}
"""What a client may set."""


def tasted(taste: Taste, settings: object) -> tuple[Taste, list[str]]:
    """Returns the taste with what a client sends, and what of it is no setting, as sentences.

    A value that is null is left as it is: clients send so what a user has not set.
    """
    if not isinstance(settings, Mapping):
        return taste, []
    changes: dict[str, Any] = {}
    odd = []
    for name, value in settings.items():
        if name in FITS and FITS[name](value):
            changes[name] = value
        elif name not in FITS or value is not None:
            odd.append(f"{SECTION}.{name} = {value!r} is no setting of this server")
    return dataclasses.replace(taste, **changes), odd
