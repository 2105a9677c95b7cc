"""Small questions to a node of a syntax tree."""

from __future__ import annotations

from tree_sitter import Node


def child(node: Node, field: str, position: int) -> Node | None:
    """Returns the child of a field; where there is no field, the first or last of several."""
    if field:
        return node.child_by_field_name(field)
    children = [one for one in node.named_children if not one.is_extra]
    if not children or (position == 0 and len(children) == 1 and node.type.startswith("scoped")):
        return None
    return children[position]


def body_line(body: Node | None) -> int:
    """Returns the first line of what stands in a body, 0 without one."""
    if body is None:
        return 0
    inside = body.named_child(0) if body.named_child_count else body
    return inside.start_point.row + 1


def last_line(node: Node) -> int:
    """Returns a node's last line; one that ends with a line break ends before it."""
    row, column = node.end_point
    return max(row + (1 if column else 0), node.start_point.row + 1)
