"""Licences: SPDX expressions and whether they permit, and finding out what something is under.

`permits` evaluates an expression over a list of permissive licences. `from_metadata` reads what a
distribution declares of itself, `from_text` recognises the well-known licences by their wording,
what a single file says
at its top is read in `filters_licence`.

What cannot be told is unknown, and unknown does not permit. This is no legal advice: it follows
what authors declare, in the strictest reading where they contradict themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from email.parser import HeaderParser

from codewright.corpus.licence_names import ALIASES, PERMISSIVE, WORDINGS

_TOKEN = re.compile(r"\s*(?:([()])|([A-Za-z0-9][A-Za-z0-9.:+-]*))")


def permits(expression: str, allowed: Collection[str] = PERMISSIVE) -> bool:
    """True where an SPDX expression can be satisfied with `allowed` licences alone.

    One side of an OR is enough, an AND needs both; `WITH` an exception is the licence with more
    freedom. An empty or malformed expression permits nothing. Case does not matter.
    """
    known = {name.lower() for name in allowed}
    words = _words(expression)
    if not words:
        return False
    value, rest = _either(words, 0, known)
    return rest == len(words) and value is True


def _words(expression: str) -> list[str]:
    words, at = [], 0
    text = expression.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return []
        words.append(match[1] or match[2])
        at = match.end()
    return words


def _either(words: Sequence[str], at: int, known: Collection[str]) -> tuple[bool | None, int]:
    value, at = _both(words, at, known)
    while value is not None and at < len(words) and words[at].upper() == "OR":
        other, at = _both(words, at + 1, known)
        value = None if other is None else value or other
    return value, at


def _both(words: Sequence[str], at: int, known: Collection[str]) -> tuple[bool | None, int]:
    value, at = _one(words, at, known)
    while value is not None and at < len(words) and words[at].upper() == "AND":
        other, at = _one(words, at + 1, known)
        value = None if other is None else value and other
    return value, at


def _one(words: Sequence[str], at: int, known: Collection[str]) -> tuple[bool | None, int]:
    """Reads a licence or a bracket; None where neither stands at `at`."""
    if at >= len(words) or words[at] == ")" or words[at].upper() in ("AND", "OR", "WITH"):
        return None, at
    if words[at] == "(":
        value, at = _either(words, at + 1, known)
        return (value, at + 1) if at < len(words) and words[at] == ")" else (None, at)
    name = words[at].lower()
    value = name in known or (name.endswith("+") and name[:-1] in known)
    at += 1
    if at < len(words) and words[at].upper() == "WITH":
        if at + 1 >= len(words) or words[at + 1] in "()":
            return None, at
        at += 2
    return value, at


_COPYLEFT_NAME = re.compile(
    r"\b(?:a|l)?gpl|general public|\bmpl\b|mozilla public|\bepl\b|eclipse public|\beupl\b|"
    r"european union public|\bcddl\b|cecill|sleepycat|share.?alike|\bsspl\b|\bbusl\b",
    re.IGNORECASE,
)

_SPACE = re.compile(r"[\s#*;\"“”]+")


def from_text(text: str) -> str:
    """Returns the SPDX identifier of the licence whose wording comes first in `text`, or "".

    A file that bundles several begins with the one that it is about.
    """
    words = _SPACE.sub(" ", text[:60_000]).lower().replace("license, version", "license version")
    places = [(words.find(wording), name) for wording, name in WORDINGS]
    found = min((place for place in places if place[0] >= 0), default=None)
    if found is None:
        return ""
    at, name = found
    if name == "BSD":
        return _which_bsd(words[at : at + 2500])
    if name == "MIT" and "the above copyright notice" not in words[at : at + 1200]:
        return "MIT-0"
    if name == "ISC" and "provided that" not in words[at : at + 300]:
        return "0BSD"
    if name in ("GPL-2.0-or-later", "LGPL-2.1-or-later") and "version 3" in words[at : at + 60]:
        return name.split("-")[0] + "-3.0-or-later"
    return name


def _which_bsd(words: str) -> str:
    if "advertising materials mentioning" in words:
        return "BSD-4-Clause"
    if "neither the name" in words or "may not be used to endorse" in words:
        return "BSD-3-Clause"
    return "BSD-2-Clause"


def from_name(name: str) -> str:
    """Returns the SPDX expression that a free-form licence field means, or ""."""
    plain = " ".join(name.split()).strip(" .'\"").lower()
    if plain in ALIASES:
        return ALIASES[plain]
    if len(plain) < 100:
        words = _words(plain)
        official = {known.lower(): known for known in PERMISSIVE}
        if len(words) == 1 and words[0] in official:
            return official[words[0]]
        if _COPYLEFT_NAME.search(plain):
            return "LicenseRef-Copyleft"
        several = _several(plain)
        if several:
            return several
    return from_text(name)


def _several(plain: str) -> str:
    """Returns the expression of names that are joined by words; all of them hold for a comma."""
    parts = re.split(r"[()]|\b(?:and|or)\b|[,/;|&]", plain)
    if sum(1 for part in parts if part.strip()) < 2:
        return ""
    official = {known.lower(): known for known in PERMISSIVE}
    written = []
    for part in re.split(r"([()]|\b(?:and|or)\b|[,/;|&])", plain):
        word = part.strip()
        if word in ("and", "or"):
            written.append(word.upper())
        elif word and word in ",/;|&":
            written.append("AND")
        elif word in ("(", ")"):
            written.append(word)
        elif word:
            written.append(ALIASES.get(word) or official.get(word, "?"))
    joined = " ".join(written).replace("( ", "(").replace(" )", ")")
    return joined if permits(joined) else ""


def from_metadata(
    expression: str, field: str, classifiers: Iterable[str], texts: Iterable[str]
) -> str:
    """Returns the SPDX expression of a distribution, or "" where it cannot be told.

    Args:
        expression: `License-Expression` (PEP 639), which says it all where it is there.
        field: `License`.
        classifiers: all `Classifier`s; those of licences are picked out.
        texts: the licence files at its top.

    Where the field, the classifiers and the files differ, all of them hold (AND), save that a
    bare "BSD" yields to a file that says which.
    """
    if expression.strip():
        return expression.strip()
    named = [from_name(field)] if field.strip() else []
    for line in classifiers:
        kind, *rest = [part.strip() for part in line.split("::")]
        if kind == "License" and rest and rest[-1] != "OSI Approved":
            named.append(from_name(rest[-1]) or "LicenseRef-Unknown")
    written = [name for name in (from_text(text) for text in texts) if name]
    found = [name for name in dict.fromkeys([*written, *named]) if name]
    if any(name.startswith("BSD-") for name in found):
        found = [name for name in found if name != "LicenseRef-BSD"]
    if any(name in PERMISSIVE for name in found):
        # An odd name beside a licence that is known adds nothing, unless it is copyleft.
        found = [name for name in found if name != "LicenseRef-Unknown"]
    if found == ["LicenseRef-Unknown"]:
        return ""
    if len(found) == 1:
        return found[0]
    return " AND ".join(f"({name})" if " OR " in name else name for name in found)


def from_core_metadata(text: str, texts: Iterable[str]) -> str:
    """Returns the SPDX expression that a METADATA or PKG-INFO file declares, or ""."""
    head = HeaderParser().parsestr(text)
    return from_metadata(
        str(head.get("License-Expression", "")),
        str(head.get("License", "")),
        [str(line) for line in head.get_all("Classifier", [])],
        texts,
    )
