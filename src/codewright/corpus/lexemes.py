"""Source text as numbers: hashes of tokens, and of every run of n tokens.

Near-duplicates, decontamination and fingerprints all compare runs of tokens. Here is what they
share: one hash a token, alike on every machine, and one polynomial hash a run, for all runs at
once. Hashes are uint64, and well mixed: any of their bits will do.

A "token" is what a regular expression finds; Python's own tokenizer is many times slower and
refuses broken files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

WORDS = re.compile(r"\w+|[^\w\s]")
"""Names and numbers whole, anything else character by character."""
KNOWN = 1_000_000
"""Tokens whose hashes are remembered."""

_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)

_HEADER = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)+")
_LEGAL = re.compile(r"licen[sc]e|copyright|\(c\)|spdx|all rights reserved", re.IGNORECASE)


class TokenHashes(dict[str, int]):
    """The hash of each token that is asked for, remembered."""

    def __missing__(self, token: str) -> int:
        if len(self) >= KNOWN:
            self.clear()
        value = self[token] = self.hashed(token)
        return value

    def hashed(self, token: str) -> int:
        """Returns the hash of a token that is not remembered."""
        data = token.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(data, digest_size=8).digest())

    def of(self, tokens: Sequence[str]) -> NDArray[np.uint64]:
        """Returns the hash of each of `tokens`."""
        return np.fromiter(map(self.__getitem__, tokens), np.uint64, len(tokens))


def runs(hashes: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Returns the hash of each run of `length` tokens; a shorter text is one run by itself.

    Karp and Rabin's polynomial, for all runs at once: the difference of two prefix sums.
    """
    count = len(hashes)
    length = min(length, count)
    if not count:
        return np.empty(0, np.uint64)
    powers = np.full(count, _BASE, np.uint64)
    inverse = np.full(count, _INVERSE, np.uint64)
    powers[0] = inverse[0] = 1
    powers, inverse = np.cumprod(powers), np.cumprod(inverse)
    sums = np.zeros(count + 1, np.uint64)
    np.cumsum(hashes * inverse, out=sums[1:])
    return mixed((sums[length:] - sums[: count + 1 - length]) * powers[: count + 1 - length])


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Returns values whose every bit depends on every bit of the given ones (SplitMix64's end)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def body(text: str) -> str:
    """Returns `text` as it is compared: without what two copies of a file may differ in.

    Byte order mark, line ends, white space at the end of lines and of the file, and a comment at
    its top that speaks of a licence or of copyright do not count.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header = _HEADER.match(text)
    if header and _LEGAL.search(header[0]):
        text = text[header.end() :]
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
