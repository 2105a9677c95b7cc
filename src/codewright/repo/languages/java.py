"""What the nodes of Java mean.

Paths: an import is dotted from its package, `java.util.List.of`; a static one is the member's,
`org.junit.Assert.assertTrue`. `this.x` and a bare member are `Class.x`; a bare call that is no
member of a class around it is taken to be inherited where the class has others above it. Classes
of the same package stand without an import and so are UNKNOWN, under their plain name. A local or
parameter with a written type gives `Type.member`, as a guess.

Not known: overloads by their types, what a lambda's parameter is.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages.handlers import assignment, creation, name, type_name
from codewright.repo.languages.scopes import Bound, Scope
from codewright.repo.languages.table import Table, words
from codewright.repo.languages.walk import Walk

TYPES = {
    "class_declaration": Kind.CLASS,
    "interface_declaration": Kind.INTERFACE,
    "enum_declaration": Kind.ENUM,
    "record_declaration": Kind.CLASS,
    "annotation_type_declaration": Kind.INTERFACE,
}
TESTS = frozenset({"Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "TestTemplate"})
BUILTINS = words(
    """
    ArithmeticException ArrayIndexOutOfBoundsException AssertionError AutoCloseable
    Boolean Byte CharSequence Character Class ClassCastException ClassLoader
    CloneNotSupportedException Cloneable Comparable Deprecated Double Enum Error Exception
    Float FunctionalInterface IllegalArgumentException IllegalStateException
    IndexOutOfBoundsException Integer InterruptedException Iterable Long Math
    NullPointerException Number NumberFormatException Object Override Process Record
    Runnable Runtime RuntimeException SafeVarargs Short StackOverflowError
    StackTraceElement String StringBuffer StringBuilder SuppressWarnings System Thread
    ThreadLocal Throwable UnsupportedOperationException Void
    """
)


def flags_of(walk: Walk, node: Node) -> tuple[int, list[Node], int]:
    """Returns what the words before a definition say, its annotations, and its head's begin."""
    flags, begin = 0, node.start_byte
    annotations: list[Node] = []
    words = next((child for child in node.children if child.type == "modifiers"), None)
    if words is None:
        return flags, annotations, begin
    head = None
    for child in words.children:
        match child.type:
            case "annotation" | "marker_annotation":
                annotations.append(child)
                name = child.child_by_field_name("name")
                if name is not None and walk.text(name).rpartition(".")[2] in TESTS:
                    flags |= Flag.TEST
                continue
            case "static":
                flags |= Flag.STATIC
            case "abstract":
                flags |= Flag.ABSTRACT
            case "private":
                flags |= Flag.PRIVATE
            case "public":
                flags |= Flag.EXPORTED
        head = head or child
    if head is not None:
        begin = head.start_byte
    elif words.next_sibling is not None:
        begin = words.next_sibling.start_byte
    return flags, annotations, begin


def type_declaration(walk: Walk, node: Node, scope: Scope) -> None:
    """A class, interface, enum, record or annotation."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    flags, annotations, begin = flags_of(walk, node)
    ordinal = walk.define(
        node,
        name,
        TYPES[node.type],
        scope,
        body=body,
        flags=flags,
        decorators=annotations,
        begin=begin,
    )
    inner = Scope(scope, ordinal, True)
    parameters = node.child_by_field_name("parameters")
    for one in parameters.named_children if parameters else []:
        field = one.child_by_field_name("name")
        if field is not None:
            written = one.child_by_field_name("type")
            walk.define(one, field, Kind.ATTRIBUTE, inner, type=written)
            walk.push([written], inner)
    walk.push([one for one in node.named_children if one not in (name, parameters)], inner)


def method(walk: Walk, node: Node, scope: Scope) -> None:
    """A method or a constructor."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    flags, annotations, begin = flags_of(walk, node)
    if body is None and walk.definitions[scope.owner].kind is Kind.INTERFACE:
        flags |= Flag.ABSTRACT
    ordinal = walk.define(
        node,
        name,
        Kind.METHOD,
        scope,
        body=body,
        type=node.child_by_field_name("type"),
        flags=flags,
        decorators=annotations,
        begin=begin,
    )
    inner = Scope(scope, ordinal, True)
    walk.push([child for child in node.named_children if child != name], inner)


