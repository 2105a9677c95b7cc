"""What a person types into a search, read as words, names, phrases and patterns.

    read('open "read only" Store.close get_*_path')

Quoted text has to stand in a piece as it is, in any case of letters; in a long text, such as an
issue, it need not. What is written like a name
(`Store.close`, `readFile`, `is_open`, or anything between backticks) is looked for as one, `*` and
`.*` in it stand for anything; all of it counts as words. Nothing a person can type is an error, and
nothing typed reaches a database's own language: whoever searches is given words of `words.py`,
which have none but letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codewright.repo.words import each_word, stem

LONGEST = 4000
"""Characters of a query that are read."""
MOST_WORDS = 40
"""Words of a query that are looked for; those that are no names stand back first."""
MOST_NAMES = 8
TYPED = 300
"""Characters of the longest query in which quotes ask for a phrase: what is longer was pasted, an
issue or a traceback, and quotes what nobody asks for."""
FEW = 4
"""Words of a query that may be a name written apart."""

_COMMON = """
    an and any are as at be been but by can code could do does each every find for from function
    get given gives has have how if in into is it its itself method no not of on one only or other
    out over returns return should so some such than that the their them then there these this to
    used uses using was were what when where whether which who why will with would you self def
    cls none true false
"""
COMMON = frozenset(_COMMON.split())
"""Words that say little: they are looked for where a query has no others."""

_QUOTED = re.compile(r'"([^"]{2,200})"|“([^”]{2,200})”')
_TICKED = re.compile(r"`+([^`]{1,200})`+")
_NAME = re.compile(r"[^\W\d][\w*?]*(?:(?:\.|::|#|->)[^\W\d][\w*?]*)*")
_PATTERN = re.compile(r"(?<=\w)\.\*|\.\*(?=\w)|\\w[*+]")
_HUMPS = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2,}[a-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as it was understood.

    text: as typed, for a model of meaning. words: stems to be looked for, each once. names: dotted
    where they were. patterns: names with `*`. phrases: to be found as they are. guesses: names that
    may be meant.
    """

    text: str
    words: Sequence[str]
    names: Sequence[str]
    patterns: Sequence[str]
    phrases: Sequence[str]
    guesses: Sequence[str] = ()

    @property
    def empty(self) -> bool:
        """True where there is nothing to look for."""
        return not (self.words or self.names or self.patterns or self.phrases or self.guesses)


def read(text: str) -> Query:
    """Reads a query."""
    text = " ".join(text[:LONGEST].replace("\0", " ").split())
    quoted = _QUOTED.findall(text) if len(text) <= TYPED else ()
    phrases = ["".join(each).strip() for each in quoted]
    plain = _PATTERN.sub("*", text)
    tokens = [re.sub("::|#|->", ".", each) for each in _NAME.findall(plain)]
    patterns = [each for each in tokens if "*" in each and each.strip("*?.")]
    names = [each.strip("?") for each in tokens if "*" not in each]
    ticked = [name for each in _TICKED.findall(plain) for name in _NAME.findall(each)[:1]]
    wanted = [each for each in names if each in ticked or _is_name(each)]
    rest = [each for each in names if each not in wanted]
    few = len(tokens) <= FEW
    return Query(
        text=text,
        words=_words(text, wanted),
        names=tuple(dict.fromkeys(wanted))[:MOST_NAMES],
        patterns=tuple(dict.fromkeys(patterns))[:MOST_NAMES],
        phrases=tuple(dict.fromkeys(phrase for phrase in phrases if phrase))[:MOST_NAMES],
        guesses=_guesses(rest) if few and not phrases else (),
    )


def _guesses(words: Sequence[str]) -> Sequence[str]:
    """Returns the names that a few plain words may be: "read file", `read_file`, `ReadFile`."""
    words = [word for word in words if word.lower() not in COMMON] or words
    small = [word.lower() for word in words]
    high = [word[:1].upper() + word[1:] for word in small]
    joined = ["_".join(small), "".join(small[:1] + high[1:]), "".join(high)] if words else []
    return tuple(dict.fromkeys((*words, *joined)))


def _is_name(token: str) -> bool:
    """True where nobody writes so but of code: `a.b`, `a_b`, `aB`."""
    return "." in token.strip(".") or "_" in token.strip("_") or _HUMPS.search(token) is not None


def _words(text: str, names: Sequence[str]) -> Sequence[str]:
    """Returns the stems to look for, those of names first."""
    found = list(each_word(text))
    telling = [word for word in found if word not in COMMON] or found
    first = each_word(" ".join(names))
    return tuple(dict.fromkeys(map(stem, (*first, *telling))))[:MOST_WORDS]
