"""Follows the changes of a folder: a report for each bundle of them that changed the index.

What the operating system tells is bundled until it is quiet for a moment. A bundle that is large,
or that touches what is ignored or git's own state, is answered by a look at everything. Nothing
runs beside: a change while another is read waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from watchfiles import Change, DefaultFilter, watch

from codewright.repo.ingest import Report
from codewright.repo.store import Store

QUIET = 50
"""Milliseconds without a change that end a bundle."""
LONGEST = 1600
"""Milliseconds after which one ends all the same."""
MANY = 500
"""Paths from which on everything is looked at."""


class _Filter(DefaultFilter):
    """Git's own files are no changes, but for those that say that a checkout ended."""

    def __call__(self, change: Change, path: str) -> bool:
        if path.endswith("/.git/HEAD"):
            return True
        return super().__call__(change, path)


def follow(store: Store, stop: Event | None = None) -> Iterator[Report]:
    """Yields a report after each update that changed something, until `stop` or an interrupt."""
    root = store.root
    changes = watch(root, watch_filter=_Filter(), debounce=LONGEST, step=QUIET, stop_event=stop)
    for bundle in changes:
        paths = sorted({path for _, path in bundle})
        inside = [Path(path).relative_to(root).as_posix() for path in paths]
        everything = len(inside) > MANY or any(path.startswith(".git/") for path in inside)
        report = store.update(None if everything else inside)
        if report.added or report.changed or report.removed:
            yield report
