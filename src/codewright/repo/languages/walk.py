"""One walk over a syntax tree, the same for every language; a table says what its nodes mean.

The walk keeps its own stack, so that depth costs memory only. A node with a handler is given to it;
any other is looked through. Handlers define, bind, note chains of names, and push what is to be
looked at next. What the names mean is worked out at the end (`scopes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tree_sitter import Node

from codewright.repo.facts import Binding, Definition, Flag, Import, Kind, Reference, Use
from codewright.repo.languages.comments import ALONE, Comments
from codewright.repo.languages.nodes import body_line, child, last_line
from codewright.repo.languages.scopes import (
    ANYWHERE,
    Base,
    Bound,
    Chain,
    Names,
    Place,
    Scope,
    last_name,
)
from codewright.repo.languages.table import Table

NAMELESS = "?"
"""Stands for a name that a syntax error has left out."""
FAR = 2000
"""A name so many bytes behind the start of its statement is itself its column."""
SIGNATURE = 400
"""The longest signature, in characters."""


class Walk:
    """What is found of one content.

    Args:
        table: of its language.
        data: the content.
        lines: how many it has.
    """

    def __init__(self, table: Table, data: bytes, lines: int) -> None:
        self.table = table
        self.data = data
        self.top = Scope(None, 0, True)
        self.definitions = [Definition("", Kind.MODULE, 0, 1, 0, 1, max(lines, 1), 1)]
        self.imports: list[Import] = []
        self.types: set[int] = set()
        self.outer: dict[int, Node] = {}
        """The node around a definition that belongs to its head, such as `export`, by its id."""
        self.attributes: list[Node] = []
        """Decorators that stand before what they decorate."""
        self.lifted: list[int] = []
        """Definitions that are in reach where their parent is, as C's enumerators are."""
        self.exports: set[str] = set()
        """Names of the file that are exported apart from their definition."""
        self.hidden: set[int] = set()
        """Members that are private by where they stand, by their node's id."""
        self.known: set[tuple[int, str]] = set()
        """Attributes that were defined, by class and name."""
        self.open_ended = False
        """True where bare names may have been imported by a `*`."""
        self.comments = Comments(data)
        self._chains: list[Chain] = []
        self._imported: list[Reference] = []
        self._stack: list[tuple[Node, Scope]] = []

    def run(self, root: Node) -> None:
        """Looks at all of a tree."""
        handlers, comments, stack = self.table.handlers, self.table.comments, self._stack
        stack.append((root, self.top))
        while stack:
            node, scope = stack.pop()
            kind = node.type
            handler = handlers.get(kind)
            if handler is not None:
                handler(self, node, scope)
            elif kind in comments:
                self.comments.add(node)
            elif node.named_child_count:
                stack.extend([(child, scope) for child in reversed(node.named_children)])

    def push(self, nodes: Iterable[Node | None], scope: Scope) -> None:
        """Has nodes looked at next, in their order."""
        self._stack.extend([(node, scope) for node in reversed(list(nodes)) if node is not None])

    def push_children(self, node: Node, scope: Scope) -> None:
        """Has the children of a node looked at next."""
        self._stack.extend([(child, scope) for child in reversed(node.named_children)])

    def text(self, node: Node) -> str:
        """Returns what stands in a node, bytes that are no UTF-8 replaced."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def line(self, begin: int, end: int) -> str:
        """Returns a piece of the text on one line, cut where it is long."""
        piece = self.data[begin : min(end, begin + 8 * SIGNATURE)].decode("utf-8", "replace")
        return " ".join(piece.split())[:SIGNATURE]

    def place(self, node: Node) -> Place:
        """Returns a name with its place."""
        point = node.start_point
        return Place(self.text(node), point.row + 1, point.column)

    def define(
        self,
        node: Node,
        name: Node,
        kind: Kind,
        scope: Scope,
        *,
        called: str = "",
        parent: int | None = None,
        body: Node | None = None,
        before: str = "",
        begin: int | None = None,
        end: int | None = None,
        type: Node | None = None,
        flags: int = 0,
        decorators: Sequence[Node] = (),
    ) -> int:
        """Notes a definition and returns its ordinal.

        node: all of it. called: its name, where not the text of `name`. before: what its signature
        begins with. begin, end: where the rest of that begins and ends in bytes, if not at the
        node's start and before its body.
        """
        outer = self.outer.pop(node.id, node)
        attributes = [*self._taken(outer), *decorators]
        first = min([outer.start_point.row, *(one.start_point.row for one in attributes)]) + 1
        line, column = name.start_point
        start = node.start_byte if begin is None else begin
        before_name = self.data[max(start, name.start_byte - FAR) : name.start_byte]
        if len(before_name) < FAR and b"\n" not in before_name:
            column = max(column - len(before_name), 0)
        stop = end if end is not None else body.start_byte if body else node.end_byte
        doc, doc_end = self.comments.above(first) if self._begins_line(outer) else (0, 0)
        definition = Definition(
            name=called or self.text(name) or NAMELESS,
            kind=kind,
            parent=scope.owner if parent is None else parent,
            line=line + 1,
            column=column,
            first=first,
            end=last_line(outer),
            body=body_line(body),
            doc=doc,
            doc_end=doc_end,
            signature=before + self.line(start, stop).rstrip("{:=; "),
            type=self.line(type.start_byte, type.end_byte).lstrip(": ") if type else "",
            decorators=tuple(self._decorator(one) for one in attributes),
            flags=flags,
        )
        self.definitions.append(definition)
        return len(self.definitions) - 1

    def flag(self, ordinal: int, flags: int) -> None:
        """Adds flags to a definition."""
        old = self.definitions[ordinal]
        self.definitions[ordinal] = old._replace(flags=old.flags | flags)

    def apart(self, node: Node, names: Sequence[Node], scope: Scope, *, is_type: bool) -> Scope:
        """Opens the names of something that is written elsewhere, such as `Class::` in C++.

        Each becomes a definition of kind NAMESPACE around `node`; one that was opened just before
        is taken again.
        """
        for number, name in enumerate(names):
            text = self.text(name)
            last = number == len(names) - 1
            ordinal = self._again(scope.owner, text)
            if ordinal is None:
                ordinal = self.define(
                    node, name, Kind.NAMESPACE, scope, called=text, end=name.end_byte
                )
                self.definitions[ordinal] = self.definitions[ordinal]._replace(
                    doc=0, doc_end=0, signature=text, decorators=()
                )
            else:
                old = self.definitions[ordinal]
                self.definitions[ordinal] = old._replace(end=max(old.end, last_line(node)))
            if last and is_type:
                self.types.add(ordinal)
            scope = Scope(scope, ordinal, True)
        return scope

    def _again(self, owner: int, name: str) -> int | None:
        """Returns the last definition below `owner` if it is an opening of the same name."""
        ordinal = len(self.definitions) - 1
        while ordinal > 0 and self.definitions[ordinal].parent != owner:
            ordinal = self.definitions[ordinal].parent
        last = self.definitions[ordinal]
        fits = last.kind is Kind.NAMESPACE and last.name == name == last.signature
        return ordinal if ordinal and fits else None

    def refer(
        self, node: Node, scope: Scope, use: Use = Use.READ, *, then: Node | None = None
    ) -> None:
        """Notes the chain that ends with `node`, or `then` after it; pushes what is no name."""
        chain = self.chain(node, scope, use, then=then)
        if chain is not None:
            self._chains.append(chain)

    def note(self, chain: Chain) -> None:
        """Notes a chain that a language has put together itself."""
        self._chains.append(chain)

    def chain(
        self, node: Node, scope: Scope, use: Use, *, then: Node | None = None, push: bool = True
    ) -> Chain | None:
        """Returns the chain that ends with `node`, or with `then` after it; None without names.

        push: has what is no name of it looked at; False for a second look at the same nodes.
        """
        parts = [then] if then is not None else []
        inside = self._parts(node, parts, scope, push)
        table = self.table
        if inside is None:
            base = Base.NAME
        elif inside.type in table.names:
            base = Base.NAME
            parts.append(inside)
        elif inside.type in table.selves:
            base = Base.SELF
        else:
            base = Base.EXPRESSION
            if push:
                self.push([inside], scope)
        names = [self.place(part) for part in reversed(parts) if part.end_byte > part.start_byte]
        if not names:
            return None
        start = (inside or parts[-1]).start_byte
        return table.settle(self, Chain(scope, base, names, start, use))

    def _parts(self, node: Node, parts: list[Node], scope: Scope, push: bool) -> Node | None:
        """Adds the names of a chain, the last first; returns what stands before them all."""
        table = self.table
        inside: Node | None = node
        while inside is not None:
            kind = inside.type
            if kind in table.links:
                before, last = table.links[kind]
                name = self._plain(child(inside, last, -1), scope, push)
                parts += [name] if name is not None else []
                inside = child(inside, before, 0)
            elif kind in table.nested:
                before, last = table.nested[kind]
                scopes = []
                while inside is not None and inside.type in table.nested:
                    scopes.append(self._plain(child(inside, before, 0), scope, push))
                    inside = child(inside, last, -1)
                scopes.append(self._plain(inside, scope, push))
                parts += [one for one in reversed(scopes) if one is not None]
                return None
            elif kind in table.wrappers:
                inside = self._inside(inside, scope, push)
            else:
                break
        return inside

    def _plain(self, node: Node | None, scope: Scope, push: bool) -> Node | None:
        while node is not None and node.type in self.table.wrappers:
            node = self._inside(node, scope, push)
        return node

    def _inside(self, node: Node, scope: Scope, push: bool) -> Node | None:
        """Returns the node that a wrapper stands for; has its other children looked at."""
        inner = child(node, self.table.wrappers[node.type], 0)
        if push:
            self.push([one for one in node.named_children if one != inner], scope)
        return inner

    def imports_name(
        self, scope: Scope, node: Node, module: str, name: str, alias: str, path: str
    ) -> None:
        """Notes an import of one name. path: as references name it, "" where nothing is bound."""
        line, column = node.start_point
        self.imports.append(Import(line + 1, scope.owner, module, name, alias))
        if alias and path:
            scope.bind(alias, Bound(ANYWHERE, path))
        plain = (path or module).removesuffix("#")
        if name != "*" and plain:
            self._imported.append(
                Reference(
                    name=last_name(plain),
                    path=plain,
                    use=Use.IMPORT,
                    binding=Binding.IMPORT,
                    guess=False,
                    line=line + 1,
                    column=column,
                    scope=scope.owner,
                )
            )

    def finish(self) -> tuple[list[Definition], list[Reference], list[Import]]:
        """Returns what was found, in the order of the text."""
        doc, doc_end = self.comments.header()
        self.definitions[0] = self.definitions[0]._replace(doc=doc, doc_end=doc_end)
        for ordinal, one in enumerate(self.definitions):
            if ordinal and not one.parent and one.name in self.exports:
                self.flag(ordinal, Flag.EXPORTED)
        table = self.table
        names = Names(
            self.definitions,
            self.types,
            self.lifted,
            bare=table.bare,
            heirs=table.heirs and not self.open_ended,
            builtins=table.builtins,
        )
        references = self._imported
        for chain in self._chains:
            references += names.references(chain)
        return in_order(self.definitions, references, self.imports)

    def _begins_line(self, node: Node) -> bool:
        start, column = node.start_byte, node.start_point.column
        return column <= ALONE and not self.data[start - column : start].strip()

    def _taken(self, node: Node) -> list[Node]:
        """Returns the decorators that stand right before a node; they decorate nothing else."""
        taken: list[Node] = []
        start = node.start_byte
        while self.attributes:
            last = self.attributes.pop()
            between = self.data[last.end_byte : start].strip()
            if last.end_byte > start or (between and not between.startswith((b"/", b"#"))):
                break
            taken.insert(0, last)
            start = last.start_byte
        self.attributes.clear()
        return taken

    def _decorator(self, node: Node) -> str:
        text = self.line(node.start_byte, node.end_byte)
        return text[2:-1] if text.startswith("#[") else text.removeprefix("@")


def in_order(
    definitions: list[Definition], references: list[Reference], imports: list[Import]
) -> tuple[list[Definition], list[Reference], list[Import]]:
    """Returns all three in the order of the text, with the ordinals that this gives."""
    places = [(one.first, ordinal) for ordinal, one in enumerate(definitions)]
    order = sorted(range(len(definitions)), key=places.__getitem__)
    new = [0] * len(order)
    for ordinal, old in enumerate(order):
        new[old] = ordinal
    if order != list(range(len(order))):
        sorted_ = [definitions[old] for old in order]
        definitions = [one._replace(parent=new[one.parent]) for one in sorted_]
        references = [one._replace(scope=new[one.scope]) for one in references]
        imports = [one._replace(scope=new[one.scope]) for one in imports]
    references.sort(key=lambda one: (one.line, one.column))
    imports.sort(key=lambda one: one.line)
    return definitions, references, imports
