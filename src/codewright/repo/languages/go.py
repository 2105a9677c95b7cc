"""What the nodes of Go mean.

Paths: an import is `PATH#Name.rest`, with the path as written: `net/http#Client.Do`; the package
itself is `net/http`, and binds the last part of its path (no version: `x/yaml.v3` and `x/yaml/v3`
bind `yaml`) where no other name is written. A method stands in an opened type, so that it
is `Type.Method` though its type may be in another file; its receiver's members are SELF. Names of
the same package in other files are UNKNOWN, under their plain name. A parameter or variable with a
written type, `x := T{}`, `&T{}` and `new(T)` give `T.member`, as a guess. What is embedded is
inherited. Names that begin with a capital are EXPORTED.

Not known: what a call returns, so nothing of `x := f()`; keys of composite literals.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages.handlers import call, name_but_underscore, nothing, type_name
from codewright.repo.languages.nodes import child
from codewright.repo.languages.scopes import ANYWHERE, Base, Bound, Chain, Scope
from codewright.repo.languages.table import Table, words
from codewright.repo.languages.walk import Walk

TYPES = {"struct_type": Kind.STRUCT, "interface_type": Kind.INTERFACE}
TEST = re.compile(r"(?:Test|Benchmark|Fuzz|Example)(?![a-z])\w*")
VERSION = re.compile(r"(?:/v\d+|\.v\d+|\.go)$")
BUILTINS = words(
    """
    any append bool byte cap clear close comparable complex complex128 complex64 copy
    delete error false float32 float64 imag int int16 int32 int64 int8 iota len make max
    min new nil panic print println real recover rune string true uint uint16 uint32
    uint64 uint8 uintptr
    """
)


def flags_of(name: str) -> int:
    """Returns what a name says by how it is written."""
    return Flag.EXPORTED if name[:1].isupper() else 0


def function(walk: Walk, node: Node, scope: Scope) -> None:
    """`func f()`, and `func (r T) f()` in the opened `T`."""
    name = node.child_by_field_name("name")
    if name is None:
        return
    receiver, method = node.child_by_field_name("receiver"), False
    owner = _received(receiver) if receiver is not None else None
    if owner is not None:
        scope, method = walk.apart(node, [owner], scope, is_type=True), True
    text = walk.text(name)
    flags = flags_of(text)
    if not method and TEST.fullmatch(text):
        flags |= Flag.TEST
    ordinal = walk.define(
        node,
        name,
        Kind.METHOD if method else Kind.FUNCTION,
        scope,
        body=node.child_by_field_name("body"),
        type=node.child_by_field_name("result"),
        flags=flags,
    )
    inner = Scope(scope, ordinal, True)
    if receiver is not None:
        for one in receiver.named_children:
            bound = one.child_by_field_name("name")
            if bound is not None:
                own = Chain(inner, Base.SELF, [], 0, Use.READ)
                inner.bind(walk.text(bound), Bound(0, "", own))
            _bind_arguments(walk, one.child_by_field_name("type"), inner)
    for field in ("type_parameters", "parameters", "result"):
        _bind_all(walk, node.child_by_field_name(field), inner)
    walk.push([node.child_by_field_name("body")], inner)


def _received(receiver: Node) -> Node | None:
    """Returns the name of a receiver's type."""
    node = receiver.named_child(0) if receiver.named_child_count else None
    node = node.child_by_field_name("type") if node is not None else None
    while node is not None and node.type != "type_identifier":
        if node.type not in ("pointer_type", "generic_type", "parenthesized_type"):
            return None
        node = child(node, "type" if node.type == "generic_type" else "", 0)
    return node


def _bind_arguments(walk: Walk, node: Node | None, scope: Scope) -> None:
    """A receiver `T[K, V]` binds K and V."""
    stack = [node] if node is not None else []
    while stack:
        one = stack.pop()
        if one.type == "type_arguments":
            for argument in one.named_children:
                scope.bind(walk.text(argument), Bound(ANYWHERE))
        elif one.type in ("pointer_type", "generic_type", "parenthesized_type"):
            stack += one.named_children


def _bind_all(walk: Walk, node: Node | None, scope: Scope) -> None:
    """Binds parameters, or named results; a result that is a type alone is looked at."""
    if node is None:
        return
    if not node.type.endswith("parameter_list"):
        walk.push([node], scope)
        return
    for one in node.named_children:
        written = one.child_by_field_name("type")
        bind(walk, one.children_by_field_name("name"), written, scope, 0)
        walk.push([written], scope)


