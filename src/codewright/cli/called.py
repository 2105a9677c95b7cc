"""`python -m codewright.cli.called PARENT WORDS…`: a command that ends when its parent does.

The same as `codewright WORDS…`, for a server that runs commands: one that is killed takes the
command along, and the sandbox's processes with it.
"""

from __future__ import annotations

import os
import signal
import sys

from codewright.cli.main import COMMANDS, run
from codewright.sandbox import syscalls


def main() -> None:
    """Ties the process to its parent, and runs the command line."""
    parent, *words = sys.argv[1:]
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it was gone before anything could be tied to it
        os._exit(1)
    code = run(words, COMMANDS)
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
