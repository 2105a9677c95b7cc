"""How a project is written, in a few lines: what its settings ask for, and how its README begins.

Read out of pyproject.toml, setup.cfg, .editorconfig, tsconfig.json, CONTRIBUTING and README beside
the root. What is not stated is not guessed.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codewright.repo.faces import cut
from codewright.repo.index import Index
from codewright.repo.passages import Item
from codewright.repo.stamps import Stamp, settled, stamp_of

LARGEST = 1 << 20
"""Bytes of a file of settings that is read."""
README = ("README.md", "README.rst", "README.txt", "README")
RULES = ("CONTRIBUTING.md", "CONTRIBUTING.rst", "CONTRIBUTING", ".github/CONTRIBUTING.md")
FLAKE8 = ("setup.cfg", "tox.ini", ".flake8")
ASKED = ("pyproject.toml", *FLAKE8, ".editorconfig", "tsconfig.json", *RULES)
"""All files that are read for guidelines."""
MOST_RULES = 6
PARAGRAPH = 700
"""Characters of a README's first paragraph."""
_TELLING = re.compile(
    r"\b(style|format|lint|type|docstring|naming|names?|imports?|quotes?|line length|tests?|must|"
    r"always|never|prefer|avoid)\b",
    re.IGNORECASE,
)


class Guidelines:
    """What a project asks of its code, read anew where one of the files that say it changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._paths = [str(root / name) for name in ASKED]
        self._known: tuple[list[Stamp | None], list[Item]] | None = None

    def items(self) -> Sequence[Item]:
        """Returns it."""
        stamps = [stamp_of(path) for path in self._paths]
        if self._known is not None and self._known[0] == stamps:
            return self._known[1]
        sure = all(settled(stamp) for stamp in stamps)
        found = list(guidelines(self._root))
        self._known = (stamps, found) if sure else None
        return found


def guidelines(root: Path) -> Iterator[Item]:
    """Yields what the project asks of its code."""
    said = list(_settings(root))
    if said:
        yield Item(
            path="pyproject.toml" if (root / "pyproject.toml").is_file() else "settings",
            kind="guideline",
            why="how the project is written",
            confidence=0.06,
            worth=(("whole", 1.0),),
            text="Style of this project: " + "; ".join(said),
        )
    rules = [line for name in RULES for line in _rules(_read(root / name))][:MOST_RULES]
    if rules:
        yield Item(
            path="CONTRIBUTING",
            kind="guideline",
            why="what contributors are asked for",
            confidence=0.04,
            worth=(("whole", 1.0),),
            text="\n".join(rules),
        )


def readme(index: Index) -> Iterator[Item]:
    """Yields how the README begins."""
    for name in README:
        text = _paragraph(_read(index.root / name))
        if text:
            yield Item(
                path=name,
                kind="readme",
                why="what the project is",
                confidence=0.3,
                worth=(("whole", 1.0),),
                text=text,
            )
            return


def _read(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""  # a file of settings that cannot be read says nothing


def _settings(root: Path) -> Iterator[str]:
    try:
        told = tomllib.loads(_read(root / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        told = {}
    project, tool = _table(told, "project"), _table(told, "tool")
    if isinstance(project.get("requires-python"), str):
        yield f"Python {project['requires-python']}"
    ruff, black = _table(tool, "ruff"), _table(tool, "black")
    length = ruff.get("line-length") or black.get("line-length") or _flake8(root)
    if length:
        yield f"lines of at most {length} characters"
    quotes = _table(ruff, "format").get("quote-style")
    if isinstance(quotes, str):
        yield f"{quotes} quotes"
    elif "black" in tool and not black.get("skip-string-normalization"):
        yield "double quotes"
    if "black" in tool or "format" in ruff:
        yield "formatted by " + ("black" if "black" in tool else "ruff format")
    if _table(tool, "mypy").get("strict") is True:
        yield "typed strictly (mypy --strict)"
    elif "mypy" in tool or "pyright" in tool:
        yield "type hints are checked"
    convention = _table(_table(_table(ruff, "lint"), "pydocstyle"), "x") or _table(
        _table(ruff, "lint"), "pydocstyle"
    )
    if isinstance(convention.get("convention"), str):
        yield f"docstrings in the style of {convention['convention']}"
    indent = _editor(root)
    if indent:
        yield indent
    if '"strict": true' in _read(root / "tsconfig.json"):
        yield "TypeScript is strict"


def _table(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _flake8(root: Path) -> str:
    for name in FLAKE8:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(_read(root / name))
        except configparser.Error:
            continue
        for section in ("flake8", "pycodestyle"):
            if parser.has_option(section, "max-line-length"):
                return parser.get(section, "max-line-length").split()[0]
    return ""


def _editor(root: Path) -> str:
    found = re.search(r"^\s*indent_style\s*=\s*(\w+)", _read(root / ".editorconfig"), re.MULTILINE)
    size = re.search(r"^\s*indent_size\s*=\s*(\d+)", _read(root / ".editorconfig"), re.MULTILINE)
    if not found:
        return ""
    return f"indented by {size[1] if size else ''} {found[1]}s".replace("  ", " ")


def _rules(text: str) -> Iterator[str]:
    """Yields the points of a list that say how code is to be."""
    for line in text.split("\n"):
        point = re.match(r"\s*[-*+]\s+(.{10,160})$", line)
        if point and _TELLING.search(point[1]):
            yield cut(point[1].strip())


def _paragraph(text: str) -> str:
    """Returns the first paragraph that is prose: no title, badge, picture, or table."""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = [line.strip() for line in block.strip().split("\n")]
        words = sum(len(line.split()) for line in lines)
        odd = lines[0].startswith(("#", "<", "[!", "![", "..", "```", "|", "===", "---", ":"))
        if words >= 6 and not odd:
            return "\n".join(cut(line) for line in lines)[:PARAGRAPH]
    return ""
