"""Many continuations of one prompt, decoded together: the prompt is read once, its rows go on.

Each step draws one token for every row. A row ends with a special token, with a stop string
(which is cut off, with what follows it), or when there is no more room. Rows that have ended stay
in the batch until they are a quarter of it, because taking them out copies the keys and values of
the others; they change nothing.

Shapes: R rows in the batch, V vocabulary, T time, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from codewright.generate.draw import Draw, keys
from codewright.generate.healing import Healing
from codewright.generate.layout import Layout
from codewright.generate.stops import Stops, characters
from codewright.model.cache import Cache
from codewright.model.transformer import Decoder
from codewright.tokens.special import SLOTS
from codewright.types.generation import Completion

CROWDED = 0.75
"""Share of the batch that still has to be writing for the others to stay in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A model and the bytes of its tokens; `healing` looks them up by how they begin."""

    decoder: Decoder
    token_bytes: Sequence[bytes]
    healing: Healing

    def logits(self, ids_RT: Tensor, cache: Cache) -> Tensor:
        """Returns the logits of what follows the last of `ids_RT`, [R, V], in float32.

        A model's table may have more rows than its tokenizer has tokens: those are left out.
        """
        hidden_RD = self.decoder(ids_RT, cache).hidden_BTD[:, -1]
        return self.decoder.logits(hidden_RD)[:, : len(self.token_bytes)].float()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of one prompt. `seed` is that of row 0."""

    layout: Layout
    temperature: float
    top_p: float
    stops: Stops
    seed: int


@dataclass(slots=True)
class _Row:
    """One continuation as it grows. `finish` is empty while it does."""

    held: bytes
    text: bytearray = field(default_factory=bytearray)
    tokens: int = 0
    score: float = 0.0
    finish: str = ""

    def take(self, token: int, score: float, voice: Voice, stops: Stops) -> None:
        """Adds a token."""
        self.tokens += 1
        self.score += score
        if token < SLOTS:
            self.finish = "stop"
            return
        new = voice.token_bytes[token]
        if self.held:
            self.held, new = self.held[len(new) :], new[len(self.held) :]
        self.text += new
        end = stops.find(self.text, len(new))
        if end is not None:
            del self.text[end:]
            self.finish = "stop"

    def completion(self) -> Completion:
        return Completion(
            text=characters(bytes(self.text), whole=self.finish == "stop"),
            finish=self.finish or "length",
            log_probability=self.score,
            tokens=self.tokens,
        )


@torch.inference_mode()
def decode(
    voice: Voice, wish: Wish, first: int, count: int, *, leave: Callable[[], bool] = lambda: False
) -> list[Completion]:
    """Returns the rows `first` to `first + count` of a request, in order.

    `leave` is asked at each step whether nobody waits for them any more.
    """
    device = voice.decoder.embedding.weight.device
    cache = Cache(voice.decoder.config)
    prompt_1T = torch.tensor([wish.layout.prompt], device=device)
    logits_RV = voice.logits(prompt_1T, cache).repeat(count, 1)
    if count > 1:
        cache.expand(count)
    rows = [_Row(held=wish.layout.held) for _ in range(count)]
    batch, key_R = rows, keys(wish.seed, first, count)
    draw = Draw(temperature=wish.temperature, top_p=wish.top_p)
    for step in range(wish.layout.room):
        ids_R, score_R = draw(_allowed(voice, batch, logits_RV), key_R, step)
        for row, token, score in zip(batch, ids_R.tolist(), score_R.tolist(), strict=True):
            if not row.finish:
                row.take(token, score, voice, wish.stops)
        writing = [place for place, row in enumerate(batch) if not row.finish]
        if not writing or step + 1 == wish.layout.room or leave():
            break
        if len(writing) < CROWDED * len(batch):
            cache.select(writing)
            batch, key_R, ids_R = (
                [batch[place] for place in writing],
                key_R[writing],
                ids_R[writing],
            )
        logits_RV = voice.logits(ids_R[:, None], cache)
    return [row.completion() for row in rows]


def _allowed(voice: Voice, batch: Sequence[_Row], logits_RV: Tensor) -> Tensor:
    """Forbids the rows that have bytes to spell every token that does not spell them."""
    bound = {row.held for row in batch if row.held and not row.finish}
    if not bound:
        return logits_RV
    masks = {b"": torch.zeros_like(logits_RV[0])}
    for held in bound:
        masks[held] = torch.full_like(logits_RV[0], -torch.inf)
        masks[held][voice.healing.allowed(held)] = 0.0
    return logits_RV + torch.stack([masks.get(row.held, masks[b""]) for row in batch])
