"""Short notes on what files and definitions are about, taken from what they say themselves.

A definition's note is the first sentence of its docstring or comment; without one, its signature.
A file's is its docstring, the first paragraph of a text, or the names of its largest definitions.
Nothing is invented and no model is asked; a note depends on one content alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codewright.repo.chunks import PROSE
from codewright.repo.facts import Definition, Facts, Kind
from codewright.repo.words import each_word, stem

LONGEST = 200
"""Characters of a note."""
MOST_WORDS = 300
MAIN = 4
"""Names that stand for a file or folder without a text of its own."""
CONTAINERS = frozenset(
    {Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT, Kind.NAMESPACE}
)
CALLABLE = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.MACRO})
_NAMED = 3
"""How many times a name counts that is defined."""

_MARKS = re.compile(
    r"^\s*(?:[rRuUbBfF]{0,2}(?:\"\"\"|'''|\"|')|/\*+|\*+/?|//[/!]*|#+!?|--+|;;+)[ \t]?"
)
_CLOSING = re.compile(r"(?:\"\"\"|'''|\*/)\s*$")
_SENTENCE = re.compile(r"(?<=[a-z0-9)`'\"\]])[.!?](?=\s|$)")
_RULE = re.compile(r"^\W+$")
_BADGE = re.compile(r"^\s*(\[?!\[|<[a-zA-Z/!]|\.\. |\[!)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What something is about.

    says: one sentence. words: stems with how often they count. main: names of the largest.
    """

    says: str
    words: Mapping[str, int]
    main: Sequence[str]


def of_file(facts: Facts, lines: Sequence[str]) -> Note:
    """Returns the note of a content; lines: its text, empty where it could not be read."""
    counts: Counter[str] = Counter()
    for ordinal, each in enumerate(facts.definitions):
        for word in each_word(each.name):
            counts[stem(word)] += _NAMED
        if each.kind in CONTAINERS or each.kind in CALLABLE or not ordinal:
            counts.update(map(stem, each_word(sentence(each, lines))))
    prose = facts.language in PROSE
    says = opening(lines) if prose else sentence(facts.definitions[0], lines)
    if prose:
        for line in lines[:200]:
            counts.update(map(stem, each_word(line)))
    best = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_WORDS]
    return Note(says=says, words=dict(best), main=largest(facts))


def of_definition(definition: Definition, lines: Sequence[str]) -> str:
    """Returns a definition's note."""
    return sentence(definition, lines) or definition.signature[:LONGEST]


def largest(facts: Facts) -> Sequence[str]:
    """Returns the names of a content's largest classes, or else functions."""
    top = [each for each in facts.definitions[1:] if each.parent == 0]
    for kinds in (CONTAINERS, CALLABLE, frozenset(Kind)):
        found = [each for each in top if each.kind in kinds and not each.name.startswith("_")]
        if found:
            found.sort(key=lambda each: (each.line - each.end, each.line))
            return [each.name for each in found[:MAIN]]
    return []


def sentence(definition: Definition, lines: Sequence[str]) -> str:
    """Returns the first sentence of what documents a definition, "" without."""
    if not definition.doc or definition.doc > len(lines):
        return ""
    return first_sentence(lines[definition.doc - 1 : definition.doc_end])


def opening(lines: Sequence[str]) -> str:
    """Returns the first sentence of a text's first paragraph that is no title, badge or picture."""
    paragraph: list[str] = []
    for at, line in enumerate(lines):
        title = line.startswith(("#", "=", "-", "~")) or _RULE.match(line) is not None
        under = lines[at + 1] if at + 1 < len(lines) else ""
        title = title or (len(under.strip()) > 2 and _RULE.match(under) is not None)
        if title or _BADGE.match(line) or not line.strip():
            if paragraph:
                break
            continue
        paragraph.append(line)
    return first_sentence(paragraph)


def first_sentence(lines: Sequence[str]) -> str:
    """Returns the first sentence of the first paragraph, without marks of comments, on one line."""
    words: list[str] = []
    for line in lines:
        plain = _CLOSING.sub("", _MARKS.sub("", line)).strip()
        if not plain or _RULE.match(plain):
            if words:
                break
            continue
        words.append(plain)
        if _SENTENCE.search(plain):
            break
    text = " ".join(" ".join(words).split())
    text = _SENTENCE.split(text, maxsplit=1)[0].strip().strip("\"'")
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
