"""The engine in a thread of its own, asked from an event loop.

    async for deltas in engine_loop.run(ask): …

Clients that go away take their texts with them. More texts than `most` are refused at once, so that
a crowd waits outside and not in memory. Nothing here knows HTTP.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from codewright.engine.sequence import Ask, Sequence
from codewright.errors import CodewrightError, MachineError
from codewright.generate.local_model import LocalModel
from codewright.serve.follow import Delta, Follow
from codewright.serve.trial import Trial

Post = list[Delta] | CodewrightError


class Busy(MachineError):
    """More is asked for than can be kept waiting. `seconds`: when to ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many requests are waiting", hint=f"ask again in {seconds} s")
        self.seconds = seconds


@dataclass(slots=True, eq=False)
class _Ticket:
    """One request: who waits for it, and its texts once the engine has them."""

    ask: Ask
    loop: asyncio.AbstractEventLoop
    posts: asyncio.Queue[Post]
    follows: dict[Sequence, Follow] = field(default_factory=dict)
    left: int = 0

    def post(self, what: Post) -> None:
        self.loop.call_soon_threadsafe(self.posts.put_nowait, what)


class EngineLoop:
    """Runs the engine of one model for many clients."""

    def __init__(self, model: LocalModel, *, most: int) -> None:
        """Starts the thread; `most` texts are taken in at the same time."""
        self.model = model
        self.most = most
        self.trial = Trial(model)
        self.failed: CodewrightError | None = None
        self._changed = threading.Condition()
        self._inbox: list[_Ticket] = []
        self._leaving: list[_Ticket] = []
        self._closing = False
        self._owner: dict[Sequence, _Ticket] = {}
        self._texts = 0
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def texts(self) -> int:
        """Texts that are being written or wait for it."""
        return self._texts

    async def run(self, ask: Ask) -> AsyncGenerator[list[Delta]]:
        """Yields what is new, as it comes, until all texts have their end.

        Raises:
            Busy: too much is waiting.
            UserError: it can never be answered.
            MachineError: the engine has stopped.
        """
        ticket = self._submit(ask)
        left = ask.count
        try:
            while left:
                post = await ticket.posts.get()
                if isinstance(post, CodewrightError):
                    raise post
                left -= sum(bool(delta.finish) for delta in post)
                yield post
        finally:
            if left:
                with self._changed:
                    self._leaving.append(ticket)
                    self._changed.notify()

    def close(self, seconds: float) -> None:
        """Takes nothing in any more, and waits for what is being written, but not longer."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)
        self.trial.close()

    def _submit(self, ask: Ask) -> _Ticket:
        ticket = _Ticket(ask=ask, loop=asyncio.get_running_loop(), posts=asyncio.Queue())
        with self._changed:
            if self.failed is not None:
                raise self.failed
            if self._closing:
                raise MachineError("the server is shutting down")
            if self._texts and self._texts + ask.count > self.most:
                raise Busy(1 + self._texts // max(1, self.most // 4))
            self._texts += ask.count
            ticket.left = ask.count
            self._inbox.append(ticket)
            self._changed.notify()
        return ticket

    def _work(self) -> None:
        engine = self.model.engine
        try:
            while True:
                with self._changed:
                    while not (self._inbox or self._leaving or engine.busy or self._closing):
                        self._changed.wait()
                    inbox, leaving = list(self._inbox), list(self._leaving)
                    self._leaving.clear()
                    if self._closing and not engine.busy and not inbox:
                        return
                with self.model.lock:
                    for ticket in inbox:
                        self._begin(ticket)
                        # Until it is begun, it is found where a failure looks for who waits.
                        with self._changed:
                            self._inbox.remove(ticket)
                    for ticket in leaving:
                        self._end(ticket)
                    changed = engine.step()
                self._tell(changed)
        except Exception as error:  # boundary: of a thread; who waits has to hear of it
            self._fail(error)

    def _begin(self, ticket: _Ticket) -> None:
        try:
            texts = self.model.engine.add(ticket.ask)
        except CodewrightError as error:
            self._forget(ticket, ticket.left)
            ticket.post(error)
            return
        ticket.follows = {text: Follow(text) for text in texts}
        self._owner.update(dict.fromkeys(texts, ticket))

    def _end(self, ticket: _Ticket) -> None:
        """Ends the texts of a client that has gone."""
        for text in ticket.follows:
            self.model.engine.abort(text)
            self._owner.pop(text, None)
        self._forget(ticket, ticket.left)

    def _tell(self, changed: list[Sequence]) -> None:
        told: dict[_Ticket, list[Delta]] = {}
        for text in changed:
            ticket = self._owner.get(text)
            if ticket is None:
                continue
            if text.failure is not None:
                self._end(ticket)
                ticket.post(text.failure)
                told.pop(ticket, None)
                continue
            told.setdefault(ticket, []).append(ticket.follows[text].delta())
            if text.finish:
                del self._owner[text]
                self._forget(ticket, 1)
        for ticket, deltas in told.items():
            ticket.post(deltas)

    def _forget(self, ticket: _Ticket, count: int) -> None:
        with self._changed:
            count = min(count, ticket.left)
            ticket.left -= count
            self._texts -= count

    def _fail(self, error: Exception) -> None:
        failed = MachineError(f"the engine has stopped: {type(error).__name__}: {error}")
        with self._changed:
            self.failed = failed
            waiting = [*self._inbox, *dict.fromkeys(self._owner.values())]
        for ticket in waiting:
            ticket.post(failed)
