"""What binds names in JavaScript: variables, assignments that define, imports and exports."""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.facts import Flag, Kind, Use
from codewright.repo.languages.javascript import (
    CAPITALS,
    FUNCTIONS,
    bind,
    exported,
    function_body,
    is_async,
    is_require,
    source_text,
)
from codewright.repo.languages.scopes import Scope
from codewright.repo.languages.walk import Walk

MEMBERS = frozenset({"method_definition", "pair"})


def variables(walk: Walk, node: Node, scope: Scope) -> None:
    """`const a = …, {b} = …`: definitions outside of functions, locals within."""
    for declarator in node.named_children:
        if declarator.type == "variable_declarator":
            outer = walk.outer.get(node.id, node)
            walk.outer[declarator.id] = outer
            _variable(walk, node, declarator, scope)


def _variable(walk: Walk, node: Node, declarator: Node, scope: Scope) -> None:
    target = declarator.child_by_field_name("name")
    value = declarator.child_by_field_name("value")
    written = declarator.child_by_field_name("type")
    if target is None:
        return
    walk.push([written], scope)
    if is_require(walk, value) and value is not None:
        _required(walk, target, value, scope)
        return
    is_top = scope.parent is None or (
        scope.opens and walk.definitions[scope.owner].kind is Kind.NAMESPACE
    )
    if not is_top:
        walk.outer.pop(declarator.id)
        place = _function_scope(scope) if node.type == "variable_declaration" else scope
        bind(walk, target, place, written or _made(value))
        walk.push([value], scope)
    elif target.type == "identifier":
        _define(walk, node, declarator, target, value, scope)
    else:
        for name in bind(walk, target, Scope(scope, scope.owner, False)):
            flags = exported(walk, declarator)
            kind = _kind(walk.text(name))
            walk.outer[name.id] = walk.outer[declarator.id]
            walk.define(name, name, kind, scope, begin=node.start_byte, flags=flags)
        walk.outer.pop(declarator.id)
        walk.push([value], scope)


def _define(
    walk: Walk, node: Node, declarator: Node, target: Node, value: Node | None, scope: Scope
) -> None:
    """One variable of a module, which may hold a function or an object with methods."""
    is_function = value is not None and value.type in FUNCTIONS
    kind = Kind.FUNCTION if is_function else _kind(walk.text(target))
    if value is not None and value.type == "class":
        kind = Kind.CLASS
    flags = exported(walk, declarator) | (is_async(value) if value and is_function else 0)
    body = value.child_by_field_name("body") if value and kind is not Kind.VARIABLE else None
    first = node.named_children[0] == declarator
    ordinal = walk.define(
        declarator,
        target,
        kind,
        scope,
        body=body,
        begin=node.start_byte if first else None,
        type=declarator.child_by_field_name("type")
        or (value.child_by_field_name("return_type") if value and is_function else None),
        flags=flags,
    )
    inner = Scope(scope, ordinal, True)
    if value is None:
        return
    if is_function:
        function_body(walk, value, inner)
    elif value.type == "class":
        walk.push([child for child in value.named_children if child.type != "identifier"], inner)
    elif value.type == "object":
        members(walk, value, scope, inner)
    else:
        walk.push([value], scope)


def members(walk: Walk, value: Node, scope: Scope, inner: Scope) -> None:
    """The functions of an object that has a name are its methods."""
    for child in reversed(value.named_children):
        key, held = child.child_by_field_name("key"), child.child_by_field_name("value")
        if child.type == "method_definition":
            walk.push([child], inner)
        elif key and held and held.type in FUNCTIONS and key.type == "property_identifier":
            body = held.child_by_field_name("body")
            ordinal = walk.define(child, key, Kind.METHOD, inner, body=body, flags=is_async(held))
            function_body(walk, held, Scope(inner, ordinal, True))
        else:
            walk.push([child], scope)


def _kind(name: str) -> Kind:
    return Kind.CONSTANT if CAPITALS.fullmatch(name) else Kind.VARIABLE


def _function_scope(scope: Scope) -> Scope:
    """Returns where `var` binds: the function's scope, as far as scopes tell."""
    while not scope.opens and scope.parent is not None and scope.parent.parent is not None:
        scope = scope.parent
    return scope


def _made(value: Node | None) -> Node | None:
    """Returns the type that `new Type()` makes."""
    if value is not None and value.type == "new_expression":
        return value.child_by_field_name("constructor")
    return None


def _required(walk: Walk, target: Node, value: Node, scope: Scope) -> None:
    """`const x = require("m")`, `const {a, b: c} = require("m")`."""
    arguments = value.child_by_field_name("arguments")
    assert arguments is not None
    source = arguments.named_children[0]
    module = source_text(walk, source)
    if target.type == "identifier":
        walk.imports_name(scope, target, module, "", walk.text(target), f"{module}#")
        return
    for child in target.named_children:
        key, alias = child, child
        if child.type == "pair_pattern":
            key = child.child_by_field_name("key") or child
            alias = child.child_by_field_name("value") or child
        if alias.type in ("identifier", "shorthand_property_identifier_pattern"):
            name = walk.text(key)
            walk.imports_name(scope, key, module, name, walk.text(alias), f"{module}#{name}")


