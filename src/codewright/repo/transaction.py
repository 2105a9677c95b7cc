"""A transaction of a store's writer."""

from __future__ import annotations

import apsw


class Transaction:
    """All or nothing; the writers' lock is held already, so it waits for no other writer."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._database.execute("COMMIT")
                return
            except apsw.Error:
                self._roll_back()
                raise
        self._roll_back()

    def _roll_back(self) -> None:
        if self._database.in_transaction:  # a full disk has rolled back already
            self._database.execute("ROLLBACK")
