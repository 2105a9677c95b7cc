"""What the nodes of C mean; `cpp.py` builds on it.

An include binds no names: it imports `*` of its path, `<stdio.h>` with its brackets or `dir/a.h`
without quotes. Other files' names are UNKNOWN, under their plain name. A declaration of a function
is a definition without a body. A member of a local or parameter with a written type is
`struct_name.member`, as a guess. Both branches of an `#if` are read. `static` is PRIVATE.

Not known: what a macro makes, so that code which is not C before the preprocessor is an error.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages.c_declarators import (
    DECLARATORS,
    declared,
    function_name,
    parts_of,
    template_names,
)
from codewright.repo.languages.handlers import assignment, call, name, nothing, type_name
from codewright.repo.languages.nodes import child
from codewright.repo.languages.scopes import Bound, Scope
from codewright.repo.languages.table import Table, words
from codewright.repo.languages.walk import Walk

TYPES = {
    "struct_specifier": Kind.STRUCT,
    "union_specifier": Kind.STRUCT,
    "enum_specifier": Kind.ENUM,
    "class_specifier": Kind.CLASS,
}
CLASSES = frozenset({Kind.CLASS, Kind.STRUCT, Kind.NAMESPACE})
BUILTINS = words(
    """
    NULL bool char16_t char32_t false int16_t int32_t int64_t int8_t intptr_t nullptr
    offsetof ptrdiff_t size_t ssize_t true uint16_t uint32_t uint64_t uint8_t uintptr_t
    va_arg va_end va_list va_start wchar_t __FILE__ __LINE__ __func__
    """
)


def is_top(walk: Walk, scope: Scope) -> bool:
    """True where names are definitions: the file, a namespace, a class."""
    return scope.opens and (not scope.owner or walk.definitions[scope.owner].kind in CLASSES)


def in_class(walk: Walk, scope: Scope) -> bool:
    """True right within a class."""
    kind = walk.definitions[scope.owner].kind
    return bool(scope.owner) and (kind is not Kind.NAMESPACE or scope.owner in walk.types)


def function(walk: Walk, node: Node, scope: Scope) -> None:
    """A function with its body."""
    declarator, body = node.child_by_field_name("declarator"), node.child_by_field_name("body")
    name, heading = declared(declarator) if declarator is not None else (None, None)
    if name is None or declarator is None:
        walk.push_children(node, scope)
        return
    initial = [one for one in node.named_children if one.type == "field_initializer_list"]
    ends = [one.start_byte for one in (*initial, body) if one is not None]
    inner = define_function(
        walk, node, name, scope, body=body, end=min(ends, default=node.end_byte)
    )
    if heading is not None:
        parameters(walk, heading, inner)
    skipped = (declarator, body)
    walk.push([*(one for one in node.named_children if one not in skipped), body], inner)


def define_function(
    walk: Walk, node: Node, name: Node, scope: Scope, *, body: Node | None, end: int
) -> Scope:
    """Defines a function, in the opened class where its name is qualified."""
    above, last = parts_of(walk, name)
    if above:
        scope = walk.apart(node, above, scope, is_type=walk.text(above[-1])[:1] != "")
    outer = walk.outer.get(node.id, node)
    ordinal = walk.define(
        node,
        last,
        Kind.METHOD if in_class(walk, scope) else Kind.FUNCTION,
        scope,
        called=function_name(walk, last),
        body=body,
        begin=outer.start_byte,
        end=end,
        type=node.child_by_field_name("type"),
        flags=flags_of(walk, node, scope),
    )
    inner = Scope(scope, ordinal, True)
    if outer.type == "template_declaration":
        template_names(walk, outer, inner)
    return inner


def flags_of(walk: Walk, node: Node, scope: Scope) -> int:
    """Returns what the words before a definition say, and where it stands in its class."""
    outer = walk.outer.get(node.id, node)
    flags = Flag.PRIVATE if node.id in walk.hidden or outer.id in walk.hidden else 0
    for one in node.children:
        word = walk.text(one) if one.type.endswith(("specifier", "virtual")) else ""
        if word == "static":
            flags |= Flag.STATIC if in_class(walk, scope) else Flag.PRIVATE
        elif one.type == "pure_virtual_clause":
            flags |= Flag.ABSTRACT
        elif one.type == "number_literal" and one.end_byte - one.start_byte == 1:
            flags |= Flag.ABSTRACT  # = 0
    return flags


def parameters(walk: Walk, heading: Node, scope: Scope) -> None:
    """Binds the parameters of a function."""
    listed = heading.child_by_field_name("parameters")
    for one in listed.named_children if listed is not None else []:
        written, declarator = one.child_by_field_name("type"), one.child_by_field_name("declarator")
        if declarator is not None:
            bind(walk, declarator, written, scope, 0)
        walk.push([written, one.child_by_field_name("default_value")], scope)
    walk.push([one for one in heading.named_children if one.type == "trailing_return_type"], scope)


def bind(walk: Walk, declarator: Node, written: Node | None, scope: Scope, start: int) -> None:
    """Binds the name of a declarator as a local; pushes array sizes and parameters' types."""
    type = walk.chain(written, scope, Use.ANNOTATE, push=False) if written else None
    inside: Node | None = declarator
    while inside is not None and inside.type in DECLARATORS:
        if inside.type == "structured_binding_declarator":
            for one in inside.named_children:
                scope.bind(walk.text(one), Bound(start))
            return
        walk.push([inside.child_by_field_name("size"), inside.child_by_field_name("value")], scope)
        inside = inside.child_by_field_name("declarator") or child(inside, "", -1)
    if inside is not None and inside.type in ("identifier", "field_identifier"):
        scope.bind(walk.text(inside), Bound(start, "", type))


