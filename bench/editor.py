"""How long an editor waits: `codewright lsp` with the embedded model and a file of 1,000 lines.

    python bench/editor.py [-n 60] [--write-docs]

A client opens the file, then goes to a random place in it and asks for an inline completion: the
first one of the place, for which the model reads what stands around. Then it types one character
that was not offered and asks again, and once more. Times are from the request to the answer, as the
client sees them, without the wait for the next key stroke. Once with the file alone, and once with
passages of other files, of a copy of the standard library's modules, that are looked for meanwhile.
Table on stderr, JSON to bench/results/editor.json. Needs the dev extra.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pages import fill, say
from pygls.lsp.client import LanguageClient

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "editor.json"
_DOC = _ROOT / "docs" / "lsp.md"
_SOURCE = Path(argparse.__file__)
LINES = 1000
CONTEXT = 512


async def measure(root: Path, count: int, context: int) -> dict[str, list[float]]:
    """Returns the seconds of first and second requests, and of how many there was an offer.

    Args:
        root: of the repository, which has the file.
        count: places.
        context: tokens of other files.
    """
    uri = (root / _SOURCE.name).as_uri()
    lines = _SOURCE.read_text(encoding="utf-8").split("\n")[:LINES]
    client = LanguageClient("bench", "0")
    await client.start_io(sys.executable, "-m", "codewright", "lsp")
    await client.initialize_async(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(),
            initialization_options={"least": 0.0, "context": context},
            root_uri=root.as_uri(),
        )
    )
    client.initialized(lsp.InitializedParams())
    document = lsp.TextDocumentItem(uri=uri, language_id="python", version=0, text="")
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=document))
    asked = lsp.ExecuteCommandParams(command="codewright.shown", arguments=[uri])
    while context and await client.workspace_execute_command_async(asked) is None:
        await asyncio.sleep(0.1)  # the first look at the repository
    chance, version = random.Random(0), 0
    found: dict[str, list[float]] = {"first": [], "second": [], "third": [], "offered": []}
    for number in range(count + 3):
        place = chance.randrange(50, LINES)
        head = lines[place][: len(lines[place]) // 2]
        for name, typed in (("first", ""), ("second", "q"), ("third", "qu")):
            version += 1
            text = "\n".join([*lines[:place], head + typed, *lines[place + 1 :]])
            client.text_document_did_change(
                lsp.DidChangeTextDocumentParams(
                    text_document=lsp.VersionedTextDocumentIdentifier(version=version, uri=uri),
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
                    text_document=lsp.TextDocumentIdentifier(uri=uri),
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


def measured(count: int) -> dict[str, Any]:
    """Returns all times."""
    told: dict[str, Any] = {"lines": LINES, "context": CONTEXT}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in _SOURCE.parent.glob("*.py"):
            shutil.copy(path, root)
        for name, context in (("seconds", 0), ("with others", CONTEXT)):
            told[name] = asyncio.run(measure(root, count, context))
    return told


def markdown(told: dict[str, Any]) -> str:
    """Returns the table."""
    lines = [
        f"| milliseconds, p50 / p90 / p99 | | with {told['context']} tokens of other files |",
        "|---|--:|--:|",
    ]
    for name, label in (
        ("first", "first completion at a place"),
        ("second", "after one more key stroke"),
        ("third", "after another"),
    ):
        cells = []
        for seconds in (told["seconds"][name], told["with others"][name]):
            cuts = statistics.quantiles(seconds, n=100, method="inclusive")
            cells.append(" / ".join(f"{1000 * cuts[q - 1]:.0f}" for q in (50, 90, 99)))
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=100, help="places")
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if not given.write_docs:
        told = measured(given.n)
        _RESULTS.write_text(json.dumps(told, indent=1) + "\n")
        say(markdown(told))
        return
    say(f"filled {', '.join(fill([_DOC], 'editor', markdown(json.loads(_RESULTS.read_text()))))}")


if __name__ == "__main__":
    main()
