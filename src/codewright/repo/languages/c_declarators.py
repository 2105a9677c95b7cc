"""What a declarator of C or C++ declares."""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.languages.nodes import child
from codewright.repo.languages.scopes import ANYWHERE, Bound, Scope
from codewright.repo.languages.walk import Walk

DECLARATORS = frozenset(
    {
        *("pointer_declarator", "array_declarator", "function_declarator", "init_declarator"),
        *("parenthesized_declarator", "reference_declarator", "attributed_declarator"),
        *("bitfield_clause", "variadic_declarator", "structured_binding_declarator"),
    }
)
NAMES = frozenset(
    {
        *("identifier", "field_identifier", "type_identifier", "operator_name", "operator_cast"),
        *("destructor_name", "qualified_identifier", "template_function", "template_method"),
        *("primitive_type", "literal_operator_name"),
    }
)


def declared(node: Node) -> tuple[Node | None, Node | None]:
    """Returns the name in a declarator, and what has its parameters if it is a function."""
    function, pointed = None, False
    inside: Node | None = node
    while inside is not None and inside.type in DECLARATORS:
        if inside.type == "function_declarator":
            function = inside
        elif inside.type == "parenthesized_declarator":
            pointed = inside.named_child_count > 0 and inside.named_children[0].type != "identifier"
        inside = inside.child_by_field_name("declarator") or child(inside, "", -1)
    if inside is None or inside.type not in NAMES:
        return None, None
    return inside, None if pointed else function


def function_name(walk: Walk, node: Node) -> str:
    """Returns a function's name; operators keep theirs, `operator+`, without spaces."""
    if node.type in ("template_function", "template_method"):
        inner = node.child_by_field_name("name")
        return walk.text(inner) if inner is not None else ""
    return (
        "".join(walk.text(node).split())
        if node.type != "operator_cast"
        else walk.line(node.start_byte, node.end_byte)
    )


def parts_of(walk: Walk, name: Node) -> tuple[list[Node], Node]:
    """Returns what stands before the last `::` of a name, and the last."""
    above = []
    while name.type == "qualified_identifier":
        scope, last = name.child_by_field_name("scope"), name.child_by_field_name("name")
        if scope is not None:
            inner = scope.child_by_field_name("name") if scope.type == "template_type" else scope
            above.append(inner or scope)
        if last is None:
            break
        name = last
    return above, name


def template_names(walk: Walk, node: Node, scope: Scope) -> None:
    """Binds what `template <typename T>` names."""
    listed = node.child_by_field_name("parameters")
    for one in listed.named_children if listed is not None else []:
        name = one.child_by_field_name("name") or child(one, "", 0)
        declarator = one.child_by_field_name("declarator")
        if declarator is not None:
            name, _ = declared(declarator)
        if name is not None and name.type in ("type_identifier", "identifier"):
            scope.bind(walk.text(name), Bound(ANYWHERE))
