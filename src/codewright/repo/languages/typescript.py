"""What the nodes of TypeScript mean beside those of JavaScript, and the table of both.

Paths are as in JavaScript. A namespace's names are `Namespace.name`. Members of interfaces are
methods and attributes, those of enums constants. The table serves JavaScript, TypeScript and TSX:
their nodes have the same names.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages import javascript as js
from codewright.repo.languages import javascript_names as names
from codewright.repo.languages.handlers import name, nothing, type_name, type_parameter
from codewright.repo.languages.scopes import Scope
from codewright.repo.languages.table import Table
from codewright.repo.languages.walk import Walk

KINDS = {
    "interface_declaration": Kind.INTERFACE,
    "enum_declaration": Kind.ENUM,
    "type_alias_declaration": Kind.TYPE,
}


def type_declaration(walk: Walk, node: Node, scope: Scope) -> None:
    """An interface, an enum or an alias."""
    name = node.child_by_field_name("name")
    if name is None:
        return
    body = node.child_by_field_name("body")
    flags = js.exported(walk, node)
    ordinal = walk.define(node, name, KINDS[node.type], scope, body=body, flags=flags)
    inner = Scope(scope, ordinal, True)
    walk.push([child for child in node.named_children if child != name], inner)


def signature(walk: Walk, node: Node, scope: Scope) -> None:
    """A member of an interface; in a type without a name it is looked through."""
    name = node.child_by_field_name("name")
    kind = walk.definitions[scope.owner].kind
    written = node.child_by_field_name("type") or node.child_by_field_name("return_type")
    inner = Scope(scope, scope.owner, False)
    if name is not None and scope.opens and kind in (Kind.INTERFACE, Kind.TYPE, Kind.CLASS):
        is_method = node.type == "method_signature"
        ordinal = walk.define(
            node, name, Kind.METHOD if is_method else Kind.ATTRIBUTE, scope, type=written
        )
        inner = Scope(scope, ordinal, True)
    if node.type == "property_signature":
        walk.push([written], scope)
    else:
        js.function_body(walk, node, inner)


def enum_body(walk: Walk, node: Node, scope: Scope) -> None:
    """Each name of an enum is a constant."""
    for child in node.named_children:
        is_set = child.type == "enum_assignment"
        name = child.child_by_field_name("name") if is_set else child
        if name is not None and name.type == "property_identifier":
            walk.define(child, name, Kind.CONSTANT, scope)
        walk.push([child.child_by_field_name("value")] if is_set else [], scope)


def namespace(walk: Walk, node: Node, scope: Scope) -> None:
    """`namespace A.B {}` and `declare module "m" {}`."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    called = walk.text(name).strip("\"'")
    flags = js.exported(walk, node)
    ordinal = walk.define(node, name, Kind.NAMESPACE, scope, called=called, body=body, flags=flags)
    if body is not None:
        walk.push_children(body, Scope(scope, ordinal, True))


def ambient(walk: Walk, node: Node, scope: Scope) -> None:
    """`declare …`."""
    for child in node.named_children:
        walk.outer[child.id] = walk.outer.get(node.id, node)
    walk.push_children(node, scope)


def formal(walk: Walk, node: Node, scope: Scope) -> None:
    """The parameters of a type of functions: their names are nothing's, their types are."""
    js.bind(walk, node, Scope(scope, scope.owner, False))


def constructor_parameters(walk: Walk, node: Node, scope: Scope) -> None:
    """`constructor(private x: T)` defines an attribute beside the parameter."""
    js.member(walk, node, scope)
    parameters = node.child_by_field_name("parameters")
    kind = walk.definitions[scope.owner].kind
    if parameters is None or kind is not Kind.CLASS:
        return
    for one in parameters.named_children:
        words = {child.type for child in one.children}
        name = one.child_by_field_name("pattern")
        if name is None or not words & {"accessibility_modifier", "readonly"}:
            continue
        if (scope.owner, walk.text(name)) not in walk.known:
            walk.known.add((scope.owner, walk.text(name)))
            flags = Flag.PRIVATE if walk.text(one).startswith("private") else 0
            written = one.child_by_field_name("type")
            walk.define(one, name, Kind.ATTRIBUTE, scope, type=written, flags=flags)


def inherited(walk: Walk, node: Node, scope: Scope) -> None:
    """`interface A extends B`."""
    for child in node.named_children:
        walk.refer(child, scope, Use.INHERIT)


HANDLERS = {
    **dict.fromkeys(
        (
            *("function_declaration", "generator_function_declaration", "function_signature"),
            *("arrow_function", "function_expression", "generator_function"),
        ),
        js.function,
    ),
    **dict.fromkeys(
        (
            *("statement_block", "for_statement", "for_in_statement", "catch_clause"),
            *("switch_body", "class_static_block"),
        ),
        js.block,
    ),
    **dict.fromkeys(("class_declaration", "abstract_class_declaration", "class"), js.class_),
    **dict.fromkeys(("class_heritage", "extends_clause", "implements_clause"), js.heritage),
    **dict.fromkeys(
        ("field_definition", "public_field_definition", "abstract_method_signature"), js.member
    ),
    "method_definition": constructor_parameters,
    **dict.fromkeys(("call_expression", "new_expression"), js.call),
    "decorator": js.decorator,
    **dict.fromkeys(("jsx_opening_element", "jsx_self_closing_element"), js.jsx),
    **dict.fromkeys(
        (
            *("property_identifier", "jsx_closing_element", "statement_identifier"),
            *("private_property_identifier", "shorthand_property_identifier_pattern"),
        ),
        nothing,
    ),
    **dict.fromkeys(("identifier", "shorthand_property_identifier", "member_expression"), name),
    **dict.fromkeys(("type_identifier", "nested_type_identifier"), type_name),
    "nested_identifier": name,
    **dict.fromkeys(("lexical_declaration", "variable_declaration"), names.variables),
    **dict.fromkeys(("assignment_expression", "augmented_assignment_expression"), names.assignment),
    "import_statement": names.imports,
    "export_statement": names.export,
    "type_parameter": type_parameter,
    **dict.fromkeys(KINDS, type_declaration),
    **dict.fromkeys(("property_signature", "method_signature"), signature),
    "enum_body": enum_body,
    **dict.fromkeys(("internal_module", "module"), namespace),
    "ambient_declaration": ambient,
    "formal_parameters": formal,
    "extends_type_clause": inherited,
}

TABLE = Table(
    handlers=HANDLERS,
    links={
        "member_expression": ("object", "property"),
        "nested_type_identifier": ("module", "name"),
        "nested_identifier": ("object", "property"),
    },
    wrappers={
        "parenthesized_expression": "",
        "non_null_expression": "",
        "type_annotation": "",
        "generic_type": "name",
        "as_expression": "",
        "satisfies_expression": "",
        "instantiation_expression": "",
    },
    names=frozenset({"identifier", "type_identifier", "shorthand_property_identifier"}),
    selves=frozenset({"this", "super"}),
    builtins=js.BUILTINS,
)
