"""What the nodes of Rust mean.

Paths are dotted, whatever was written with `::`. `crate.a.b` begins at the crate; `self.a` and
`super.a` begin at the module that the *file* is: within `mod tests { … }` a written `super::f` is
`self.f`. A path whose first name nothing in the file binds, `serde::Serialize`, is UNKNOWN: most
often a crate's. `mod x;` imports `self.x`. An `impl` block is the opened type, NAMESPACE, so that
its methods are `Type.method`, and `self.x` and `Self::x` are SELF. A local with a written type,
`T::new(…)` (taken to return T) and `T { … }` give `T.member`, as a guess. In the arguments of a
macro names are read as they stand: locals that a pattern binds there are not seen.

Not known: macros' results, traits' methods on a type, what a call returns.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages import rust_names as names
from codewright.repo.languages.handlers import (
    assignment,
    call,
    name_but_underscore,
    nothing,
    type_name,
    type_parameter,
)
from codewright.repo.languages.rust_names import bind
from codewright.repo.languages.scopes import Scope
from codewright.repo.languages.table import Table, words
from codewright.repo.languages.walk import Walk

KINDS = {
    "struct_item": Kind.STRUCT,
    "union_item": Kind.STRUCT,
    "enum_item": Kind.ENUM,
    "trait_item": Kind.TRAIT,
    "type_item": Kind.TYPE,
    "associated_type": Kind.TYPE,
    "const_item": Kind.CONSTANT,
    "static_item": Kind.VARIABLE,
    "macro_definition": Kind.MACRO,
    "enum_variant": Kind.CONSTANT,
}
BUILTINS = words(
    """
    Box Clone Copy Debug Default Drop Eq Err Fn FnMut FnOnce From FromIterator Hash Into
    IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd Result Send Some String
    Sync ToOwned ToString TryFrom TryInto Vec assert assert_eq assert_ne cfg compile_error
    concat dbg debug_assert debug_assert_eq drop env eprint eprintln file format
    format_args include include_bytes include_str line matches module_path panic print
    println stringify todo unimplemented unreachable vec write writeln
    """
)


def flags_of(walk: Walk, node: Node) -> int:
    """Returns what the words before a definition say."""
    flags = 0
    for child in node.children[:3]:
        if child.type == "visibility_modifier":
            flags |= Flag.EXPORTED
        elif child.type == "function_modifiers" and "async" in walk.text(child):
            flags |= Flag.ASYNC
    return flags


def item(walk: Walk, node: Node, scope: Scope) -> None:
    """A type, a constant, a macro."""
    called, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if called is None:
        return
    kind = KINDS[node.type]
    if kind in (Kind.CONSTANT, Kind.VARIABLE) and walk.text(called) == "_":
        walk.push([node.child_by_field_name("value")], scope)
        return
    end = None
    if kind is Kind.MACRO:
        end = called.end_byte
    elif body is not None and body.type == "ordered_field_declaration_list":
        end = node.end_byte
    ordinal = walk.define(
        node,
        called,
        kind,
        scope,
        body=body,
        end=end,
        type=node.child_by_field_name("type") if kind is not Kind.TYPE else None,
        flags=flags_of(walk, node),
    )
    if kind is Kind.MACRO:
        return
    inner = Scope(scope, ordinal, True)
    bounds = node.child_by_field_name("bounds") if kind is Kind.TRAIT else None
    for bound in bounds.named_children if bounds is not None else []:
        walk.refer(bound, inner, Use.INHERIT)
    walk.push([one for one in node.named_children if one not in (called, bounds)], inner)


def function(walk: Walk, node: Node, scope: Scope) -> None:
    """A function, or a method where it stands in a type or a trait."""
    called, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if called is None:
        return
    owner = scope.owner
    is_method = scope.opens and (owner in walk.types or walk.definitions[owner].kind is Kind.TRAIT)
    parameters = node.child_by_field_name("parameters")
    flags = flags_of(walk, node)
    if is_method and not any(
        one.type == "self_parameter" for one in (parameters.named_children if parameters else [])
    ):
        flags |= Flag.STATIC
    if body is None:
        flags |= Flag.ABSTRACT
    ordinal = walk.define(
        node,
        called,
        Kind.METHOD if is_method else Kind.FUNCTION,
        scope,
        body=body,
        type=node.child_by_field_name("return_type"),
        flags=flags,
    )
    written = walk.definitions[ordinal].decorators
    if any(one.split("(")[0].rpartition("::")[2].strip() in ("test", "rstest") for one in written):
        walk.flag(ordinal, Flag.TEST)
    inner = Scope(scope, ordinal, True)
    names.parameters(walk, parameters, inner)
    walk.push([one for one in node.named_children if one not in (called, parameters)], inner)


def closure(walk: Walk, node: Node, scope: Scope) -> None:
    """`|x| …`."""
    inner = Scope(scope, scope.owner, False)
    parameters = node.child_by_field_name("parameters")
    names.parameters(walk, parameters, inner)
    walk.push([one for one in node.named_children if one != parameters], inner)


def field(walk: Walk, node: Node, scope: Scope) -> None:
    """A field of a struct or of a variant."""
    called, written = node.child_by_field_name("name"), node.child_by_field_name("type")
    if called is not None:
        flags = flags_of(walk, node)
        walk.define(node, called, Kind.ATTRIBUTE, scope, type=written, flags=flags)
    walk.push([written], scope)


def implementation(walk: Walk, node: Node, scope: Scope) -> None:
    """`impl T for S { … }` opens S, which inherits T."""
    written, trait = node.child_by_field_name("type"), node.child_by_field_name("trait")
    body = node.child_by_field_name("body")
    if written is None:
        return
    chain = walk.chain(written, scope, Use.ANNOTATE, push=False)
    place = written
    while place.type in ("generic_type", "reference_type", "scoped_type_identifier"):
        field_name = "name" if place.type == "scoped_type_identifier" else "type"
        inside = place.child_by_field_name(field_name)
        if inside is None:
            break
        place = inside
    called = (
        chain.names[-1].name
        if chain is not None
        else walk.line(written.start_byte, written.end_byte)
    )
    ordinal = walk.define(node, place, Kind.NAMESPACE, scope, called=called, body=body)
    walk.types.add(ordinal)
    inner = Scope(scope, ordinal, True)
    if trait is not None:
        walk.refer(trait, inner, Use.INHERIT)
    walk.push([one for one in node.named_children if one != trait], inner)


def module(walk: Walk, node: Node, scope: Scope) -> None:
    """`mod x { … }`, and `mod x;`, which stands in another file."""
    called, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if called is None:
        return
    text = walk.text(called)
    if body is None:
        path = names.relative(walk, scope, "self", text)
        walk.imports_name(scope, called, "self", text, text, path)
        return
    flags = flags_of(walk, node)
    ordinal = walk.define(node, called, Kind.NAMESPACE, scope, body=body, flags=flags)
    walk.push([body], Scope(scope, ordinal, True))


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """What has names of its own; a pattern's hold from here on."""
    inner = Scope(scope, scope.owner, False)
    pattern = node.child_by_field_name("pattern")
    if pattern is not None:
        bind(walk, pattern, inner, None, 0)
    walk.push([one for one in node.named_children if one != pattern], inner)


