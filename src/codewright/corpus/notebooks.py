"""Jupyter notebooks as Python source: code as it stands, prose as comments.

Cells are parted by a blank line. Lines that only IPython understands (`%magic`, `!command`,
`?help`) become comments, as does a whole cell in another language (`%%bash`). Outputs are left out.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAGIC = re.compile(r"^(\s*)(%{1,2}\w|!|\?|\w[\w.]*\?{1,2}\s*$)")
PYTHON_CELL = re.compile(r"%%(?:time|timeit|capture|prun|python3?|pypy)\b")


def to_source(text: str) -> str | None:
    """Returns the Python of a notebook (nbformat 3 or 4); None where it is no Python notebook."""
    try:
        book = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(book, dict) or not _is_python(book):
        return None
    parts = [part for part in map(_cell, _cells(book)) if part]
    return "\n\n".join(parts) + "\n" if parts else None


def _is_python(book: dict[str, Any]) -> bool:
    metadata = book.get("metadata")
    if not isinstance(metadata, dict):
        return True
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        table = metadata.get(key)
        if isinstance(table, dict) and isinstance(table.get(name), str):
            return table[name].lower() in ("python", "ipython")
    return True


def _cells(book: dict[str, Any]) -> list[dict[str, Any]]:
    cells = book.get("cells")
    if not isinstance(cells, list):
        sheets = book.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        cells = [
            cell
            for sheet in sheets
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    return [cell for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str) or not source.strip():
        return ""
    lines = source.replace("\r\n", "\n").strip("\n").split("\n")
    kind = cell.get("cell_type")
    if kind in ("markdown", "heading"):
        return "\n".join(f"# {line}".rstrip() for line in lines)
    if kind != "code":
        return ""
    first = lines[0].lstrip()
    if first.startswith("%%") and not PYTHON_CELL.match(first):
        return "\n".join(f"# {line}".rstrip() for line in lines)
    return "\n".join(_line(line) for line in lines)


def _line(line: str) -> str:
    match = MAGIC.match(line)
    return f"{match[1]}# {line[len(match[1]) :]}" if match else line
