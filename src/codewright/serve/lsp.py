"""The language server: completions in the editor, inline (LSP 3.18) and in the list of older ones.

Requests that a later key stroke has overtaken are not answered, and stop the model. Positions are
turned by pygls, in whichever of UTF-8, 16 and 32 the client counts. Settings come with
`initializationOptions` or the section `codewright` of the client's configuration.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from codewright.errors import CodewrightError
from codewright.generate.local_model import LocalModel
from codewright.serve.loop import EngineLoop
from codewright.serve.typing_ahead import Ahead, Taste
from codewright.write.complete import Cursor

SECTION = "codewright"
ACCEPT_LINE, ACCEPT_WORD = f"{SECTION}.acceptLine", f"{SECTION}.acceptWord"
BREAK = re.compile(r"\r\n|\n|\r")
"""What ends a line in the protocol; Python knows more."""
CODECS = {
    lsp.PositionEncodingKind.Utf8: ("utf-8", 1),
    lsp.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    lsp.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}
"""The codec in which an editor counts, and the bytes of its unit."""
PYTHON = frozenset({".py", ".pyi"})
FITS: Mapping[str, Callable[[Any], bool]] = {
    "max_tokens": lambda value: type(value) is int and 0 < value <= 4096,
    "least": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "line": lambda value: type(value) is bool,
    "wait": lambda value: type(value) in (int, float) and 0 <= value <= 10,
}
"""What a client may set, as in `Taste`."""
MOST = 64
"""Texts that the engine takes in: one for each document that somebody types in."""


class Editor(LanguageServer):
    """A language server over one model."""

    def __init__(self, model: LocalModel, *, version: str) -> None:
        # All of a document at each change: pygls' own changes count lines as Python does, which
        # breaks them at form feeds too.
        super().__init__("codewright", version, lsp.TextDocumentSyncKind.Full)
        self.engine = EngineLoop(model, most=MOST)
        self.taste = Taste()
        self._ahead: dict[str, Ahead] = {}
        self._latest: dict[tuple[str, str], int] = {}
        self._running: dict[tuple[str, str], asyncio.Task[str | None]] = {}

    def configure(self, settings: object) -> None:
        """Takes what a client sends; what is not known or does not fit is told, and left out."""
        if not isinstance(settings, Mapping):
            return
        changes: dict[str, Any] = {}
        for name, value in settings.items():
            if name in FITS and FITS[name](value):
                changes[name] = value
            else:
                self._say(f"{SECTION}.{name} = {value!r} is no setting of this server")
        self.taste = dataclasses.replace(self.taste, **changes)

    async def offer(
        self, uri: str, position: lsp.Position, feature: str, *, wait: bool
    ) -> str | None:
        """Returns what belongs at a position, with the document's own line breaks.

        A later call for the same document and `feature` overtakes this one, which then has nothing.
        """
        self.stop(uri, feature)
        key = uri, feature
        turn = self._latest[key] = self._latest.get(key, 0) + 1
        document = self.workspace.get_text_document(uri)
        encoding = self.server_capabilities.position_encoding or lsp.PositionEncodingKind.Utf16
        place = _cursor(document, position, lsp.PositionEncodingKind(encoding))
        ahead = self._ahead.setdefault(uri, Ahead(self.engine))
        if wait and ahead.typed(place) is None:
            await asyncio.sleep(self.taste.wait)
            if self._latest.get(key) != turn:
                return None
        task = self._running[key] = asyncio.ensure_future(ahead.offer(place, self.taste))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if task.cancelled() or self._latest.get(key) != turn:
            return None
        error = task.exception()
        if isinstance(error, CodewrightError):
            self._say(f"{error.message}: {error.hint}" if error.hint else error.message)
            return None
        text = task.result()
        return text.replace("\n", "\r\n") if text and "\r\n" in document.source else text

    def stop(self, uri: str, feature: str = "") -> None:
        """Stops what is being written for a document, which is not wanted any more."""
        for key, task in list(self._running.items()):
            if key[0] == uri and feature in ("", key[1]):
                task.cancel()
                del self._running[key]

    def forget(self, uri: str) -> None:
        """Lets a document go that was closed."""
        self.stop(uri)
        self._ahead.pop(uri, None)
        for key in [key for key in self._latest if key[0] == uri]:
            del self._latest[key]

    def _say(self, text: str) -> None:
        self.window_log_message(lsp.LogMessageParams(type=lsp.MessageType.Warning, message=text))


def _cursor(
    document: TextDocument, position: lsp.Position, encoding: lsp.PositionEncodingKind
) -> Cursor:
    source = document.source
    offset = _offset(source, position, encoding)
    before, after = (part.replace("\r\n", "\n") for part in (source[:offset], source[offset:]))
    python = document.language_id == "python" or Path(document.path).suffix in PYTHON
    return Cursor(before=before, after=after, python=python)


def _offset(source: str, position: lsp.Position, encoding: lsp.PositionEncodingKind) -> int:
    """Returns where a position is; one that is behind its line's end is at its end."""
    start = end = 0
    lines = iter(BREAK.finditer(source))
    for _ in range(position.line):
        found = next(lines, None)
        if found is None:
            return len(source)
        start = found.end()
    found = next(lines, None)
    end = len(source) if found is None else found.start()
    codec, size = CODECS[encoding]
    units = 0
    for place in range(start, end):
        if units >= position.character:
            return place
        units += len(source[place].encode(codec, "surrogatepass")) // size
    return end


