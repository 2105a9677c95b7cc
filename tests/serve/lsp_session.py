"""A client of the language server, and what it types."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, make_test_lsp_client

URI = "file:///work/loop.py"
CODE = (
    "def total(values):\n    result = 0\n    for value in values:\n        {}\n    return result\n"
)
WANTED = "result += value"
EXPERT = {"least": 0.05, "wait": 0.0, "line": True}


@asynccontextmanager
async def session(
    text: str,
    *,
    settings: dict | None = None,
    encodings: list | None = None,
    configuration: dict | None = None,
    uri: str = URI,
    root: str | None = None,
) -> AsyncIterator[LanguageClient]:
    """A client that has opened one document; with `configuration` one that can be asked for it."""
    client = make_test_lsp_client()
    asked = configuration is not None
    if asked:
        client.registered = asyncio.get_running_loop().create_future()
        client.set_configuration({"codewright": configuration})

        @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def register(params: lsp.RegistrationParams) -> None:
            client.registered.set_result(params.registrations[0])

    await client.start_io(sys.executable, "-m", "codewright", "lsp")
    general = lsp.GeneralClientCapabilities(position_encodings=encodings)
    window = lsp.WindowClientCapabilities(work_done_progress=True)
    changes = lsp.DidChangeConfigurationClientCapabilities(dynamic_registration=True)
    workspace = lsp.WorkspaceClientCapabilities(
        apply_edit=True,
        configuration=asked,
        did_change_configuration=changes if asked else None,
    )
    client.result = await client.initialize_session(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(
                general=general, workspace=workspace, window=window
            ),
            root_uri=root,
            initialization_options={**EXPERT, **(settings or {})},
        )
    )
    opened = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=opened))
    try:
        yield client
    finally:
        await client.shutdown_session()
        assert client._server is not None
        assert await client._server.wait() == 0


def cut(text: str, units: str = "utf-16") -> tuple[str, lsp.Position]:
    """Returns the text without its {}, and where that stood, in the units of an encoding."""
    before, after = text.split("{}")
    line = before.split("\n")[-1].rstrip("\r")
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[units]
    encoded = line.encode({"utf-8": "utf-8"}.get(units, f"{units}-le"))
    position = lsp.Position(line=before.count("\n"), character=len(encoded) // size)
    return before + after, position


async def inline(
    client: LanguageClient,
    position: lsp.Position,
    kind: lsp.InlineCompletionTriggerKind = lsp.InlineCompletionTriggerKind.Invoked,
    uri: str = URI,
) -> list[str]:
    answer = await client.text_document_inline_completion_async(
        lsp.InlineCompletionParams(
            context=lsp.InlineCompletionContext(trigger_kind=kind),
            text_document=lsp.TextDocumentIdentifier(uri=uri),
            position=position,
        )
    )
    assert all(item.range == lsp.Range(position, position) for item in answer.items)
    return [item.insert_text for item in answer.items]


def typed(client: LanguageClient, text: str, version: int) -> None:
    change = lsp.TextDocumentContentChangeWholeDocument(text=text)
    client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(
            text_document=lsp.VersionedTextDocumentIdentifier(uri=URI, version=version),
            content_changes=[change],
        )
    )


def run(steps) -> None:
    asyncio.run(asyncio.wait_for(steps, 100))
