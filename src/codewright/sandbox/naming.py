"""What the names of a gated program stand for: the part of `gate.py` that needs all imports.

A name is judged without regard to scope: whatever it may be bound to anywhere in the program, it
may be everywhere.
"""

from __future__ import annotations

import ast

from codewright.sandbox.purity import (
    ATTRIBUTES,
    BUILTINS,
    EXISTING,
    INERT,
    MEMBERS,
    RE_FLAGS_AT,
    TYPING,
    TYPING_VALUES,
    WHOLE,
)


def on_value(attribute: str) -> str:
    """The objection to an attribute of a value of unknown type, "" where there is none."""
    return "" if attribute in ATTRIBUTES or attribute == "__name__" else f"attribute {attribute}"


def _is_member(module: str, name: str) -> bool:
    return name in MEMBERS[module] or (module in WHOLE and name[0] not in "_*")


def _is_barred(name: str) -> bool:
    return name not in BUILTINS and (name in EXISTING or name.startswith("__"))


class Names:
    """What a walk over a program saw of its names.

    bare: name read as a value -> a line. bound: name that the program binds -> a line.
    bases: name subscripted in an annotation -> a line. dotted, annotated: (name, name.attribute)
    read as a value or in an annotation. called: the callee of each call of an attribute -> the
    call. tries: there is a `try`. yields: a line of a `yield`, 0 where there is none.
    """

    __slots__ = (
        "_members",
        "_modules",
        "_star",
        "_typed",
        "annotated",
        "bare",
        "bases",
        "bound",
        "called",
        "dotted",
        "tries",
        "yields",
    )

    def __init__(self) -> None:
        self.bare: dict[str, int] = {}
        self.bound: dict[str, int] = {}
        self.bases: dict[str, int] = {}
        self.dotted: list[tuple[str, ast.Attribute]] = []
        self.annotated: list[tuple[str, ast.Attribute]] = []
        self.called: dict[ast.expr, ast.Call] = {}
        self.tries = False
        self.yields = 0
        self._modules: dict[str, str] = {}  # name -> the module that it may be
        self._members: set[str] = set()  # names imported from modules
        self._star = False  # so are names that the program does not say
        self._typed: set[str] = set()  # names that may come from typing, for annotations only

    def note_import(self, node: ast.Import) -> str:
        """Takes an import in; the objection to it."""
        for alias in node.names:
            module = alias.name
            name = alias.asname or module
            if module not in MEMBERS or "." in module or module[0] == "_":
                return f"import of {module}"
            if self._modules.setdefault(name, module) != module:
                return f"two modules named {name}"
            self.bound[name] = node.lineno
        return ""

    def note_import_from(self, node: ast.ImportFrom) -> str:
        """Takes an import of members in; the objection to it."""
        module = node.module
        if node.level or module is None or module not in MEMBERS:
            return f"import of {'.' * node.level}{module or ''}"
        for alias in node.names:
            member = alias.name
            name = alias.asname or member
            if name.startswith("__"):
                return f"name {name}"
            self._members.add(name)
            self._star |= member == "*"
            if module == "typing" and member == "*":
                self._typed |= TYPING - TYPING_VALUES
            elif module == "typing" and member in TYPING - TYPING_VALUES:
                self._typed.add(name)
            elif not (member == "*" and module in WHOLE) and (
                not _is_member(module, member) or (module == "re" and member in RE_FLAGS_AT)
            ):
                return f"import of {module}.{member}"
        return ""

    def objection(self) -> str:
        """What there is against the names, as "line 3: reason"; "" where nothing is."""
        for name, line in self.bare.items():
            if _is_barred(name):
                return f"line {line}: name {name}"
            if name in self._typed:
                return f"line {line}: {name} of typing used as a value"
            if name in self._modules and self._modules[name] not in INERT:
                return f"line {line}: module {name} used as a value"
        for name, line in self.bound.items():
            if name.startswith("__"):
                return f"line {line}: name {name}"
        for name in self.bases.keys() & self.bound.keys():
            return f"line {self.bases[name]}: {name} subscripted in an annotation"
        if self.tries and self.yields:
            return f"line {self.yields}: yield in a program with try"
        for name, node in self.annotated:
            if reason := self._on_annotated(name, node.attr):
                return f"line {node.lineno}: {reason}"
        for name, node in self.dotted:
            if reason := self._on_dotted(name, node):
                return f"line {node.lineno}: {reason}"
        return ""

    def _on_annotated(self, name: str, attribute: str) -> str:
        module = self._modules.get(name)
        if module is not None and _is_member(module, attribute):
            return ""
        return "" if module == "typing" and attribute in TYPING else f"{name}.{attribute}"

    def _on_dotted(self, name: str, node: ast.Attribute) -> str:
        attribute = node.attr
        module = self._modules.get(name)
        if module is None:
            if _is_barred(name) or name in self._typed:
                return f"name {name}"
            return on_value(attribute) if self._exists(name) else ""
        if _is_member(module, attribute):
            return self._on_flags(node) if module == "re" and attribute in RE_FLAGS_AT else ""
        return "" if module in INERT and attribute in ATTRIBUTES else f"{module}.{attribute}"

    def _exists(self, name: str) -> bool:
        """Whether the name can be anything but a NameError."""
        return name in self.bound or name in self._members or name in EXISTING or self._star

    def _on_flags(self, node: ast.Attribute) -> str:
        """Flags of `re` have to be seen to be integers: the argument about caches."""
        call = self.called.get(node)
        if call is None:
            return f"re.{node.attr} used as a value"
        if any(type(a) is ast.Starred for a in call.args) or any(
            k.arg is None for k in call.keywords
        ):
            return f"re.{node.attr} with unpacked arguments"
        pending = call.args[RE_FLAGS_AT[node.attr] :]
        pending += [k.value for k in call.keywords if k.arg == "flags"]
        while pending:
            part = pending.pop()
            if type(part) is ast.BinOp and type(part.op) is ast.BitOr:
                pending += (part.left, part.right)
            elif not self._is_flag(part):
                return "flags of re not written as integers"
        return ""

    def _is_flag(self, node: ast.expr) -> bool:
        if type(node) is ast.Attribute and type(node.value) is ast.Name:
            return self._modules.get(node.value.id) == "re" and node.attr.isupper()
        return type(node) is ast.Constant and type(node.value) is int