def declaration(walk: Walk, node: Node, scope: Scope) -> None:
    """Variables, and functions without a body: definitions outside of functions, locals within."""
    written = node.child_by_field_name("type")
    walk.push([written, node.child_by_field_name("default_value")], scope)
    for declarator in node.children_by_field_name("declarator"):
        name, heading = declared(declarator)
        if not is_top(walk, scope):
            made = written
            if written is not None and written.type == "placeholder_type_specifier":
                made = _made(declarator.child_by_field_name("value"))
            bind(walk, declarator, made, scope, declarator.start_byte)
        elif name is not None and heading is not None:
            end = node.end_byte
            inner = define_function(walk, node, name, scope, body=None, end=end)
            parameters(walk, heading, inner)
        elif name is not None:
            _variable(walk, node, declarator, name, scope)
        else:
            walk.push([declarator], scope)


def _variable(walk: Walk, node: Node, declarator: Node, name: Node, scope: Scope) -> None:
    above, last = parts_of(walk, name)
    if above:
        scope = walk.apart(node, above, scope, is_type=True)
    written = node.child_by_field_name("type")
    words = {walk.text(one) for one in node.children if one.type == "type_qualifier"}
    kind = Kind.ATTRIBUTE if in_class(walk, scope) else Kind.VARIABLE
    is_pointer = declarator.type == "pointer_declarator"
    if words & {"constexpr", "constinit"} or ("const" in words and not is_pointer):
        kind = Kind.CONSTANT
    flags = flags_of(walk, node, scope) & ~Flag.ABSTRACT
    walk.define(node, last, kind, scope, type=written, flags=flags)
    value = declarator.child_by_field_name("value")
    bind(walk, declarator, None, Scope(scope, scope.owner, False), 0)
    if value is not None and declarator.type not in DECLARATORS:
        walk.push([value], scope)


def _made(value: Node | None) -> Node | None:
    """Returns the type of `new T(…)`."""
    if value is not None and value.type == "new_expression":
        return value.child_by_field_name("type")
    return None


