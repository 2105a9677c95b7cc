"""The record that every step of a corpus takes and gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file of source text.

    path: where it stands inside its origin. licence: an SPDX expression, empty where unknown.
    origin: the distribution, repository or archive it came from, with its version
    (`networkx==3.4.2`). language: the programming language's name in lower case.
    """

    text: str
    path: str
    licence: str
    origin: str
    language: str = "python"
