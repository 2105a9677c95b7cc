"""Frames on a byte stream, between processes that need not trust each other.

A frame is four bytes of length (little endian) and that many bytes. What the bytes mean is for
`values.py` to say.
"""

from __future__ import annotations

import os

MAX_FRAME = 64 << 20
_HEADER = 4


class WireError(Exception):
    """The bytes are not what they should be, or a value cannot be written."""


class Closed(Exception):
    """The other end is gone."""


class Stream:
    """Frames over a connected socket's descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = b""
        self._read, self._write = os.read, os.write

    def send(self, body: bytes) -> None:
        """Writes a whole frame.

        Raises:
            Closed: nobody reads any more.
            WireError: the frame is longer than `MAX_FRAME`.
        """
        if len(body) > MAX_FRAME:
            raise WireError(f"the value takes {len(body)} bytes; at most {MAX_FRAME} can be sent")
        view = memoryview(len(body).to_bytes(_HEADER, "little") + body)
        try:
            sent = self._write(self._fd, view)
            while sent < len(view):
                view = view[sent:]
                sent = self._write(self._fd, view)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed from None

    def receive(self) -> bytes:
        """Waits for one frame and returns its body.

        Raises:
            Closed: the other end is gone.
            WireError: the frame is longer than `MAX_FRAME`.
            TimeoutError: the socket's receive time-out passed.
        """
        buffer = self._buffer
        while len(buffer) < _HEADER:
            buffer += self._more()
        end = _HEADER + int.from_bytes(buffer[:_HEADER], "little")
        if end > MAX_FRAME + _HEADER:
            raise WireError("the frame is too long")
        if len(buffer) < end:
            parts, have = [buffer], len(buffer)
            while have < end:
                parts.append(self._more())
                have += len(parts[-1])
            buffer = b"".join(parts)
        self._buffer = buffer[end:]
        return buffer[_HEADER:end]

    def close(self) -> None:
        """Closes the descriptor."""
        os.close(self._fd)

    def _more(self) -> bytes:
        try:
            data = self._read(self._fd, 1 << 18)
        except ConnectionResetError:
            raise Closed from None
        except BlockingIOError:
            raise TimeoutError from None
        if not data:
            raise Closed
        return data
