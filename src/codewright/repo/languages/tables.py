"""The table of each language."""

from __future__ import annotations

from codewright.repo.languages.c import TABLE as C
from codewright.repo.languages.cpp import TABLE as CPP
from codewright.repo.languages.go import TABLE as GO
from codewright.repo.languages.java import TABLE as JAVA
from codewright.repo.languages.rust import TABLE as RUST
from codewright.repo.languages.table import Table
from codewright.repo.languages.typescript import TABLE as SCRIPT

TABLES = {
    **dict.fromkeys(("javascript", "typescript", "tsx"), SCRIPT),
    "java": JAVA,
    "go": GO,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
}


def table(language: str) -> Table:
    """Returns what the nodes of a language mean."""
    return TABLES[language]
