"""What a model is shown of the other files of a repository, worked out while somebody types.

A first look at a repository takes seconds, a question about a place in it some tens of
milliseconds: no key stroke waits for either. A document has what was worked out for it last, until
the cursor is far from there or a file was saved. That it stays the same meanwhile also spares the
model from reading it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from codewright import console
from codewright.errors import CodewrightError
from codewright.types.context import Context
from codewright.write.complete import Cursor

FAR = 30
"""Lines from where a context was worked out to where another one is wanted."""

Tell = Callable[[str, int, int | None], None]
"""Takes what is being done, how much of it is, and of how much; with "" that it is over."""


class Repositories(Protocol):
    """Repositories that are kept up to date. One thread uses them."""

    def retrieve(
        self, path: Path, folders: Sequence[Path], place: Cursor, budget: int
    ) -> Context | None:
        """Returns what is shown for a place in a file, at most `budget` tokens of it.

        Args:
            path: of the file.
            folders: that the editor has open.
            place: the cursor, in the file as the editor has it.
            budget: tokens at most.

        Returns:
            None for a file that is in no repository.

        Raises:
            CodewrightError: the index cannot be read or written.
        """
        ...

    def close(self) -> None:
        """Closes all of them."""
        ...


class _Ended(Exception):
    """Nobody waits for the work any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was worked out for a document: for which line and budget, after how many saves."""

    context: Context | None
    line: int
    budget: int
    saves: int


class Neighbours:
    """Contexts of the documents of one editor.

    Args:
        repositories: where they come from.
        tell: hears of long work; called in the event loop.
        say: takes a sentence about what went wrong; called in the event loop.
    """

    def __init__(self, repositories: Repositories, tell: Tell, say: Callable[[str], None]) -> None:
        self._repositories = repositories
        self._tell, self._say = tell, say
        self._thread = ThreadPoolExecutor(1, "neighbours")
        self._known: dict[str, _Known] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._said: set[str] = set()
        self._saves = 0
        self._ended = False

    def shown(
        self, uri: str, path: Path, folders: Sequence[Path], place: Cursor, budget: int
    ) -> Context | None:
        """Returns what is known for a document now; where it is old, begins to work it out anew."""
        known = self._known.get(uri)
        line = place.before.count("\n")
        stale = (
            known is None
            or known.budget != budget
            or known.saves != self._saves
            or abs(known.line - line) > FAR
        )
        if stale and uri not in self._running and not self._ended:
            work = self._work_out(uri, path, folders, place, budget)
            self._running[uri] = asyncio.ensure_future(work)
        return self.known(uri, budget)

    def known(self, uri: str, budget: int) -> Context | None:
        """Returns what was worked out last for a document, unless that was more than now fits."""
        known = self._known.get(uri)
        return known.context if known is not None and known.budget <= budget else None

    def saved(self) -> None:
        """Takes note that a file has changed: what is known of all documents is old."""
        self._saves += 1

    def forget(self, uri: str) -> None:
        """Lets a document go that was closed."""
        self._known.pop(uri, None)
        task = self._running.pop(uri, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Ends what is being worked out, and waits for that."""
        self._ended = True
        self._thread.submit(self._repositories.close)
        self._thread.shutdown()

    async def _work_out(
        self, uri: str, path: Path, folders: Sequence[Path], place: Cursor, budget: int
    ) -> None:
        loop, saves = asyncio.get_running_loop(), self._saves

        def listener(what: str, done: int, total: int | None) -> None:
            if self._ended:
                raise _Ended
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._tell, what, done, total)

        def work() -> Context | None:
            if self._ended:
                raise _Ended
            try:
                with console.listening(listener):
                    return self._repositories.retrieve(path, folders, place, budget)
            finally:
                with suppress(RuntimeError):  # the loop has ended, and nobody hears
                    loop.call_soon_threadsafe(self._tell, "", 0, None)

        context = None
        try:
            context = await loop.run_in_executor(self._thread, work)
        except CodewrightError as error:
            self._complain(f"{error.message}: {error.hint}" if error.hint else error.message)
        except _Ended:
            return
        except Exception as error:  # boundary: whatever is wrong there, the editor goes on
            self._complain(f"{type(error).__name__}: {error}")
        finally:
            if self._running.get(uri) is asyncio.current_task():
                del self._running[uri]
        line = place.before.count("\n")
        self._known[uri] = _Known(context=context, line=line, budget=budget, saves=saves)

    def _complain(self, text: str) -> None:
        """Says what went wrong, once: it goes wrong again at every try."""
        if text not in self._said:
            self._said.add(text)
            self._say(f"no other files are shown to the model: {text}")
