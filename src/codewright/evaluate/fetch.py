"""Where the data files of the benchmarks are: the user's folder, the cache, their public home.

A file that is fetched lands in the cache whole or not at all. Nothing here reads what is inside.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from codewright.errors import DataError
from codewright.files import write_whole

HINT = "set CODEWRIGHT_DATA to a folder that has it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One data file: its gzipped place in a data folder, and its public address."""

    path: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where to look for data files.

    `folder` is the user's (looked in first, never written), `cache` is where fetched files are
    kept. With `folder` set and the file missing there, nothing is fetched: who names a folder
    means it. `offline` forbids fetching; `say` is told before a file is fetched.
    """

    folder: Path | None
    cache: Path
    offline: bool = False
    say: Callable[[str], None] | None = None

    def find(self, source: Source) -> Path:
        """Returns the path of `source` on this machine, fetching it where that is allowed.

        Raises:
            DataError: it is not here and could not be fetched.
        """
        if self.folder is not None:
            path = self.folder / source.path
            if not path.is_file():
                raise DataError(
                    f"{path} does not exist",
                    hint=f"CODEWRIGHT_DATA is {self.folder}: {HINT}, or unset it to fetch the file",
                )
            return path
        path = self.cache / source.path
        if not path.is_file():
            if self.offline:
                raise DataError(f"{source.path} is not on this machine", hint=HINT)
            if self.say is not None:
                self.say(f"fetching {source.url}")
            write_whole(path, download(source.url))
        return path


def download(url: str, *, timeout: float = 30.0) -> bytes:
    """Returns the body at `url`, gzipped if it was not yet. `timeout` in seconds without a byte.

    Raises:
        DataError: no network, another answer than 200, or the body broke off.
    """
    try:
        answer = httpx.get(url, timeout=timeout, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise DataError(f"{url} answered {code} instead of the file", hint=HINT) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DataError(
            f"{url} could not be fetched: {error or type(error).__name__}", hint=HINT
        ) from None
    body = answer.content
    return body if body.startswith(b"\x1f\x8b") else gzip.compress(body, mtime=0)
