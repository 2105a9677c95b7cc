"""An error that says by which HTTP status a client is told of it."""

from __future__ import annotations

from codewright.errors import CodewrightError


class Refusal(CodewrightError):
    """A request that is not answered.

    Args:
        message: as `CodewrightError`.
        status: of HTTP.
        hint: as `CodewrightError`.
        param: the field that is to blame.
        code: a word that programs look at.
        retry_after: seconds until it is worth asking again; 0 where that is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        hint: str = "",
        param: str | None = None,
        code: str | None = None,
        retry_after: int = 0,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.param = param
        self.code = code
        self.retry_after = retry_after
