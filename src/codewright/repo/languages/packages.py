"""Which package brings the grammar of which language."""

from __future__ import annotations

GRAMMARS = {
    "javascript": "tree-sitter-javascript",
    "typescript": "tree-sitter-typescript",
    "tsx": "tree-sitter-typescript",
    "java": "tree-sitter-java",
    "go": "tree-sitter-go",
    "rust": "tree-sitter-rust",
    "c": "tree-sitter-c",
    "cpp": "tree-sitter-cpp",
}
"""The package that brings each language."""
