"""Real questions to a tree, drawn from it: sentences, names, definitions, places to write at.

Sentences are the first lines of docstrings, as somebody might ask for what they describe; names and
definitions are those of its functions and classes; places are lines of function bodies. All are
drawn by a seed, and say nothing of whether an answer is right.
"""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass
from pathlib import Path

from bench.remembering.contenders import Ask
from bench.remembering.trees import python_files

FILES = 400
"""Files that are read for questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What is asked of one tree."""

    sentences: list[str]
    names: list[str]
    definitions: list[tuple[str, int]]
    places: list[Ask]


def drawn(root: Path, count: int, seed: int = 0) -> Questions:
    """Returns so many questions of each kind."""
    chance = random.Random(seed)
    files = list(python_files(root))
    chance.shuffle(files)
    sentences, names, definitions, places = [], [], [], []
    for path in files[:FILES]:
        text = path.read_text(encoding="utf-8", errors="replace")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        lines, name = text.split("\n"), path.relative_to(root).as_posix()
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            names.append(node.name)
            definitions.append((name, node.lineno))
            said = (ast.get_docstring(node) or "").split("\n")[0]
            if len(said.split()) >= 4:
                sentences.append(said)
            if isinstance(node, ast.FunctionDef):
                at = node.body[-1].lineno
                indent = " " * node.body[-1].col_offset
                before = "\n".join([*lines[: at - 1], indent])
                places.append(Ask(path=name, before=before, after="\n".join(["", *lines[at:]])))
    for each in (sentences, names, definitions, places):
        chance.shuffle(each)  # type: ignore[arg-type]
    return Questions(
        sentences=sentences[:count],
        names=names[:count],
        definitions=definitions[:count],
        places=places[:count],
    )
