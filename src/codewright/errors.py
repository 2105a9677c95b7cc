"""Every error that Codewright raises on purpose, as one tree.

    CodewrightError
    ├── UserError            exit code 2: the input was wrong; the hint says how to mend it
    │   ├── ConfigError      an unknown key or a value of the wrong type
    │   ├── DataError        a file is missing, broken, or meant for something else
    │   └── UnknownName      a benchmark, model or method that does not exist
    └── MachineError         exit code 3: the machine lacks something
        ├── IsolationError   the policy's layers do not hold here
        ├── MissingExtra     an optional package is not installed
        ├── MissingKernels   the C kernels were not built, or cannot run here
        └── WorkerError      a sandbox worker could not be started or kept alive

Broken invariants are asserts, not members of this tree.
"""

from __future__ import annotations


class CodewrightError(Exception):
    """Base of the tree.

    Args:
        message: what is wrong, in one sentence, without a trailing full stop.
        hint: what the reader can do about it; empty where nothing can be done.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(CodewrightError):
    """The user's mistake."""

    exit_code = 2


class ConfigError(UserError):
    """A configuration key is unknown or its value does not fit."""


class DataError(UserError):
    """A file is missing, broken, or belongs to something else."""


class UnknownName(UserError):
    """A name that should be one of a known set."""


class MachineError(CodewrightError):
    """The machine lacks something."""

    exit_code = 3


class IsolationError(MachineError):
    """The isolation policy asks for layers that this machine does not offer."""


class MissingExtra(MachineError):
    """An optional dependency is needed.

    Args:
        package: the package that could not be imported.
        extra: the extra of this distribution that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed",
            hint=f"pip install 'codewright[{extra}]'",
        )


class MissingKernels(MachineError):
    """The C kernels of the engine, or the C scanner, cannot be used."""


class WorkerError(MachineError):
    """A sandbox worker could not be started or kept alive."""
