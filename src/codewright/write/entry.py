"""Which function of a program is the one to call, where nobody said its name."""

from __future__ import annotations

import ast

from codewright.write.source import parse, used


def entry_of(program: str) -> str:
    """Returns the last public top-level function, if possible one that no other function calls.

    Empty where `program` does not parse or defines none.
    """
    tree = parse(program)
    if tree is None:
        return ""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    public = [node for node in functions if not node.name.startswith("_")]
    if not public:
        return functions[-1].name if functions else ""
    top = [node for node in public if not _called_elsewhere(node.name, tree)]
    # A main() that shows the function off is called by nothing either.
    wanted = [node for node in top if node.name != "main"] or [
        node for node in public if node.name != "main"
    ]
    return (wanted or public)[-1].name


def _called_elsewhere(name: str, tree: ast.Module) -> bool:
    """Tells whether another function or class than `name` uses it."""
    return any(
        name in used(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.name not in (name, "main")
    )
