"""What is shown of one file: chosen definitions at chosen levels, and pieces of text, in order.

A member stands under the heads of the classes around it, whether those were chosen or not. What is
inside something that is shown whole is not shown again. Python stays Python: a class of which
nothing else is shown ends in `...`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codewright.repo.passages import Item, Sight
from codewright.types.context import Detail


def outline(sight: Sight, path: str, chosen: Sequence[tuple[Item, Detail]]) -> list[str]:
    """Returns the lines that are shown of a file.

    Args:
        sight: reads the definitions.
        path: of the file.
        chosen: what is shown of it; each definition once, with lines that can be had.
    """
    details: dict[int, Detail] = {
        item.ordinal: detail for item, detail in chosen if item.ordinal >= 0
    }
    rows = [(item.first, item.text.split("\n")) for item, _ in chosen if item.ordinal < 0]
    every = {outer for each in details for outer in sight.within(path, each)} | set(details)
    for ordinal in every:
        if covered(sight, path, ordinal, details):
            continue
        lines = sight.shown(path, ordinal, details.get(ordinal, "signature"))
        assert lines is not None
        if len(lines) == 1 and lines[0].endswith(":"):
            inner = any(ordinal in sight.within(path, other) for other in every)
            lines = lines if inner else [f"{lines[0]} ..."]
        rows.append((sight.first(path, ordinal), lines))
    rows.sort(key=lambda row: row[0])
    return [line for _, lines in rows for line in lines]


def covered(sight: Sight, path: str, ordinal: int, details: Mapping[int, Detail]) -> bool:
    """Tells whether something around a definition is shown whole."""
    return any(details.get(outer) == "whole" for outer in sight.within(path, ordinal))


def span(sight: Sight, path: str, chosen: Sequence[tuple[Item, Detail]]) -> str:
    """Returns `:first-last` of what is shown of a file; empty where nothing has lines."""
    firsts, lasts = [], []
    for item, detail in chosen:
        first, last = reach(sight, item, detail)
        if first:
            firsts.append(first)
            lasts.append(last)
    if not firsts:
        return ""
    return f":{min(firsts)}-{max(lasts)}"


def reach(sight: Sight, item: Item, detail: Detail) -> tuple[int, int]:
    """Returns the lines that an item stands for at a level of detail."""
    if item.ordinal < 0 or detail == "whole":
        return item.first, item.last
    definition = sight.face(item.path, item.ordinal).definition
    last = definition.body - 1 if definition.body > definition.line else definition.line
    if detail == "head" and definition.doc >= definition.line:
        last = definition.doc
    elif definition.doc > definition.line:
        last = min(last, definition.doc - 1)
    return definition.line, max(definition.line, min(last, definition.end))
