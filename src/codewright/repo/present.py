"""What a folder holds now, against what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codewright.errors import DataError
from codewright.repo.ingest import blob_hash

TOGETHER = """
    SELECT other.name, COUNT(*) FROM json_each(?2) CROSS JOIN names other ON other.name = value
    CROSS JOIN mentioned ON mentioned.name = other.id
    WHERE content IN (
        SELECT content FROM mentioned WHERE name = (SELECT id FROM names WHERE name = ?1))
    GROUP BY other.id"""
"""Counts the contents that mention a name, and each of a JSON list of others."""


def unchanged(root: Path, path: str, blob: bytes) -> bytes:
    """Returns a file's bytes, which have this hash.

    Raises:
        DataError: the file has gone or changed since.
    """
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if blob_hash(data) != blob:
        raise DataError(f"{path} has changed since it was indexed", hint="index it again")
    return data


def wants_all(root: Path, paths: Sequence[str]) -> bool:
    """True where a path is a folder, or changes what is ignored."""
    for path in paths:
        inside = root / path
        if path.endswith(".gitignore") or (inside.is_dir() and not inside.is_symlink()):
            return True
    return False
