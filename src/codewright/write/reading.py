"""From what a model said for a specification to a candidate, and to tests."""

from __future__ import annotations

import ast

from codewright.types.generation import Completion
from codewright.types.judging import Candidate
from codewright.verify.literals import source_of
from codewright.write.entry import entry_of
from codewright.write.extract import Form, frame, program
from codewright.write.fences import first_fence, split_blocks
from codewright.write.source import bound, parse
from codewright.write.specification import Specification

MOST_TESTS = 50
"""Tests that are taken from one text."""

_PROSE, _STARTS = 500, 10


def candidate(
    spec: Specification, completion: Completion, form: Form, origin: str, *, rule: str = ""
) -> Candidate:
    """Returns the candidate that a completion is; one that holds no program is one all the same.

    Where the specification names no function, the program does.

    Args:
        rule: put before the name of the rule that made the program.
    """
    name = spec.entry_point
    if not name:
        name = _entry(completion.text, form)
    made = spec.frame if spec.entry_point else frame("", name)
    if form in ("completion", "continuation") and not spec.code:
        made = frame(as_docstring(spec.prompt), name)
    whole, how = program(made, completion.text, form)
    return Candidate(
        text=completion.text,
        program=whole,
        rule=f"{rule}{how}",
        log_probability=completion.log_probability,
        tokens=completion.tokens,
        origin=origin,
        entry_point="" if spec.entry_point else name,
    )


def as_docstring(words: str) -> str:
    """Returns words as a model that only continues text may read them: a module's docstring."""
    said = words.strip().replace("\\", "\\\\").replace('"""', "'''")
    return f'"""\n{said}\n"""\n'


def _entry(text: str, form: Form) -> str:
    """The function that a text defines; of several blocks, in the one that counts for its form."""
    if first_fence(text) is None:
        return entry_of(text) or _last_run(text)
    blocks = [block.code for block in split_blocks(text) if block.python]
    found = [name for code in blocks if (name := entry_of(code))]
    if not found:
        return ""
    return found[-1 if form == "reasoning" else 0]


def _last_run(text: str) -> str:
    """The function in prose without code blocks: from its first line of code to where it parses."""
    lines = text.splitlines(keepends=True)[:_PROSE]
    starts = [i for i, line in enumerate(lines) if line.startswith(("def ", "import ", "from "))]
    for start in starts[:_STARTS]:
        for end in range(len(lines), start, -1):
            if name := entry_of("".join(lines[start:end])):
                return name
    return ""


def written_tests(text: str, entry_point: str) -> list[str]:
    """Returns the assertions in a model's text that name the entry point, each by itself.

    They are text that nobody trusts; whoever uses them parses them.
    """
    blocks = [block.code for block in split_blocks(text) if block.python] or [text]
    found: dict[str, None] = {}
    for code in blocks:
        tree = parse(code)
        statements = list(ast.walk(tree)) if tree is not None else _by_line(code)
        for node in statements:
            if isinstance(node, ast.Assert) and _names(node, entry_point):
                found[source_of(node)] = None
    return [text for text in found if text][:MOST_TESTS]


def _by_line(code: str) -> list[ast.AST]:
    """The statements on the lines of text that is not Python as a whole."""
    trees = [parse(line.strip()) for line in code.splitlines() if line.strip().startswith("assert")]
    return [node for tree in trees if tree is not None for node in tree.body]


def _names(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def commonest(names: list[str]) -> str:
    """Returns the name that is there most often, the first of equals; empty where there is none."""
    return max((name for name in names if name), key=names.count, default="")


def defines(code: str, name: str) -> bool:
    """Tells whether `code` is Python that binds `name` at its top level."""
    tree = parse(code)
    return tree is not None and name in bound(tree.body)
