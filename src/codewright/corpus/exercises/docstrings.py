"""Documentation of a function in the styles that real code has: docstrings, comments, examples."""

from __future__ import annotations

from random import Random

from codewright.corpus.exercises.function import Example, Function, doctest_lines, hint
from codewright.corpus.exercises.prose import Description, wrap

STYLES = ("line", "doctest", "google", "numpy", "sphinx", "google+", "plain", "epytext")
STYLE_WEIGHTS = (34, 27, 11, 3, 5, 9, 10, 1)
WIDTH = 88


def docstring(
    rng: Random, function: Function, said: Description, shown: list[Example], *, typed: bool
) -> str:
    """Returns a docstring, indented and with its line end."""
    style = rng.choices(STYLES, STYLE_WEIGHTS)[0]
    quotes = '"""' if rng.random() < 0.94 else "'''"
    whole = f"{said.summary} {said.notes}".strip()
    if style == "line" and len(whole) < WIDTH - 10:
        return f"    {quotes}{whole}{quotes}\n"
    lines = _summary(rng, said, whole)
    if style in ("google", "google+"):
        lines += _google(function, said, typed=typed, types=rng.random() < 0.4)
    elif style == "numpy":
        lines += _numpy(function, said)
    elif style in ("sphinx", "epytext"):
        mark = ":" if style == "sphinx" else "@"
        lines += ["", *(f"{mark}param {name}: {text}" for name, text in said.args)]
        lines += [f"{mark}return: {said.gives}"]
    if style in ("doctest", "google+") and shown:
        lines += _examples(rng, shown)
    below = rng.random() < 0.22
    if style in ("line", "plain") and len(lines) == 1 and len(lines[0]) < WIDTH - 10 and not below:
        return f"    {quotes}{lines[0]}{quotes}\n"
    space = " " if not below and rng.random() < 0.03 else ""
    lines[0] = quotes + ("\n    " if below else space) + lines[0]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    return f"{body}\n    {quotes}\n"


def _summary(rng: Random, said: Description, whole: str) -> list[str]:
    if said.notes and rng.random() < 0.5:
        return [*wrap(said.summary, WIDTH - 12).splitlines(), "",
                *wrap(said.notes, WIDTH - 12).splitlines()]  # fmt: skip
    return wrap(whole, WIDTH - 12).splitlines()


def _google(function: Function, said: Description, *, typed: bool, types: bool) -> list[str]:
    lines = ["", "Args:"]
    for param, (name, text) in zip(function.task.params, said.args, strict=True):
        kind = f" ({hint(param.kind, '')})" if types and not typed else ""
        lines.append(f"    {name}{kind}: {text}.")
    gives = wrap(said.gives, WIDTH - 16, "    ").splitlines()
    return [*lines, "", "Returns:", *gives[:-1], gives[-1] + "."]


def _numpy(function: Function, said: Description) -> list[str]:
    lines = ["", "Parameters", "----------"]
    for param, (name, text) in zip(function.task.params, said.args, strict=True):
        lines += [f"{name} : {hint(param.kind, '')}", f"    {text}"]
    returned = hint(function.task.returns, "")
    return [*lines, "", "Returns", "-------", returned, *wrap(said.gives, 72, "    ").splitlines()]


def _examples(rng: Random, shown: list[Example]) -> list[str]:
    how = rng.random()
    if how < 0.72:
        inside = [line for example in shown for line in doctest_lines(example)]
        if not inside:
            return []
        head = rng.choice(([], [], [], ["Examples:"], ["Example:"]))
        inside = [f"    {line}" for line in inside] if head else inside
        return ["", *head, *inside]
    if how < 0.8:
        return ["", *(f"{example.call} -> {example.result}" for example in shown)]
    if how < 0.86:
        return ["", *(f"{example.call} == {example.result}" for example in shown)]
    if how < 0.93:
        return ["", "Examples:", *(f"    {e.call} => {e.result}" for e in shown)]
    first = shown[0]
    return ["", f"For example, {first.call} returns {first.result}."]


def comment(said: Description, indent: str = "") -> str:
    """Returns the description as a comment above or inside the function."""
    return wrap(f"{said.summary} {said.notes}".strip(), WIDTH, indent + "# ") + "\n"
