"""A signature for what was only described, so that inputs of the right kind can be made.

Words like "takes a list of integers" say it, and so do the annotations that candidates wrote by
themselves. Both are guesses: they steer which inputs are tried, and nothing else.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

from codewright.types.judging import Candidate
from codewright.verify.literals import source_of
from codewright.write.reading import as_docstring
from codewright.write.source import parse
from codewright.write.specification import Specification

_ATOMS = {
    "int": r"(?:non-negative |positive |negative |natural |whole |even |odd )*"
    r"(?:integers?|ints?|natural numbers?|whole numbers?)",
    "float": r"(?:floats?|floating[- ]point numbers?|real numbers?|decimals?|reals?)",
    "str": r"(?:strings?|words?|sentences?|texts?|characters?|lines of text)",
    "bool": r"(?:booleans?|bools?)",
    "bytes": r"bytes",
    "dict": r"(?:dictionary|dictionaries|dicts?|mappings?)",
    "int | float": r"(?:numbers?|numeric values?)",
}
_MANY = {
    "list": r"(?:lists?|arrays?|sequences?|collections?)",
    "set": r"sets?",
    "tuple": r"tuples?",
}
_WORD = "|".join(f"(?:{pattern})" for pattern in (*_ATOMS.values(), *_MANY.values()))
_PHRASE = re.compile(rf"\b({_WORD})\b(?:\s+of\s+(?:\w+\s+)?({_WORD})\b)?(?:\s+of\s+({_WORD})\b)?")
_RESULT = re.compile(r"\b(?:returns?|returning|outputs?|gives?|tells?|computes?|yields?)\b")


def announced(spec: Specification, candidates: Sequence[Candidate], entry_point: str) -> str:
    """Returns the prompt by which inputs for the candidates are to be made.

    It is the specification's own where that has a signature. Else it is the signature that most
    candidates have, each parameter with the type that most of them, or else the words, give it,
    and the words as its docstring.
    """
    if spec.code or not entry_point:
        return spec.prompt
    taken = [
        found
        for each in candidates
        if (found := _parameters(each.program, each.entry_point or entry_point)) is not None
    ]
    if not taken:
        return spec.prompt
    arity = Counter(map(len, taken)).most_common(1)[0][0]
    alike = [each for each in taken if len(each) == arity]
    told = types_in(spec.prompt)
    parameters = []
    for place in range(arity):
        name = Counter(args[place].arg for args in alike).most_common(1)[0][0]
        said = Counter(source_of(note) for args in alike if (note := args[place].annotation))
        kind = said.most_common(1)[0][0] if said else "".join(told[place : place + 1])
        parameters.append(f"{name}: {kind}" if kind else name)
    # Two parameters may be called alike by different candidates.
    if len({each.partition(":")[0] for each in parameters}) < arity:
        parameters = [
            f"a{i}{each[len(each.partition(':')[0]) :]}" for i, each in enumerate(parameters)
        ]
    lines = "\n".join(f"    {line}".rstrip() for line in as_docstring(spec.prompt).splitlines())
    return f"def {entry_point}({', '.join(parameters)}):\n{lines}\n"


def types_in(words: str) -> list[str]:
    """Returns the types of the arguments that a description names, in its order.

    What stands behind "returns" is about the result, unless nothing stands before it.
    """
    words = " ".join(words.lower().split())
    end = next((found.start() for found in _RESULT.finditer(words) if found.start() > 12), None)
    found = [_type(match) for match in _PHRASE.finditer(words[:end])]
    return found or [_type(match) for match in _PHRASE.finditer(words)]


def _type(match: re.Match[str]) -> str:
    """The type that a phrase like "lists of integers" names."""
    told = ""
    for word in reversed([group for group in match.groups() if group]):
        outer = next((name for name, form in _MANY.items() if re.fullmatch(form, word)), "")
        if outer:
            inside = told or "int"
            told = f"tuple[{inside}, ...]" if outer == "tuple" else f"{outer}[{inside}]"
        else:
            told = next(name for name, form in _ATOMS.items() if re.fullmatch(form, word))
    return told


def _parameters(program: str, entry_point: str) -> list[ast.arg] | None:
    """The parameters of a program's function that need an argument at their place."""
    tree = parse(program)
    if tree is None:
        return None
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            taken = [*node.args.posonlyargs, *node.args.args]
            return taken[: len(taken) - len(node.args.defaults)]
    return None
