"""What a program prints, kept up to a limit: a text stream that never fails and never grows."""

from __future__ import annotations

import io
from typing import Any


class _Capped(io.RawIOBase):
    """Keeps the first `limit` bytes and counts the rest."""

    def __init__(self) -> None:
        self.limit = 0
        self.used = 0
        self.kept = bytearray()
        self.dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.used = 1
        room = self.limit - len(self.kept)
        size = len(data)
        if size > room:
            self.kept += bytes(data[:room])
            self.dropped += size - room
        else:
            self.kept += data
        return size


class Capture:
    """A stand-in for stdout and stderr. Keeps nothing until `limit` says how much."""

    def __init__(self) -> None:
        self._raw = _Capped()
        # Unbuffered: then it is known at any moment whether something was printed.
        self.stream = io.TextIOWrapper(  # type: ignore[type-var]
            self._raw,
            "utf-8",
            "backslashreplace",
            write_through=True,
        )

    @property
    def used(self) -> int:
        """1 if something was printed, else 0."""
        return self._raw.used

    def limit(self, size: int) -> None:
        """Keeps the first `size` bytes from now on."""
        self._raw.limit = size

    def text(self) -> str:
        """What was printed so far; a last line says how much was left out."""
        self.stream.flush()
        text = self._raw.kept.decode("utf-8", "replace")
        if self._raw.dropped:
            text += f"\n... and {self._raw.dropped} bytes more"
        return text

    def clear(self) -> None:
        """Forgets what was printed."""
        self.stream.flush()
        self._raw.kept.clear()
        self._raw.dropped = 0
        self._raw.used = 0
