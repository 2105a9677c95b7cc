"""The logits of one row before a token is drawn: penalties, constraints, the most probable.

Rows behind a guess are shaped as if the guess had come: each of them has the constraint of its text
in the state that it would be in then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.engine import checked
from codewright.engine.runner import Floats
from codewright.engine.sampling import penalise
from codewright.engine.sequence import Constraint, Sequence
from codewright.errors import UserError


@dataclass(slots=True, kw_only=True)
class Draw:
    """A row whose logits are drawn from, `place` tokens behind the end of a text.

    guess: what was read behind it, if anything was. before: the row whose guess this one follows.
    leader: whose row it is, if it is not its own. void: nobody takes what is drawn. constraint:
    that of the text, as it is at this row; None, too, where the guesses led out of it. picked: the
    token that was drawn here, and the log of what it had, where the runner is not to draw.
    failure: why nothing can be drawn.
    """

    text: Sequence
    place: int = 0
    guess: int | None = None
    before: Draw | None = None
    leader: Sequence | None = None
    void: bool = False
    constraint: Constraint | None = None
    picked: tuple[int, float] | None = None
    failure: UserError | None = None
    top: tuple[NDArray[np.int64], NDArray[np.float32]] | None = None


def shape(draw: Draw, logits_V: Floats, manner: Any) -> None:
    """Changes the logits of a row by what its text asks for; notes the most probable before.

    Args:
        draw: the row.
        logits_V: its logits, written to.
        manner: `sampling.MANNER`, how it is drawn from.
    """
    text = draw.text
    if text.ask.alternatives:
        draw.top = _top(logits_V, text.ask.alternatives)
    if text.ask.sampling.penalised:
        start = len(text.ask.prompt)
        penalise(logits_V, text.ask.sampling, text.ids[:start], text.ids[start:])
    try:
        draw.constraint = _state(draw)
        if draw.constraint is not None:
            _constrain(draw, draw.constraint, logits_V, manner)
    except UserError as error:
        draw.failure = error


def _constrain(draw: Draw, constraint: Constraint, logits_V: Floats, manner: Any) -> None:
    mask_V = constraint.mask()
    if mask_V is not None:
        if not mask_V.any():
            raise checked.stuck()
        logits_V[~mask_V] = -np.inf
    if constraint.asks:
        draw.picked = checked.draw(logits_V, manner, constraint.permits)


def _state(draw: Draw) -> Constraint | None:
    """Returns the text's constraint as it is at this row."""
    before = draw.before
    if before is None:
        return draw.text.constraint
    if before.constraint is None:
        return None
    assert before.guess is not None
    if not before.constraint.permits(before.guess):
        return None  # the guess is wrong, and nobody takes what is drawn behind it
    state = before.constraint.fork()
    held = state.advance(before.guess)
    return state if held and not state.over else None


def _top(logits_V: Floats, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the most probable tokens, best first, and the natural logs of what they have."""
    best = np.argpartition(-logits_V, min(count, len(logits_V) - 1))[:count]
    best = best[np.argsort(-logits_V[best], kind="stable")]
    top = logits_V[best[0]]
    log_total = top + np.log(np.exp(logits_V - top).sum())
    return best, logits_V[best] - log_total
