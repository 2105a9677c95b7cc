"""A real client drives the real command: what appears, where, and what typing does to it."""

from __future__ import annotations

import asyncio
import time

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from codewright.serve.lsp import _line, _word
from codewright.serve.positions import offset
from tests.serve.lsp_session import CODE, URI, WANTED, cut, inline, run, session, typed


async def until(client: LanguageClient, position: lsp.Position, wanted: list[str]) -> None:
    """Asks until the server has heard of what it asked its client for."""
    for _ in range(100):
        if await inline(client, position) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the settings were not heard")


def test_an_offer_appears_and_is_typed_along():
    async def steps() -> None:
        text, at = cut(CODE)
        async with session(text) as client:
            told = client.result.capabilities
            assert told.inline_completion_provider is not None
            assert set(told.execute_command_provider.commands) == {
                "codewright.acceptLine",
                "codewright.acceptWord",
                "codewright.shown",
            }
            assert await inline(client, at) == [WANTED]
            listed = await client.text_document_completion_async(
                lsp.CompletionParams(text_document=lsp.TextDocumentIdentifier(uri=URI), position=at)
            )
            (item,) = listed.items
            assert (item.label, item.insert_text) == (WANTED, WANTED)
            typed(client, cut(CODE.replace("{}", "res{}"))[0], 2)
            later = lsp.Position(line=at.line, character=at.character + 3)
            assert await inline(client, later) == [WANTED.removeprefix("res")]
            listed = await client.text_document_completion_async(
                lsp.CompletionParams(
                    text_document=lsp.TextDocumentIdentifier(uri=URI), position=later
                )
            )
            # Editors look for the word before the cursor in it, and put it in its place.
            assert [(each.filter_text, each.insert_text) for each in listed.items] == [
                (WANTED,) * 2
            ]
            typed(client, cut(CODE.replace("{}", "result{}"))[0], 3)
            later = lsp.Position(line=at.line, character=at.character + 6)
            assert await inline(client, later) == [WANTED.removeprefix("result")]
            typed(client, cut(CODE.replace("{}", "result -{}"))[0], 4)
            other = lsp.Position(line=at.line, character=later.character + 2)
            assert await inline(client, other) != [WANTED.removeprefix("result")]

    run(steps())


