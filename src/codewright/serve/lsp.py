"""The language server: completions in the editor, inline (LSP 3.18) and in the list of older ones.

Requests that a later key stroke has overtaken are not answered, and stop the model. Columns are in
whichever of UTF-8, 16 and 32 the client counts. Settings come with `initializationOptions` or the
section `codewright` of the client's configuration. Other files of a document's repository are shown
to the model where a setting says so; they are looked through while somebody types.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from codewright.errors import CodewrightError
from codewright.generate.local_model import LocalModel
from codewright.serve.editor_progress import EditorProgress
from codewright.serve.loop import EngineLoop
from codewright.serve.neighbours import Neighbours, Repositories
from codewright.serve.positions import offset, word_before
from codewright.serve.taste import SECTION, Taste, tasted
from codewright.serve.typing_ahead import Ahead, budget
from codewright.types.context import Context
from codewright.write.complete import Cursor

ACCEPT_LINE, ACCEPT_WORD = f"{SECTION}.acceptLine", f"{SECTION}.acceptWord"
SHOWN = f"{SECTION}.shown"
PYTHON = frozenset({".py", ".pyi"})
TRIGGERS = (".", "(", "[", "{", ",", "=", " ")
"""Signs behind which older clients ask for their list without being told to."""
MOST = 64
"""Texts that the engine takes in: one for each document that somebody types in."""


class Editor(LanguageServer):
    """A language server over one model."""

    def __init__(self, model: LocalModel, repositories: Repositories, *, version: str) -> None:
        # All of a document at each change: pygls' own changes count lines as Python does, which
        # breaks them at form feeds too.
        super().__init__("codewright", version, lsp.TextDocumentSyncKind.Full)
        self.engine = EngineLoop(model, most=MOST)
        self.taste = Taste()
        self._first = Taste()
        self._ahead: dict[str, Ahead] = {}
        self._latest: dict[tuple[str, str], int] = {}
        self._running: dict[tuple[str, str], asyncio.Task[str | None]] = {}
        self.neighbours = Neighbours(repositories, EditorProgress(self).tell, self._say)

    def begin(self, settings: object) -> None:
        """Takes what a client says at the start; it holds where nothing else is said later."""
        self._first = self._tasted(Taste(), settings)
        self.taste = self._first

    def configure(self, settings: object) -> None:
        """Takes what a client says now: settings that it leaves out are as at the start."""
        self.taste = self._tasted(self._first, settings)
        self._ahead.clear()  # what was offered was to another taste
        for uri in list(self.workspace.text_documents):
            self.look(uri)

    async def offer(
        self, uri: str, at: lsp.Range, feature: str, *, chosen: str = "", wait: bool
    ) -> str | None:
        """Returns what belongs at the end of a range, with the document's own line breaks.

        A later call for the same document and `feature` overtakes this one, which then has nothing.

        Args:
            uri: of the document.
            at: what `chosen` stands for; empty where nothing is.
            feature: who asks.
            chosen: an entry of the editor's list, as if it were written.
            wait: a key stroke may follow soon.
        """
        self.stop(uri, feature)
        key = uri, feature
        turn = self._latest[key] = self._latest.get(key, 0) + 1
        document = self.workspace.get_text_document(uri)
        place = self._cursor(document, at, chosen)
        ahead = self._ahead.setdefault(uri, Ahead(self.engine))
        # As it is now: settings may change while it waits.
        offered = self._offered(ahead, place, self.taste, self._shown(uri, place), wait=wait)
        task = self._running[key] = asyncio.ensure_future(offered)
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

    def written(self, uri: str, position: lsp.Position) -> str:
        """Returns the line of a position, up to it."""
        source = self.workspace.get_text_document(uri).source
        start = offset(source, lsp.Position(position.line, 0), self._encoding)
        return source[start : offset(source, position, self._encoding)]

    def look(self, uri: str) -> None:
        """Looks at the repository of an open document, before anything is asked."""
        source = self.workspace.get_text_document(uri).source.replace("\r\n", "\n")
        place = Cursor(before="", after=source, python=True)
        self._shown(uri, place)

    def stop(self, uri: str, feature: str = "") -> None:
        """Stops what is being written for a document, which is not wanted any more."""
        for key, task in list(self._running.items()):
            if key[0] == uri and feature in ("", key[1]):
                task.cancel()
                del self._running[key]

    def forget(self, uri: str) -> None:
        """Lets a document go that was closed."""
        self.stop(uri)
        self.neighbours.forget(uri)
        self._ahead.pop(uri, None)
        for key in [key for key in self._latest if key[0] == uri]:
            del self._latest[key]

    @property
    def _encoding(self) -> lsp.PositionEncodingKind:
        agreed = self.server_capabilities.position_encoding
        return lsp.PositionEncodingKind(agreed or lsp.PositionEncodingKind.Utf16)

    @property
    def budget(self) -> int:
        """Tokens of other files that the model is shown."""
        return budget(self.engine, self.taste)

    def _shown(self, uri: str, place: Cursor) -> Context | None:
        path = _file(uri)
        if not self.budget or path is None:
            return None
        uris = (self.workspace.root_uri, *self.workspace.folders)
        folders = [folder for each in uris if (folder := _file(each)) is not None]
        return self.neighbours.shown(uri, path, folders, place, self.budget)

    async def _offered(
        self, ahead: Ahead, place: Cursor, taste: Taste, shown: Context | None, *, wait: bool
    ) -> str | None:
        if wait and ahead.typed(place) is None:
            # What stands there is read at once; only writing waits for the next key stroke.
            await asyncio.gather(asyncio.sleep(taste.wait), ahead.read(place, taste, shown))
        return await ahead.offer(place, taste, shown)

    def _cursor(self, document: TextDocument, at: lsp.Range, chosen: str) -> Cursor:
        source = document.source
        start, end = (offset(source, place, self._encoding) for place in (at.start, at.end))
        before, after = source[:start] + chosen, source[end:]
        python = document.language_id == "python" or Path(document.path).suffix in PYTHON
        return Cursor(
            before=before.replace("\r\n", "\n"),
            after=after.replace("\r\n", "\n"),
            python=python,
        )

    def _tasted(self, taste: Taste, settings: object) -> Taste:
        changed, odd = tasted(taste, settings)
        for text in odd:
            self._say(text)
        return changed

    def _say(self, text: str) -> None:
        self.window_log_message(lsp.LogMessageParams(type=lsp.MessageType.Warning, message=text))


def editor(model: LocalModel, repositories: Repositories, *, version: str) -> Editor:
    """Returns a language server with everything that it answers."""
    server = Editor(model, repositories, version=version)

    _add_settings(server)
    _add_neighbours(server)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def change(params: lsp.DidChangeTextDocumentParams) -> None:
        server.stop(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def inline(params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
        here = lsp.Range(params.position, params.position)
        chosen = ""
        if params.context.selected_completion_info is not None:
            # What is offered is a continuation of the entry that the editor's list shows.
            here = params.context.selected_completion_info.range
            chosen = params.context.selected_completion_info.text
        text = await server.offer(
            params.text_document.uri,
            here,
            "inline",
            chosen=chosen,
            wait=params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Automatic,
        )
        if text is None:
            return lsp.InlineCompletionList(items=[])
        item = lsp.InlineCompletionItem(insert_text=chosen + text, range=here)
        return lsp.InlineCompletionList(items=[item])

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(TRIGGERS))
    )
    async def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        uri, at = params.text_document.uri, params.position
        text = await server.offer(uri, lsp.Range(at, at), "list", wait=True)
        # The list is asked for anew at every key stroke: what is offered depends on all of it.
        if text is None:
            return lsp.CompletionList(is_incomplete=True, items=[])
        item = _item(word_before(server.written(uri, at)) + text)
        return lsp.CompletionList(is_incomplete=True, items=[item])

    for name, piece in ((ACCEPT_LINE, _line), (ACCEPT_WORD, _word)):
        _add_command(server, name, piece)
    return server


def _item(text: str) -> lsp.CompletionItem:
    """Returns an entry of a list: one line stands for all of an offer.

    Editors put it in place of the word before the cursor, with which it begins. It is no
    `textEdit`, of which Neovim inserts only the beginning.
    """
    first = text.strip().partition("\n")[0].strip()
    return lsp.CompletionItem(
        label=first if first == text.strip() else f"{first} …",
        kind=lsp.CompletionItemKind.Text,
        detail="codewright",
        documentation=text if "\n" in text.strip() else None,
        insert_text=text,
        insert_text_mode=lsp.InsertTextMode.AsIs,
        filter_text=text,
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


def _add_neighbours(server: Editor) -> None:
    """Hears of documents that are opened and saved, and says what the model was shown."""

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.look(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(_: lsp.DidSaveTextDocumentParams) -> None:
        server.neighbours.saved()

    @server.command(SHOWN)
    def shown(uri: str) -> dict[str, Any] | None:
        """Returns what the model is shown of other files for a document, and why."""
        context = server.neighbours.known(uri, server.budget)
        return None if context is None else _told(context)


def _file(uri: str | None) -> Path | None:
    """Returns the file that a URI names; None where it names none of this machine."""
    path = to_fs_path(uri) if uri and urlparse(uri).scheme == "file" else None
    return Path(path) if path and os.path.isabs(path) else None


def _told(context: Context) -> dict[str, Any]:
    passages: Sequence[dict[str, Any]] = [
        {"source": each.source, "kind": each.kind, "tokens": each.tokens, "why": each.why}
        for each in context.passages
    ]
    return {
        "tokens": context.tokens,
        "budget": context.budget,
        "passages": passages,
        "text": context.text,
    }


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


def _add_settings(server: Editor) -> None:
    """Hears of settings, at the start and whenever they change."""

    @server.feature(lsp.INITIALIZED)
    async def begin(_: lsp.InitializedParams) -> None:
        await _told_of_changes(server)
        await _configured(server)

    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.begin(params.initialization_options)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configure(params: lsp.DidChangeConfigurationParams) -> None:
        if isinstance(params.settings, Mapping) and SECTION in params.settings:
            server.configure(params.settings[SECTION])
        else:
            await _configured(server)


async def _configured(server: Editor) -> None:
    """Asks the client for its settings, where it can be asked."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    asked = lsp.ConfigurationParams(items=[lsp.ConfigurationItem(section=SECTION)])
    (settings,) = await server.workspace_configuration_async(asked)
    server.configure(settings)


async def _told_of_changes(server: Editor) -> None:
    """Asks to be told when settings change: some clients tell nobody who has not asked."""
    workspace = server.client_capabilities.workspace
    change = None if workspace is None else workspace.did_change_configuration
    if change is None or not change.dynamic_registration:
        return
    method = lsp.WORKSPACE_DID_CHANGE_CONFIGURATION
    wanted = lsp.DidChangeConfigurationRegistrationOptions(section=SECTION)
    await server.client_register_capability_async(
        lsp.RegistrationParams(
            registrations=[lsp.Registration(id=method, method=method, register_options=wanted)]
        )
    )
