"""What a run measures, row by row: JSONL always, TensorBoard where it is wanted.

`metrics.jsonl` holds one object a line: `{"kind": …, "step": n, …}`; talk.py lists the kinds.
Resumed at step n, what was written after n is dropped first, so no step is missing or told twice,
whenever the run was killed. Nothing here draws or prints.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from codewright.errors import MissingExtra
from codewright.files import RowLog, write_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS = "metrics.jsonl"
BOARD = "tensorboard"


class Recorder:
    """Writes the rows of a run in `folder`. A context manager."""

    def __init__(self, folder: Path, *, step: int, tensorboard: bool, writes: bool = True) -> None:
        """Opens the metrics of a run that has done `step` updates.

        Args:
            writes: false in the processes of a run that leave the files to another one.

        Raises:
            DataError: another process trains in this folder.
            MissingExtra: TensorBoard is wanted and not installed.
            MachineError: the folder cannot be written.
        """
        self.rows: list[dict[str, Any]] = []
        self.writes = writes
        self._log: RowLog | None = None
        self._board: SummaryWriter | None = None
        if not writes:
            return
        path = folder / METRICS
        with RowLog(path) as log:
            kept = [row for _, row in log.rows if row["step"] <= step and row["kind"] != "end"]
            if step == 0:
                kept = []
            if len(kept) != len(log.rows):
                lines = (json.dumps(row, separators=(",", ":")) + "\n" for row in kept)
                write_whole(path, "".join(lines))
        self.rows = kept
        self._board = _board(folder / BOARD, step) if tensorboard else None
        self._log = RowLog(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._log is not None:
            self._log.__exit__()
        if self._board is not None:
            self._board.close()

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Writes one row; numbers go to TensorBoard as `kind/name` too."""
        if self._log is None:
            return
        row = {"kind": kind, "step": step, **values}
        self._log.append(row)
        self.rows.append(row)
        if self._board is not None and kind in ("step", "held"):
            for name, value in values.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    self._board.add_scalar(f"{kind}/{name}", value, step)


def _board(folder: Path, step: int) -> SummaryWriter:
    with contextlib.suppress(ImportError):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=step + 1)
    raise MissingExtra("tensorboard", "train")