def bind(walk: Walk, names: list[Node], written: Node | None, scope: Scope, start: int) -> None:
    """Binds names as locals of a written type, from a place in the text on."""
    type = walk.chain(written, scope, Use.ANNOTATE, push=False) if written else None
    for name in names:
        if name.type == "identifier" and name.end_byte - name.start_byte < 200:
            scope.bind(walk.text(name), Bound(start, "", type))


def literal(walk: Walk, node: Node, scope: Scope) -> None:
    """A function without a name."""
    inner = Scope(scope, scope.owner, False)
    for field in ("parameters", "result"):
        _bind_all(walk, node.child_by_field_name(field), inner)
    walk.push([node.child_by_field_name("body")], inner)


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """What has names of its own."""
    inner = Scope(scope, scope.owner, False)
    alias = node.child_by_field_name("alias")
    if alias is not None:
        bind(walk, alias.named_children, None, inner, 0)
    walk.push([one for one in node.named_children if one != alias], inner)


def short(walk: Walk, node: Node, scope: Scope) -> None:
    """`a, b := …`, of a loop's range and of a `select` too."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    declares = any(one.type == ":=" for one in node.children)
    if left is None or not declares:
        walk.push_children(node, scope)
        return
    names = left.named_children
    values = right.named_children if right is not None and right.type == "expression_list" else []
    for number, name in enumerate(names):
        made = _made(walk, values[number]) if len(values) == len(names) else None
        bind(walk, [name], made, scope, node.end_byte if values else left.end_byte)
    walk.push([right], scope)


def _made(walk: Walk, value: Node) -> Node | None:
    """Returns the type of `T{}`, `&T{}` and `new(T)`."""
    if value.type == "unary_expression":
        value = value.child_by_field_name("operand") or value
    if value.type == "composite_literal":
        return value.child_by_field_name("type")
    called = value.child_by_field_name("function") if value.type == "call_expression" else None
    arguments = value.child_by_field_name("arguments") if called is not None else None
    if called is None or arguments is None or arguments.named_child_count != 1:
        return None
    return arguments.named_child(0) if walk.text(called) == "new" else None


def variables(walk: Walk, node: Node, scope: Scope) -> None:
    """`var` and `const`: definitions outside of functions, locals within."""
    names = [one for one in node.children_by_field_name("name") if one.type == "identifier"]
    written, values = node.child_by_field_name("type"), node.child_by_field_name("value")
    walk.push([written, values], scope)
    if scope.parent is not None:
        made = values.named_child(0) if values is not None and values.named_child_count else None
        type = written or (_made(walk, made) if made is not None and len(names) == 1 else None)
        bind(walk, names, type, scope, node.end_byte)
        return
    kind = Kind.CONSTANT if node.type == "const_spec" else Kind.VARIABLE
    for name in names:
        if walk.text(name) != "_":
            flags = flags_of(walk.text(name))
            word = "const " if kind is Kind.CONSTANT else "var "
            walk.define(node, name, kind, scope, before=word, type=written, flags=flags)


def type_spec(walk: Walk, node: Node, scope: Scope) -> None:
    """`type T …`; a definition within functions too."""
    name, written = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is None or written is None:
        return
    kind = TYPES.get(written.type, Kind.TYPE)
    members = next((one for one in written.children if one.type == "field_declaration_list"), None)
    if kind is Kind.INTERFACE:
        members = next((one for one in written.children if one.type == "{"), None)
    end = members.start_byte if members is not None else None
    ordinal = walk.define(
        node,
        name,
        kind,
        scope,
        body=members,
        before="type ",
        end=end,
        flags=flags_of(walk.text(name)),
    )
    inner = Scope(scope, ordinal, True)
    _bind_all(walk, node.child_by_field_name("type_parameters"), inner)
    if kind is Kind.TYPE:
        walk.push([written], inner)
        return
    for one in written.named_children:
        walk.push(one.named_children if one == members else [one], inner)


def field(walk: Walk, node: Node, scope: Scope) -> None:
    """A field, or what is embedded."""
    names, written = node.children_by_field_name("name"), node.child_by_field_name("type")
    if not names and written is not None:
        walk.refer(written, scope, Use.INHERIT)
        return
    for name in names:
        if scope.opens and walk.definitions[scope.owner].kind is Kind.STRUCT:
            flags = flags_of(walk.text(name))
            walk.define(node, name, Kind.ATTRIBUTE, scope, type=written, flags=flags)
    walk.push([written], Scope(scope, scope.owner, False))


def method_element(walk: Walk, node: Node, scope: Scope) -> None:
    """A method of an interface."""
    name = node.child_by_field_name("name")
    if name is None:
        return
    result = node.child_by_field_name("result")
    flags = Flag.ABSTRACT | flags_of(walk.text(name))
    ordinal = walk.define(node, name, Kind.METHOD, scope, type=result, flags=flags)
    inner = Scope(scope, ordinal, True)
    _bind_all(walk, node.child_by_field_name("parameters"), inner)
    _bind_all(walk, result, inner)


def type_element(walk: Walk, node: Node, scope: Scope) -> None:
    """What an interface embeds, or a union of types."""
    inside = node.named_children
    owner = walk.definitions[scope.owner].kind
    if len(inside) == 1 and owner is Kind.INTERFACE and scope.opens:
        walk.refer(inside[0], scope, Use.INHERIT)
    else:
        walk.push(inside, scope)


def creation(walk: Walk, node: Node, scope: Scope) -> None:
    """`T{…}`; and `[]T(x)` with `f[T](x)`, which the grammar takes for the same: they call T."""
    made = node.child_by_field_name("type")
    if made is not None:
        walk.refer(made, scope, Use.CALL)
    value = node.child_by_field_name("body") or node.child_by_field_name("operand")
    walk.push([value], scope)


def keyed(walk: Walk, node: Node, scope: Scope) -> None:
    """`key: value`: a plain name as a key is most often a field, of which the type is not known."""
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    inner = key.named_child(0) if key is not None and key.named_child_count else None
    if inner is not None and inner.type != "identifier":
        walk.push([key], scope)
    walk.push([value], scope)


def assignment(walk: Walk, node: Node, scope: Scope) -> None:
    """`a.b = …`."""
    left = node.child_by_field_name("left")
    walk.push([node.child_by_field_name("right")], scope)
    for one in left.named_children if left is not None else []:
        if one.end_byte - one.start_byte > 1 or walk.text(one) != "_":
            walk.refer(one, scope, Use.WRITE)


def imported(walk: Walk, node: Node, scope: Scope) -> None:
    """`import name "path"`."""
    path, name = node.child_by_field_name("path"), node.child_by_field_name("name")
    if path is None:
        return
    module = walk.text(path)[1:-1]
    given = walk.text(name) if name is not None else ""
    if given == ".":
        walk.imports_name(scope, path, module, "*", "", "")
        return
    last = VERSION.sub("", module).rpartition("/")[2].removeprefix("go-")
    alias = "" if given == "_" else given or last
    walk.imports_name(scope, path, module, "", alias, f"{module}#")


def package(walk: Walk, node: Node, scope: Scope) -> None:
    """`package p` is the signature of the file's own definition."""
    walk.definitions[0] = walk.definitions[0]._replace(
        signature=walk.line(node.start_byte, node.end_byte)
    )
    doc, doc_end = walk.comments.above(node.start_point.row + 1)
    walk.definitions[0] = walk.definitions[0]._replace(doc=doc, doc_end=doc_end)


