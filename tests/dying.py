"""A process that ends as by `kill -9` at a known moment: right after a row of a log was written.

From outside such a moment cannot be met for sure: a busy machine wakes the killer when all is over.

`python -m tests.dying results.jsonl 40 evaluate …` runs `codewright evaluate …` until the file of
that name has got its 40th row from this process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from codewright.cli.main import main
from codewright.files import RowLog

REPOSITORY = Path(__file__).parents[1]


def die_after(name: str, rows: int) -> None:
    """Lets this process die once it has appended `rows` rows to the file called `name`."""
    left, append = rows, RowLog.append

    def counted(self: RowLog, row: dict[str, Any]) -> None:
        nonlocal left
        append(self, row)
        left -= self._path.name == name
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    RowLog.append = counted  # type: ignore[method-assign]


def killed(*words: object) -> None:
    """Runs Python with these words, in the repository, and sees it die by SIGKILL."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


if __name__ == "__main__":
    die_after(sys.argv[1], int(sys.argv[2]))
    del sys.argv[1:3]
    main()