def type_specifier(walk: Walk, node: Node, scope: Scope) -> None:
    """A struct, union, enum or class with its members; without them it is a use of its name."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if body is None:
        if name is not None:
            walk.refer(name, scope, Use.ANNOTATE)
        return
    inner = Scope(scope, scope.owner, False)
    if name is not None:
        above, last = parts_of(walk, name)
        called = walk.text(child(last, "name", 0) or last) if last.type == "template_type" else ""
        if above:
            scope = walk.apart(node, above, scope, is_type=False)
        outer = walk.outer.get(node.id, node)
        begin = outer.start_byte if outer.type == "template_declaration" else None
        ordinal = walk.define(
            node, last, TYPES[node.type], scope, called=called, body=body, begin=begin
        )
        inner = Scope(scope, ordinal, True)
        if outer.type == "template_declaration":
            template_names(walk, outer, inner)
        if node.type == "class_specifier":
            walk.known.add((ordinal, ""))
    if node.type == "enum_specifier":
        scoped = any(one.type in ("class", "struct") for one in node.children)
        lifted = name is not None and not scoped
        for one in body.named_children:
            enumerator(walk, one, inner if name is not None else scope, lifted=lifted)
        return
    walk.push([one for one in node.named_children if one != name], inner)


def enumerator(walk: Walk, node: Node, scope: Scope, *, lifted: bool) -> None:
    """A name of an enum. lifted: it can be used without the enum's own name."""
    name = node.child_by_field_name("name")
    if name is not None:
        ordinal = walk.define(node, name, Kind.CONSTANT, scope)
        if lifted:
            walk.lifted.append(ordinal)
    walk.push([node.child_by_field_name("value")], scope)


def typedef(walk: Walk, node: Node, scope: Scope) -> None:
    """`typedef … T;`."""
    written = node.child_by_field_name("type")
    body = written.child_by_field_name("body") if written is not None else None
    unnamed = body is not None and written is not None and not written.child_by_field_name("name")
    for declarator in node.children_by_field_name("declarator"):
        name, _ = declared(declarator)
        if name is None:
            continue
        if unnamed and written is not None and declarator == name:
            # `typedef struct { … } T;`: T is the struct.
            word, begin = written.type.removesuffix("_specifier"), written.start_byte
            before = f"typedef {word} {walk.text(name)}"
            ordinal = walk.define(
                node,
                name,
                TYPES[written.type],
                scope,
                body=body,
                before=before,
                begin=begin,
                end=begin,
            )
            inner = Scope(scope, ordinal, True)
            for one in body.named_children if body is not None else []:
                if written.type == "enum_specifier":
                    enumerator(walk, one, inner, lifted=True)
                else:
                    walk.push([one], inner)
            written = None
        else:
            walk.define(node, name, Kind.TYPE, scope)
    walk.push([written], scope)


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """What has names of its own."""
    inner = Scope(scope, scope.owner, False)
    if node.type == "for_range_loop":
        declarator, written = (node.child_by_field_name(f) for f in ("declarator", "type"))
        if declarator is not None:
            bind(walk, declarator, written, inner, 0)
        walk.push([one for one in node.named_children if one != declarator], inner)
        return
    if node.type == "catch_clause":
        parameters(walk, node, inner)
        walk.push([node.child_by_field_name("body")], inner)
        return
    walk.push_children(node, inner)


def include(walk: Walk, node: Node, scope: Scope) -> None:
    """`#include`."""
    path = node.child_by_field_name("path")
    if path is not None and path.type in ("system_lib_string", "string_literal"):
        module = walk.text(path).strip('"')
        walk.imports_name(scope, path, module, "*", "", "")


def macro(walk: Walk, node: Node, scope: Scope) -> None:
    """`#define`."""
    name = node.child_by_field_name("name")
    if name is not None:
        begin = node.start_byte
        walk.define(node, name, Kind.MACRO, walk.top, parent=0, begin=begin)


HANDLERS = {
    "function_definition": function,
    **dict.fromkeys(("declaration", "field_declaration"), declaration),
    **dict.fromkeys(TYPES, type_specifier),
    "type_definition": typedef,
    **dict.fromkeys(
        ("compound_statement", "for_statement", "for_range_loop", "catch_clause"), block
    ),
    "preproc_include": include,
    **dict.fromkeys(("preproc_def", "preproc_function_def"), macro),
    "call_expression": call,
    "assignment_expression": assignment,
    **dict.fromkeys(("identifier", "field_expression"), name),
    "type_identifier": type_name,
    **dict.fromkeys(("field_identifier", "statement_identifier", "preproc_arg"), nothing),
}
LINKS = {"field_expression": ("argument", "field")}
WRAPPERS = {
    "parenthesized_expression": "",
    "struct_specifier": "name",
    "union_specifier": "name",
    "enum_specifier": "name",
    "class_specifier": "name",
    "type_descriptor": "type",
}
LEAVES = frozenset({"identifier", "type_identifier"})

TABLE = Table(
    handlers=HANDLERS,
    links=LINKS,
    wrappers=WRAPPERS,
    names=LEAVES,
    builtins=BUILTINS,
)