def fields(walk: Walk, node: Node, scope: Scope) -> None:
    """The fields of a class, each a definition; those of a class without a name are none."""
    flags, annotations, begin = flags_of(walk, node)
    written = node.child_by_field_name("type")
    words = walk.line(begin, written.start_byte if written else begin)
    is_constant = node.type == "constant_declaration" or ("static" in words and "final" in words)
    for one in node.children_by_field_name("declarator"):
        name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
        if name is None:
            continue
        if scope.opens:
            walk.define(
                node,
                name,
                Kind.CONSTANT if is_constant else Kind.ATTRIBUTE,
                scope,
                type=written,
                flags=flags,
                decorators=annotations,
                begin=begin,
            )
        walk.push([value], scope)
    walk.push(
        [child for child in node.named_children if child.type != "variable_declarator"], scope
    )


def constant(walk: Walk, node: Node, scope: Scope) -> None:
    """A constant of an enum, with what it may override."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    ordinal = walk.define(node, name, Kind.CONSTANT, scope, body=body)
    walk.push([node.child_by_field_name("arguments")], scope)
    walk.push([body], Scope(scope, ordinal, True))


def local(walk: Walk, node: Node, scope: Scope) -> None:
    """A variable, a parameter, or what a loop, a pattern or a `try` binds."""
    written = node.child_by_field_name("type")
    names = [node.child_by_field_name("name")]
    values = [node.child_by_field_name("value")]
    if node.type == "spread_parameter":
        written = next((one for one in node.named_children if one.type != "modifiers"), None)
    for one in node.named_children:
        if one.type == "variable_declarator":
            names.append(one.child_by_field_name("name"))
            values.append(one.child_by_field_name("value"))
    if written is not None and walk.text(written) == "var":
        made = values[-1]
        is_new = made is not None and made.type == "object_creation_expression"
        written = made.child_by_field_name("type") if made is not None and is_new else None
        bind(walk, names, written, scope)
        walk.push(values, scope)
        return
    bind(walk, names, written, scope)
    walk.push([one for one in node.named_children if one.type == "modifiers"], scope)
    walk.push([written, *values], scope)


def bind(walk: Walk, names: list[Node | None], written: Node | None, scope: Scope) -> None:
    """Binds names as locals of a written type."""
    type = walk.chain(written, scope, Use.ANNOTATE, push=False) if written else None
    for one in names:
        if one is not None:
            scope.bind(walk.text(one), Bound(one.start_byte, "", type))


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """What has names of its own."""
    inner = Scope(scope, scope.owner, False)
    if node.type == "enhanced_for_statement":
        bind(walk, [node.child_by_field_name("name")], node.child_by_field_name("type"), inner)
    parameters = node.child_by_field_name("parameters")
    if node.type == "lambda_expression" and parameters is not None:
        if parameters.type == "identifier":
            bind(walk, [parameters], None, inner)
        elif parameters.type == "inferred_parameters":
            bind(walk, list(parameters.named_children), None, inner)
    skipped = node.child_by_field_name("name")
    walk.push([child for child in node.named_children if child != skipped], inner)


def instance_of(walk: Walk, node: Node, scope: Scope) -> None:
    """`x instanceof T y`."""
    name, right = node.child_by_field_name("name"), node.child_by_field_name("right")
    if name is not None:
        bind(walk, [name], right, scope)
    walk.push([child for child in node.named_children if child != name], scope)


def type_parameter(walk: Walk, node: Node, scope: Scope) -> None:
    """`<T extends X>` binds T."""
    children = [one for one in node.named_children if one.type in ("type_identifier", "identifier")]
    bind(walk, [*children[:1]], None, scope)
    walk.push([child for child in node.named_children if child not in children[:1]], scope)


def call(walk: Walk, node: Node, scope: Scope) -> None:
    """`a.b(…)`."""
    name, owner = node.child_by_field_name("name"), node.child_by_field_name("object")
    walk.push([node.child_by_field_name("arguments")], scope)
    if name is None:
        return
    if owner is None:
        walk.refer(name, scope, Use.CALL)
    else:
        walk.refer(owner, scope, Use.CALL, then=name)


def annotation(walk: Walk, node: Node, scope: Scope) -> None:
    """`@A(x = 1)`."""
    name = node.child_by_field_name("name")
    if name is not None:
        walk.refer(name, scope, Use.DECORATE)
    arguments = node.child_by_field_name("arguments")
    for one in arguments.named_children if arguments else []:
        walk.push([one.child_by_field_name("value") or one], scope)


def heritage(walk: Walk, node: Node, scope: Scope) -> None:
    """`extends` and `implements`."""
    for child in node.named_children:
        for one in child.named_children if child.type == "type_list" else [child]:
            walk.refer(one, scope, Use.INHERIT)


def imports(walk: Walk, node: Node, scope: Scope) -> None:
    """`import a.b.C;`, `import static a.B.c;`, `import a.*;`."""
    path = next((one for one in node.named_children if one.type != "asterisk"), None)
    if path is None or path.type not in ("scoped_identifier", "identifier"):
        return
    text = "".join(walk.text(path).split())
    if any(one.type == "asterisk" for one in node.named_children):
        walk.imports_name(scope, path, text, "*", "", "")
        walk.open_ended |= any(one.type == "static" for one in node.children)
        return
    module, _, last = text.rpartition(".")
    name = path.child_by_field_name("name") or path
    walk.imports_name(scope, name, module, last, last, text)


def package(walk: Walk, node: Node, scope: Scope) -> None:
    """`package a.b;` is the type of the file's own definition."""
    written = next((one for one in node.named_children if "identifier" in one.type), None)
    if written is not None:
        signature = f"package {walk.text(written)}"
        walk.definitions[0] = walk.definitions[0]._replace(signature=signature)


