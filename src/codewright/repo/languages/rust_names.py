"""What binds and uses names in Rust: patterns, `use`, calls, macros."""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Kind, Use
from codewright.repo.languages.scopes import ANYWHERE, Base, Bound, Chain, Scope
from codewright.repo.languages.walk import Walk

ROOTS = frozenset({"crate", "self", "super"})
MAKERS = frozenset({"new", "default", "with_capacity"})
"""Functions of a type that are taken to return it."""
MOST = 10_000
"""The most names of one `use` that are taken."""


def relative(walk: Walk, scope: Scope, first: str, rest: str) -> str:
    """Returns a path that begins with `self` or `super`, as seen from the file's own module."""
    parts = [part for part in f"{first}.{rest}".split(".") if part]
    inside: list[str] = []
    ordinal = scope.owner
    while ordinal:
        one = walk.definitions[ordinal]
        if one.kind is Kind.NAMESPACE and ordinal not in walk.types:
            inside.insert(0, one.name)
        ordinal = one.parent
    above = 0
    while parts and parts[0] in ("self", "super"):
        if parts.pop(0) == "super":
            if inside:
                inside.pop()
            else:
                above += 1
    return ".".join([*(["super"] * above or ["self"]), *inside, *parts])


def settle(walk: Walk, chain: Chain) -> Chain | None:
    """Gives `crate::`, `self::`, `super::` and `Self` their meaning."""
    if chain.base is not Base.NAME or not chain.names:
        return chain
    first, rest = chain.names[0], chain.names[1:]
    scoped = walk.data[chain.start + len(first.name.encode()) :][:2] == b"::"
    if first.name == "Self" or (first.name == "self" and not scoped):
        return chain._replace(base=Base.SELF, names=rest)
    if first.name == "crate":
        return chain._replace(base=Base.IMPORTED) if rest else None
    if first.name in ROOTS:
        count = 0
        while count < len(rest) and rest[count].name == "super":
            count += 1
        prefix = ".".join([first.name, *("super" for _ in range(count))])
        path = relative(walk, chain.scope, prefix, "")
        names = [first._replace(name=path), *rest[count:]]
        return chain._replace(base=Base.IMPORTED, names=names) if len(names) > 1 else None
    return chain._replace(start=ANYWHERE) if scoped else chain


def bind(walk: Walk, pattern: Node, scope: Scope, written: Node | None, start: int) -> None:
    """Binds the names of a pattern as locals; a name in capitals refers to what it matches."""
    type = walk.chain(written, scope, Use.ANNOTATE, push=False) if written else None
    stack = [(pattern, type)]
    while stack:
        node, kind = stack.pop()
        match node.type:
            case "identifier" | "shorthand_field_identifier":
                text = walk.text(node)
                if text[:1].isupper():
                    walk.refer(node, scope)
                else:
                    scope.bind(text, Bound(start, "", kind))
            case "scoped_identifier" | "scoped_type_identifier" | "type_identifier":
                walk.refer(node, scope)
            case "tuple_struct_pattern" | "struct_pattern":
                named = node.child_by_field_name("type")
                walk.refer(named, scope) if named is not None else None
                stack += [(one, None) for one in node.named_children if one != named]
            case "match_pattern":
                guard = node.child_by_field_name("condition")
                walk.push([guard], scope)
                stack += [(one, kind) for one in node.named_children if one != guard]
            case "field_pattern":
                inner = node.child_by_field_name("pattern") or node.child_by_field_name("name")
                stack += [(inner, None)] if inner is not None else []
            case "mut_pattern" | "reference_pattern" | "ref_pattern" | "captured_pattern":
                stack += [(one, kind) for one in node.named_children]
            case "lifetime" | "macro_invocation" | "const_block":
                walk.push([node] if node.type != "lifetime" else [], scope)
            case _:
                stack += [(one, None) for one in node.named_children]


def parameters(walk: Walk, node: Node | None, scope: Scope) -> None:
    """Binds parameters of a function or a closure."""
    for one in node.named_children if node is not None else []:
        if one.type == "parameter":
            pattern, written = one.child_by_field_name("pattern"), one.child_by_field_name("type")
            if pattern is not None:
                bind(walk, pattern, scope, written, 0)
            walk.push([written], scope)
        elif one.type == "self_parameter":
            continue
        elif node is not None and node.type == "closure_parameters":
            bind(walk, one, scope, None, 0)
        else:
            walk.push([one], scope)


def made(walk: Walk, value: Node | None) -> Node | None:
    """Returns the type of `T { … }` and of `T::new(…)`."""
    if value is None:
        return None
    if value.type == "reference_expression":
        return made_once(walk, value.child_by_field_name("value"))
    return made_once(walk, value)


