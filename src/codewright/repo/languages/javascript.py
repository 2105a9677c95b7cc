"""What the nodes of JavaScript mean; `typescript.py` builds on it.

Paths: an import is `MODULE#name.rest`, the module as written: `./tools#load`, `react#useState`,
`node:fs#promises.readFile`; the module itself is `./tools`, its default export `./tools#default`.
CommonJS counts as importing (`const x = require("./x")`) and as exporting (`exports.f = …`, which
defines `f`). `this.x` is `Class.x`. Functions and classes within functions are definitions; other
names there are locals. `it("does x", …)` defines `does x`, a test. `A.prototype.f = …` defines `f`
in an opened `A`.

Not known: what a computed name is, what `this` is in a function that is no method, and types.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages.scopes import Bound, Scope
from codewright.repo.languages.table import words
from codewright.repo.languages.walk import Walk

FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function"})
BUILTINS = words(
    """
    Array ArrayBuffer BigInt Boolean Buffer Date Error EvalError Function Infinity Intl
    JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
    Set String Symbol SyntaxError TypeError URIError URL WeakMap WeakSet arguments
    clearInterval clearTimeout console decodeURI decodeURIComponent document encodeURI
    encodeURIComponent eval exports fetch global globalThis isFinite isNaN module
    navigator parseFloat parseInt process queueMicrotask require setInterval setTimeout
    structuredClone undefined window Record Partial Required Readonly Pick Omit Exclude
    Extract NonNullable ReturnType Parameters Awaited Iterable Iterator AsyncIterable
    """
)
TESTS = frozenset({"describe", "it", "test", "suite"})
CAPITALS = re.compile(r"[A-Z][A-Z0-9_]*")


def function(walk: Walk, node: Node, scope: Scope) -> None:
    """Any function; a definition where it has a name and is a statement."""
    name = node.child_by_field_name("name")
    if name is None or node.type in FUNCTIONS:
        function_body(walk, node, Scope(scope, scope.owner, False))
        return
    ordinal = walk.define(
        node,
        name,
        Kind.FUNCTION,
        scope,
        body=node.child_by_field_name("body"),
        type=node.child_by_field_name("return_type"),
        flags=exported(walk, node) | is_async(node),
    )
    function_body(walk, node, Scope(scope, ordinal, True))


def function_body(walk: Walk, node: Node, inner: Scope) -> None:
    """Binds the parameters of a function and has its body looked at."""
    for field in ("parameters", "parameter"):
        parameters = node.child_by_field_name(field)
        if parameters is not None:
            bind(walk, parameters, inner)
    fields = ("type_parameters", "return_type", "body")
    walk.push([node.child_by_field_name(field) for field in fields], inner)


def bind(walk: Walk, pattern: Node, scope: Scope, type: Node | None = None) -> list[Node]:
    """Binds the names of a pattern as locals and returns them; pushes defaults and types."""
    found: list[Node] = []
    stack = [(pattern, type)]
    while stack:
        node, kind = stack.pop()
        match node.type:
            case "identifier" | "shorthand_property_identifier_pattern":
                chain = walk.chain(kind, scope, Use.ANNOTATE, push=False) if kind else None
                scope.bind(walk.text(node), Bound(0, "", chain))
                found.append(node)
            case "pair_pattern":
                value = node.child_by_field_name("value")
                stack += [(value, None)] if value else []
            case "assignment_pattern" | "object_assignment_pattern":
                left = node.child_by_field_name("left")
                stack += [(left, kind)] if left else []
                walk.push([node.child_by_field_name("right")], scope)
            case "required_parameter" | "optional_parameter":
                written = node.child_by_field_name("type")
                inner = node.child_by_field_name("pattern")
                stack += [(inner, written)] if inner else []
                walk.push([written, node.child_by_field_name("value")], scope)
            case "member_expression" | "subscript_expression":
                walk.push([node], scope)
            case "comment" | "decorator" | "this":
                pass
            case _:
                stack += [(child, None) for child in reversed(node.named_children)]
    return found


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """What has names of its own."""
    inner = Scope(scope, scope.owner, False)
    for field in ("left", "parameter"):
        pattern = node.child_by_field_name(field)
        if pattern is not None and (field == "parameter" or node.child_by_field_name("kind")):
            bind(walk, pattern, inner)
    walk.push_children(node, inner)


def class_(walk: Walk, node: Node, scope: Scope) -> None:
    """A class; one without a name is looked through."""
    name = node.child_by_field_name("name")
    body = node.child_by_field_name("body")
    inner = Scope(scope, scope.owner, False)
    if name is not None:
        flags = exported(walk, node)
        if node.type.startswith("abstract"):
            flags |= Flag.ABSTRACT
        decorators = [child for child in node.named_children if child.type == "decorator"]
        begin = decorators[-1].end_byte if decorators else None
        ordinal = walk.define(
            node,
            name,
            Kind.CLASS,
            scope,
            body=body,
            flags=flags,
            decorators=decorators,
            begin=begin,
        )
        inner = Scope(scope, ordinal, True)
    walk.push([child for child in node.named_children if child != name], inner)


def heritage(walk: Walk, node: Node, scope: Scope) -> None:
    """`extends` and `implements`."""
    for child in node.named_children:
        if child.type in ("extends_clause", "implements_clause", "type_arguments"):
            walk.push([child], scope)
        else:
            walk.refer(child, scope, Use.INHERIT)


def member(walk: Walk, node: Node, scope: Scope) -> None:
    """A method, or a field, of a class or an object."""
    name = node.child_by_field_name("name") or node.child_by_field_name("property")
    value = node.child_by_field_name("value")
    is_field = node.type in ("field_definition", "public_field_definition")
    if name is None or name.type == "computed_property_name" or not scope.owner:
        function_body(walk, node, Scope(scope, scope.owner, False))
        walk.push([name, value], scope)
        return
    is_method = not is_field or (value is not None and value.type in FUNCTIONS)
    flags = member_flags(walk, node, name)
    written = node.child_by_field_name("type") or node.child_by_field_name("return_type")
    decorators = [child for child in node.named_children if child.type == "decorator"]
    ordinal = walk.define(
        node,
        name,
        Kind.METHOD if is_method else Kind.ATTRIBUTE,
        scope,
        body=node.child_by_field_name("body") or (value if is_method else None),
        type=written,
        flags=flags,
        decorators=decorators,
        begin=decorators[-1].end_byte if decorators else None,
    )
    walk.known.add((scope.owner, walk.text(name)))
    if is_field:
        walk.push([*decorators, node.child_by_field_name("type")], scope)
        walk.push([value], Scope(scope, ordinal, True) if is_method else scope)
    else:
        walk.push(decorators, scope)
        function_body(walk, node, Scope(scope, ordinal, True))


def member_flags(walk: Walk, node: Node, name: Node) -> int:
    """What the words before a member's name say."""
    flags = is_async(node)
    for child in node.children:
        match child.type:
            case "static":
                flags |= Flag.STATIC
            case "get" | "set":
                flags |= Flag.PROPERTY
            case "abstract":
                flags |= Flag.ABSTRACT
            case "accessibility_modifier":
                if walk.text(child) == "private":
                    flags |= Flag.PRIVATE
        if child == name:
            break
    if name.type == "private_property_identifier":
        flags |= Flag.PRIVATE
    if node.type == "abstract_method_signature":
        flags |= Flag.ABSTRACT
    return flags


