"""A function that is only announced: its signature, and a docstring or nothing as its body.

Source text is read here and cut, never run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codewright.errors import UserError
from codewright.verify.literals import source_of
from codewright.write.source import parse

_KEPT = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom),
    *(ast.Assign, ast.AnnAssign),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """The function that is to be written, `name`, at the end of `code`, which a body can follow."""

    name: str
    code: str


def find_stub(text: str, entry_point: str = "") -> Stub | None:
    """Returns the open function of `text` with everything that it may need before it.

    What stands behind the function and defines something is moved before it; the rest of what
    stands behind it goes.

    Args:
        text: source text; it may end in the function's head.
        entry_point: which function is meant; needed only where several are open.

    Returns:
        None where `text` is not Python, or every function in it has a body.

    Raises:
        UserError: several functions are open, or the open one is asynchronous, or `entry_point`
            is a function that has a body already.
    """
    whole = text.rstrip() + "\n"
    tree = parse(whole)
    if tree is None:
        whole = f"{whole}    pass\n"
        tree = parse(whole)
    if tree is None:
        return None
    defined = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = [node for node in defined if _open(node)]
    if entry_point and any(node.name == entry_point for node in defined):
        found = [node for node in found if node.name == entry_point]
        if not found:
            raise UserError(
                f"the function {entry_point} has a body already",
                hint="leave only its signature and docstring",
            )
    if not found:
        return None
    if len({node.name for node in found}) > 1:
        raise UserError(
            f"several functions are open: {', '.join(node.name for node in found[:5])}",
            hint="leave one of them open, or say which with --entry-point",
        )
    last = found[-1]
    if isinstance(last, ast.AsyncFunctionDef):
        raise UserError(
            f"{last.name} is asynchronous, and what it does cannot be observed",
            hint="describe an ordinary function",
        )
    return Stub(name=last.name, code=_cut(whole, tree, last))


def _open(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tells whether the body says nothing but what the function is for."""
    marks = {source_of(mark).rpartition(".")[2] for mark in node.decorator_list}
    if marks & {"overload", "abstractmethod"}:
        return False
    return all(
        isinstance(part, ast.Pass)
        or (
            isinstance(part, ast.Expr)
            and isinstance(part.value, ast.Constant)
            and (part.value.value is ... or isinstance(part.value.value, str))
        )
        for part in node.body
    )


def _cut(whole: str, tree: ast.Module, node: ast.FunctionDef) -> str:
    """The text up to the function, what is defined behind it, and the function without a body."""
    # ast counts columns in UTF-8 bytes.
    lines = [line + b"\n" for line in whole.encode("utf-8", "surrogatepass").split(b"\n")]

    def between(start: tuple[int, int], end: tuple[int, int]) -> str:
        part = lines[start[0] - 1 : end[0]]
        if not part:
            return ""
        part[-1] = part[-1][: end[1]]
        part[0] = part[0][start[1] :]
        return b"".join(part).decode("utf-8", "surrogatepass")

    top = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
    before = between((1, 0), (top, 0)).rstrip()
    behind = [
        between((part.lineno, 0), (part.end_lineno or part.lineno, part.end_col_offset or 0))
        for part in tree.body[tree.body.index(node) + 1 :]
        if isinstance(part, _KEPT)
    ]
    first = node.body[0]
    head = between((top, 0), (first.lineno, first.col_offset)).rstrip()
    docstring = ""
    if ast.get_docstring(node, clean=False) is not None:
        said = between(
            (first.lineno, first.col_offset), (first.end_lineno or 0, first.end_col_offset or 0)
        )
        indent = " " * first.col_offset if first.lineno > node.lineno else "    "
        docstring = f"{indent}{said}\n"
    parts = [part for part in (before, *behind) if part.strip()]
    return "".join(f"{part}\n\n\n" for part in parts) + f"{head}\n{docstring}"
