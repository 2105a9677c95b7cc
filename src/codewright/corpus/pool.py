"""Work on many texts in several processes, with the documents in their order.

What is done is a function of a list of texts, so that it can travel; a chunk of documents goes out,
and its results come back beside them. Little is under way at a time: memory does not grow.
"""

from __future__ import annotations

import ctypes
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from codewright.errors import MachineError
from codewright.types.document import Document

CHUNK = 1_000_000
"""Characters of text that travel to a process at once."""
AHEAD = 3
"""Chunks under way for each process."""
_PR_SET_PDEATHSIG = 1

Result = TypeVar("Result")


def mapped(
    documents: Iterable[Document], work: Callable[[list[str]], list[Result]], workers: int
) -> Iterator[tuple[Document, Result]]:
    """Yields each document with what `work` makes of its text; one worker is this process.

    Raises:
        MachineError: a process died.
    """
    if workers == 1:
        for chunk in _chunks(documents):
            yield from zip(chunk, work([each.text for each in chunk]), strict=True)
        return
    # Started afresh, not forked: a fork would inherit the threads of whoever calls.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=start_process) as pool:
        waiting: deque[tuple[list[Document], Future[list[Result]]]] = deque()
        try:
            for chunk in _chunks(documents):
                waiting.append((chunk, pool.submit(work, [each.text for each in chunk])))
                if len(waiting) > AHEAD * workers:
                    first, made = waiting.popleft()
                    yield from zip(first, made.result(), strict=True)
            while waiting:
                first, made = waiting.popleft()
                yield from zip(first, made.result(), strict=True)
        except BrokenProcessPool:
            raise MachineError(
                "a process that compared files was killed",
                hint="it may have run out of memory; run the same command again to go on",
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def start_process() -> None:
    """Prepares a process of the pool: it ends with its parent, and leaves interrupts to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # nothing here makes cycles, and looking for some among trees is slow


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    held = 0
    for document in documents:
        chunk.append(document)
        held += len(document.text)
        if held >= CHUNK:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
