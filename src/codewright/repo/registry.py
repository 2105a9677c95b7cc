"""Which language a file is in, and who reads it.

Code by `languages/names.py`, other files by suffix or name. Prose and settings have no
definitions but themselves; they are read as text, so that they can be searched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from codewright.repo.facts import Definition, Facts, Kind
from codewright.repo.languages.names import language_of
from codewright.repo.reading import Read, Reader

TEXT_SUFFIXES: Mapping[str, str] = {
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    ".rst": "rst",
    ".txt": "text",
    **dict.fromkeys((".toml", ".cfg", ".ini", ".conf", ".properties"), "settings"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".jsonc"), "settings"),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".mk", ".cmake", ".bazel", ".bzl"), "script"),
    **dict.fromkeys((".html", ".css", ".sql", ".proto", ".graphql", ".xml"), "script"),
}
NAMES: Mapping[str, str] = {
    **dict.fromkeys(("README", "LICENSE", "COPYING", "AUTHORS", "NOTICE", "CHANGES"), "text"),
    **dict.fromkeys((".editorconfig", ".gitignore", ".flake8", ".coveragerc"), "settings"),
    **dict.fromkeys(("Makefile", "Dockerfile", "CMakeLists.txt", "BUILD", "WORKSPACE"), "script"),
}
TEXTS = frozenset({"markdown", "rst", "text", "settings", "script"})
"""Read as text: searched, and without definitions."""
_SHELL = re.compile(rb"#![^\n]*\b(sh|bash|zsh|dash)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Languages:
    """The languages that are read here.

    Args:
        readers: by language.
        version: changes whenever a reader would give something else than it did.
    """

    readers: Mapping[str, Reader]
    version: str

    def by_path(self, path: str) -> str | None:
        """Returns the language that a path says, "" where the content has to, None for none."""
        name = path.rpartition("/")[2]
        suffix = PurePosixPath(name).suffix.lower()
        if name in NAMES or suffix in TEXT_SUFFIXES:
            return self._read_here(NAMES.get(name) or TEXT_SUFFIXES[suffix])
        if suffix == ".h" or (not suffix and not name.startswith(".")):
            return ""
        return self._read_here(language_of(path, b""))

    def by_content(self, path: str, data: bytes) -> str | None:
        """Returns the language that a content says: a header's, or by a first line `#!…`."""
        language = language_of(path, data)
        return self._read_here(language or ("script" if _SHELL.match(data) else ""))

    def refusal(self, path: str) -> str:
        """Returns why a file of no language is not read."""
        language = language_of(path, b"")
        if language and language not in self.readers:
            return f"the grammar of {language} is not installed: pip install 'codewright[repo]'"
        return "of no language that is read"

    def read(self, language: str, data: bytes) -> Read:
        """Returns what is kept of a content."""
        return self.readers[language].read(data)

    def _read_here(self, language: str) -> str | None:
        return language if language in self.readers else None


@dataclass(frozen=True, slots=True)
class TextExtractor:
    """An `Extractor` of what has no definitions: the file itself is the only one."""

    language: str

    def facts(self, data: bytes) -> Facts:
        """Returns the facts."""
        lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        itself = Definition("", Kind.MODULE, -1, 1, 0, 1, max(lines, 1))
        return Facts(
            language=self.language, lines=lines, definitions=[itself], references=[], imports=[]
        )
