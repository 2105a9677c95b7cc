"""What benches share: talk, and the marked blocks of the documents that show their figures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def say(text: str) -> None:
    """Talk goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def fill(documents: Iterable[Path], name: str, text: str) -> list[str]:
    """Puts `text` into the block `<!-- bench:NAME -->` of each document that has one.

    Returns:
        The names of the documents that were written.

    Raises:
        ValueError: a block is opened and not closed.
    """
    opening, closing = f"<!-- bench:{name} -->\n", "<!-- /bench -->"
    written = []
    for path in documents:
        before, found, rest = path.read_text().partition(opening)
        if not found:
            continue
        _, closed, after = rest.partition(closing)
        if not closed:
            raise ValueError(f"{path}: {opening.strip()} is not closed")
        fresh = path.with_suffix(".tmp")
        fresh.write_text(f"{before}{opening}{text.rstrip()}\n{closing}{after}")
        os.replace(fresh, path)
        written.append(path.name)
    return written
