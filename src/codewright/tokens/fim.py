"""Fill in the middle: one arrangement for training and for completion, exact to the byte.

    PSM   PREFIX p SUFFIX s MIDDLE m END
    SPM   PREFIX SUFFIX s MIDDLE p m END

Prefix, middle and suffix are each encoded by themselves, so that what a completion shows the
model at an arbitrary cursor looks as it did in training (Bavarian et al. 2022, "Efficient
Training of Language Models to Fill in the Middle", §3: cut at characters, not at tokens; SPM in
its second variant, where prefix and middle stand together). `join` gives the document back.

T in a name is the tokens of a document, L its lines. Nothing here chooses how many documents are
cut, or packs them: the corpus does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator as Random
from numpy.typing import NDArray

from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END, FILE, MIDDLE, PREFIX, REPOSITORY, SUFFIX

Mode = Literal["psm", "spm"]


Ids = Sequence[int] | NDArray[np.integer]
"""A document as ids: those of `Tokenizer.encode`, as a list or an array."""

MOST_LINES = 8
LONGEST_SPAN = 512
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """How the middle is chosen, as shares of the documents.

    The rest has two uniform cuts, as Bavarian et al.; in a file of usual length they leave a
    middle that is far longer than what an editor asks for, hence the others.

    remainder: from a cut anywhere to the end of its line, as when someone types.
    lines: whole lines; half of the time one, else up to `MOST_LINES`.
    span: from a cut anywhere, 1 to `LONGEST_SPAN` bytes, all orders of magnitude alike.
    """

    remainder: float = 0.15
    lines: float = 0.15
    span: float = 0.2

    def __post_init__(self) -> None:
        shares = (self.remainder, self.lines, self.span)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("remainder, lines and span are shares, and their sum is at most 1")


UNIFORM = Cuts(remainder=0.0, lines=0.0, span=0.0)
"""Two uniform cuts, always."""
USUAL = Cuts()


def arrange(
    prefix: Sequence[int], suffix: Sequence[int], middle: Sequence[int], mode: Mode
) -> list[int]:
    """Returns the ids in the order of `mode`, without END: a prompt has an empty middle."""
    if mode == "psm":
        return [PREFIX, *prefix, SUFFIX, *suffix, MIDDLE, *middle]
    return [PREFIX, SUFFIX, *suffix, MIDDLE, *prefix, *middle]


def prompt(tokenizer: Tokenizer, prefix: str | bytes, suffix: str | bytes, mode: Mode) -> list[int]:
    """Returns what a model is shown so that it writes what belongs between, and END."""
    return arrange(tokenizer.encode(prefix), tokenizer.encode(suffix), (), mode)


def transform(
    tokenizer: Tokenizer,
    document: str | bytes | Ids,
    rng: Random,
    mode: Mode,
    cuts: Cuts = USUAL,
) -> list[int]:
    """Returns a document cut and arranged for training, END included.

    Given as ids, only the lines that are cut are encoded again: many times faster, and the same.
    """
    if isinstance(document, (str, bytes)):
        data = document if isinstance(document, bytes) else _utf8(document)
        start, stop = choose(data, rng, cuts)
        prefix, middle, suffix = (
            tokenizer.encode(part) for part in (data[:start], data[start:stop], data[stop:])
        )
    else:
        prefix, middle, suffix = split_ids(tokenizer, document, rng, cuts)
    return [*arrange(prefix, suffix, middle, mode), END]


def choose(data: bytes, rng: Random, cuts: Cuts = USUAL) -> tuple[int, int]:
    """Returns where the middle begins and ends, in bytes, never inside a character.

    Takes four numbers from `rng`, whatever comes of them.
    """
    kind, here, there, size = rng.random(4).tolist()
    first = int(here * (len(data) + 1))
    if kind < cuts.remainder:
        start, stop = first, _line_end(data, first)
    elif kind < cuts.remainder + cuts.lines:
        count = 1 if there < 0.5 else 1 + int(size * MOST_LINES)
        start, stop = _whole_lines(data, first, count)
    elif kind < cuts.remainder + cuts.lines + cuts.span:
        start, stop = first, min(first + int((LONGEST_SPAN + 1) ** size), len(data))
    else:
        second = int(there * (len(data) + 1))
        start, stop = min(first, second), max(first, second)
    return border(data, start), border(data, stop)


def border(data: bytes, cut: int) -> int:
    """Returns `cut`, or the beginning of the UTF-8 character that it would divide."""
    for start in range(cut - 1, max(cut - 4, -1), -1):
        if data[start] & 0xC0 != 0x80:
            length = _character_length(data[start])
            if start + length > cut and _is_character(data[start : start + length]):
                return start
            break
    return cut


def join(tokenizer: Tokenizer, ids: Iterable[int]) -> bytes:
    """Returns the document that was arranged, or that was not: plain ids are decoded."""
    parts: dict[int, list[int]] = {END: [], PREFIX: [], SUFFIX: [], MIDDLE: []}
    into = parts[END]
    for token in ids:
        if token in parts:
            into = parts[token]
        else:
            into.append(token)
    # In SPM the prefix is empty and the middle opens with it: the same order serves both.
    ordered = parts[PREFIX] + parts[MIDDLE] + parts[SUFFIX]
    return tokenizer.decode_bytes(parts[END] + ordered)


def repository(
    tokenizer: Tokenizer, name: str, files: Iterable[tuple[str, str | bytes]]
) -> list[int]:
    """Returns several files as one document: REPOSITORY name, then FILE path, line break, text.

    Args:
        name: of the repository; empty to leave it out.
        files: (path, text), those that the last one needs before it.
    """
    ids = [REPOSITORY, *tokenizer.encode(name)] if name else []
    for path, text in files:
        ids += [FILE, *tokenizer.encode(path), *tokenizer.encode("\n"), *tokenizer.encode(text)]
    return [*ids, END]


def split_ids(
    tokenizer: Tokenizer, ids: Ids, rng: Random, cuts: Cuts = USUAL
) -> tuple[list[int], list[int], list[int]]:
    """Returns prefix, middle and suffix of a document that is given as ids.

    A piece begins wherever a line break follows something else, and nothing before it can change
    it. So the ids outside the lines that are cut stay, and those lines are encoded again.
    """
    ids_T = np.asarray(ids, dtype=np.int64)
    known = ids_T.tolist()
    data = tokenizer.decode_bytes(known)
    start, stop = choose(data, rng, cuts)
    ends_T = tokenizer.lengths_V[ids_T].cumsum()
    opens_T = tokenizer.opens_V[ids_T]
    opens_T[1:] &= ~tokenizer.closes_V[ids_T[:-1]]
    # Places, as token and as byte, at which the ids may be taken apart; the end is one too.
    tokens_L = np.concatenate(([0], np.flatnonzero(opens_T[1:]) + 1, [len(known)]))
    bytes_L = np.concatenate(([0], ends_T))[tokens_L]
    (a, b), (c, d) = (_around(bytes_L, cut) for cut in (start, stop))
    before, after = tokens_L[[a, c]].tolist(), tokens_L[[b, d]].tolist()
    left, right = bytes_L[[a, c]].tolist(), bytes_L[[b, d]].tolist()
    prefix = known[: before[0]] + tokenizer.encode(data[left[0] : start])
    suffix = tokenizer.encode(data[stop : right[1]]) + known[after[1] :]
    if right[0] > left[1]:
        return prefix, tokenizer.encode(data[start:stop]), suffix
    head, tail = tokenizer.encode(data[start : right[0]]), tokenizer.encode(data[left[1] : stop])
    return prefix, head + known[after[0] : before[1]] + tail, suffix


def _around(bytes_L: NDArray[np.int64], cut: int) -> tuple[int, int]:
    """Returns which of the places is the last one not after `cut`, and the first not before."""
    return int(bytes_L.searchsorted(cut, "right")) - 1, int(bytes_L.searchsorted(cut, "left"))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _line_end(data: bytes, place: int) -> int:
    """Returns where the line break, or the end, stands that follows `place`."""
    end = data.find(b"\n", place)
    return len(data) if end < 0 else end


def _whole_lines(data: bytes, place: int, count: int) -> tuple[int, int]:
    """Returns the ends of `count` lines from that of `place` on, line breaks included."""
    start = data.rfind(b"\n", 0, place) + 1
    stop = start
    for _ in range(count):
        stop = min(_line_end(data, stop) + 1, len(data))
    return start, stop


def _character_length(lead: int) -> int:
    return 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)


def _is_character(data: bytes) -> bool:
    try:
        return len(data.decode("utf-8")) == 1
    except UnicodeDecodeError:
        return False
