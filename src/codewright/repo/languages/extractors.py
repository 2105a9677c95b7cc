"""What reads the languages other than Python.

The packages of the grammars bring their parsers compiled: nothing is fetched.
"""

from __future__ import annotations

import re

from codewright.errors import MissingExtra
from codewright.repo.facts import Extractor

BEGINNING = 1 << 16
"""Bytes of a header that are looked at."""
CPP = re.compile(
    rb"""^[ \t]*(?:
        class\s+[\w:]+\s*(?:final\s*)?[:{;]
        | (?:inline\s+)?namespace\b[\s\w:]*\{
        | template\s*< | using\s+(?:namespace\b|\w+\s*=|[\w:]+;)
        | (?:public|private|protected)\s*: | \#\s*include\s*<[a-z_]+>
    ) | \b(?:std::\w|constexpr\b|nullptr\b|noexcept\b|operator\s*(?:[=<(+*\[]|==))""",
    re.MULTILINE | re.VERBOSE,
)
ONLY_CPP = re.compile(rb"#\s*if(?:def\s+|\s+defined\W+)__cplusplus.*?#\s*endif", re.DOTALL)


def is_cpp(data: bytes) -> bool:
    """Returns whether a header is C++: by what C does not have, outside of `#ifdef __cplusplus`."""
    return bool(CPP.search(ONLY_CPP.sub(b"", data[:BEGINNING])))


def extractor_of(language: str) -> Extractor:
    """Returns what reads one language.

    Raises:
        MissingExtra: tree-sitter or the language's grammar is not installed.
    """
    try:
        from codewright.repo.languages.grammars import grammar
        from codewright.repo.languages.syntax import SyntaxExtractor
        from codewright.repo.languages.tables import table
    except ModuleNotFoundError:
        raise MissingExtra("tree-sitter", "repo") from None
    return SyntaxExtractor(language, grammar(language), table(language))
