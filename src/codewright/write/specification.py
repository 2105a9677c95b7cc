"""What a program is to do, as a person gives it: words, a file, or standard input.

A Python file, and any text that is Python, is a specification when it holds one open function: a
signature whose body is only a docstring, `pass` or `...`. In other text an open function may stand
in a code block; without one the words themselves are the specification, and the function's name
is taken from them where they give one. Nothing of it is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codewright.errors import DataError, UserError
from codewright.files import reading
from codewright.types.judging import CallPair
from codewright.verify.examples import examples
from codewright.write.extract import Frame, frame
from codewright.write.fences import split_blocks
from codewright.write.source import parse
from codewright.write.stub import Stub, find_stub

LONGEST = 200_000
"""Bytes of a specification: more than any model reads with care."""

_PATH = re.compile(r"[^\s\"'(){}\[\]]+\.(py|md|txt|rst|pyi)|~?\.{0,2}/\S+")
_NAMES = (
    re.compile(r"\bdef\s+([A-Za-z_]\w*)\s*\("),
    re.compile(r"\b(?:called|named)\s+[`'\"]([A-Za-z_]\w*)(?:\(\))?[`'\"]"),
    re.compile(r"\b(?:called|named)\s+([A-Za-z_]\w*)\("),
    re.compile(r"\bfunction\s+[`'\"]([A-Za-z_]\w*)(?:\([^`'\"]*\))?[`'\"]"),
    re.compile(r"\b(?:function|called|named)\s+([A-Za-z]\w*_\w*)"),
)
_CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What is to be written.

    prompt: the text as given. entry_point: the function's name, empty where nothing says it.
    code: source text that ends with the open function, empty where there is none. examples: those
    that the text shows.
    """

    prompt: str
    entry_point: str = ""
    code: str = ""
    examples: tuple[CallPair, ...] = ()

    @property
    def frame(self) -> Frame:
        """What is left to be written."""
        return frame(self.code, self.entry_point)


def read_specification(
    given: str, *, entry_point: str = "", stdin: Callable[[int], bytes]
) -> Specification:
    """Returns the specification that a person gave.

    Args:
        given: a path, `-` for standard input, or the words themselves.
        entry_point: the function's name, where the person said it.
        stdin: returns so many bytes of standard input, at most.

    Raises:
        UserError: it is empty, or it is not clear which function is wanted.
        DataError: the file is missing, binary, too large, or Python that does not parse.
    """
    if entry_point and not entry_point.isidentifier():
        raise UserError(
            f"{entry_point!r} cannot be the name of a function",
            hint="letters, digits and _, for example --entry-point count_words",
        )
    if given == "-":
        return specification(_text(stdin(LONGEST + 1), "standard input"), entry_point)
    path = _path(given)
    if path is None:
        return specification(_text(given.encode("utf-8", "surrogateescape"), "SPEC"), entry_point)
    made = specification(read_text(path), entry_point)
    if path.suffix == ".py" and not made.code:
        if parse(made.prompt) is None:
            raise DataError(
                f"{path} is not Python of this version", hint="mend it, or give the text as a .txt"
            )
        raise UserError(
            f"{path} leaves nothing to write: no top-level function in it is open",
            hint="leave a function with its signature and a docstring as its body",
        )
    return made


def specification(text: str, entry_point: str = "") -> Specification:
    """Returns the specification that `text` is.

    Raises:
        UserError: it is empty, or it is not clear which function is wanted.
    """
    if not text.strip():
        raise UserError(
            "the specification is empty",
            hint="say what the function should do, or name a file that does",
        )
    found = _stub(text, entry_point)
    if found is not None:
        if entry_point not in ("", found.name):
            raise UserError(
                f"the function that is open is {found.name}, not {entry_point}",
                hint="leave --entry-point out, or change the specification",
            )
        return Specification(
            prompt=text,
            entry_point=found.name,
            code=found.code,
            examples=examples(text, found.name),
        )
    name = entry_point or _named(text)
    return Specification(
        prompt=text, entry_point=name, examples=examples(text, name) if name else ()
    )


def _stub(text: str, entry_point: str) -> Stub | None:
    """The open function of a text: of all of it, else of the one code block that has one."""
    if (found := find_stub(text, entry_point)) is not None:
        return found
    blocks = [block.code for block in split_blocks(text) if block.python]
    stubs = [stub for code in blocks if (stub := find_stub(code, entry_point)) is not None]
    if len({stub.name for stub in stubs}) > 1:
        raise UserError(
            f"several functions are open: {', '.join(stub.name for stub in stubs[:5])}",
            hint="describe one function, or say which with --entry-point",
        )
    return stubs[0] if stubs else None


def _named(text: str) -> str:
    """The name that a text gives to its function: said in words, or used in an example."""
    for pattern in _NAMES:
        if found := pattern.search(text):
            return found[1]
    called = dict.fromkeys(_CALLED.findall(text))
    return next((name for name in list(called)[:20] if examples(text, name)), "")


def _path(given: str) -> Path | None:
    """The file that is meant; None where the words themselves are the specification."""
    if not given.strip():
        return None
    path = Path(given)
    try:
        if path.exists():
            return path
    except (OSError, ValueError):  # too long for a path, or with a null character
        return None
    if _PATH.fullmatch(given):
        raise DataError(
            f"{given} does not exist", hint="check the path; words that are meant go in quotes"
        )
    return None


def read_text(path: Path, *, most: int = LONGEST) -> str:
    """Returns the text of a file of a person's.

    Raises:
        DataError: it is missing, a folder, unreadable, binary, or has more than `most` bytes.
    """
    with reading(path), path.open("rb") as file:
        raw = file.read(most + 1)
    return _text(raw, str(path), most)


def _text(raw: bytes, name: str, most: int = LONGEST) -> str:
    if len(raw) > most:
        raise DataError(
            f"{name} is longer than {most:,} bytes", hint="keep what the function has to do"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise DataError(f"{name} is not text", hint="save it as UTF-8 text")
    return text.replace("\r\n", "\n")
