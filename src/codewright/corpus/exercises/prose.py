"""English: the sentences that describe a task, in the voices that documentation has.

A voice is drawn once per function: how parameters are quoted, how the sentence opens, whether the
first parameter is introduced by its type. Nothing here looks at code.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from random import Random

from codewright.corpus.exercises.parts import KINDS, Param, Task

NOUN_PHRASE = (
    (22, "Return {np}."),
    (14, "Returns {np}."),
    (6, "Compute {np}."),
    (5, "Calculate {np}."),
    (6, "Find {np}."),
    (4, "Get {np}."),
    (3, "Computes {np}."),
    (6, "{Np}."),
    (8, "Given {given}, return {np}."),
    (3, "Given {given}, find {np}."),
    (4, "Write a function that returns {np}."),
    (2, "Write a function that takes {given} and returns {np}."),
    (2, "Write a function to compute {np}."),
    (3, "Takes {given} and returns {np}."),
    (2, "You are given {given}. Return {np}."),
    (2, "This function returns {np}."),
    (2, "Implement a function that returns {np}."),
    (1, "Work out {np}."),
    (1, "I need a function that returns {np}."),
    (1, "Please return {np}."),
    (1, "For {given}, compute {np}."),
    (1, "Determine {np}."),
)
CONDITION = (
    (14, "Return True if {if}, False otherwise."),
    (8, "Return True if {if}, and False otherwise."),
    (12, "Check whether {if}."),
    (10, "Check if {if}."),
    (5, "Determine whether {if}."),
    (4, "Tell whether {if}."),
    (8, "Return whether {if}."),
    (6, "Return True if and only if {if}."),
    (4, "Returns True if {if}."),
    (4, "True if {if}."),
    (4, "Given {given}, return True if {if} and False if not."),
    (3, "Write a function that checks whether {if}."),
    (2, "Takes {given} and returns True if {if}."),
    (2, "Test whether {if}."),
    (1, "I want to know whether {if}."),
    (1, "Write a function that returns True if {if} and False otherwise."),
)
IMPERATIVE = (
    (26, "{Do}."),
    (12, "{Does}."),
    (5, "Write a function that {does}."),
    (3, "Write a function to {do}."),
    (7, "Given {given}, {do}."),
    (3, "You are given {given}. {Do}."),
    (3, "Implement a function that {does}."),
    (3, "This function {does}."),
    (1, "Help me {do}."),
    (3, "Function to {do}."),
)
OPENINGS = {"np": NOUN_PHRASE, "if": CONDITION, "do": IMPERATIVE}
WEIGHTS = {form: tuple(weight for weight, _ in table) for form, table in OPENINGS.items()}
SENTENCES = {form: tuple(text for _, text in table) for form, table in OPENINGS.items()}
MARK = re.compile(r"\{(\w+)\}")
THE = {
    "list": ("the list", "the given list", "the input list"),
    "str": ("the string", "the given string", "the input string"),
    "dict": ("the dictionary", "the given dictionary"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What prose says of one function: a summary in one or two sentences, and its parts."""

    summary: str
    notes: str
    args: tuple[tuple[str, str], ...]
    gives: str


def describe(rng: Random, task: Task) -> Description:
    """Draws a description of the task."""
    quote = rng.choice(("{}", "{}", "{}", "`{}`", "`{}`", "'{}'", "``{}``"))
    refer = {param.name: quote.format(param.name) for param in task.params}
    first = task.params[0] if task.params else None
    form, text = rng.choice(task.says)
    sentence = rng.choices(SENTENCES[form], WEIGHTS[form])[0]
    if first is not None and "{given}" not in sentence and rng.random() < 0.3:
        refer[first.name] = _the(rng, first) or refer[first.name]
    given = _given(rng, task.params, refer, quote) if "{given}" in sentence else ""
    said = MARK.sub(lambda match: refer.get(match[1], match[1]), text)
    summary = (
        sentence.replace("{given}", given)
        .replace("{np}", said)
        .replace("{Np}", said if _names(said, task) else _capital(said))
        .replace("{if}", said)
        .replace("{do}", said)
        .replace("{Do}", _capital(said))
        .replace("{does}", third_person(said))
        .replace("{Does}", _capital(third_person(said)))
    )
    notes = " ".join(MARK.sub(lambda match: quote.format(match[1]), note) for note in task.notes)
    gives = task.gives or (said if form == "np" else rng.choice(KINDS[task.returns].english))
    if task.returns == "bool" and form == "if":
        gives = f"True if {said}, False otherwise"
    gives = MARK.sub(lambda match: quote.format(match[1]), gives)
    gives = gives if _names(gives, task) else _capital(gives)
    args = tuple((param.name, about(rng, param)) for param in task.params)
    return Description(summary=summary, notes=notes, args=args, gives=gives)


def about(rng: Random, param: Param) -> str:
    """Returns what a list of arguments says of the parameter."""
    english = rng.choice(KINDS[param.kind].english)
    if param.about and rng.random() < 0.7:
        return param.about
    return english


def third_person(text: str) -> str:
    """Returns an imperative as what a function does: replace … → replaces …"""
    verb, space, rest = text.partition(" ")
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        verb += "es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        verb = verb[:-1] + "ies"
    else:
        verb += "s"
    return verb + space + rest


def wrap(text: str, width: int, indent: str = "") -> str:
    """Returns the text in lines of at most `width`, each behind `indent`."""
    if len(indent) + len(text) <= width and "\n" not in text:
        return indent + text
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _names(text: str, task: Task) -> bool:
    """True where the text begins with a parameter, which is never capitalised."""
    return text.partition(" ")[0].strip("`',") in {param.name for param in task.params}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isalpha() else text


def _the(rng: Random, param: Param) -> str:
    base = KINDS[param.kind].hint.partition("[")[0]
    if base not in THE:
        return ""
    words = rng.choice(THE[base])
    return f"{words} {param.name}" if rng.random() < 0.35 else words


def _given(rng: Random, params: tuple[Param, ...], refer: dict[str, str], quote: str) -> str:
    """Returns `a list of integers numbers and a small integer k`."""
    parts = [
        f"{rng.choice(KINDS[param.kind].english)} {quote.format(param.name)}" for param in params
    ]
    if len(parts) == 1 and rng.random() < 0.4:
        base = KINDS[params[0].kind].hint.partition("[")[0]
        alone = rng.choice(KINDS[params[0].kind].english)
        if base in THE:
            # The name need not be said: only one thing can be meant.
            refer[params[0].name] = THE[base][0]
            return alone
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
