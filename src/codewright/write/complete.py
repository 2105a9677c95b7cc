"""Fill in the middle of a file: candidates for the place of the cursor, the best one first.

A candidate is cut to the cursor's block (`trim.py`) and mended in small ways where the code around
it would not parse with it (`margin.py`). Candidates that come to the same text are one offer: its
share of all candidates says how sure the model is. Offers with which the code parses stand first,
then those whose tokens were the more probable.

Only Python is parsed. Nothing is run, and no file is read or written here.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from codewright.errors import UserError
from codewright.types.context import Context
from codewright.types.generation import Completion, Generator, Grammar, Request
from codewright.write import margin
from codewright.write.source import parse
from codewright.write.trim import begun, block_end, trimmed

BEFORE, AFTER = 32_000, 8_000
"""Characters that a model is shown of what stands before the cursor, and behind it."""
CUT = 4_000
"""What stands before the cursor is cut off in steps of so many characters: while somebody types,
what is shown keeps its beginning, which then need not be read again."""
TRIES = 8
"""Changes to a candidate that are tried: each costs reading the code around it once more."""
TELLING = 8
"""Characters that the next line of the file needs to be a stop string: a short one may recur."""
_WORD = string.ascii_letters + string.digits + "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a file: what stands before it, and behind it. `python`: the file is Python."""

    before: str
    after: str
    python: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How completions are asked for. `line`: they end where the cursor's line does. `grammar`: what
    they have to be. `context`: what the model is shown of other files."""

    n: int = 1
    temperature: float = 0.0
    top_p: float = 0.95
    max_tokens: int = 128
    seed: int = 0
    line: bool = False
    grammar: Grammar | None = None
    context: Context | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A text for the cursor's place.

    votes: candidates that came to it; share: of all. log_probability: of the most probable of
    them, a token on average, natural logarithm; None where the model tells none. parses: whether
    the code around the cursor is Python with it; None where it is to be something else.
    """

    text: str
    votes: int
    share: float
    log_probability: float | None
    parses: bool | None


