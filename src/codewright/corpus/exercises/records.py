"""Classes: those of the catalogue, with their slots drawn, and record classes made of fields.

Every class is shown in use; what the lines of its use give is found by running them.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random
from typing import Any

from codewright.corpus.exercises.check import guarded, literal, run
from codewright.corpus.exercises.draw import NAMES, WORDS
from codewright.corpus.exercises.function import imports
from codewright.corpus.exercises.pieces import FOLDER
from codewright.corpus.exercises.prose import wrap

DOC = re.compile(r'^( *)"""(.*)"""$', re.M)
SLOT = re.compile(r"([A-Z]): (.*)")
NUMBER = re.compile(r"([A-Z]) = (\d+)\.\.(\d+)")

THINGS = {
    "Book": (("title", "w"), ("author", "n"), ("pages", "i"), ("price", "f")),
    "Student": (("name", "n"), ("year", "i"), ("grades", "l"), ("absences", "i")),
    "Product": (("name", "w"), ("price", "f"), ("quantity", "i"), ("weight", "i")),
    "Employee": (("name", "n"), ("salary", "i"), ("bonus", "i"), ("years", "i")),
    "Car": (("model", "w"), ("speed", "i"), ("fuel", "i"), ("seats", "i")),
    "City": (("name", "w"), ("population", "i"), ("area", "i"), ("districts", "i")),
    "Player": (("name", "n"), ("score", "i"), ("lives", "i"), ("points", "l")),
    "Song": (("title", "w"), ("seconds", "i"), ("plays", "i"), ("ratings", "l")),
    "Ticket": (("owner", "n"), ("price", "i"), ("row", "i"), ("seat", "i")),
    "Recipe": (("name", "w"), ("minutes", "i"), ("servings", "i"), ("amounts", "l")),
    "Plant": (("name", "w"), ("height", "i"), ("age", "i"), ("measurements", "l")),
    "Order": (("customer", "n"), ("units", "i"), ("unit_price", "i"), ("items", "l")),
}
METHODS = {
    "i": (
        ("{a}_doubled", "return self.{a} * 2", "Return twice the {a}.", ""),
        (
            "has_more_{a}_than",
            "return self.{a} > other.{a}",
            "Tell whether {a} is larger than that of other.",
            "other",
        ),
        (
            "add_to_{a}",
            "self.{a} += amount\n        return self.{a}",
            "Add amount to {a} and return the new value.",
            "amount",
        ),
        (
            "reduce_{a}",
            "self.{a} = max(0, self.{a} - amount)\n        return self.{a}",
            "Subtract amount from {a}, but not below zero, and return it.",
            "amount",
        ),
        (
            "{a}_per",
            "return self.{a} // count",
            "Return {a} divided by count, rounded down.",
            "count",
        ),
        (
            "is_{a}_above",
            "return self.{a} > limit",
            "Return True if {a} is greater than limit.",
            "limit",
        ),
        ("reset_{a}", "self.{a} = 0", "Set {a} to zero.", ""),
    ),
    "l": (
        ("total_{a}", "return sum(self.{a})", "Return the sum of {a}.", ""),
        (
            "best_of_{a}",
            "return max(self.{a}, default=0)",
            "Return the largest of {a}, 0 if there are none.",
            "",
        ),
        (
            "average_of_{a}",
            "count = len(self.{a})\n        return sum(self.{a}) / count if count else 0.0",
            "Return the average of {a}, 0.0 if there are none.",
            "",
        ),
        ("count_{a}", "return len(self.{a})", "Return how many {a} there are.", ""),
        (
            "add_to_{a}",
            "self.{a}.append(value)\n        return len(self.{a})",
            "Append value to {a} and return their number.",
            "value",
        ),
    ),
    "w": (
        (
            "short_{a}",
            "return self.{a}[:3].upper()",
            "Return the first three letters of {a} in upper case.",
            "",
        ),
        ("{a}_length", "return len(self.{a})", "Return the number of characters of {a}.", ""),
        ("rename", "self.{a} = {a}", "Give it another {a}.", "{a}"),
    ),
    "n": (
        ("greet", 'return f"Hello, {{self.{a}}}!"', "Return a greeting for the {a}.", ""),
        ("{a}_initial", "return self.{a}[0]", "Return the first letter of {a}.", ""),
        ("belongs_to", "return self.{a} == {a}", "Tell whether it is that {a}'s.", "{a}"),
    ),
    "f": (
        (
            "discounted_{a}",
            "return round(self.{a} * (100 - percent) / 100, 2)",
            "Return {a} reduced by percent, rounded to two decimals.",
            "percent",
        ),
        (
            "raise_{a}",
            "self.{a} += amount\n        return self.{a}",
            "Add amount to {a} and return it.",
            "amount",
        ),
    ),
}
HINTS = {"w": "str", "n": "str", "i": "int", "l": "list[int]", "f": "float"}


@cache
def catalogue() -> tuple[tuple[str, ...], ...]:
    """Returns (header, class, use) of each class in the catalogue."""
    text = (FOLDER / "classes.types").read_text(encoding="utf-8")
    return tuple(
        tuple(re.split(r"^--\n", entry, flags=re.M))
        for entry in re.split(r"^== ", text, flags=re.M)[1:]
    )


def class_file(rng: Random) -> tuple[str, str]:
    """Returns the text of a file with one class in use, and the key of what it means."""
    text, use, key = _record(rng) if rng.random() < 0.6 else _known(rng)
    if rng.random() < 0.35:
        text = DOC.sub(lambda m: m[0] if m[1] == "    " else "", text)
        text = re.sub(r"\n\n\n(?= )", "\n\n", re.sub(r":\n\n( {8})", r":\n\1", text))
    needed = imports(text)
    head = "\n".join(needed) + "\n\n\n" if needed else ""
    lines, own = show(head + text, use)
    inside = rng.random()
    if inside < 0.4:
        return head + text + "\n\n" + "".join(_asserted(lines, own)), key
    if inside < 0.7:
        first = DOC.search(text)
        assert first is not None, key
        sample = "".join(f"    {line}\n" for pair in lines for line in pair if line)
        documented = f'{first[1]}"""{first[2]}\n\n{sample}    """'
        name = re.findall(r"^class (\w+)", text, re.M)
        if len(name) == 1:
            text = text[: first.start()] + documented + text[first.end() :]
            return head + text, key
    return head + text + "\n\n" + "".join(_printed(lines)), key


def show(text: str, use: list[str]) -> tuple[list[tuple[str, str]], set[str]]:
    """Runs the lines of use after the text.

    Returns pairs of `>>> line` and what the interpreter prints, and which of these are no literals.
    """
    namespace = run(text)
    lines = []
    own: set[str] = set()
    for line in use:
        with guarded():
            if re.match(r"\w+ = ", line):
                exec(compile(line, "<use>", "exec"), namespace)
                value: Any = None
            else:
                value = eval(compile(line, "<use>", "eval"), namespace)
        shown = "" if value is None else literal(value)
        lines.append((f">>> {line}", shown))
        own |= {shown} if type(value).__module__ == "exercise" else set()
    return lines, own


def _asserted(lines: list[tuple[str, str]], own: set[str]) -> list[str]:
    found = []
    for line, value in lines:
        code = line[4:]
        if not value:
            found.append(code + "\n")
        elif value in ("True", "False"):
            found.append(f"assert {'' if value == 'True' else 'not '}{code}\n")
        elif value in own:
            found.append(f"assert repr({code}) == {value!r}\n")
        else:
            found.append(f"assert {code} == {value}\n")
    return found


def _printed(lines: list[tuple[str, str]]) -> list[str]:
    return [f"print({line[4:]})  # {value.strip(chr(39))}\n" if value else f"{line[4:]}\n"
            for line, value in lines]  # fmt: skip


def _known(rng: Random) -> tuple[str, list[str], str]:
    header, text, use = rng.choice(catalogue())
    first, *rest = header.strip().splitlines()
    names = [name.strip() for name in first.split("|")]
    name = rng.choice([name for name in names if not name.endswith("_")])
    docs = [""]
    marks: dict[str, str] = {}
    for line in rest:
        number, slot = NUMBER.fullmatch(line), SLOT.fullmatch(line)
        if number:
            marks["$" + number[1]] = str(rng.randint(int(number[2]), int(number[3])))
        elif slot:
            option = rng.choice(slot[2].split(" ; ")).split(" / ")
            marks |= {f"${slot[1]}{index}": part.strip() for index, part in enumerate(option)}
            marks[f"${slot[1]}"] = option[0].strip()
        else:
            docs = [part.strip() for part in line.removeprefix("doc: ").split(" | ")]
    marks |= {"$DOC": rng.choice(docs), "$N": name, "$n": repr(rng.choice(NAMES))}
    marks |= {"$w": repr(rng.choice(WORDS)), "$i": str(rng.randint(1, 9))}
    marks |= {"$j": str(rng.randint(10, 20)), "$k": str(rng.randint(1, 9))}
    pattern = re.compile("|".join(re.escape(m) for m in sorted(marks, key=len, reverse=True)))

    def fill(text: str) -> str:
        while pattern.search(text):
            text = pattern.sub(lambda match: marks[match[0]], text)
        return text

    text = DOC.sub(lambda m: f'{m[1]}"""{rng.choice(m[2].split(" | "))}"""', text)
    return fill(text).strip() + "\n", fill(use).strip().splitlines(), f"class-{names[0]}"


def _record(rng: Random) -> tuple[str, list[str], str]:
    """A class with two to four fields and two to four methods over them."""
    name = rng.choice(sorted(THINGS))
    chosen = sorted(rng.sample(range(4), rng.randint(2, 4)))
    fields = [THINGS[name][index] for index in chosen]
    available = [(method, field) for field, kind in fields for method in METHODS[kind]]
    methods = rng.sample(available, min(len(available), rng.randint(2, 4)))
    data = rng.random() < 0.4
    listed = ", ".join(field.replace("_", " ") for field, _ in fields[:-1])
    said = rng.choice((
        f"A {name.lower()} with {listed} and {fields[-1][0].replace('_', ' ')}.",
        f"Holds the {listed} and {fields[-1][0].replace('_', ' ')} of a {name.lower()}.",
        f"One {name.lower()}: {listed} and {fields[-1][0].replace('_', ' ')}.",
    ))  # fmt: skip
    lines = [f"class {name}:", *wrap(f'"""{said}"""', 90, "    ").splitlines(), ""]
    if data:
        lines.insert(0, "@dataclass")
        lines += [f"    {field}: {HINTS[kind]}" for field, kind in fields]
    else:
        lines.append(f"    def __init__(self, {', '.join(field for field, _ in fields)}):")
        lines += [f"        self.{field} = {field}" for field, _ in fields]
    values = ", ".join(_value(rng, kind) for _, kind in fields)
    variable = name.lower()
    use = [f"{variable} = {name}({values})"]
    for (title, body, doc, argument), field in methods:
        title, doc, argument = (part.format(a=field) for part in (title, doc, argument))
        if any(f"def {title}(" in line for line in lines):
            continue
        more = f", {argument}" if argument else ""
        lines += ["", f"    def {title}(self{more}):", f'        """{doc}"""',
                  f"        {body.format(a=field)}"]  # fmt: skip
        given = {"": "", "other": variable, "count": "2"}.get(argument)
        if given is None:
            given = repr(rng.choice(NAMES)) if argument == field else str(rng.randint(1, 30))
        use.append(f"{variable}.{title}({given})")
        if title.startswith(("reset", "rename")):
            use.append(f"{variable}.{field}")
    if not data and rng.random() < 0.3:
        shown = ", ".join(f"{{self.{field}!r}}" for field, _ in fields)
        lines += ["", "    def __repr__(self):", f'        return f"{name}({shown})"']
        use.append(variable)
    key = f"record-{name}-" + "-".join(sorted(title for (title, *_), _ in methods))
    return "\n".join(lines) + "\n", use, key


def _value(rng: Random, kind: str) -> str:
    if kind == "n":
        return repr(rng.choice(NAMES))
    if kind == "w":
        return repr(rng.choice(WORDS).capitalize())
    if kind == "f":
        return str(rng.randint(4, 200) / 4)
    if kind == "l":
        return literal([rng.randint(1, 10) for _ in range(rng.randint(2, 4))])
    return str(rng.randint(1, 90))