HANDLERS = {
    **dict.fromkeys(("function_declaration", "method_declaration"), function),
    "func_literal": literal,
    **dict.fromkeys(
        (
            *("block", "for_statement", "if_statement", "expression_switch_statement"),
            *("type_switch_statement", "expression_case", "type_case", "default_case"),
            "communication_case",
        ),
        block,
    ),
    **dict.fromkeys(("short_var_declaration", "range_clause", "receive_statement"), short),
    **dict.fromkeys(("var_spec", "const_spec"), variables),
    **dict.fromkeys(("type_spec", "type_alias"), type_spec),
    "field_declaration": field,
    "method_elem": method_element,
    "type_elem": type_element,
    "call_expression": call,
    **dict.fromkeys(("composite_literal", "type_conversion_expression"), creation),
    "keyed_element": keyed,
    "assignment_statement": assignment,
    "import_spec": imported,
    "package_clause": package,
    **dict.fromkeys(("identifier", "selector_expression"), name_but_underscore),
    **dict.fromkeys(("type_identifier", "qualified_type"), type_name),
    **dict.fromkeys(("label_name", "field_identifier", "package_identifier"), nothing),
    "parameter_list": lambda walk, node, scope: _bind_all(
        walk, node, Scope(scope, scope.owner, False)
    ),
}

TABLE = Table(
    handlers=HANDLERS,
    links={
        "selector_expression": ("operand", "field"),
        "qualified_type": ("package", "name"),
    },
    wrappers={
        "parenthesized_expression": "",
        "parenthesized_type": "",
        "generic_type": "type",
        "type_instantiation_expression": "",
        "pointer_type": "",
    },
    names=frozenset({"identifier", "type_identifier", "package_identifier"}),
    builtins=BUILTINS,
)
