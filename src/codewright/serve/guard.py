"""What stands before every request: its size, its key, its time, and the form of errors.

Errors have OpenAI's form, whatever went wrong: {"error": {"message", "type", "param", "code"}}. A
log line is one JSON object: what was asked for and how it went, never what was said.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codewright.errors import CodewrightError, UserError
from codewright.serve.loop import Busy
from codewright.serve.metrics import Metrics
from codewright.serve.refusal import Refusal

PATHS = frozenset(
    {"/v1/completions", "/v1/chat/completions", "/infill", "/v1/models", "/health", "/metrics"}
)
"""What is counted by itself: others could ask for any number of different ones."""

OPEN = frozenset({"/health", "/metrics"})
"""What may be asked without a key."""

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """body: bytes of a request at most. seconds: for a whole answer. texts: taken in at once."""

    body: int = 4 << 20
    seconds: float = 300.0
    texts: int = 1024


def problem(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Returns an error in OpenAI's form."""
    content = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(content, status, headers)


def of_error(error: CodewrightError) -> JSONResponse:
    """Returns what a client is told of one of our errors."""
    message = f"{error.message}: {error.hint}" if error.hint else error.message
    if isinstance(error, Busy):
        wait = {"Retry-After": str(error.seconds)}
        return problem(429, message, kind="rate_limit_error", code="busy", headers=wait)
    if isinstance(error, Refusal):
        return _refused(error, message)
    if isinstance(error, UserError):
        return problem(400, message)
    return problem(503, message, kind="server_error")


def _refused(error: Refusal, message: str) -> JSONResponse:
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return problem(
        error.status,
        message,
        kind=kinds.get(error.status, kind),
        param=error.param,
        code=error.code,
        headers=headers,
    )


async def on_error(_: Request, error: Exception) -> JSONResponse:
    """Answers where one of our errors got through."""
    assert isinstance(error, CodewrightError)
    return of_error(error)


async def on_bad_body(_: Request, error: Exception) -> JSONResponse:
    """Answers where a body is not what it should be: the first thing that is wrong, by name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return problem(400, f"the body is no JSON: {first.get('ctx', {}).get('error', '')}")
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    return problem(400, f"{place or 'the body'}: {first['msg']}", param=place or None)


class Guard:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, *, keys: Sequence[str], limits: Limits, metrics: Metrics, log: Log
    ) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._limits = limits
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        refusal = self._refusal(scope)
        try:
            if refusal is not None:
                await refusal(scope, receive, noting)
            else:
                await self._app(scope, _Counted(receive, self._limits.body), noting)
        finally:
            seconds = time.monotonic() - began
            path = scope["path"] if scope["path"] in PATHS else "other"
            self._metrics.asked(path, status, seconds)
            line = {
                "time": round(time.time(), 3),
                "method": scope["method"],
                "path": scope["path"],
                "status": status or "left",
                "seconds": round(seconds, 4),
            }
            self._log(json.dumps(line))

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = dict(scope["headers"])
        if self._keys and scope["path"] not in OPEN:
            given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            # All of them are compared, so that time does not tell which one was close.
            if sum(hmac.compare_digest(given, key) for key in self._keys) == 0:
                return problem(
                    401,
                    "the API key is wrong or missing",
                    code="invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        size = headers.get(b"content-length", b"0")
        if size.isdigit() and int(size) > self._limits.body:
            return problem(413, f"the body has more than {self._limits.body} bytes")
        return None


class _Counted:
    """Counts what a client sends: a body need not say how long it is."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, f"the body has more than {self._most} bytes")
        return message
