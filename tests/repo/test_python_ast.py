"""The reference of facts: its scopes are Python's own, and it says what stands in a file."""

from __future__ import annotations

import symtable
import sysconfig
from pathlib import Path

import pytest

from codewright.repo.facts import Binding, Facts, Kind, Use
from codewright.repo.python_ast import PythonExtractor

STDLIB = Path(sysconfig.get_path("stdlib"))


def facts(text: str) -> Facts:
    return PythonExtractor().facts(text.encode())


@pytest.mark.parametrize("name", ["argparse", "typing", "dataclasses", "logging/__init__"])
def test_scopes_are_those_of_symtable(name: str) -> None:
    text = (STDLIB / f"{name}.py").read_text(encoding="utf-8")
    found = facts(text)
    globals_read = {
        (table.get_lineno(), symbol.get_name())
        for table in tables(symtable.symtable(text, name, "exec"))
        if table.get_type() == "function" and table.get_name() not in INNER
        for symbol in table.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }
    plain = {
        (found.definitions[each.scope].line, each.name)
        for each in found.references
        if found.definitions[each.scope].kind in (Kind.FUNCTION, Kind.METHOD)
        and each.binding is not Binding.SELF
    }
    imported = {each.alias for each in found.imports}
    missed = {pair for pair in globals_read if pair not in plain and pair[1] not in imported}
    assert globals_read
    assert not missed


INNER = {"lambda", "listcomp", "setcomp", "dictcomp", "genexpr"}


def tables(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    return [table, *(each for child in table.get_children() for each in tables(child))]


def test_what_stands_in_a_file_is_told() -> None:
    found = facts(
        "import os.path as p\n"
        "@p.mark\n"
        "class A(p.Base):\n"
        "    'doc'\n"
        "    def run(self, other: 'A', b: A | None) -> int:\n"
        "        self.x = Tool()\n"
        "        self.x.go(b.size, len(other.y))\n"
        "        return f'{self.run!r} {p}'\n"
    )
    told = [(each.name, each.path, each.use, each.binding, each.guess) for each in found.references]
    assert ("Base", "os.path.Base", Use.INHERIT, Binding.IMPORT, False) in told
    assert ("mark", "os.path.mark", Use.DECORATE, Binding.IMPORT, False) in told
    assert ("x", "A.x", Use.WRITE, Binding.SELF, False) in told
    assert ("go", "Tool.go", Use.CALL, Binding.UNKNOWN, True) in told
    assert ("size", "A.size", Use.READ, Binding.FILE, True) in told
    assert ("y", "y", Use.READ, Binding.LOCAL, False) in told
    assert ("run", "A.run", Use.READ, Binding.SELF, False) in told
    assert [found.qualified(at) for at in range(4)] == ["", "A", "A.run", "A.x"]
    assert found.definitions[1].first == 2
    assert found.definitions[2].signature == "def run(self, other: 'A', b: A | None) -> int"
    assert found.definitions[3].kind is Kind.ATTRIBUTE
    assert found.error == ""
