"""Text of a repository on its way to a model: between marks that do not stand in it.

Who is shown it is told that what stands there is data. That keeps a text from ending its marks and
speaking as somebody else; it cannot keep a model from believing what it reads.
"""

from __future__ import annotations

MARK = "<<<DATA>>>"


def marked(text: str) -> str:
    """Returns a text with a line of marks before and after it."""
    mark = MARK
    while mark in text:
        mark = f"<{mark}>"
    return f"{mark}\n{text}\n{mark}"