def made_once(walk: Walk, value: Node | None) -> Node | None:
    """As `made`, without looking behind a reference."""
    if value is None:
        return None
    if value.type == "struct_expression":
        return value.child_by_field_name("name")
    called = value.child_by_field_name("function") if value.type == "call_expression" else None
    if called is None or called.type != "scoped_identifier":
        return None
    path, last = called.child_by_field_name("path"), called.child_by_field_name("name")
    if path is None or last is None or walk.text(last) not in MAKERS:
        return None
    return path


def use(walk: Walk, node: Node, scope: Scope) -> None:
    """`use a::{b, c as d, self, e::*};`."""
    argument = node.child_by_field_name("argument")
    stack = [(argument, "")] if argument is not None else []
    count = 0
    while stack and count < MOST:
        one, before = stack.pop()
        count += 1
        match one.type:
            case "use_list":
                stack += [(inner, before) for inner in reversed(one.named_children)]
            case "scoped_use_list":
                path, inner = one.child_by_field_name("path"), one.child_by_field_name("list")
                prefix = _dotted(walk, before, path)
                stack += [(inner, prefix)] if inner is not None else []
            case "use_as_clause":
                path, alias = one.child_by_field_name("path"), one.child_by_field_name("alias")
                if path is not None and alias is not None:
                    _import(walk, path, before, walk.text(alias), scope)
            case "use_wildcard":
                inner = one.named_child(0) if one.named_child_count else None
                module = _rooted(walk, _dotted(walk, before, inner), scope)
                scope.everything = scope.everything or module == "self"
                walk.imports_name(scope, one, module, "*", "", "")
            case _:
                _import(walk, one, before, "", scope)


def _dotted(walk: Walk, before: str, path: Node | None) -> str:
    text = "".join(walk.text(path).split()) if path is not None else ""
    text = text.replace("::", ".").strip(".")
    return f"{before}.{text}" if before and text else before or text


def _rooted(walk: Walk, module: str, scope: Scope) -> str:
    first, _, rest = module.partition(".")
    return relative(walk, scope, first, rest) if first in ("self", "super") else module


def _import(walk: Walk, node: Node, before: str, alias: str, scope: Scope) -> None:
    path = before if node.type == "self" and before else _dotted(walk, before, node)
    path = _rooted(walk, path, scope)
    module, _, last = path.rpartition(".")
    place = node.child_by_field_name("name") or node
    alias = "" if alias == "_" else alias or last
    walk.imports_name(scope, place, module, last, alias, path)


def extern_crate(walk: Walk, node: Node, scope: Scope) -> None:
    """`extern crate a as b;`."""
    name_, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name_ is not None:
        module = walk.text(name_)
        walk.imports_name(scope, name_, module, "", walk.text(alias or name_), module)


def attribute(walk: Walk, node: Node, scope: Scope) -> None:
    """`#[…]` decorates what follows."""
    walk.attributes.append(node)


def macro(walk: Walk, node: Node, scope: Scope) -> None:
    """`name!(…)` calls its macro."""
    called = node.child_by_field_name("macro")
    if called is not None:
        walk.refer(called, scope, Use.CALL)
    walk.push([one for one in node.named_children if one != called], scope)


def tokens(walk: Walk, node: Node, scope: Scope) -> None:
    """What is given to a macro is no syntax yet: chains are put together from names and dots."""
    chain: list[Node] = []
    joined, base = False, Base.NAME
    for one in [*node.children, node]:
        kind = one.type
        if kind in ("identifier", "type_identifier", "self", "crate", "super") and one != node:
            if not joined:
                _note(walk, chain, base, scope, Use.READ)
                chain, base = [], Base.NAME
            chain.append(one)
            joined = False
            continue
        if kind in (".", "::"):
            if not chain:
                base = Base.EXPRESSION
            joined = True
            continue
        is_call = kind == "token_tree" and one != node and walk.data[one.start_byte] == 0x28
        _note(walk, chain, base, scope, Use.CALL if is_call else Use.READ)
        chain, base, joined = [], Base.NAME, False
        if kind == "token_tree" and one != node:
            walk.push([one], scope)


def _note(walk: Walk, chain: list[Node], base: Base, scope: Scope, use_: Use) -> None:
    if chain:
        names = [walk.place(one) for one in chain]
        settled = settle(walk, Chain(scope, base, names, chain[0].start_byte, use_))
        if settled is not None and settled.names:
            walk.note(settled)


def struct_literal(walk: Walk, node: Node, scope: Scope) -> None:
    """`T { a: 1, b }` calls T."""
    named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if named is not None:
        walk.refer(named, scope, Use.CALL)
    for one in body.named_children if body is not None else []:
        value = one.child_by_field_name("value") if one.type == "field_initializer" else one
        walk.push([value], scope)