def assignment(walk: Walk, node: Node, scope: Scope) -> None:
    """`a.b = …`: a definition for `this.b`, `exports.b` and `A.prototype.b`, else a write."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None:
        return
    owned = left.child_by_field_name("object") if left.type == "member_expression" else None
    last = left.child_by_field_name("property") if owned is not None else None
    if owned is None or last is None:
        walk.push([right], scope)
        if left.type == "identifier":
            walk.refer(left, scope, Use.WRITE)
        else:
            walk.push([left], scope)
        return
    before = walk.text(owned) if owned.end_byte - owned.start_byte < 200 else ""
    if before == "this":
        _attribute(walk, node, last, scope)
    elif node.type == "assignment_expression" and before in ("exports", "module.exports"):
        if _exports(walk, node, last, right, scope, Kind.FUNCTION, Flag.EXPORTED):
            return
    elif before.endswith(".prototype") and right is not None and right.type in FUNCTIONS:
        prototype = owned.child_by_field_name("object")
        if prototype is not None and prototype.type == "identifier":
            opened = walk.apart(node, [prototype], scope, is_type=True)
            _exports(walk, node, last, right, opened, Kind.METHOD, 0)
            return
    walk.refer(left, scope, Use.WRITE)
    walk.push([right], scope)


def _attribute(walk: Walk, node: Node, name: Node, scope: Scope) -> None:
    """Defines `this.x` at its first assignment in a method."""
    owner = walk.definitions[scope.owner].parent
    if walk.definitions[owner].kind is Kind.CLASS and (owner, walk.text(name)) not in walk.known:
        walk.known.add((owner, walk.text(name)))
        flags = Flag.PRIVATE if name.type == "private_property_identifier" else 0
        walk.define(node, name, Kind.ATTRIBUTE, scope, parent=owner, flags=flags)


def _exports(
    walk: Walk, node: Node, name: Node, value: Node | None, scope: Scope, kind: Kind, flags: int
) -> bool:
    """Defines what is assigned, if it is a function; True where that was all."""
    if value is None or value.type not in FUNCTIONS:
        if scope.parent is None and value is not None and value.type != "identifier":
            walk.define(node, name, _kind(walk.text(name)), scope, flags=flags)
        return False
    body = value.child_by_field_name("body")
    ordinal = walk.define(node, name, kind, scope, body=body, flags=flags | is_async(value))
    function_body(walk, value, Scope(scope, ordinal, True))
    return True


def imports(walk: Walk, node: Node, scope: Scope) -> None:
    """`import … from "m"` in all its forms."""
    source = node.child_by_field_name("source")
    stack = [child for child in reversed(node.named_children) if child != source]
    if not stack and source is not None:
        walk.imports_name(scope, source, source_text(walk, source), "", "", "")
    while stack:
        child = stack.pop()
        source = child.child_by_field_name("source") or source
        if source is None:
            continue
        module = source_text(walk, source)
        match child.type:
            case "identifier":
                name = walk.text(child)
                walk.imports_name(scope, child, module, "default", name, f"{module}#default")
            case "namespace_import" | "import_require_clause":
                for inner in child.named_children:
                    if inner.type == "identifier":
                        alias = walk.text(inner)
                        walk.imports_name(scope, inner, module, "", alias, f"{module}#")
            case "import_specifier":
                _specifier(walk, child, module, scope)
            case _:
                stack += reversed(child.named_children)


def _specifier(walk: Walk, node: Node, module: str, scope: Scope) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        text = walk.text(name)
        alias = node.child_by_field_name("alias") or name
        walk.imports_name(scope, name, module, text, walk.text(alias), f"{module}#{text}")


def export(walk: Walk, node: Node, scope: Scope) -> None:
    """`export` before a definition, of names, and of what another module has."""
    source = node.child_by_field_name("source")
    if source is not None:
        _passed_on(walk, node, source, scope)
        return
    for child in node.named_children:
        if child.type == "export_clause":
            for one in child.named_children:
                name = one.child_by_field_name("name")
                if name is not None:
                    walk.exports.add(walk.text(name))
                    walk.refer(name, scope)
        elif child.type == "identifier":
            walk.exports.add(walk.text(child))
            walk.refer(child, scope)
        else:
            walk.outer[child.id] = node
            walk.push([child], scope)


def _passed_on(walk: Walk, node: Node, source: Node, scope: Scope) -> None:
    """`export {a as b} from "m"`: an import that binds nothing here."""
    module = source_text(walk, source)
    clauses = [child for child in node.named_children if child.type == "export_clause"]
    for clause in clauses:
        for one in clause.named_children:
            name = one.child_by_field_name("name")
            if name is not None:
                alias = one.child_by_field_name("alias") or name
                text = walk.text(name)
                walk.imports_name(scope, name, module, text, walk.text(alias), f"{module}#{text}")
    if not clauses:
        named = [child for child in node.named_children if child.type == "namespace_export"]
        alias_text = walk.text(named[0].named_children[0]) if named else ""
        name_text = "" if named else "*"
        walk.imports_name(scope, source, module, name_text, alias_text, f"{module}#")
