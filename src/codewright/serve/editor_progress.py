"""How far long work is, as an editor shows it (`$/progress` of the protocol)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer


class EditorProgress:
    """The progress of one piece of work after another, in editors that can show it."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._steps: asyncio.Queue[int | None] | None = None
        self._last = -1
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, what: str, done: int, total: int | None) -> None:
        """Shows that so much of something is done; with "" that it is over."""
        if not what:
            if self._steps is not None:
                self._steps.put_nowait(None)
            self._steps, self._last = None, -1
            return
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress or not total:
            return
        if self._steps is None:
            self._steps = asyncio.Queue()
            task = asyncio.ensure_future(self._show(what, self._steps))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        share = min(100, 100 * done // total)
        if share > self._last:
            self._last = share
            self._steps.put_nowait(share)

    async def _show(self, what: str, steps: asyncio.Queue[int | None]) -> None:
        shown, token = self._server.work_done_progress, str(uuid4())
        try:
            await shown.create_async(token)
        except JsonRpcException:  # the editor does not want it after all
            return
        shown.begin(token, lsp.WorkDoneProgressBegin(title=f"codewright: {what}", percentage=0))
        while (share := await steps.get()) is not None:
            shown.report(token, lsp.WorkDoneProgressReport(percentage=share))
        shown.end(token, lsp.WorkDoneProgressEnd())
