"""Which language a file is in: by its name, and where that leaves a choice by how it begins."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from codewright.repo.languages.extractors import is_cpp

SUFFIXES = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    **dict.fromkeys(
        (".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".ipp", ".inl", ".tpp"),
        "cpp",
    ),
    **dict.fromkeys((".cu", ".cuh"), "cpp"),
}
_SCRIPT = re.compile(rb"#![^\n]*\b(python|pypy|node|deno|bun)[0-9.]*\b")
_SCRIPTS = {b"python": "python", b"pypy": "python"}


def language_of(path: str, data: bytes) -> str:
    """Returns the language of a file, "" where it is none that is read here."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower() if name.suffix != ".C" else ".cpp"
    if suffix == ".h":
        return "cpp" if is_cpp(data) else "c"
    if not suffix:
        script = _SCRIPT.match(data)
        if script is not None:
            return _SCRIPTS.get(script[1], "javascript")
    return SUFFIXES.get(suffix, "")
