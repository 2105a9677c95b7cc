"""What a decoder may be given to remember what it has read: an engine's business, not the model's.

Legend: B batch, T new tokens, H query heads, G key heads, K head dim.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Memory(Protocol):
    """The keys and values of what was read before, for one pass of the decoder."""

    @property
    def position_T(self) -> Tensor:
        """The position of each new token in its text."""
        ...

    def attend(
        self, layer: int, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int | None
    ) -> Tensor:
        """Keeps the keys and values of a layer, and attends to what is kept: [B, H, T, K]."""
        ...
