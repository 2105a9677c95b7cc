"""Guessing what comes next with a smaller model (Leviathan et al. 2023, "Fast Inference from
Transformers via Speculative Decoding"; Chen et al. 2023).

The draft model draws each token with the random number that the large one will draw it with, so the
two agree wherever their distributions nearly do, at any temperature: their coupling, and no
rejection, makes a guess come true. What is written stays bit for bit what it is without guesses.

A text that the draft model was wrong about gets shorter guesses, one that it was right about longer
ones. Its keys and values are kept in a cache of its own; where that is full, nothing is guessed.

Legend: R rows whose logits are wanted, S texts, B blocks of a text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

import numpy as np

from codewright.engine.blocks import Blocks
from codewright.engine.runner import Floats, Runner, Step
from codewright.engine.sampling import MANNER
from codewright.engine.sequence import Sequence

LONGER, SHORTER = 2, 1
"""By how much a guess grows that was right to its end, and shrinks where it was not."""


@dataclass(slots=True, eq=False)
class _Own:
    """What the draft model keeps of a text.

    ids: the tokens whose keys and values are kept; the first `right` of them are the text's.
    guessed: what was guessed last, when the text had `at` tokens. length: of the next guess.
    tail: tokens to read before the next one can be drawn.
    """

    slot: int
    table: list[int]
    prefix: int
    sealed: int
    ids: list[int]
    right: int
    guessed: tuple[int, ...] = ()
    at: int = 0
    length: int = LONGER
    tail: list[int] = field(default_factory=list)


class Draft:
    """A guesser with a model."""

    def __init__(
        self, runner: Runner, vocabulary: int, ends: Collection[int], *, rows: int, tokens: int
    ) -> None:
        """Starts with nothing kept.

        Args:
            runner: the draft model.
            vocabulary: tokens that may be drawn, those of the large model.
            ends: tokens that end a text, and a guess.
            rows: texts that are kept at the same time at most.
            tokens: that are read in one step at most.
        """
        assert rows <= tokens
        self.runner = runner
        self.blocks = Blocks(runner.blocks, runner.block_size)
        self._vocabulary = vocabulary
        self._ends = frozenset(ends)
        self._tokens = tokens
        self._own: dict[Sequence, _Own] = {}
        self._slots = list(range(rows))
        self._tables_SB = np.zeros((rows, -(-runner.context // runner.block_size)), np.int32)

    def guess(self, wanted: Mapping[Sequence, int]) -> dict[Sequence, tuple[int, ...]]:
        """Returns what the draft model goes on with; see `Guesser`."""
        lengths = {}
        for text, most in wanted.items():
            own = self._follow(text, most, wanted)
            if own is not None:
                lengths[text] = min(most, own.length)
        guesses: dict[Sequence, list[int]] = {text: [] for text in lengths}
        live = list(lengths)
        while live:
            drawn = self._draw(live, [len(guesses[text]) for text in live])
            for text, token in zip(live, drawn, strict=True):
                self._own[text].tail = [token]
                guesses[text].append(token)
            live = [
                text
                for text in live
                if guesses[text][-1] not in self._ends and len(guesses[text]) < lengths[text]
            ]
        for text, guessed in guesses.items():
            if guessed[-1] in self._ends:  # it is drawn in any case, and nothing follows it
                guessed.pop()
            self._own[text].guessed, self._own[text].at = tuple(guessed), len(text.ids)
        return {text: self._own[text].guessed for text in guesses}

    def forget(self, text: Sequence) -> None:
        """Gives back what is kept of a text."""
        own = self._own.pop(text, None)
        if own is None:
            return
        for block in reversed(own.table):
            self.blocks.release(block)
        self._slots.append(own.slot)

    def _follow(self, text: Sequence, most: int, wanted: Collection[Sequence]) -> _Own | None:
        """Brings what is kept of a text to its end but a few tokens; None where there is no room.

        The last token is never among what is kept: what follows it is wanted.
        """
        length = len(text.ids) + most
        if length > self.runner.context:
            self.forget(text)
            return None
        own = self._own.get(text) or self._enter(text, wanted)
        if own is None:
            return None
        if own.guessed:
            true = _same(own.guessed, text.ids[own.at :]) == len(own.guessed)
            own.length = own.length + LONGER if true else max(1, own.length - SHORTER)
            own.guessed = ()
        own.right += _same(own.ids[own.right :], text.ids[own.right : -1])
        del own.ids[own.right :]
        if not self._reserve(own, length, wanted):
            self.forget(text)
            return None
        own.tail = text.ids[own.right :]
        while len(own.tail) > self.runner.block_size:
            part = own.tail[: min(self._tokens, len(own.tail) - 1)]
            self._read([(own, part)], [])
            own.right += len(part)
            del own.tail[: len(part)]
        self._seal(own)
        return own

    def _enter(self, text: Sequence, wanted: Collection[Sequence]) -> _Own | None:
        if not self._slots:
            self._drop(wanted)
        if not self._slots:
            return None
        size = self.blocks.size
        found, prefix = self.blocks.match(text.ids[: (len(text.ids) - 1) // size * size])
        ids = text.ids[: len(found) * size]
        own = _Own(self._slots.pop(), found, prefix, len(found), ids, len(ids))
        self._tables_SB[own.slot, : len(found)] = found
        self._own[text] = own
        return own

    def _reserve(self, own: _Own, length: int, wanted: Collection[Sequence]) -> bool:
        """Sees that there are blocks for `length` tokens; False: all are held by other texts."""
        needed = -(-length // self.blocks.size) - len(own.table)
        if needed > self.blocks.available:
            self._drop(wanted)
        if needed > self.blocks.available:
            return False
        for _ in range(needed):
            block = self.blocks.take()
            assert block is not None
            self._tables_SB[own.slot, len(own.table)] = block
            own.table.append(block)
        return True

    def _drop(self, wanted: Collection[Sequence]) -> None:
        """Forgets the texts that nobody asks for now: they wait, and are read again later."""
        for text in [text for text in self._own if text not in wanted]:
            self.forget(text)

    def _seal(self, own: _Own) -> None:
        """Says which blocks are full of tokens that are written: other texts may share those."""
        size = self.blocks.size
        while (own.sealed + 1) * size <= own.right:
            start = own.sealed * size
            ids = own.ids[start : start + size]
            own.prefix = self.blocks.seal(own.table[own.sealed], own.prefix, ids)
            own.sealed += 1

    def _draw(self, texts: Items[Sequence], places: Items[int]) -> list[int]:
        """Reads the tails, and draws what follows each text `places` tokens behind its end."""
        logits_RV = self._read(
            [(self._own[text], self._own[text].tail) for text in texts], range(len(texts))
        )[:, : self._vocabulary]
        manners_R = np.zeros(len(texts), MANNER)
        for row, (text, place) in enumerate(zip(texts, places, strict=True)):
            how = text.ask.sampling
            manners_R[row] = (
                *(how.temperature, how.top_p, how.min_p, how.top_k),
                *(text.key, text.written + place),
            )
        ids_R, _ = self.runner.draw(logits_RV, manners_R)
        found: list[int] = ids_R.tolist()
        return found

    def _read(self, parts: Items[tuple[_Own, Items[int]]], wanted: Items[int]) -> Floats:
        """Reads tokens behind what is kept; returns the logits after the parts that are wanted."""
        counts = [len(part) for _, part in parts]
        ends = np.cumsum(counts)
        step = Step(
            ids_T=np.concatenate([part for _, part in parts]).astype(np.int32),
            position_T=np.concatenate(
                [np.arange(len(own.ids), len(own.ids) + len(part)) for own, part in parts]
            ).astype(np.int32),
            table_T=np.repeat([own.slot for own, _ in parts], counts).astype(np.int32),
            tables_SB=self._tables_SB,
            wanted_R=(ends[list(wanted)] - 1).astype(np.int32),
        )
        logits_RV = self.runner.forward(step)
        for own, part in parts:
            own.ids += part
        return logits_RV


def _same(one: Items[int], other: Items[int]) -> int:
    """Returns how many tokens two runs begin with in common."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))