def is_async(node: Node) -> int:
    """Returns ASYNC where a function begins so."""
    return Flag.ASYNC if any(child.type == "async" for child in node.children[:4]) else 0


def exported(walk: Walk, node: Node) -> int:
    """Returns EXPORTED for what stands in an `export`."""
    around = walk.outer.get(node.id)
    return Flag.EXPORTED if around is not None and around.type == "export_statement" else 0


def call(walk: Walk, node: Node, scope: Scope) -> None:
    """A call or a `new`, but for `require` and `import()`."""
    field = "constructor" if node.type == "new_expression" else "function"
    called = node.child_by_field_name(field)
    arguments = node.child_by_field_name("arguments")
    if called is not None and arguments is not None and is_test(walk, called, arguments):
        test(walk, node, arguments, scope)
        return
    walk.push([node.child_by_field_name("type_arguments"), arguments], scope)
    if called is None or called.type == "super":
        return
    if called.type == "import" or is_require(walk, node):
        source = arguments.named_child(0) if arguments and arguments.named_child_count else None
        if source is not None and source.type == "string":
            walk.imports_name(scope, source, source_text(walk, source), "", "", "")
    else:
        walk.refer(called, scope, Use.CALL)


def is_test(walk: Walk, called: Node, arguments: Node) -> bool:
    """True for `it("does …", () => {…})` and its like."""
    given = arguments.named_children
    return (
        len(given) > 1
        and called.type == "identifier"
        and walk.text(called) in TESTS
        and given[0].type == "string"
        and given[1].type in FUNCTIONS
    )


def test(walk: Walk, node: Node, arguments: Node, scope: Scope) -> None:
    """A test is a function whose name is what it says, with spaces for dots."""
    named, held = arguments.named_children[:2]
    said = source_text(walk, named).replace(".", " ")
    body = held.child_by_field_name("body")
    flags = Flag.TEST | is_async(held)
    end = held.start_byte
    ordinal = walk.define(
        node, named, Kind.FUNCTION, scope, called=said, body=body, end=end, flags=flags
    )
    function_body(walk, held, Scope(scope, ordinal, True))
    walk.push(arguments.named_children[2:], scope)


def is_require(walk: Walk, node: Node | None) -> bool:
    """True for `require("…")`."""
    if node is None or node.type != "call_expression":
        return False
    called = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    return (
        called is not None
        and called.type == "identifier"
        and walk.text(called) == "require"
        and arguments is not None
        and arguments.named_child_count == 1
        and arguments.named_children[0].type == "string"
    )


def source_text(walk: Walk, node: Node) -> str:
    """Returns what a string says, without its quotes."""
    return walk.text(node)[1:-1]


def decorator(walk: Walk, node: Node, scope: Scope) -> None:
    """`@name` and `@name(…)`; one beside what it decorates is kept for that."""
    walk.attributes.append(node)
    for child in node.named_children:
        if child.type == "call_expression":
            called = child.child_by_field_name("function")
            walk.push([child.child_by_field_name("arguments")], scope)
            child = called or child
        walk.refer(child, scope, Use.DECORATE)


def jsx(walk: Walk, node: Node, scope: Scope) -> None:
    """`<Name …>` calls `Name`; names in small letters are the browser's."""
    name = node.child_by_field_name("name")
    if name is not None and (name.type != "identifier" or walk.text(name)[:1].isupper()):
        walk.refer(name, scope, Use.CALL)
    walk.push([child for child in node.named_children if child != name], scope)
