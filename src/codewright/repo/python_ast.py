"""What a Python file says about itself, by `ast`: plain and slow, a reference.

Where `facts.py` leaves a thing open, this is what holds:

- Names stand as they are written, without Unicode normalisation.
- Decorators, bases, parameters, defaults and annotations belong (`scope`) to what they are of.
- Every name that is assigned, declared or deleted is a WRITE, the first time too, and a name that
  is augmented only that. `self` itself, plain locals and strings in annotations are no references.
- A variable, and an attribute of the instance, is one definition: its first assignment in the text.
  It is none where a function, class or import of that scope has its name, and an attribute none
  where the class's body binds it. What `for`, `with`, `match` and `:=` bind outside of functions
  is one too, as wide as its name; what only `except … as` or `del` binds is a local.
- `import a.b` refers to `a` and `a.b`, `from a import b` to `a.b`, at what stands there. Where a
  name was imported as another, the reference has the imported one: `name` ends the path always.
- INHERIT is a base with or without a subscript, DECORATE a decorator with or without a call;
  ANNOTATE is every name in an annotation that is not called and not a chain's beginning.
- A guess comes from an annotation (`A`, `A | None`, `Optional[A]`), else from all assignments if
  they agree: calls of what is a class here or is capitalised, `except A as x`, a parameter that is
  stored in an attribute; None agrees with all. Module-level variables have none.
- `global` moves a definition to the module; `nonlocal` makes none.
- A guess of `self.x` is for what follows: `self.x` is the class's, `self.x.run` the type's.

A file with a syntax error is read in pieces, by `python_broken.py`.
"""

from __future__ import annotations

import ast
import re
import warnings

from codewright.repo.facts import Binding, Definition, Facts, Flag, Import, Kind, Reference
from codewright.repo.python_broken import pieces
from codewright.repo.python_fstrings import placed
from codewright.repo.python_names import Draft, Here
from codewright.repo.python_scopes import Area, Event, Scope, Symbol, lookup, meaning
from codewright.repo.python_statements import Statements, body_of
from codewright.repo.python_text import Text
from codewright.repo.sources import as_utf8, count_lines

_FINAL = re.compile(r"(\w+\.)*Final\b")
_ALIAS = re.compile(r"(\w+\.)*TypeAlias$")
_TOO_MUCH = (SyntaxError, ValueError, RecursionError, MemoryError)


class PythonExtractor:
    """Python, by `ast`."""

    def facts(self, data: bytes) -> Facts:
        """Returns what a file says; never raises."""
        data, wrong = as_utf8(data)
        text = Text(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        lines = count_lines(data)
        try:
            return _facts(parsed(text.data), text, lines, wrong)
        except _TOO_MUCH as error:
            wrong = wrong or _said(error)
        try:
            return _facts(pieces(text.data), text, lines, wrong)
        except _TOO_MUCH:
            return _facts(ast.Module([], []), text, lines, wrong)


def parsed(data: bytes) -> ast.Module:
    """Parses UTF-8, whatever encoding it declares, and keeps Python's warnings to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(data.decode("utf-8", "replace"))


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno or 1}: {error.msg}"
    if isinstance(error, ValueError):
        return f"line 1: {error}"
    return "line 1: nested too deeply"


def _facts(tree: ast.Module, text: Text, lines: int, wrong: str) -> Facts:
    module = Draft("", Kind.MODULE, None, (1, 0), 1, 1, 0, max(lines, 1))
    module.body, module.doc = body_of(tree.body)
    scope = Scope(Area.MODULE, None, "", module)
    placed(tree, text)
    walk = Statements(text)
    walk.block(tree.body, Here(scope, module))
    drafts = [*walk.drafts, *_variables(walk), *_attributes(walk)]
    drafts.sort(key=lambda draft: (draft.first, draft.at))
    for ordinal, draft in enumerate([module, *drafts]):
        draft.ordinal = ordinal
    events = sorted(walk.events, key=lambda event: event.at)
    return Facts(
        language="python",
        lines=lines,
        definitions=[_definition(draft, walk.exported) for draft in [module, *drafts]],
        references=[each for event in events if (each := _reference(event))],
        imports=[
            Import(each.line, owner.ordinal, *each[2:])
            for each, owner in sorted(walk.imports, key=lambda pair: pair[0].line)
        ],
        error=wrong,
    )


def _variables(walk: Statements) -> list[Draft]:
    """Returns the first assignment of each variable that is nothing else."""
    first: dict[tuple[int, str], Draft] = {}
    for scope, draft in walk.variables:
        if scope.names[draft.name].first is None:
            known = first.setdefault((id(scope), draft.name), draft)
            if draft.at < known.at:
                first[id(scope), draft.name] = draft
    for draft in first.values():
        if _FINAL.match(draft.type):
            draft.kind = Kind.CONSTANT
        elif _ALIAS.match(draft.type):
            draft.kind = Kind.TYPE
        elif re.fullmatch(r"[A-Z0-9_]*[A-Z][A-Z0-9_]*", draft.name, re.ASCII):
            draft.kind = Kind.CONSTANT
    return list(first.values())


def _attributes(walk: Statements) -> list[Draft]:
    """Returns the attributes of instances, and gives their classes what was assigned to them."""
    first: dict[tuple[int, str], Draft] = {}
    for each in sorted(walk.assigned, key=lambda each: each.draft.at):
        owner = lookup(each.before.scope, each.before.name).of_class
        if owner is None:
            continue
        draft, binding = each.draft, each.binding
        symbol = owner.attributes.setdefault(draft.name, Symbol())
        if binding.annotated and symbol.annotated is None:
            symbol.annotated = (draft.at, binding.annotated)
        if binding.value:
            symbol.values.append(binding.value)
        body = owner.names.get(draft.name)
        if not (body and body.bound):
            assert isinstance(owner.home, Draft)
            draft.kind, draft.parent = Kind.ATTRIBUTE, owner.home
            first.setdefault((id(owner), draft.name), draft)
    return list(first.values())


def _definition(draft: Draft, exported: set[str]) -> Definition:
    flags = draft.flags
    parent = draft.parent.ordinal if draft.parent else 0
    if draft.name.startswith("_") and not draft.name.endswith("__"):
        flags |= Flag.PRIVATE
    top = draft.parent and draft.parent.kind in (Kind.MODULE, Kind.CLASS)
    if draft.kind in (Kind.FUNCTION, Kind.METHOD) and top and draft.name.startswith("test"):
        flags |= Flag.TEST
    if draft.kind is Kind.CLASS and top and draft.name.startswith("Test"):
        flags |= Flag.TEST
    if draft.ordinal and parent == 0 and draft.name in exported:
        flags |= Flag.EXPORTED
    return Definition(
        draft.name,
        draft.kind,
        parent,
        draft.line,
        draft.column,
        draft.first,
        draft.end,
        draft.body,
        *draft.doc,
        draft.signature,
        draft.type,
        draft.decorators,
        int(flags),
    )


def _reference(event: Event) -> Reference | None:
    found = meaning(event)
    if not found.path or (found.binding is Binding.LOCAL and event.root):
        return None
    assert isinstance(event.owner, Draft)
    return Reference(
        found.path.rpartition(".")[2],
        found.path,
        event.use,
        found.binding,
        found.guess,
        *event.at,
        event.owner.ordinal,
    )
