"""What a generator says that cannot hold its texts to a grammar."""

from __future__ import annotations

from collections.abc import Sequence

from codewright.errors import UserError
from codewright.types.generation import Request


def refuse_grammars(name: str, requests: Sequence[Request]) -> None:
    """Raises UserError where a request has a grammar: to pass over it would be to lie."""
    if any(request.grammar is not None for request in requests):
        raise UserError(
            f"{name} cannot be held to a grammar from here",
            hint="name a model on this machine: embedded, or a checkpoint folder",
        )
