"""Facts as lines of text, to be compared with what a reader of the code has written down."""

from __future__ import annotations

from codewright.repo.facts import Binding, Facts, Flag, Kind


def written(facts: Facts) -> str:
    """Returns definitions, references and imports, one a line; local names have no path."""
    lines = []
    for ordinal, one in enumerate(facts.definitions):
        flags = "|".join(flag.name.lower() for flag in Flag if flag & one.flags if flag.name)
        notes = [
            f"{one.first}-{one.end}",
            f"at {one.line}:{one.column}",
            *([f"body {one.body}"] if one.body else []),
            *([f"doc {one.doc}-{one.doc_end}"] if one.doc else []),
            *([f"type {one.type}"] if one.type else []),
            *([f"by {', '.join(one.decorators)}"] if one.decorators else []),
            *([flags] if flags else []),
        ]
        name = facts.qualified(ordinal) or "."
        lines.append(f"{one.kind.name.lower()} {name} [{'; '.join(notes)}] {one.signature}".strip())
    for use in facts.references:
        scope = facts.qualified(use.scope) or "."
        guess = "?" if use.guess else ""
        where = f"{use.line}:{use.column}"
        lines.append(f"{where} {use.use.name} {use.binding.name}{guess} {use.path} in {scope}")
    lines += [
        f"import {bound.line} {bound.module} {bound.name or '-'} {bound.alias or '-'}"
        for bound in facts.imports
    ]
    if facts.error:
        lines.append(f"error {facts.error}")
    return "\n".join(lines) + "\n"


def check(facts: Facts, data: bytes) -> None:
    """Asserts what holds of all facts: order, places that exist, names that end their paths."""
    lines = max(facts.lines, 1)
    assert facts.definitions[0].kind is Kind.MODULE
    assert facts.definitions[0].name == ""
    firsts = [one.first for one in facts.definitions]
    assert firsts == sorted(firsts)
    for ordinal, one in enumerate(facts.definitions[1:], 1):
        assert one.name
        assert 0 <= one.parent < ordinal
        above = facts.definitions[one.parent]
        assert above.first <= one.first <= one.line <= one.end <= above.end <= lines, one
        assert one.body == 0 or one.first <= one.body <= one.end, one
        assert 0 <= one.doc <= one.doc_end < one.first or one.doc == one.doc_end == 0, one
        assert len(one.signature) <= 400
        assert one.signature.isprintable() or not data.isascii() or not data.decode().isprintable()
    assert [(one.line, one.column) for one in facts.references] == sorted(
        (one.line, one.column) for one in facts.references
    )
    for use in facts.references:
        assert use.name
        assert use.path.endswith(use.name), use
        assert 1 <= use.line <= lines
        assert 0 <= use.scope < len(facts.definitions)
        assert use.binding is not Binding.LOCAL or use.path
    for bound in facts.imports:
        assert bound.module or bound.name
