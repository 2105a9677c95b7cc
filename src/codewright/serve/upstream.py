"""A server elsewhere that speaks OpenAI's protocol: asked once, whole or as it streams.

Nothing is tried again: a client hears what the server said, in a status of its own, and knows best
when to come back. The server's key is in one header, and in no message; a client's key is not sent.

    401, 403, 404, 400, 422, 501 …   the same: the server understood, and said no
    429                              429, with its Retry-After
    5xx, no connection, no JSON      502
    silence                          504
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from codewright.errors import UserError
from codewright.generate.transport import Address, retry_after
from codewright.serve.answers import Json
from codewright.serve.refusal import Refusal

CONNECTING = 10.0
"""Seconds for a connection."""
CONNECTIONS = 1000
LONGEST = 8 << 20
"""Bytes of a line of a stream."""


class Upstream:
    """One server, with one key. `running`, `asked` and `failed` count requests."""

    def __init__(self, base_url: str, *, key: str, silence: float) -> None:
        """Takes where it is, the key, and how many seconds it may be silent.

        Raises:
            UserError: the address is none, or the key cannot be one.
        """
        self._address = Address(base_url, key)
        if not base_url.startswith(("http://", "https://")):
            raise UserError(
                f"{self.place} is no address",
                hint="OPENAI_BASE_URL begins with http:// or https://, and usually ends in /v1",
            )
        self._silence = silence
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(silence, connect=CONNECTING, pool=None),
            limits=httpx.Limits(max_connections=CONNECTIONS),
        )
        self.running = self.asked = self.failed = 0

    @property
    def place(self) -> str:
        """Its address, without any password."""
        return self._address.where("")

    async def ask(self, path: str, body: Json) -> Json:
        """Returns a whole answer.

        Raises:
            Refusal: there is none, with the status that a client should be told.
        """
        async with self._opened(path, body) as answer:
            content = await answer.aread()
        return self._object(content, path)

    async def stream(self, path: str, body: Json) -> AsyncGenerator[Json]:
        """Yields the pieces of an answer as they come; raises as `ask`."""
        async with self._opened(path, body) as answer:
            kind = answer.headers.get("content-type", "")
            if "text/event-stream" not in kind:
                raise self._broken(path, f"a stream was asked for, and {kind or 'nothing'} came")
            async for data in _events(answer.aiter_bytes()):
                if data == "[DONE]":
                    return
                piece = self._object(data.encode(), path)
                if "error" in piece and "choices" not in piece:
                    self.failed += 1
                    raise Refusal(
                        f"{self._address.where(path)} broke off: {self._address.reason(data, '')}",
                        status=502,
                        code="upstream",
                    )
                yield piece

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def _opened(self, path: str, body: Json) -> AsyncIterator[httpx.Response]:
        """Gives a good answer while it comes; who leaves the block closes its connection."""
        self.running += 1
        self.asked += 1
        url = self._address.url(path)
        try:
            async with self._client.stream(
                "POST", url, json=body, headers=self._address.headers
            ) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise self._refusal(answer, path)
                yield answer
        except httpx.InvalidURL as error:
            raise self._broken(path, f"that is no address: {error}") from None
        except httpx.TimeoutException as error:
            self.failed += 1
            connecting = isinstance(error, httpx.ConnectTimeout)
            seconds = CONNECTING if connecting else self._silence
            raise Refusal(
                f"{self._address.where(path)} said nothing for {seconds:g} s",
                status=504,
                code="upstream",
            ) from None
        except httpx.HTTPError as error:
            told = self._address.clean(f"{type(error).__name__}: {error}".rstrip(": "))
            raise self._broken(path, told) from None
        finally:
            self.running -= 1

    def _refusal(self, answer: httpx.Response, path: str) -> Refusal:
        """What a client is told of an answer that is none."""
        status = answer.status_code
        where = self._address.where(path)
        reason = self._address.reason(answer.text, answer.reason_phrase)
        if status in (401, 403):
            return Refusal(
                f"{where} refused this server's key: {reason}",
                status=status,
                hint="the key is the server's OPENAI_API_KEY, not the client's",
                code="upstream",
            )
        if 400 <= status < 500 or status == 501:
            param = _param(answer.text)
            return Refusal(
                f"{where} refused: {reason}",
                status=status,
                param=param,
                code="upstream",
                retry_after=math.ceil(min(retry_after(answer), 1e6)),
            )
        self.failed += 1
        return Refusal(f"{where} answered {status}: {reason}", status=502, code="upstream")

    def _broken(self, path: str, what: str) -> Refusal:
        self.failed += 1
        return Refusal(f"{self._address.where(path)}: {what}", status=502, code="upstream")

    def _object(self, content: bytes, path: str) -> Json:
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise self._broken(path, "what it answered is no JSON object")
        return told


async def _events(drops: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yields the data of each server-sent event.

    Lines end with CR, LF or both (WHATWG, "Server-sent events"), not with whatever else Unicode
    calls a line's end: that may stand inside JSON.
    """
    rest, data = b"", list[str]()
    async for drop in drops:
        rest = (rest + drop).replace(b"\r\n", b"\n")
        held = b"\r" if rest.endswith(b"\r") else b""  # its LF may be on its way
        *lines, rest = rest.removesuffix(held).replace(b"\r", b"\n").split(b"\n")
        rest += held
        if len(rest) > LONGEST:
            raise httpx.DecodingError("a line of the stream does not end")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].decode("utf-8", "replace").removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data = []
    if data:
        yield "\n".join(data)


def _param(content: str) -> str | None:
    """The field that a server blames."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    error = told.get("error") if isinstance(told, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    return param[:100] if isinstance(param, str) else None