def editor(model: LocalModel, *, version: str) -> Editor:
    """Returns a language server with everything that it answers."""
    server = Editor(model, version=version)

    @server.feature(lsp.INITIALIZED)
    async def begin(_: lsp.InitializedParams) -> None:
        await _configured(server)

    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.configure(params.initialization_options)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configure(params: lsp.DidChangeConfigurationParams) -> None:
        if isinstance(params.settings, Mapping) and SECTION in params.settings:
            server.configure(params.settings[SECTION])
        else:
            await _configured(server)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def change(params: lsp.DidChangeTextDocumentParams) -> None:
        server.stop(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def inline(params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
        automatic = lsp.InlineCompletionTriggerKind.Automatic
        text = await server.offer(
            params.text_document.uri,
            params.position,
            "inline",
            wait=params.context.trigger_kind == automatic,
        )
        here = lsp.Range(params.position, params.position)
        items = [] if text is None else [lsp.InlineCompletionItem(insert_text=text, range=here)]
        return lsp.InlineCompletionList(items=items)

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions())
    async def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        text = await server.offer(params.text_document.uri, params.position, "list", wait=True)
        items = [] if text is None else [_item(text, params.position)]
        # The list is asked for anew at every key stroke: what is offered depends on all of it.
        return lsp.CompletionList(is_incomplete=True, items=items)

    for name, piece in ((ACCEPT_LINE, _line), (ACCEPT_WORD, _word)):
        _add_command(server, name, piece)
    return server


def _item(text: str, position: lsp.Position) -> lsp.CompletionItem:
    """Returns an entry of a list: one line stands for all of an offer."""
    first = text.strip().partition("\n")[0].strip()
    return lsp.CompletionItem(
        label=first if first == text.strip() else f"{first} …",
        kind=lsp.CompletionItemKind.Text,
        detail="codewright",
        documentation=text if "\n" in text.strip() else None,
        text_edit=lsp.TextEdit(range=lsp.Range(position, position), new_text=text),
        insert_text_mode=lsp.InsertTextMode.AsIs,
        # Whatever is typed, the offer was made for it.
        filter_text="",
    )


def _add_command(server: Editor, name: str, piece: Any) -> None:
    @server.command(name)
    async def accept(uri: str, position: dict[str, int], text: str) -> str:
        """Writes the first line or word of an offer into the document; returns the rest."""
        at = lsp.Position(line=position["line"], character=position["character"])
        taken = piece(text)
        edit = lsp.TextEdit(range=lsp.Range(at, at), new_text=taken)
        await server.workspace_apply_edit_async(
            lsp.ApplyWorkspaceEditParams(edit=lsp.WorkspaceEdit(changes={uri: [edit]}))
        )
        return text[len(taken) :]


def _line(text: str) -> str:
    first, found, _ = text.partition("\n")
    return first + found


def _word(text: str) -> str:
    """Returns white space and what is one word behind it, or one sign."""
    end = len(text) - len(text.lstrip())
    word = end
    while word < len(text) and (text[word].isalnum() or text[word] == "_"):
        word += 1
    return text[: max(word, end + 1)]


async def _configured(server: Editor) -> None:
    """Asks the client for its settings, where it can be asked."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    asked = lsp.ConfigurationParams(items=[lsp.ConfigurationItem(section=SECTION)])
    (settings,) = await server.workspace_configuration_async(asked)
    server.configure(settings)
