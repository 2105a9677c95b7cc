"""What computes for the engine: tokens and blocks in, logits and drawn tokens out.

A runner keeps the keys and values of `blocks` blocks of `block_size` positions each. It knows no
sequences: a row of a step is one token, its position, and the list of blocks in which its sequence
is kept. Which tokens are read when, and where they are kept, the engine decides.

Shapes: T rows, S lists of blocks, B blocks in a list, R rows whose logits are wanted, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK = 16
"""Positions in a block of the cache, of both runners: as in kernels/model.h."""

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Rows to read. Rows of one sequence stand in the order of their positions.

    Rows that share their first blocks and stand beside each other are computed together.
    """

    ids_T: Ints
    position_T: Ints
    table_T: Ints
    """Which list of blocks each row's sequence is kept in."""
    tables_SB: Ints
    wanted_R: Ints
    """The rows whose logits are wanted: what follows them."""


class Runner(Protocol):
    """A model that is run step by step."""

    @property
    def name(self) -> str:
        """What a person wants to know: how it computes, in which numbers."""
        ...

    @property
    def vocabulary(self) -> int: ...

    @property
    def context(self) -> int: ...

    @property
    def blocks(self) -> int: ...

    @property
    def block_size(self) -> int: ...

    @property
    def wide(self) -> int:
        """Rows up to which a step is widened by guesses: beyond, one costs as much as a token."""
        ...

    def forward(self, step: Step) -> Floats:
        """Reads the rows, keeps their keys and values, and returns logits [R, V].

        What is returned is valid until the next call, and may be written to.
        """
        ...

    def copy_blocks(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Copies keys and values from the first block of each pair to the second."""
        ...

    def draw(self, logits_RV: Floats, manners_R: NDArray[Any]) -> tuple[Ints, Floats]:
        """Draws a token for each row: `sampling.draw`, in the runner's own way.

        Args:
            logits_RV: what `forward` returned, or masked; overwritten.
            manners_R: `sampling.MANNER`, one for each row.

        Returns:
            The tokens, and the natural log of what each had at temperature 1.
        """
        ...

    def close(self) -> None:
        """Gives memory and threads back."""
        ...
