"""A file of exercises: imports, documented functions, and what shows that they work.

Everything that the file claims (examples, assertions, printed values) was computed by running its
functions; the caller runs the whole text once more.
"""

from __future__ import annotations

from random import Random
from typing import Any

from codewright.corpus.exercises.catalogue import helpers
from codewright.corpus.exercises.check import literal, run
from codewright.corpus.exercises.derive import derive
from codewright.corpus.exercises.docstrings import comment, docstring
from codewright.corpus.exercises.function import (
    Example,
    Function,
    choose,
    examples,
    imports,
    typing_names,
)
from codewright.corpus.exercises.idiom import draw_idiom, fill, needed
from codewright.corpus.exercises.parts import Task
from codewright.corpus.exercises.pipeline import pipeline
from codewright.corpus.exercises.prose import describe

ENDINGS = ("", "assert", "print", "main", "doctest", "unittest", "pytest", "check")
ENDING_WEIGHTS = (56, 15, 6, 6, 4, 2, 6, 5)


def functions_file(rng: Random) -> tuple[str, str]:
    """Returns the text of a file with one to three functions, and the key of what they mean."""
    functions = _functions(rng)
    code = "\n\n".join(function.text() for function in functions)
    namespace = run("\n".join(imports(code)) + "\n" + code)
    hints = rng.choices(("", "new", "typing"), (45, 38, 17))[0]
    style = rng.choices(("docstring", "comment", "module", "inside", "none"), (80, 9, 4, 2, 5))[0]
    helper_names = set(helpers())
    shown: list[list[Example]] = []
    parts = []
    opening = ""
    for function in functions:
        wanted = rng.choice((1, 2, 2, 3, 3, 4))
        found = examples(rng, function.name, function.task, namespace[function.name], wanted)
        said = describe(rng, function.task)
        helper = function.name in helper_names and len(functions) > 1
        shown.append([] if helper else found)
        how = style
        if helper and rng.random() < 0.3:
            how = "none"
        if how == "module":
            opening = opening or f'"""{said.summary}"""\n'
            how = "none" if len(functions) == 1 else "docstring"
        documentation = above = ""
        if how == "docstring":
            documentation = docstring(rng, function, said, found, typed=bool(hints))
        elif how == "comment":
            above = comment(said)
        elif how == "inside":
            documentation = comment(said, "    ")
        parts.append(above + function.text(documentation, hints))
    body = "\n\n".join(parts)
    end = _ending(rng, functions, shown)
    lines = imports(body + end)
    if hints == "typing":
        used = typing_names("".join(p.partition(":\n")[0] for p in parts))
        lines += [f"from typing import {', '.join(used)}"] if used else []
    if end.startswith("import unittest"):
        lines = sorted(["import unittest", *lines], key=lambda line: line.startswith("from"))
        end = end.removeprefix("import unittest\n")
    head = "\n".join(lines) + "\n\n\n" if lines else ""
    opening = opening + "\n" if opening and head else opening + ("\n\n" if opening else "")
    return opening + head + body + end, "+".join(f.task.key for f in functions)


def _functions(rng: Random) -> list[Function]:
    """Draws functions, each behind the helpers that it calls."""
    wanted = rng.choices((1, 2, 3), (70, 20, 10))[0]
    functions: list[Function] = []
    while wanted > 0:
        wanted -= 1
        used = {function.name for function in functions}
        last = functions[-1] if functions else None
        task: Task | None = None
        if last is not None and rng.random() < 0.6:
            task = derive(rng, last)
        if task is None:
            task = pipeline(rng) if rng.random() < 0.45 else draw_idiom(rng)
        own = choose(rng, task, used | set(helpers()))
        for name in needed(own.body, own.task.own):
            if name not in used:
                helper = fill(rng, helpers()[name])
                chosen = choose(rng, helper, (), keep=True)
                functions += _before(rng, chosen, used)
                used.add(name)
        functions.append(own)
    return functions


def _before(rng: Random, function: Function, used: set[str]) -> list[Function]:
    """Returns the function behind the helpers that its chosen body calls."""
    found = []
    for name in needed(function.body, function.name):
        if name not in used:
            found.append(choose(rng, fill(rng, helpers()[name]), (), keep=True))
            used.add(name)
    return [*found, function]


def _ending(rng: Random, functions: list[Function], shown: list[list[Example]]) -> str:
    """Returns what stands below the functions, with its blank lines; empty for nothing."""
    kind = rng.choices(ENDINGS, ENDING_WEIGHTS)[0]
    calls = [example for found in shown for example in found][:6]
    if kind == "doctest":
        start = '\n\nif __name__ == "__main__":\n    import doctest\n\n'
        return start + "    doctest.testmod()\n"
    if not calls or not kind:
        return ""
    if kind == "assert":
        return "\n\n" + "".join(f"assert {claim(e)}\n" for e in calls)
    if kind == "print":
        return "\n\n" + "".join(_print(e) for e in calls[:3])
    if kind == "main":
        inside = "".join(f"    {_print(e)}" for e in calls[:4])
        return f'\n\nif __name__ == "__main__":\n{inside}'
    if kind == "check":
        name = rng.choice(("check", "main", "run_tests", "test", "self_test"))
        inside = "".join(f"    assert {claim(e)}\n" for e in calls)
        return f"\n\ndef {name}():\n{inside}\n\n{name}()\n"
    tests = [(f.name, found) for f, found in zip(functions, shown, strict=True) if found]
    if kind == "unittest":
        return _unittest(tests)
    return "".join(
        f"\n\ndef test_{name}():\n" + "".join(f"    assert {claim(e)}\n" for e in found)
        for name, found in tests
    )


def claim(example: Example) -> str:
    """Returns the example as a condition that holds."""
    value: Any = example.value
    if value is None:
        return f"{example.call} is None"
    if value is True:
        return example.call
    if value is False:
        return f"not {example.call}"
    if isinstance(value, float) and value != round(value, 6):
        return f"abs({example.call} - {literal(round(value, 6))}) < 1e-5"
    return f"{example.call} == {example.result}"


def _print(example: Example) -> str:
    line = f"print({example.call})"
    said = example.value if isinstance(example.value, str) else example.result
    return f"{line}  # {said}\n" if said and len(line) + len(said) < 92 else line + "\n"


def _unittest(tests: list[tuple[str, list[Example]]]) -> str:
    text = "import unittest\n"
    for name, found in tests:
        title = "".join(part.capitalize() for part in name.split("_"))
        text += f"\n\nclass Test{title}(unittest.TestCase):\n"
        methods = []
        for number, example in enumerate(found, start=1):
            value = example.value
            if value is True or value is False:
                check = f"self.assert{value}({example.call})"
            elif value is None:
                check = f"self.assertIsNone({example.call})"
            else:
                check = f"self.assertEqual({example.call}, {example.result})"
            methods.append(f"    def test_{number}(self):\n        {check}\n")
        text += "\n".join(methods)
    return text + '\n\nif __name__ == "__main__":\n    unittest.main()\n'
