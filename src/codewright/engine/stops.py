"""Where a text that comes token by token has to end: stop strings, looked for in its bytes.

A stop string may begin in one token and end in another, so what is looked through is the text, not
the tokens; each step looks only where a stop string could have been completed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence


class Stops:
    """The stop strings of a request; empty ones are none."""

    def __init__(self, strings: Sequence[str]) -> None:
        marks = [text.encode("utf-8", "surrogatepass") for text in strings if text]
        self._pattern = re.compile(b"|".join(map(re.escape, marks))) if marks else None
        self._marks = marks
        self._reach = max(map(len, marks), default=1) - 1

    def find(
        self, text: bytearray, new: int, fits: Callable[[int], bool] = lambda _: True
    ) -> int | None:
        """Returns where the first stop string in `text` begins, None where there is none.

        Args:
            text: what has been written so far.
            new: how many bytes at its end have not been looked through yet.
            fits: whether the text may end at a length; a stop string where it may not is none.
        """
        if self._pattern is None:
            return None
        place = max(0, len(text) - new - self._reach)
        while (found := self._pattern.search(text, place)) is not None:
            # What was complete before the new bytes was looked at then.
            if found.end() > len(text) - new and fits(found.start()):
                return found.start()
            place = found.start() + 1
        return None

    def begun(self, text: bytearray) -> int:
        """Returns how many bytes at the end of `text` may be the beginning of a stop string."""
        for count in range(min(self._reach, len(text)), 0, -1):
            tail = bytes(text[-count:])
            if any(mark.startswith(tail) for mark in self._marks):
                return count
        return 0


def characters(data: bytes, *, whole: bool) -> str:
    """Returns the text of `data`; what is no UTF-8 becomes U+FFFD.

    Where it is not `whole`, a character that it ends in the middle of is left out.
    """
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=whole)