@pytest.mark.parametrize("units", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("crlf", [False, True])
def test_positions_are_right_behind_emoji_and_crlf(units: str, crlf: bool):
    async def steps() -> None:
        marked = "# 🦊 é\n" + CODE.replace("{}", 'result = result; "🦊🦊é"; {}')
        text, at = cut(marked.replace("\n", "\r\n") if crlf else marked, units)
        async with session(text, encodings=[units], settings={"line": False}) as client:
            assert client.result.capabilities.position_encoding == units
            said = await inline(client, at)
            assert said
            assert ("\n" not in said[0].replace("\r\n", "")) or not crlf
            edit = {"line": at.line, "character": at.character}
            client.edits = []

            @client.feature(lsp.WORKSPACE_APPLY_EDIT)
            def apply(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
                client.edits += params.edit.changes[URI]
                return lsp.ApplyWorkspaceEditResult(applied=True)

            rest = await client.workspace_execute_command_async(
                lsp.ExecuteCommandParams(
                    command="codewright.acceptWord", arguments=[URI, edit, said[0]]
                )
            )
            (taken,) = client.edits
            assert taken.new_text + rest == said[0]
            assert taken.range.start == at

    run(steps())


def test_typing_cancels_and_only_the_last_key_stroke_is_answered():
    async def steps() -> None:
        text, at = cut(CODE)
        automatic = lsp.InlineCompletionTriggerKind.Automatic
        async with session(text, settings={"wait": 0.3}) as client:
            began = time.monotonic()
            answers = await asyncio.gather(*(inline(client, at, automatic) for _ in range(5)))
            assert answers == [[]] * 4 + [[WANTED]]
            assert time.monotonic() - began < 5
            asked = asyncio.ensure_future(inline(client, at, automatic))
            typed(client, cut(CODE.replace("{}", "x{}"))[0], 2)
            later = lsp.Position(line=at.line, character=at.character + 1)
            waiting = asyncio.ensure_future(inline(client, later, automatic))
            await asyncio.sleep(0.05)
            client.cancel_request(lsp.CancelParams(id=_last_id(client)))
            assert await asked == []
            with pytest.raises((JsonRpcException, asyncio.CancelledError)):
                await waiting
            assert await inline(client, at) is not None, "the server goes on"

    run(steps())


def _last_id(client: LanguageClient) -> str:
    return next(reversed(client.protocol._request_futures))


def test_an_offer_goes_on_with_the_entry_that_the_list_shows():
    async def steps() -> None:
        text, _ = cut(CODE.replace("{}", "re{}"))
        start, end = lsp.Position(3, 8), lsp.Position(3, 10)
        async with session(text) as client:
            for chosen, wanted in (("result", [WANTED]), ("\x00", [])):
                answer = await client.text_document_inline_completion_async(
                    lsp.InlineCompletionParams(
                        context=lsp.InlineCompletionContext(
                            trigger_kind=lsp.InlineCompletionTriggerKind.Automatic,
                            selected_completion_info=lsp.SelectedCompletionInfo(
                                range=lsp.Range(start, end), text=chosen
                            ),
                        ),
                        text_document=lsp.TextDocumentIdentifier(uri=URI),
                        position=end,
                    )
                )
                assert [item.insert_text for item in answer.items] == wanted
                assert all(item.range == lsp.Range(start, end) for item in answer.items)

    run(steps())


def test_settings_are_asked_for_and_hold_until_they_change():
    async def steps() -> None:
        text, at = cut(CODE)
        async with session(text, configuration={"least": 0.9999, "line": None}) as client:
            registered = await asyncio.wait_for(client.registered, 30)
            assert registered.method == lsp.WORKSPACE_DID_CHANGE_CONFIGURATION
            await until(client, at, [])
            for settings, wanted in (
                ({"codewright": {}}, [WANTED]),  # as at the start
                ({"codewright": {"least": 0.9999}}, []),
            ):
                client.workspace_did_change_configuration(
                    lsp.DidChangeConfigurationParams(settings=settings)
                )
                assert await inline(client, at) == wanted
            client.set_configuration({"codewright": {}})
            client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(None))
            await until(client, at, [WANTED])
            assert not client.log_messages

    run(steps())


def test_the_unsure_says_nothing_and_odd_settings_are_told():
    async def steps() -> None:
        text, at = cut("zq = qx(\n{}\n\x00)")
        odd = {"least": 0.999, "wait": -1, "max_tokens": 0, "color": 3, "line": 1}
        async with session(text, settings=odd) as client:
            assert await inline(client, at) == []
            said = " ".join(message.message for message in client.log_messages)
            assert all(name in said for name in ("max_tokens", "color", "line", "wait"))

    run(steps())


def test_lines_are_those_of_the_protocol():
    """Python breaks lines at form feeds and more; an editor does not."""
    source = "a = 1\x0c\n\u2028b\r\n🦊c\rd"
    for line, character, encoding, rest in (
        (0, 0, "utf-16", source),
        (0, 99, "utf-16", source[6:]),
        (1, 1, "utf-16", source[8:]),
        (1, 3, "utf-8", source[8:]),
        (2, 2, "utf-16", "c\rd"),
        (2, 4, "utf-8", "c\rd"),
        (2, 1, "utf-32", "c\rd"),
        (3, 0, "utf-16", "d"),
        (9, 0, "utf-16", ""),
    ):
        position = lsp.Position(line=line, character=character)
        assert source[offset(source, position, lsp.PositionEncodingKind(encoding)) :] == rest


def test_words_and_lines_of_an_offer():
    for text, word, line in (
        ("  result += 1\nx", "  result", "  result += 1\n"),
        ("+= 1", "+", "+= 1"),
        ("é_1 = 2", "é_1", "é_1 = 2"),
        ("\n    x", "\n    x", "\n"),
        ("   ", "   ", "   "),
    ):
        assert (_word(text), _line(text)) == (word, line)
