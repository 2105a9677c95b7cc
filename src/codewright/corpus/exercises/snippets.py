"""Snippets: a value, and sentences each turned into one statement, with what they give."""

from __future__ import annotations

import re
from random import Random

from codewright.corpus.exercises.check import has_set, literal, run
from codewright.corpus.exercises.draw import draw
from codewright.corpus.exercises.function import imports
from codewright.corpus.exercises.idiom import needed
from codewright.corpus.exercises.parts import Task
from codewright.corpus.exercises.pipeline import pipeline

SHORT = re.compile(r"    return (.+)")
OPENINGS = ("{Np}", "{np}", "Compute {np}", "{Np}.", "Get {np}.", "Print {np}.", "Find {np}")
RESULTS = ("result", "answer", "value", "out", "res", "output")


def snippet_file(rng: Random) -> tuple[str, str]:
    """Returns the text of a file with one to four snippets, and the key of what they mean."""
    blocks: list[str] = []
    keys: list[str] = []
    wanted = rng.randint(1, 4)
    how = rng.choice(("assign", "print", "assert", "assign"))
    while len(blocks) < wanted:
        task = pipeline(rng)
        block = _snippet(rng, task, how)
        if block:
            blocks.append(block)
            keys.append(task.key)
    body = "\n".join(blocks)
    head = imports(body)
    return ("\n".join(head) + "\n\n" if head else "") + body, "&".join(keys)


def _snippet(rng: Random, task: Task, how: str) -> str:
    """Returns one snippet, or nothing where the task has no short form of its own."""
    expressions = sorted({m[1] for body in task.bodies if (m := SHORT.fullmatch(body))})
    expressions = [e for e in expressions if len(e) < 76]
    if not expressions or needed(task.bodies[0]):
        return ""
    expression = rng.choice(expressions)
    given = "".join(f"{p.name} = {literal(draw(rng, p.kind))}\n" for p in task.params)
    form, said = rng.choice(task.says)
    if form != "np":
        return ""
    said = re.sub(r"\{(\w+)\}", r"\1", said)
    opening = rng.choice(OPENINGS)
    sentence = opening.replace("{Np}", said[:1].upper() + said[1:]).replace("{np}", said)
    name = rng.choice([n for n in RESULTS if n not in {p.name for p in task.params}])
    code = f"{given}{name} = {expression}\n"
    value = run("\n".join(imports(code)) + "\n" + code)[name]
    shown = literal(value)
    if has_set(value) or len(shown) > 60:
        return ""
    if how == "print":
        end = f"print({expression})  # {value}\n"
    elif how == "assert":
        is_plain = "is" if value is None or isinstance(value, bool) else "=="
        end = f"{name} = {expression}\nassert {name} {is_plain} {shown}\n"
    else:
        end = f"{name} = {expression}\n" + (f"# {name}: {shown}\n" if rng.random() < 0.5 else "")
    return f"{given}# {sentence}\n{end}"
