"""What nodes mean in several languages: their grammars name the fields alike."""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Use
from codewright.repo.languages.scopes import ANYWHERE, Bound, Scope
from codewright.repo.languages.walk import Walk


def name(walk: Walk, node: Node, scope: Scope) -> None:
    """A name, or a chain of them, that is read."""
    walk.refer(node, scope)


def name_but_underscore(walk: Walk, node: Node, scope: Scope) -> None:
    """A name, or a chain of them, that is read; `_` is none."""
    if node.end_byte - node.start_byte > 1 or walk.text(node) != "_":
        walk.refer(node, scope)


def type_name(walk: Walk, node: Node, scope: Scope) -> None:
    """A name, or a chain of them, that is a type."""
    walk.refer(node, scope, Use.ANNOTATE)


def nothing(walk: Walk, node: Node, scope: Scope) -> None:
    """Names that refer to nothing."""


def call(walk: Walk, node: Node, scope: Scope) -> None:
    """`f(…)`."""
    called = node.child_by_field_name("function")
    walk.push([one for one in node.named_children if one != called], scope)
    if called is not None:
        walk.refer(called, scope, Use.CALL)


def creation(walk: Walk, node: Node, scope: Scope) -> None:
    """`new T(…)`, in Java with a body, whose names are its own."""
    made = node.child_by_field_name("type")
    if made is not None:
        walk.refer(made, scope, Use.CALL)
    inner = Scope(scope, scope.owner, False)
    walk.push([one for one in node.named_children if one != made], inner)


def assignment(walk: Walk, node: Node, scope: Scope) -> None:
    """`a.b = …`."""
    left = node.child_by_field_name("left")
    if left is not None:
        walk.refer(left, scope, Use.WRITE)
    walk.push([node.child_by_field_name("right")], scope)


def type_parameter(walk: Walk, node: Node, scope: Scope) -> None:
    """`<T: Bound>` binds T."""
    called = node.child_by_field_name("name")
    if called is not None:
        scope.bind(walk.text(called), Bound(ANYWHERE))
    walk.push([one for one in node.named_children if one != called], scope)
