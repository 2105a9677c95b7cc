"""`codewright context FILE:LINE:COL`: what a model is shown of the rest of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codewright import console
from codewright.cli.complete import file_text, place_of
from codewright.cli.context_manner import builder, inside, manner_of, root_near
from codewright.cli.opening import languages, opened
from codewright.errors import UserError
from codewright.types.context import Context, Query
from codewright.write.complete import cursor

_WIDE = 48


def context(
    place: Annotated[
        str,
        typer.Argument(
            help="A cursor: the file, line and column, from 1.", metavar="[FILE:LINE:COL]"
        ),
    ] = "",
    task: Annotated[str, typer.Option(help="What is to be done, in words.")] = "",
    budget: Annotated[
        int, typer.Option(min=0, help="Tokens, at most: of all that is printed.")
    ] = 2048,
    model: Annotated[
        str, typer.Option(help="Whose tokens are counted: embedded, a FOLDER, openai/NAME.")
    ] = "embedded",
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="A folder with the tokenizer.json of a model behind a server."),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            metavar="auto|repository|qwen|starcoder|plain",
            help="How files are laid out; auto is as the model was made.",
        ),
    ] = "auto",
    root: Annotated[
        Path | None, typer.Option(help="The repository (default: the nearest one upwards).")
    ] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Use the index as it is.")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Print the report and not the text.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Shows what a model would be shown of a repository, for a cursor or a task, and why."""
    if not place and not task:
        raise UserError("nothing is asked for", hint='name FILE:LINE:COL, or --task "words"')
    where = place_of(place) if place else None
    before = after = ""
    if where is not None:
        at = cursor(file_text(where.path), where.line, where.column, python=False)
        before, after = at.before, at.after
        root = root or root_near(where.path)
    with opened(root, stale=stale) as store:
        how = manner_of(model, form=form, tokenizer=tokenizer, name=store.root.name)
        path = "" if where is None else inside(where.path, store.root)
        query = Query(task=task, path=path, before=before, after=after)
        found = builder(store, languages(), how).retrieve(query, budget)
    if as_json:
        console.print_json(told(found))
        return
    if report_only:
        console.print_text("\n".join(report(found)))
        return
    console.say("\n".join(report(found)))
    if found.text:
        console.print_text(found.text.removesuffix("\n"))


def told(found: Context) -> dict[str, Any]:
    """Returns a context as JSON has it."""
    return {
        "text": found.text,
        "tokens": found.tokens,
        "budget": found.budget,
        "exact": found.exact,
        "passages": [
            {
                "source": each.source,
                "path": each.path,
                "first": each.first,
                "last": each.last,
                "kind": each.kind,
                "detail": each.detail,
                "text": each.text,
                "tokens": each.tokens,
                "why": each.why,
                "confidence": each.confidence,
            }
            for each in found.passages
        ],
        "left_out": {
            "counts": dict(found.counts),
            "biggest": [
                {
                    "source": each.source,
                    "kind": each.kind,
                    "reason": each.reason,
                    "tokens": each.tokens,
                }
                for each in found.left_out
            ],
        },
    }


def report(found: Context) -> list[str]:
    """Returns what a person reads of a context: what is in it and why, and what is not."""
    unit = "tokens" if found.exact else "bytes, which are at least its tokens"
    lines = [f"{found.tokens:,} of {found.budget:,} {unit}, {len(found.passages)} passages"]
    ranked = sorted(found.passages, key=lambda each: (-each.confidence, each.source))
    for each in ranked:
        source = each.source if len(each.source) <= _WIDE else f"…{each.source[1 - _WIDE :]}"
        lines.append(
            f"{each.tokens:5} {each.confidence:4.0%} {each.kind:9} {each.detail:9} "
            f"{source:{_WIDE}} {each.why}"
        )
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(found.counts.items()))
    if counts:
        lines.append(f"left out: {counts}")
    lines += [
        f"  {each.source}: {each.reason}" + (f", {each.tokens} tokens" if each.tokens else "")
        for each in found.left_out[:5]
    ]
    return lines
