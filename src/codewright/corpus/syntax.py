"""Whether a file is Python 3 of this interpreter, and one syntax tree for all steps that need it.

`Trees` keeps the tree of the last document: documents pass through a chain one at a time, so each
is parsed once, however many steps look at it. Parsing runs no code. Python 2 gets a reason of its
own: there is a lot of it, and it is no broken Python 3.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from codewright.corpus.steps import Drops
from codewright.types.document import Document

_PYTHON_2 = re.compile(
    r"""^[ \t]*(?:
        print[ \t]+(?!\(|=|\.|:|,|in\b|is\b|and\b|or\b|if\b|for\b|not\b)\S
      | print[ \t]*>>
      | exec[ \t]+["'\w]
      | except[ \t]+[\w.()\t ,]+,[ \t]*\w+[ \t]*:
      | raise[ \t]+[\w.]+[ \t]*,
    )
    | \bur["']
    | (?<![\w.])0[0-7]+\b(?![.\w])
    | \b\d+[lL]\b
    | <>
    | `[\w.]+`""",
    re.MULTILINE | re.VERBOSE,
)


class Trees:
    """Parses documents, each once."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._tree: ast.Module | str = ""

    def tree(self, document: Document) -> ast.Module | None:
        """Returns the tree of `document`; None where it does not parse."""
        found = self._parsed(document.text)
        return found if isinstance(found, ast.Module) else None

    def complaint(self, document: Document) -> str:
        """Returns what is wrong with the syntax of `document`, or ""."""
        found = self._parsed(document.text)
        return found if isinstance(found, str) else ""

    def _parsed(self, text: str) -> ast.Module | str:
        if text is not self._text:
            self._tree = parse(text)
            self._text = text
        return self._tree


def parse(text: str) -> ast.Module | str:
    """Returns the tree of Python source, or in words why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__


class Syntax:
    """The step that keeps what parses."""

    name = "syntax"

    def __init__(self, trees: Trees) -> None:
        self._trees = trees

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields the documents that are no Python, and those that parse."""
        for document in documents:
            complaint = ""
            if document.language == "python":
                complaint = self._trees.complaint(document)
            if not complaint:
                yield document
            elif _PYTHON_2.search(document.text):
                drops.drop(document, "python-2", complaint)
            else:
                drops.drop(document, "syntax-error", complaint)
