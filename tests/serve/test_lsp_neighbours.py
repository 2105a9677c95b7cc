"""What the language server shows the model of other files: when, how much, and what goes wrong."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from codewright import console
from codewright.cli.editor_repositories import EditorRepositories, repository_of
from codewright.errors import DataError
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.serve.neighbours import Neighbours
from codewright.types.context import Context, Part
from codewright.write.complete import Cursor, Wanted, complete
from tests.serve.lsp_session import CODE, WANTED, cut, inline, run, session

MANIFEST = "def parse_manifest(text, strict):\n    return text.split()\n"
OPEN = "from wheels import pa{}\n\nprint(1)\n"
ASKED = {"context": 200, "line": True, "least": 0.0, "wait": 0.5}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose open file lacks the name that the other one defines."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "train"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'train'\n")
    (root / "wheels.py").write_text(MANIFEST)
    (root / "loads.py").write_text("from wheels import parse_manifest\n\nparse_manifest('', 1)\n")
    (root / "use.py").write_text(OPEN.replace("{}", ""))
    return root


async def shown(client: LanguageClient, uri: str) -> dict[str, Any] | None:
    """Returns what the server says that it shows for a document."""
    asked = lsp.ExecuteCommandParams(command="codewright.shown", arguments=[uri])
    told = await client.workspace_execute_command_async(asked)
    assert told is None or isinstance(told, dict)
    return told


def configure(client: LanguageClient, settings: dict[str, Any]) -> None:
    told = lsp.DidChangeConfigurationParams({"codewright": settings})
    client.workspace_did_change_configuration(told)


async def until(
    client: LanguageClient, uri: str, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Asks what is shown until it is as wanted."""
    end = time.monotonic() + 60
    while (told := await shown(client, uri)) is None or not holds(told):
        assert time.monotonic() < end, told
        await asyncio.sleep(0.05)
    return told


def expected(text: str) -> str:
    """Returns what the model by itself completes, shown a text of other files."""
    before, after = OPEN.split("{}")
    parts = (Part(text),) if text else ()
    context = Context(text=text, parts=parts, tokens=0, budget=0, exact=True, passages=())
    wanted = Wanted(line=True, max_tokens=64, context=context)
    place = Cursor(before=before, after=after, python=True)
    offers = complete(place, open_generator("embedded", environment={}, service=Service()), wanted)
    return offers[0].text


def test_what_another_file_defines_is_shown_to_the_model(root: Path):
    uri = (root / "use.py").as_uri()
    text, at = cut(OPEN)

    async def steps() -> None:
        async with session(text, settings=ASKED, uri=uri) as client:
            told = await until(client, uri, lambda _: True)
            assert 0 < told["tokens"] <= told["budget"] == 200
            assert "wheels.py:1-2" in [each["source"] for each in told["passages"]]
            assert all(each["why"] and each["tokens"] for each in told["passages"])
            assert MANIFEST in told["text"]
            assert await inline(client, at, uri=uri) == [expected(told["text"])]
            # What is saved is looked at again, and nothing waits for that.
            (root / "wheels.py").write_text(MANIFEST.replace("strict", "careful"))
            client.text_document_did_save(
                lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri))
            )
            await inline(client, at, uri=uri)
            await until(client, uri, lambda told: "careful" in told["text"])
            # Settings that change hold for what is asked from then on, and not before.
            asked = asyncio.ensure_future(
                inline(client, at, lsp.InlineCompletionTriggerKind.Automatic, uri=uri)
            )
            await asyncio.sleep(0.1)
            configure(client, {"context": 30})
            assert await asked == [expected(told["text"])]
            told = await until(client, uri, lambda told: told["budget"] == 30)
            assert told["tokens"] <= 30
            configure(client, {"max_tokens": 1000})
            told = await until(client, uri, lambda told: told["budget"] == 200)
            assert len(await inline(client, at, uri=uri)) <= 1
            # Without the setting there is nothing of it any more.
            configure(client, {"context": 0})
            assert await shown(client, uri) is None
            assert await inline(client, at, uri=uri) == [expected("")] != [expected(told["text"])]
            assert not client.log_messages

    run(steps())


def test_a_first_look_shows_how_far_it_is(root: Path):
    for number in range(300):
        (root / f"m{number}.py").write_text(f"def f{number}():\n    return {number}\n")
    uri = (root / "use.py").as_uri()

    async def steps() -> None:
        async with session(cut(OPEN)[0], settings=ASKED, uri=uri) as client:
            await until(client, uri, lambda _: True)
            (steps,) = client.progress_reports.values()
            while steps[-1].kind != "end":
                await asyncio.sleep(0.01)
            begin, *reports, _ = steps
            assert (begin.title, begin.percentage) == ("codewright: indexing", 0)
            shares = [each.percentage for each in reports]
            assert shares == sorted(set(shares))
            assert shares[-1] == 100

    run(steps())


