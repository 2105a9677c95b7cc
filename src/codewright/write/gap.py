"""A gap in a Python file as candidates that can be run: each is the whole file, the gap filled.

What is called is the function that the cursor stands in, at the top level of the file, or the one
that is named. Its signature and docstring are the specification. Candidates come from a generator,
cut and mended as `complete.py` offers them; nothing is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from codewright.errors import UserError
from codewright.types.generation import Completion, Generator
from codewright.types.judging import Candidate
from codewright.verify.examples import examples
from codewright.verify.literals import source_of
from codewright.write.complete import Cursor, Wanted, fitted, request
from codewright.write.reading import commonest
from codewright.write.source import parse
from codewright.write.specification import Specification
from codewright.write.synthesize import Draft, Watch


def fill(
    place: Cursor, generator: Generator, wanted: Wanted, entry_point: str, watch: Watch
) -> tuple[Specification, Draft]:
    """Returns what belongs in a gap as a specification, and the candidates for it.

    Args:
        place: the gap.
        generator: who writes.
        wanted: how; `wanted.n` candidates are made, at once.
        entry_point: the function to call; empty is the one that the gap is in.
        watch: told how far it is.

    Raises:
        UserError: no candidate makes it clear what is to be called.
        CodewrightError: as the generator raises.
    """
    watch("sampling", 0, wanted.n)
    (said,) = generator.generate([request(place, wanted)])
    watch("sampling", len(said), wanted.n)
    candidates = []
    for number, each in enumerate(said):
        watch("reading", number, len(said))
        candidates.append(_candidate(place, each, wanted, generator.name))
    trees = [tree for each in candidates if (tree := parse(each.program)) is not None]
    line = place.before.count("\n") + 1
    name = entry_point or commonest([_around(tree, line) for tree in trees])
    if not name:
        raise UserError(
            "the gap is in no function at the file's top level, so there is nothing to call"
            if trees
            else "with none of the candidates the file is Python, so there is nothing to call",
            hint="name the function with entry_point",
        )
    head = next((head for tree in trees if (head := _head(tree, name))), f"def {name}(): ...\n")
    spec = Specification(prompt=head, entry_point=name, code=head, examples=examples(head, name))
    return spec, Draft(candidates=tuple(candidates), tests=(), entry_point=name)


def _candidate(place: Cursor, said: Completion, wanted: Wanted, origin: str) -> Candidate:
    text = fitted(place, said.text, line=wanted.line)
    return Candidate(
        text=text,
        program=place.before + text + place.after,
        rule="in the gap",
        log_probability=said.log_probability,
        tokens=said.tokens,
        origin=origin,
    )


def _around(tree: ast.Module, line: int) -> str:
    """The name of the top-level function that has the line; empty where none has."""
    return next(
        (
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
        ),
        "",
    )


def _head(tree: ast.Module, name: str) -> str:
    """The signature and the docstring of a function, as a function that is open."""
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            said = ast.get_docstring(node, clean=False)
            body: Sequence[ast.stmt] = [ast.Expr(ast.Constant(said))] if said else []
            bare = ast.FunctionDef(
                name=name, args=node.args, body=[*body, ast.Expr(ast.Constant(...))],
                decorator_list=[], returns=node.returns, lineno=1, col_offset=0,
            )  # fmt: skip
            told = source_of(bare)
            return f"{told}\n" if told else ""
    return ""