def rest(walk: Walk, node: Node, scope: Scope) -> None:
    """A label is no name."""
    walk.push(node.named_children[1:], scope)


LOCALS = (
    *("local_variable_declaration", "formal_parameter", "spread_parameter", "resource"),
    *("catch_formal_parameter", "type_pattern", "record_pattern_component"),
)
HANDLERS = {
    **dict.fromkeys(TYPES, type_declaration),
    **dict.fromkeys(
        (
            *("method_declaration", "constructor_declaration", "compact_constructor_declaration"),
            "annotation_type_element_declaration",
        ),
        method,
    ),
    **dict.fromkeys(("field_declaration", "constant_declaration"), fields),
    "enum_constant": constant,
    **dict.fromkeys(LOCALS, local),
    **dict.fromkeys(
        (
            *("block", "constructor_body", "for_statement", "enhanced_for_statement"),
            *("catch_clause", "try_with_resources_statement", "lambda_expression"),
            *("switch_block", "static_initializer"),
        ),
        block,
    ),
    "instanceof_expression": instance_of,
    "type_parameter": type_parameter,
    "method_invocation": call,
    "object_creation_expression": creation,
    **dict.fromkeys(("annotation", "marker_annotation"), annotation),
    **dict.fromkeys(("superclass", "super_interfaces", "extends_interfaces"), heritage),
    "assignment_expression": assignment,
    "import_declaration": imports,
    "package_declaration": package,
    **dict.fromkeys(("identifier", "field_access", "scoped_identifier", "method_reference"), name),
    **dict.fromkeys(("type_identifier", "scoped_type_identifier"), type_name),
    **dict.fromkeys(("labeled_statement", "break_statement", "continue_statement"), rest),
}

TABLE = Table(
    handlers=HANDLERS,
    links={
        "field_access": ("object", "field"),
        "scoped_identifier": ("scope", "name"),
        "scoped_type_identifier": ("", ""),
        "method_reference": ("", ""),
    },
    wrappers={"parenthesized_expression": "", "generic_type": "", "annotated_type": ""},
    names=frozenset({"identifier", "type_identifier"}),
    selves=frozenset({"this", "super"}),
    comments=frozenset({"line_comment", "block_comment"}),
    builtins=BUILTINS,
    bare=True,
    heirs=True,
)