def test_files_in_no_repository_have_no_neighbours(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text, at = cut(CODE)
    alone = tmp_path / "alone.py"
    monkeypatch.chdir(root)
    away = ("untitled:Untitled-1", "file:///nowhere/at/all.py", "file:///c%3A/train/use.py")
    for uri in (*away, alone.as_uri()):

        async def steps(uri: str = uri) -> None:
            async with session(text, settings=ASKED, uri=uri) as client:
                assert await inline(client, at, uri=uri) == [WANTED]
                await asyncio.sleep(1)
                assert await shown(client, uri) is None
                assert not client.log_messages

        run(steps())
    assert repository_of(root / "deep" / "new.py", ()) == root
    assert repository_of(alone, ()) is None
    (tmp_path / "a" / "b").mkdir(parents=True)
    inside = tmp_path / "a" / "b" / "c.py"
    assert repository_of(inside, [Path("/"), tmp_path, tmp_path / "a", root]) == tmp_path / "a"
    assert repository_of(Path("/nowhere/at/all.py"), [Path("/")]) is None
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".gitignore").write_text("lib/\n")
    (root / "lib" / "inner").mkdir(parents=True)
    assert repository_of(root / "lib" / "inner" / "x.py", [root]) is None
    assert repository_of(root / "use.py", [root]) == root


def test_leaving_in_the_middle_of_a_first_look_breaks_nothing(root: Path):
    for number in range(4000):
        folder = root / f"p{number % 40}"
        folder.mkdir(exist_ok=True)
        (folder / f"m{number}.py").write_text(f"def f{number}(value):\n    return value\n" * 20)
    uri = (root / "use.py").as_uri()

    async def leave() -> None:
        async with session(cut(OPEN)[0], settings=ASKED, uri=uri) as client:
            while not client.progress_reports:
                await asyncio.sleep(0.01)

    run(leave())

    async def again() -> None:
        async with session(cut(OPEN)[0], settings=ASKED, uri=uri) as client:
            told = await until(client, uri, lambda _: True)
            assert MANIFEST in told["text"]

    run(again())


class Troubled:
    """Repositories that fail, or that work until somebody stops them."""

    def __init__(self, endless: bool) -> None:
        self.endless, self.asked, self.closed = endless, 0, False
        self.error: Exception = DataError("the index is elsewhere", hint="look there")
        self.begun = threading.Event()

    def retrieve(
        self, path: Path, folders: Sequence[Path], place: Cursor, budget: int
    ) -> Context | None:
        self.asked += 1
        self.begun.set()
        if not self.endless:
            raise self.error
        with console.progress("indexing", total=9) as bar:
            while True:
                bar.advance(0)
                time.sleep(0.001)

    def close(self) -> None:
        self.closed = True


@contextmanager
def neighbours(endless: bool) -> Iterator[tuple[Troubled, Neighbours, list[str]]]:
    repositories, said = Troubled(endless), list[str]()
    made = Neighbours(repositories, lambda *_: None, said.append)
    yield repositories, made, said
    made.close()
    assert repositories.closed


async def asked_for(made: Neighbours, place: Cursor) -> None:
    """Asks for what there cannot be, and waits until nothing is worked out any more."""
    assert made.shown("a", Path("a"), (), place, 100) is None
    async with asyncio.timeout(60):
        while made._running:
            await asyncio.sleep(0.001)


def test_what_goes_wrong_is_said_once_and_asked_again_only_elsewhere():
    async def steps() -> None:
        with neighbours(endless=False) as (repositories, made, said):
            for line, asked in ((0, 1), (0, 1), (20, 1), (90, 2), (91, 2)):
                place = Cursor(before="\n" * line, after="", python=True)
                for _ in range(3):
                    await asked_for(made, place)
                assert repositories.asked == asked
            made.saved()
            await asked_for(made, place)
            assert repositories.asked == 3
            assert len(said) == 1
            repositories.error = ZeroDivisionError("by 0")
            made.saved()
            await asked_for(made, place)
        shown = "no other files are shown to the model"
        assert said == [
            f"{shown}: the index is elsewhere: look there",
            f"{shown}: ZeroDivisionError: by 0",
        ]

    asyncio.run(steps())


def test_work_without_end_ends_with_the_editor():
    async def steps() -> None:
        with neighbours(endless=True) as (repositories, made, said):
            place = Cursor(before="", after="", python=True)
            assert made.shown("a", Path("a"), (), place, 100) is None
            await asyncio.to_thread(repositories.begun.wait, 30)
            made.forget("a")  # and its document is closed meanwhile
            made.shown("b", Path("b"), (), place, 100)
        assert not said
        assert repositories.asked == 1

    asyncio.run(steps())


def test_waiting_for_another_index_ends_with_the_editor(root: Path, tmp_path: Path):
    place = Cursor(before="from wheels import ", after="\n", python=True)
    first = EditorRepositories("embedded")
    first.retrieve(root / "use.py", (), place, 100)
    first.close()
    (path,) = (tmp_path / "cache" / "codewright" / "index").glob("*.lock")
    waits = threading.Event()

    async def steps() -> None:
        made = Neighbours(EditorRepositories("embedded"), heard, pytest.fail)
        made.shown("a", root / "use.py", (), place, 100)
        assert await asyncio.to_thread(began.wait, 60)
        made.close()

    began = threading.Event()

    def heard(what: str, done: int, total: int | None) -> None:
        if what == "waiting for another index":
            began.set()

    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = threading.Thread(target=lambda: (asyncio.run(steps()), waits.set()), daemon=True)
        ended.start()
        assert waits.wait(60), "it waits for the lock"


def test_one_index_serves_all_documents_of_a_repository(root: Path):
    repositories = EditorRepositories("embedded")
    place = Cursor(before="from wheels import ", after="\n", python=True)
    try:
        for name in ("use.py", "other.py"):
            found = repositories.retrieve(root / name, (), place, 300)
            assert found is not None
            assert MANIFEST in found.text
        assert len(repositories._open) == 1
        assert repositories.retrieve(root.parent / "x.py", (), place, 300) is None
    finally:
        repositories.close()
