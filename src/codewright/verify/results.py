"""The value that a text shows at a place: a literal with whatever prose stands around it.

People write `16.` and `True,` and `19 - 5 - 6 = 8` and `'No' (the name is wrong)`; a reader takes
the value and leaves the rest, or refuses. It refuses wherever two readings are possible.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from codewright.verify.literals import expression, literal, source_of
from codewright.verify.operations import Refused
from codewright.verify.signature import STRING, closing

_NUMBER: Final = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")
_WORD: Final = re.compile(r"[-+]?[A-Za-z_][\w.]*")
_LINE: Final = re.compile(r"[^\n]*")
_COMMENT: Final = re.compile(r"\s+(?:#|//).*$")
_EQUALS: Final = re.compile(r"(?<![=!<>])={1,2}(?![=>])")

_ENDS: Final = re.compile(r"[ ]*(?:[.,;:)*\]]{0,3}[ ]*)(?:\n|$|#|//)")
_PUNCTUATED: Final = re.compile(r"[.;:)]+(?=\s)|,(?=\s)")
_PROSE: Final = re.compile(r"[ ]+(?!(?:or|times|more|less|if and)\b)(?:\(?[A-Za-z]|--|[–—|])")
_LITERAL_FOLLOWS: Final = re.compile(r"[.;:),]*\s*[-+]?[\d'\"\[({.]")

_DECISIONS: Final = (ast.BoolOp, ast.Compare, ast.IfExp)
_LONGEST_LINE: Final = 300

_SPELLED: Final[Mapping[str, bool | None]] = {
    "true": True, "false": False, "none": None, "null": None, "nil": None,
}  # fmt: skip
_HINTED: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "complex": (int, float, complex),
    "bool": (bool,),
    "str": (str,),
    "bytes": (bytes,),
    "list": (list,),
    "tuple": (tuple,),
    "dict": (dict,),
    "set": (set,),
    "frozenset": (frozenset,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is known of the results before they are read.

    hint: the plain name of the annotated type in lower case, empty where there is none. optional:
    the annotation lets None be returned. text: the description; a word that is quoted in it may
    stand unquoted for a string.
    """

    hint: str = ""
    optional: bool = False
    text: str = ""

    @classmethod
    def of(cls, returns: ast.expr | None, text: str) -> Wanted:
        """Returns what an annotation and a description tell."""
        node = returns.value if isinstance(returns, ast.Subscript) else returns
        name = ""
        if isinstance(node, ast.Name):
            name = node.id.lower()
        elif isinstance(node, ast.Attribute):
            name = node.attr.lower()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition("[")[0].rpartition(".")[2].lower()
        optional = returns is not None and re.search(r"\b(Optional|None)\b", source_of(returns))
        return cls(hint=name if name in _HINTED else "", optional=bool(optional), text=text)

    def fits(self, value: Any) -> bool:
        """Whether a function annotated so may return it; None may be returned by any."""
        kinds = _HINTED.get(self.hint)
        if kinds is None or value is None:
            return True
        return type(value) in kinds

    def word(self, word: str) -> str:
        """Returns the string that an unquoted word stands for.

        Raises:
            Refused: nothing says that it is one.
        """
        if self.hint == "str" or (not self.hint and re.search(rf"(['\"]){word}\1", self.text)):
            return word
        raise Refused("an unquoted word")


def segment(text: str, start: int) -> tuple[str, int]:
    """Returns the text of the literal that begins at `start`, and where it ends.

    Raises:
        Refused: nothing that begins there looks like one.
    """
    if text[start : start + 1] in ("(", "[", "{"):
        end = closing(text, start)
        if end is None:
            raise Refused("an open bracket")
        return text[start : end + 1], end + 1
    for pattern in (STRING, _NUMBER, _WORD):
        found = pattern.match(text, start)
        if found is None:
            continue
        end = found.end()
        if pattern is _WORD:
            if text[end - 1] == ".":
                end -= 1
            if text[end : end + 1] == "(":
                last = closing(text, end)
                end = end if last is None else last + 1
            elif string := STRING.match(text, end):
                end = string.end()
        return text[start:end], end
    raise Refused("no literal")


def value(text: str) -> Any:
    """Returns the value of a literal, however its constants are spelled.

    Raises:
        Refused: it is none.
    """
    node = expression(text)
    if node is None:
        raise Refused("not Python")
    spelled = {
        name.id: _SPELLED[name.id.lower()]
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and name.id.lower() in _SPELLED
    }
    return literal(node, spelled)


def result(text: str, start: int, wanted: Wanted, *, strict: bool = False) -> tuple[Any, int]:
    """Returns the value shown at `start`, and where its text ends.

    Args:
        strict: nothing but punctuation or a comment may follow on the line.

    Raises:
        Refused: there is none, or more than one reading of it.
    """
    while text[start : start + 1] in (" ", "*"):
        start += 1
    shown, end = segment(text, start)
    if _ends(text, end, strict):
        found = _shown(shown, text, end, wanted)
    else:
        found, end = _whole_line(text, start, wanted)
    if not wanted.fits(found):
        raise Refused("not of the annotated type")
    return found, end


def _ends(text: str, end: int, strict: bool) -> bool:
    """Whether what stands after a literal is not a part of it."""
    if _ENDS.match(text, end):
        return True
    if strict:
        return False
    if _PUNCTUATED.match(text, end):
        return text[end] in ".;" or not _LITERAL_FOLLOWS.match(text, end)
    return _PROSE.match(text, end) is not None


def _shown(shown: str, text: str, end: int, wanted: Wanted) -> Any:
    if not shown.isidentifier():
        return value(shown)
    if shown in ("True", "False", "None"):
        return _SPELLED[shown.lower()]
    if shown.lower() in _SPELLED and wanted.hint != "str":
        return _SPELLED[shown.lower()]
    if not _ENDS.match(text, end):
        raise Refused("a word of a sentence")
    return wanted.word(shown)


def _whole_line(text: str, start: int, wanted: Wanted) -> tuple[Any, int]:
    """The value of an expression that is worked out on its line, as 19 - 5 - 6 = 8."""
    found = _LINE.match(text, start)
    assert found is not None
    line = _COMMENT.sub("", found.group()).strip(" .,;")
    if "^" in line or len(line) > _LONGEST_LINE:
        raise Refused("^ is a power to some")
    values = []
    for part in _EQUALS.split(line):
        node = expression(part)
        if node is None or any(isinstance(part, _DECISIONS) for part in ast.walk(node)):
            raise Refused("no arithmetic")
        bare = isinstance(node, ast.Tuple) and not part.strip().startswith("(")
        if bare and wanted.hint != "tuple":
            raise Refused("several values, or a tuple")
        values.append(value(part))
    if any(one != values[-1] for one in values):
        raise Refused("what is worked out is not equal")
    return values[-1], start + len(line)
