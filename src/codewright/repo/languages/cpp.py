"""What the nodes of C++ mean beside those of C.

Paths are dotted, whatever was written with `::`: `ns.Class.method`. A name that is defined outside
of its class, `int ns::Class::method() {…}`, stands in the opened `ns` and `Class`, so that it has
the same path as its declaration. `this->x` and a bare member are `Class.x`; templates have the path
of what they make, without arguments. `using ns::name` imports `ns.name`, `using namespace ns` all
of it. A test of GoogleTest, `TEST(Suite, Name)`, is the function `Suite.Name`, as TEST.

Not known: overloads, what `auto` is but for `new T`, members of a base class in another file.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages import c
from codewright.repo.languages.c_declarators import NAMES, declared, parts_of, template_names
from codewright.repo.languages.handlers import creation, name, nothing, type_name
from codewright.repo.languages.scopes import Scope
from codewright.repo.languages.table import Table
from codewright.repo.languages.walk import Walk

TESTS = frozenset({"TEST", "TEST_F", "TEST_P", "TYPED_TEST", "BOOST_AUTO_TEST_CASE"})
CASTS = {"static_cast", "dynamic_cast", "const_cast", "reinterpret_cast"}
BUILTINS = c.BUILTINS | CASTS


def function(walk: Walk, node: Node, scope: Scope) -> None:
    """A function with its body; GoogleTest's macros look like one."""
    declarator = node.child_by_field_name("declarator")
    name, heading = declared(declarator) if declarator is not None else (None, None)
    is_test = name is not None and heading is not None and walk.text(name) in TESTS
    listed = heading.child_by_field_name("parameters") if heading is not None else None
    if not is_test or listed is None or not listed.named_child_count:
        c.function(walk, node, scope)
        return
    body = node.child_by_field_name("body")
    words = [walk.line(one.start_byte, one.end_byte) for one in listed.named_children]
    place = listed.named_children[-1]
    if len(words) > 1:
        scope = walk.apart(node, [listed.named_children[0]], scope, is_type=False)
    ordinal = walk.define(
        node, place, Kind.FUNCTION, scope, called=words[-1], body=body, flags=Flag.TEST
    )
    walk.push([body], Scope(scope, ordinal, True))


def namespace(walk: Walk, node: Node, scope: Scope) -> None:
    """`namespace a::b { … }`; one without a name is looked through."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    names = [] if name is None else [name]
    if name is not None and name.type == "nested_namespace_specifier":
        names = []
        stack = list(name.named_children)
        while stack:
            one = stack.pop(0)
            if one.type == "nested_namespace_specifier":
                stack = [*one.named_children, *stack]
            else:
                names.append(one)
    for one in names:
        ordinal = walk.define(node, one, Kind.NAMESPACE, scope, body=body)
        scope = Scope(scope, ordinal, True)
    if body is not None:
        walk.push_children(body, scope)


def template(walk: Walk, node: Node, scope: Scope) -> None:
    """`template <…>` belongs to what it stands before."""
    listed = node.child_by_field_name("parameters")
    inner = Scope(scope, scope.owner, scope.opens)
    for one in node.named_children:
        if one != listed:
            walk.outer[one.id] = node
    template_names(walk, node, inner)
    walk.push([one for one in node.named_children if one != listed], inner)
    walk.push([listed], Scope(inner, scope.owner, False))


def template_parameter(walk: Walk, node: Node, scope: Scope) -> None:
    """Of a template's parameter only a default is a use."""
    walk.push(
        [node.child_by_field_name("default_type"), node.child_by_field_name("default_value")], scope
    )


def bases(walk: Walk, node: Node, scope: Scope) -> None:
    """`: public Base`."""
    for one in node.named_children:
        if one.type != "access_specifier":
            walk.refer(one, scope, Use.INHERIT)


def members(walk: Walk, node: Node, scope: Scope) -> None:
    """What stands in a class; `public:` and `private:` hold up to the next."""
    key = (scope.owner, "")
    hidden = key in walk.known
    walk.known.discard(key)
    for one in node.named_children:
        if one.type == "access_specifier":
            hidden = walk.text(one) != "public"
        elif hidden:
            walk.hidden.add(one.id)
    walk.push_children(node, scope)


def field_initializer(walk: Walk, node: Node, scope: Scope) -> None:
    """`: member(value)` writes the member."""
    for one in node.named_children:
        if one.type in ("field_identifier", "qualified_identifier", "template_method"):
            walk.refer(one, scope, Use.WRITE)
        else:
            walk.push([one], scope)


def using(walk: Walk, node: Node, scope: Scope) -> None:
    """`using a::b;` and `using namespace a;`."""
    target = next((one for one in node.named_children if one.type in NAMES), None)
    if target is None:
        return
    path = "".join(walk.text(target).split()).strip(":").replace("::", ".")
    if any(one.type == "namespace" for one in node.children):
        walk.imports_name(scope, target, path, "*", "", "")
        return
    module, _, last = path.rpartition(".")
    if module:
        _, place = parts_of(walk, target)
        walk.imports_name(scope, place, module, last, last, path)


def alias(walk: Walk, node: Node, scope: Scope) -> None:
    """`using T = …;`."""
    name, written = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is not None and c.is_top(walk, scope):
        walk.define(node, name, Kind.TYPE, scope)
    walk.push([written], scope)


def concept(walk: Walk, node: Node, scope: Scope) -> None:
    """`concept C = …;`."""
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(node, name, Kind.TYPE, scope)
    walk.push([one for one in node.named_children if one != name], scope)


def lambda_(walk: Walk, node: Node, scope: Scope) -> None:
    """`[…](…) { … }`."""
    inner = Scope(scope, scope.owner, False)
    declarator = node.child_by_field_name("declarator")
    if declarator is not None:
        c.parameters(walk, declarator, inner)
    walk.push([one for one in node.named_children if one != declarator], inner)


def qualified(walk: Walk, node: Node, scope: Scope) -> None:
    """`a::b`, which ends with a type or does not."""
    _, last = parts_of(walk, node)
    is_type = last.type in ("type_identifier", "template_type")
    walk.refer(node, scope, Use.ANNOTATE if is_type else Use.READ)


HANDLERS = {
    **c.HANDLERS,
    "function_definition": function,
    "namespace_definition": namespace,
    "template_declaration": template,
    **dict.fromkeys(
        (
            *("type_parameter_declaration", "optional_type_parameter_declaration"),
            *("variadic_type_parameter_declaration", "template_template_parameter_declaration"),
        ),
        template_parameter,
    ),
    "base_class_clause": bases,
    "field_declaration_list": members,
    "field_initializer": field_initializer,
    "using_declaration": using,
    "alias_declaration": alias,
    "concept_definition": concept,
    "lambda_expression": lambda_,
    "new_expression": creation,
    **dict.fromkeys(("condition_clause", "if_statement", "while_statement"), c.block),
    "qualified_identifier": qualified,
    "template_function": name,
    "template_type": type_name,
    **dict.fromkeys(("namespace_identifier", "destructor_name"), nothing),
}

TABLE = Table(
    handlers=HANDLERS,
    links=c.LINKS,
    nested={"qualified_identifier": ("scope", "name")},
    wrappers={
        **c.WRAPPERS,
        "template_type": "name",
        "template_function": "name",
        "template_method": "name",
        "dependent_type": "",
        "dependent_name": "",
    },
    names=c.LEAVES | {"namespace_identifier", "field_identifier"},
    selves=frozenset({"this"}),
    builtins=BUILTINS,
    bare=True,
)
