"""One POST to an OpenAI-compatible server, tried until it works or there is no use in trying.

Answers that may be better next time (no connection, time-outs, 408, 409, 425, 429, 5xx, a body
that cannot be read) are tried again after a wait that doubles, with jitter (Brooker, "Exponential
backoff and jitter", 2015), and never shorter than the server's Retry-After. The key is sent in
one header; it appears in no error message, log or record.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from codewright.errors import CodewrightError, DataError, MachineError, UnknownName, UserError

T = TypeVar("T")

AGAIN = frozenset({408, 409, 425, 429})
"""Statuses below 500 that say "later", not "no"."""


class Broken(Exception):
    """The server's answer is not what the protocol says; it may be next time."""


class Refused(Exception):
    """The server understood and said no (400 or 422); `message` is its reason."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to keep trying: `attempts` in all; waits in seconds, the first doubling to the cap.

    `longest_pause` is how long a Retry-After may be before it counts as a refusal.
    """

    attempts: int = 6
    first_wait: float = 0.5
    wait_cap: float = 30.0
    longest_pause: float = 300.0


class Address:
    """A server and the key for it, and how both are spoken of: without the key."""

    def __init__(self, base_url: str, key: str) -> None:
        """Takes the server's address and the key (may be empty).

        Raises:
            UserError: the key has characters that no header can carry.
        """
        key = key.strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise UserError(
                "OPENAI_API_KEY holds characters that a key cannot have", hint="set it again"
            )
        self._base_url = base_url.rstrip("/")
        self._key = key

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def url(self, path: str) -> str:
        """Returns where a path is."""
        return f"{self._base_url}{path}"

    def where(self, path: str) -> str:
        """Returns the address for a message, without any user name or password in it."""
        scheme, separator, rest = self.url(path).rpartition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"

    def clean(self, text: str) -> str:
        """Returns a server's words for a message: on one line, shortened, without the key."""
        if self._key:
            text = text.replace(self._key, "[the key]")
        return " ".join(text.split())[:300]

    def reason(self, content: str, otherwise: str) -> str:
        """Returns a server's words on what went wrong, out of a body, cleaned."""
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict):
            inner = told.get("error", told)
            told = inner.get("message", inner) if isinstance(inner, dict) else inner
        return self.clean(str(told or content or otherwise))


class Transport:
    """Posts JSON to one server, with one key."""

    def __init__(
        self, client: httpx.AsyncClient, *, base_url: str, key: str, patience: Patience
    ) -> None:
        """Takes an open client, the server's address and the key (may be empty).

        Raises:
            UserError: the key has characters that no header can carry.
        """
        self._client = client
        self._address = Address(base_url, key)
        self._patience = patience

    async def post(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
        """Returns what `read` makes of the server's answer; `read` raises Broken to try again.

        Raises:
            Refused: the server will not serve this body.
            UserError: the key or the address is wrong.
            UnknownName: the server has no such model or path.
            MachineError: it did not work within the attempts.
        """
        trouble = ""
        for attempt in range(self._patience.attempts):
            pause = 0.0
            try:
                answer = await self._send(path, body)
                pause = retry_after(answer)
                if answer.status_code == 200:
                    return read(_object(answer))
                self._judge(answer, path)
                trouble = f"answered {answer.status_code}: {self._reason(answer)}"
            except httpx.InvalidURL as error:
                raise UserError(f"{self._address.where(path)} is no address: {error}") from None
            except httpx.UnsupportedProtocol as error:
                raise UserError(
                    f"{self._address.where(path)} is no address: {error}",
                    hint="OPENAI_BASE_URL begins with http:// or https://",
                ) from None
            except httpx.HTTPError as error:
                trouble = self._address.clean(f"{type(error).__name__}: {error}".rstrip(": "))
            except Broken as error:
                trouble = self._address.clean(f"answered something unreadable: {error}")
            if pause > self._patience.longest_pause:
                trouble += f" (and asks to wait {pause:.0f} s)"
                break
            if attempt + 1 < self._patience.attempts:
                await asyncio.sleep(max(pause, self._wait(attempt)))
        raise MachineError(
            f"{self._address.where(path)} {trouble}",
            hint=f"tried up to {self._patience.attempts} times; see to the server, or wait",
        )

    async def _send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self._client.post(
            self._address.url(path), json=body, headers=self._address.headers
        )

    def _wait(self, attempt: int) -> float:
        """Returns seconds: doubling, capped, and spread over its upper half."""
        whole = min(self._patience.wait_cap, self._patience.first_wait * 2**attempt)
        return float(whole * random.uniform(0.5, 1.0))

    def _judge(self, answer: httpx.Response, path: str) -> None:
        """Raises for an answer that will not change by asking again; returns otherwise."""
        code, reason = answer.status_code, self._reason(answer)
        if code in (401, 403):
            raise UserError(
                f"{self._address.where(path)} refused the key ({code}): {reason}",
                hint="set OPENAI_API_KEY to a key of the server that OPENAI_BASE_URL names",
            )
        if code == 404:
            raise UnknownName(
                f"{self._address.where(path)} is not known there: {reason}",
                hint="check the model's name, and OPENAI_BASE_URL (it usually ends in /v1)",
            )
        if code in (400, 422):
            raise Refused(reason)
        if code == 429 and "insufficient_quota" in answer.text:
            raise UserError(f"{self._address.where(path)}: the account's quota is spent: {reason}")
        if code < 500 and code not in AGAIN:
            raise MachineError(
                f"{self._address.where(path)} answered {code}: {reason}",
                hint="check OPENAI_BASE_URL",
            )

    def _reason(self, answer: httpx.Response) -> str:
        return self._address.reason(answer.text, answer.reason_phrase)

    def refused(self, path: str, reason: str) -> CodewrightError:
        """Returns the error for a request that the server refused for good."""
        return DataError(
            f"{self._address.where(path)} refused the request: {reason}",
            hint="change the request's settings, or the model",
        )


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise Broken(f"not JSON ({error})") from None
    if not isinstance(told, dict):
        raise Broken(f"a {type(told).__name__}, not an object")
    return told


def retry_after(answer: httpx.Response) -> float:
    """Returns the seconds to wait that the server asks for: a number, or a date (RFC 9110)."""
    asked = answer.headers.get("retry-after", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        date = email.utils.parsedate_tz(asked)
        return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else 0.0
