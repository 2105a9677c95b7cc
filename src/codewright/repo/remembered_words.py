"""The words of a text, quickly: those of an identifier that was met before are remembered.

    RememberedWords()(data) == words(data)

Code is the same identifiers again and again. No word of `words.py` goes across an ASCII character
that is neither a letter, a digit nor `_`, so what stands between two of these can be looked up.
"""

from __future__ import annotations

import re

from codewright.repo.words import words

MOST = 300_000
"""Identifiers that are remembered; then it begins anew."""
LONGEST = 100
"""Bytes of one that is: longer ones do not come again."""
_BETWEEN = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")


class RememberedWords:
    """Does what `words` does. For several threads, which share what is remembered."""

    def __init__(self) -> None:
        self._known = _Known()

    def __call__(self, data: bytes) -> str:
        """Returns the words of a UTF-8 text in their order, with one space between two."""
        if len(self._known) > MOST:
            self._known = _Known()
        known = self._known
        return " ".join(filter(None, [known[each] for each in _BETWEEN.findall(data)]))


class _Known(dict[bytes, str]):
    """Identifier → its words, made when it is first asked for."""

    def __missing__(self, identifier: bytes) -> str:
        found = words(identifier)
        if len(identifier) <= LONGEST:
            self[identifier] = found
        return found
