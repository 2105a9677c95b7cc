"""How long an editor waits: `codewright lsp` with the embedded model and a file of 1,000 lines.

    python bench/editor.py [-n 60] [--write-docs]

A client opens the file, then goes to a random place in it and asks for an inline completion: the
first one of the place, for which the model reads what stands around. Then it types one character
that was not offered and asks again. Times are from the request to the answer, as the client sees
them, without the wait for the next key stroke. Table on stderr, JSON to bench/results/editor.json.
Needs the dev extra.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pages import fill, say
from pygls.lsp.client import LanguageClient

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "editor.json"
_DOC = _ROOT / "docs" / "lsp.md"
_URI = "file:///bench/file.py"
LINES = 1000


async def measure(count: int) -> dict[str, list[float]]:
    """Returns the seconds of first and second requests, and of how many there was an offer."""
    lines = Path(argparse.__file__).read_text(encoding="utf-8").split("\n")[:LINES]
    client = LanguageClient("bench", "0")
    await client.start_io(sys.executable, "-m", "codewright", "lsp")
    await client.initialize_async(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(), initialization_options={"least": 0.0}
        )
    )
    client.initialized(lsp.InitializedParams())
    document = lsp.TextDocumentItem(uri=_URI, language_id="python", version=0, text="")
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=document))
    chance, version = random.Random(0), 0
    found: dict[str, list[float]] = {"first": [], "second": [], "offered": []}
    for number in range(count + 3):
        place = chance.randrange(50, LINES)
        head = lines[place][: len(lines[place]) // 2]
        for name, typed in (("first", ""), ("second", "q")):
            version += 1
            text = "\n".join([*lines[:place], head + typed, *lines[place + 1 :]])
            client.text_document_did_change(
                lsp.DidChangeTextDocumentParams(
                    text_document=lsp.VersionedTextDocumentIdentifier(version=version, uri=_URI),
                    content_changes=[lsp.TextDocumentContentChangeWholeDocument(text=text)],
                )
            )
            position = lsp.Position(line=place, character=len(head) + len(typed))
            began = time.perf_counter()
            answer = await client.text_document_inline_completion_async(
                lsp.InlineCompletionParams(
                    context=lsp.InlineCompletionContext(
                        trigger_kind=lsp.InlineCompletionTriggerKind.Invoked
                    ),
                    text_document=lsp.TextDocumentIdentifier(uri=_URI),
                    position=position,
                )
            )
            seconds = time.perf_counter() - began
            if number >= 3:  # warm
                found[name].append(seconds)
                found["offered"].append(float(bool(answer.items)))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return found


def markdown(told: dict[str, Any]) -> str:
    """Returns the table."""
    lines = ["| milliseconds, p50 / p90 / p99 | |", "|---|--:|"]
    for name, label in (
        ("first", "first completion at a place"),
        ("second", "after one more key stroke"),
    ):
        cuts = statistics.quantiles(told["seconds"][name], n=100, method="inclusive")
        cells = " / ".join(f"{1000 * cuts[q - 1]:.0f}" for q in (50, 90, 99))
        lines.append(f"| {label} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=100, help="places")
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if not given.write_docs:
        told = {"lines": LINES, "seconds": asyncio.run(measure(given.n))}
        _RESULTS.write_text(json.dumps(told, indent=1) + "\n")
        say(markdown(told))
        return
    say(f"filled {', '.join(fill([_DOC], 'editor', markdown(json.loads(_RESULTS.read_text()))))}")


if __name__ == "__main__":
    main()