def let(walk: Walk, node: Node, scope: Scope) -> None:
    """`let x: T = …`."""
    pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
    written = node.child_by_field_name("type")
    if pattern is not None:
        start = node.end_byte if node.type == "let_declaration" else pattern.end_byte
        bind(walk, pattern, scope, written or names.made(walk, value), start)
    others = [one for one in node.named_children if one not in (pattern, written, value)]
    walk.push([written, value, *others], scope)


HANDLERS = {
    **dict.fromkeys(KINDS, item),
    **dict.fromkeys(("function_item", "function_signature_item"), function),
    "closure_expression": closure,
    "field_declaration": field,
    "impl_item": implementation,
    "mod_item": module,
    **dict.fromkeys(
        (
            *("block", "for_expression", "match_arm", "if_expression", "while_expression"),
            "let_chain_block",
        ),
        block,
    ),
    **dict.fromkeys(("let_declaration", "let_condition"), let),
    **dict.fromkeys(("type_parameter", "const_parameter"), type_parameter),
    "use_declaration": names.use,
    "extern_crate_declaration": names.extern_crate,
    "attribute_item": names.attribute,
    "inner_attribute_item": nothing,
    "call_expression": call,
    "macro_invocation": names.macro,
    "struct_expression": names.struct_literal,
    "token_tree": names.tokens,
    "assignment_expression": assignment,
    "compound_assignment_expr": assignment,
    **dict.fromkeys(("identifier", "field_expression", "scoped_identifier"), name_but_underscore),
    **dict.fromkeys(("type_identifier", "scoped_type_identifier"), type_name),
    **dict.fromkeys(
        ("lifetime", "field_identifier", "label", "visibility_modifier", "lifetime_parameter"),
        nothing,
    ),
}

TABLE = Table(
    handlers=HANDLERS,
    links={
        "field_expression": ("value", "field"),
        "scoped_identifier": ("path", "name"),
        "scoped_type_identifier": ("path", "name"),
    },
    wrappers={
        "parenthesized_expression": "",
        "generic_function": "function",
        "generic_type": "type",
        "generic_type_with_turbofish": "type",
        "reference_type": "type",
        "dynamic_type": "trait",
        "abstract_type": "trait",
    },
    names=frozenset({"identifier", "type_identifier", "crate", "super", "self"}),
    settle=names.settle,
    comments=frozenset({"line_comment", "block_comment"}),
    builtins=BUILTINS,
)
