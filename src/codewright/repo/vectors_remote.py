"""Vectors from any server that speaks OpenAI's protocol: POST /embeddings.

Batches go one after the other, each tried again as `transport.py` says; what a server refuses as
too much is sent in halves. The first answer says how long its vectors are, and every later one has
to agree. The texts of the repository leave this machine: only ask where that is wanted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np

from codewright.errors import DataError
from codewright.generate.transport import Broken, Patience, Refused, Transport
from codewright.repo.embedding import Floats, Piece, unit
from codewright.repo.vectors_minilm import clean, spoken

BATCH = 64
"""Texts in a request; servers take up to 2,048, and fewer where memory is short."""
CHARACTERS = 8000
"""Of a text: 2,000 tokens or so, which the models that are offered all take."""
PATH = "/embeddings"


class RemoteEmbedder:
    """An `Embedder` behind a server.

    Args:
        model: its name there.
        base_url: up to and with `/v1`.
        key: sent in a header; may be empty.
        timeout: seconds without a byte.
        patience: how long to try.
    """

    reads_text = True

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        key: str = "",
        timeout: float = 120.0,
        patience: Patience | None = None,
    ) -> None:
        self.name = f"openai/{model}"
        self._model = model
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._patience = patience or Patience()
        self._size = 0

    @property
    def size(self) -> int:
        """Numbers in a vector. Asks the server, where nobody has."""
        if not self._size:
            self.queries(["size"])
        return self._size

    @property
    def digest(self) -> str:
        """Of the server's address and the model's name: nothing else is known of the weights."""
        told = f"{self._base_url}\0{self._model}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        """Returns one row for each piece.

        Raises:
            CodewrightError: as `queries`.
        """
        return self.queries([spoken(piece) for piece in pieces])

    def queries(self, texts: Sequence[str]) -> Floats:
        """Returns one row for each text.

        Raises:
            UserError: the key or the address is wrong.
            UnknownName: the server has no such model.
            DataError: it refuses a text.
            MachineError: it did not answer as the protocol says within the attempts.
        """
        asked = [place for place, text in enumerate(texts) if text.strip()]
        said = [clean(texts[place][:CHARACTERS]) for place in asked]
        rows = asyncio.run(self._all(said)) if said else []
        found = np.zeros((len(texts), self._size or 1), dtype=np.float32)
        if asked:
            found[asked] = rows
        return unit(found)

    async def _all(self, texts: Sequence[str]) -> list[list[float]]:
        async with httpx.AsyncClient(timeout=self._timeout) as client:
            transport = Transport(
                client, base_url=self._base_url, key=self._key, patience=self._patience
            )
            rows: list[list[float]] = []
            for first in range(0, len(texts), BATCH):
                rows += await self._batch(transport, texts[first : first + BATCH])
            return rows

    async def _batch(self, transport: Transport, texts: Sequence[str]) -> list[list[float]]:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        try:
            return await transport.post(PATH, body, lambda told: self._read(told, len(texts)))
        except Refused as refused:
            if len(texts) == 1:
                raise transport.refused(PATH, refused.message) from None
        half = len(texts) // 2
        first = await self._batch(transport, texts[:half])
        return first + await self._batch(transport, texts[half:])

    def _read(self, answer: dict[str, Any], count: int) -> list[list[float]]:
        """Returns the vectors of an answer in the order of the texts."""
        data = answer.get("data")
        if not isinstance(data, list) or len(data) != count:
            raise Broken(f"not one vector for each of {count} texts")
        rows: list[list[float] | None] = [None] * count
        for at, each in enumerate(data):
            index = each.get("index", at) if isinstance(each, dict) else -1
            vector = each.get("embedding") if isinstance(each, dict) else None
            if type(index) is not int or not 0 <= index < count or not _numbers(vector):
                raise Broken("a vector that is none")
            rows[index] = vector
        if any(row is None for row in rows):
            raise Broken("one text's vector twice")
        whole = [row for row in rows if row is not None]
        sizes = {len(row) for row in whole} | ({self._size} if self._size else set())
        if len(sizes) > 1:
            raise DataError(
                f"{self.name} gives vectors of different lengths: {sorted(sizes)}",
                hint="a server that changes its model needs another name for it",
            )
        self._size = sizes.pop()
        return whole


def _numbers(vector: object) -> bool:
    return (
        isinstance(vector, list)
        and bool(vector)
        and all(type(each) in (int, float) for each in vector)
    )
