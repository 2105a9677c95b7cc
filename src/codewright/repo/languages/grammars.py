"""The grammars: one package for each language, of the extra `repo`, loaded when asked for.

The packages carry their parsers compiled; nothing is fetched. Nothing here reads a file.
"""

from __future__ import annotations

from tree_sitter import Language

from codewright.errors import MissingExtra
from codewright.repo.languages.packages import GRAMMARS


def grammar(language: str) -> Language:
    """Returns the grammar of a language of `GRAMMARS`.

    Raises:
        MissingExtra: its package is not installed.
    """
    try:
        return Language(_pointer(language))
    except ModuleNotFoundError:
        raise MissingExtra(GRAMMARS[language], "repo") from None


def _pointer(language: str) -> object:
    pointer: object
    match language:
        case "javascript":
            import tree_sitter_javascript

            pointer = tree_sitter_javascript.language()
        case "typescript" | "tsx":
            import tree_sitter_typescript

            if language == "tsx":
                pointer = tree_sitter_typescript.language_tsx()
            else:
                pointer = tree_sitter_typescript.language_typescript()
        case "java":
            import tree_sitter_java

            pointer = tree_sitter_java.language()
        case "go":
            import tree_sitter_go

            pointer = tree_sitter_go.language()
        case "rust":
            import tree_sitter_rust

            pointer = tree_sitter_rust.language()
        case "c":
            import tree_sitter_c

            pointer = tree_sitter_c.language()
        case _:
            assert language == "cpp", language
            import tree_sitter_cpp

            pointer = tree_sitter_cpp.language()
    return pointer
