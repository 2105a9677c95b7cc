"""What a language says of its grammar: which nodes define, bind and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tree_sitter import Node

from codewright.repo.languages.scopes import Chain, Scope

if TYPE_CHECKING:
    from codewright.repo.languages.walk import Walk

Handler: TypeAlias = "Callable[[Walk, Node, Scope], None]"
Settle: TypeAlias = "Callable[[Walk, Chain], Chain | None]"


def words(text: str) -> frozenset[str]:
    """Returns the words of a text."""
    return frozenset(text.split())


def as_it_is(walk: Walk, chain: Chain) -> Chain | None:
    """Returns a chain unchanged."""
    return chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the nodes of one language mean.

    handlers: by the node's type. links: nodes that put a name after something, with the fields of
    both. wrappers: nodes that stand for one node inside, with its field ("" for the first child).
    nested: as links, for nodes with the rest of the chain in the last field. names: leaves that are
    names. selves: leaves that are the instance. settle: has the last word on each chain. bare,
    heirs: as `Names` takes them.
    """

    handlers: Mapping[str, Handler]
    links: Mapping[str, tuple[str, str]]
    wrappers: Mapping[str, str]
    names: frozenset[str]
    nested: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    settle: Settle = as_it_is
    selves: frozenset[str] = frozenset()
    comments: frozenset[str] = frozenset({"comment"})
    builtins: frozenset[str] = frozenset()
    bare: bool = False
    heirs: bool = False