def cursor(text: str, line: int, column: int, *, python: bool) -> Cursor:
    """Returns the place at `line` and `column` of `text`, both from 1, columns in characters.

    One column behind the last character of a line is its end.

    Raises:
        UserError: there is no such line, or no such column in it.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise UserError(
            f"there is no line {line}: the file has {len(lines)}", hint="lines count from 1"
        )
    most = len(lines[line - 1]) + 1
    if not 1 <= column <= most:
        raise UserError(
            f"there is no column {column} in line {line}: it ends at {most}",
            hint="columns count characters, from 1",
        )
    place = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
    return Cursor(before=text[:place], after=text[place:], python=python)


def complete(place: Cursor, generator: Generator, wanted: Wanted) -> list[Offer]:
    """Returns the offers for a place, the best one first; none where no candidate has any text.

    Raises:
        CodewrightError: as the generator raises.
    """
    (said,) = generator.generate([request(place, wanted)])
    # What a grammar let through is what was wanted, to the last character; Python is trimmed.
    exact = wanted.grammar is not None and wanted.grammar.kind != "python"
    return rank(place, said, line=wanted.line, exact=exact)


def request(place: Cursor, wanted: Wanted) -> Request:
    """Returns what a model is asked.

    Where nothing but white space follows, nothing says that the file ends there: the model goes
    on with what stands before.
    """
    over = max(0, len(place.before) - BEFORE)
    before, after = place.before[-(-over // CUT) * CUT :], place.after[:AFTER]
    if over:
        before = before.partition("\n")[2] or before
    return Request(
        prompt=before,
        suffix=after if after.strip() else None,
        n=wanted.n,
        max_tokens=wanted.max_tokens,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        stop=("\n",) if wanted.line else _stops(place),
        seed=wanted.seed,
        task="complete",
        grammar=_grammar(place, wanted),
        context=wanted.context,
    )


def _grammar(place: Cursor, wanted: Wanted) -> Grammar | None:
    """Returns what a completion has to be; of Python, with what is shown of the file."""
    if wanted.grammar is None or wanted.grammar.kind != "python":
        return wanted.grammar
    return replace(wanted.grammar, lenient=len(place.after) > AFTER)


def nearby(place: Cursor) -> Cursor:
    """Returns the place without what stands before it and says nothing about what fits there.

    `rank` and `Block` give the same for it, and for a long file sooner.
    """
    if not place.python:
        return place
    return replace(place, before=place.before[margin.start(place.before) :])


class Block:
    """The block of a cursor, while it is being written."""

    def __init__(self, place: Cursor) -> None:
        self._head = begun(place.before, python=place.python)
        self._python = place.python

    def ended(self, text: str) -> bool:
        """Tells whether nothing that is said after `text` can belong to the block."""
        known = text.rstrip(_WORD)  # a word that goes on may be a clause
        return block_end(known, self._head, python=self._python) < len(known)


def rank(
    place: Cursor, said: Sequence[Completion], *, line: bool, exact: bool = False
) -> list[Offer]:
    """Returns what comes of the completions, the best first; `exact` leaves them as they are."""
    place = nearby(place)
    groups: dict[str, list[Completion]] = {}
    mended: dict[str, str] = {}
    for each in said:
        if each.text not in mended:
            mended[each.text] = each.text if exact else fitted(place, each.text, line=line)
        groups.setdefault(mended[each.text], []).append(each)
    offers = [
        Offer(
            text=text,
            votes=len(group),
            share=len(group) / len(said),
            log_probability=_best(group),
            parses=_parses(place, text) if place.python else None,
        )
        for text, group in groups.items()
        if text.strip()
    ]
    return sorted(offers, key=_rank)


def _rank(offer: Offer) -> tuple[bool, float, float]:
    known = 0.0 if offer.log_probability is None else offer.log_probability
    return offer.parses is False, -known, -offer.share


def _best(group: Sequence[Completion]) -> float | None:
    """Returns the largest log-probability of a token on average, where any is known."""
    return max(
        (
            each.log_probability / max(1, each.tokens)
            for each in group
            if each.log_probability is not None
        ),
        default=None,
    )


def fitted(place: Cursor, text: str, *, line: bool) -> str:
    """Returns a model's text, trimmed, with the first small change that makes the file parse."""
    cut = trimmed(text, place.before, place.after, line=line, python=place.python)
    if not place.python or not cut.strip() or _parses(place, cut):
        return cut
    changes = islice((each for each in _changes(place, cut) if each.strip()), TRIES)
    return next((each for each in changes if _parses(place, each)), cut)


def _changes(place: Cursor, text: str) -> Iterator[str]:
    """Yields what may be meant where a text does not fit its place."""
    rest = place.after.partition("\n")[0]
    at_start = not place.before.rpartition("\n")[2].strip()
    if rest.strip() and at_start and not text.endswith("\n"):
        yield text + "\n"  # the line that follows has to begin on a line of its own
    for size in range(min(len(rest), len(text)), 0, -1):
        if text.endswith(rest[:size]):
            yield text[:-size]  # it says again what stands behind the cursor
    first = text.partition("\n")[0]
    if first != text:
        again = first.rfind(rest.strip()) if rest.strip() else -1
        if again >= 0:
            yield first[:again]
        yield first
    # It was cut short in its last line.
    shorter = text.rpartition("\n")[0]
    while shorter.strip():
        yield shorter
        shorter = shorter.rpartition("\n")[0]


def _parses(place: Cursor, text: str) -> bool:
    after = place.after[: margin.end(place.before, place.after)]
    return parse(place.before + text + after) is not None


def _stops(place: Cursor) -> tuple[str, ...]:
    """Returns what ends a block early, most telling first: servers take a few of them only."""
    following = (line.rstrip() for line in place.after.split("\n")[1:] if line.strip())
    again = tuple(f"\n{line}" for line in list(following)[:1] if len(line.strip()) >= TELLING)
    if not place.python:
        return again
    head = place.before.rpartition("\n")[2]
    inside = head[:1] in (" ", "\t")
    return (*again, "\ndef ", "\nclass ", "\n@") if inside else again
