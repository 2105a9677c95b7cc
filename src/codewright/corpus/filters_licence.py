"""The step that keeps what its licence permits to keep.

A file's own header beats the licence of its distribution: an SPDX line is taken at its word, the
name of a copyleft licence is enough, and "all rights reserved" without a word of permission is
no permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from codewright.corpus.licence_names import PERMISSIVE
from codewright.corpus.licences import permits
from codewright.corpus.recipe import FilterConfig
from codewright.corpus.steps import Drops
from codewright.types.document import Document

RESERVED = "LicenseRef-All-Rights-Reserved"
HEAD = 5_000
"""Characters at the top in which a file speaks of its licence."""

_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n\"'*]+)")
_COPYLEFT = re.compile(
    r"(?P<agpl>GNU_Affero_General_Public_Licen[cs]e|\bAGPL(?:v?3)?\b)"
    r"|(?P<lgpl>GNU_(?:Lesser|Library)_(?:or_Lesser_)?General_Public_Licen[cs]e"
    r"|\bLGPL(?:v?[23](?:\.1)?)?\b)"
    r"|(?P<gpl>GNU_General_Public_Licen[cs]e|\bGPL(?:v?[23])?\b)"
    r"|(?P<mpl>Mozilla_Public_Licen[cs]e|\bMPL-?[ ]?(?:1\.1|2\.0)\b)".replace(
        "_",
        r"[\s#*]+",  # a comment may break the name anywhere
    )
)
_NAMES = {
    "agpl": "AGPL-3.0-or-later",
    "lgpl": "LGPL-2.1-or-later",
    "gpl": "GPL-2.0-or-later",
    "mpl": "MPL-2.0",
}
_NO_GRANT = re.compile(
    r"proprietary\s+and\s+confidential|confidential\s+and\s+proprietary"
    r"|strictly\s+prohibited|trade\s+secrets?\b",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"all\s+rights\s+reserved", re.IGNORECASE)
_GRANT = re.compile(
    r"licen[cs]e|permission|permitted|redistribut|public\s+domain|free\s+software|copying",
    re.IGNORECASE,
)

_TOP = re.compile(
    r"""(?:[ \t]*(?:\#[^\n]*)?\n)*
    (?:[rRuU]?
      (?: \"{3} (?:[^"\\]+|\\.|"(?!""))* (?:\"{3})?
        | '{3} (?:[^'\\]+|\\.|'(?!''))* (?:'{3})?
      ) [ \t]*\n?
    )?
    (?:[ \t]*(?:\#[^\n]*)?\n)*""",
    re.DOTALL | re.VERBOSE,
)
"""Comments, a docstring, comments."""


class Licences:
    """The step that drops what is not permitted, and writes down what is said in headers."""

    name = "licence"

    def __init__(self, config: FilterConfig) -> None:
        self._allowed = (PERMISSIVE | set(config.permissive)) - set(config.refused)

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields permitted documents, each with the licence that it is under."""
        for document in documents:
            licence = of_file(document)
            if licence == RESERVED:
                drops.drop(document, "all-rights-reserved")
            elif not licence:
                drops.drop(document, "unknown-licence")
            elif not permits(licence, self._allowed):
                drops.drop(document, "licence", licence)
            elif licence == document.licence:
                yield document
            else:
                yield Document(
                    text=document.text,
                    path=document.path,
                    licence=licence,
                    origin=document.origin,
                    language=document.language,
                )


def of_file(document: Document) -> str:
    """Returns the licence of a file: what its header says, else that of where it came from."""
    head = header(document.text)
    if not head:
        return document.licence
    spdx = _SPDX.search(head)
    if spdx is not None:
        return spdx[1].strip()
    copyleft = _COPYLEFT.search(head)
    if copyleft is not None:
        return _NAMES[copyleft.lastgroup or "gpl"]
    if _NO_GRANT.search(head) or (_RESERVED.search(head) and not _GRANT.search(head)):
        return RESERVED
    return document.licence


def header(text: str) -> str:
    """Returns the comments and the docstring at the top of a file, `HEAD` characters at most."""
    head = text[:HEAD]
    match = _TOP.match(head)
    return match[0] if match else ""
