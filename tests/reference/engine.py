"""The slow, obvious forms of what the engine does: a model that is a function of its whole text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from codewright.engine import sampling
from codewright.engine.runner import Step

VOCABULARY = 23


def logits_of(ids: Sequence[int]) -> np.ndarray:
    """Returns logits that depend on every token of a text and on their order."""
    state = 1
    for token in ids:
        state = (state * 1_000_003 + token + 7) % (1 << 61)
    drawn = np.random.default_rng(state % (1 << 32)).normal(size=VOCABULARY)
    # Mostly the text repeats itself, so that guesses come true now and then.
    if state % 5:
        drawn[ids[-1] % 3 + 1] += 6
    return drawn.astype(np.float32)


class RememberingRunner:
    """A runner whose keys and values are the tokens themselves.

    What it answers is computed from what its blocks hold: a block that was taken too early, written
    to by two, or not copied gives another answer, or none.
    """

    name = "remembering"
    vocabulary = VOCABULARY

    def __init__(self, *, blocks: int, block_size: int, context: int) -> None:
        self.blocks, self.block_size, self.context = blocks, block_size, context
        self.wide = 64
        self.memory = np.full((blocks, block_size), -1)
        self.steps: list[int] = []

    def forward(self, step: Step) -> np.ndarray:
        self.steps.append(len(step.ids_T))
        places = set()
        for token, position, table in zip(step.ids_T, step.position_T, step.table_T, strict=True):
            block = step.tables_SB[table][position // self.block_size]
            slot = position % self.block_size
            assert (block, slot) not in places, "two rows write to one place"
            places.add((block, slot))
            self.memory[block, slot] = token
        rows = []
        for row in step.wanted_R:
            table = step.tables_SB[step.table_T[row]]
            length = int(step.position_T[row]) + 1
            held = self.memory[table[: -(-length // self.block_size)]].reshape(-1)[:length]
            assert (held >= 0).all(), "a place that nobody has written to"
            rows.append(logits_of(held.tolist()))
        return np.array(rows, np.float32).reshape(len(rows), VOCABULARY)

    def copy_blocks(self, pairs: Sequence[tuple[int, int]]) -> None:
        for source, copy in pairs:
            self.memory[copy] = self.memory[source]

    def draw(self, logits_RV: np.ndarray, manners_R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = [sampling.draw(*pair) for pair in zip(logits_RV, manners_R, strict=True)]
        return np.array([t for t, _ in drawn], np.int32), np.array(
            [s for _, s in drawn], np.float32
        )

    def close(self) -> None: ...


def continued(
    logits: Callable[[Sequence[int]], np.ndarray],
    prompt: Sequence[int],
    how: sampling.Sampling,
    *,
    room: int,
    key: int,
    ends: frozenset[int],
) -> list[int]:
    """Returns what one text has after its prompt: the whole text is read again for each token."""
    ids = list(prompt)
    manner = np.zeros(1, sampling.MANNER)[0]
    for name in ("temperature", "top_p", "min_p", "top_k"):
        manner[name] = vars_of(how)[name]
    manner["key"] = key
    for step in range(room):
        row = logits(ids).copy()
        manner["step"] = step
        if how.penalised:
            sampling.penalise(row, how, prompt, ids[len(prompt) :])
        token, _ = sampling.draw(row, manner)
        ids.append(token)
        if token in ends:
            break
    return ids[len(prompt) :]


def vars_of(how: sampling.Sampling) -> dict[str, float]:
    """Returns the fields of a record."""
    return {name: getattr(how, name) for name in how.__dataclass_fields__}
