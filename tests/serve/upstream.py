"""A server of OpenAI's protocol that lacks what its settings say, and fails as they say."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from codewright.generate.gaps import FAMILIES

KEY = "sk-the-servers-own-key"


@dataclass
class Settings:
    """What it can, and how it fails.

    suffix: fills, ignores or refuses. marks: the family that its model knows. n: gives, ignores
    (one text), or refuses. fails: a status, "silent", "cut" (a stream breaks off), "html", "gone".
    """

    suffix: str = "fills"
    marks: str = ""
    prompts: bool = True
    chats: bool = True
    n: str = "gives"
    counts: bool = True
    fails: int | str = 0
    pause: float = 0.0
    text: str = "value * 2"
    programs: tuple[str, ...] = ()


@dataclass
class Upstream:
    """Its settings, and what it saw."""

    settings: Settings = field(default_factory=Settings)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    left: int = 0
    written: int = 0
    url: str = ""

    def set(self, **changes: Any) -> None:
        self.settings = replace(Settings(), **changes)
        self.bodies.clear()
        self.headers.clear()
        self.left = self.written = 0

    def tokens(self, text: str) -> int:
        """Counts words and signs; the marks of the family that it knows are one each."""
        count = 0
        for family in FAMILIES:
            if family.name == self.settings.marks:
                for mark in (family.prefix, family.suffix, family.middle):
                    if mark.strip():
                        count += text.count(mark.strip())
                        text = text.replace(mark.strip(), " ")
        return count + len(re.findall(r"\w+|[^\w\s]", text))

    def said(self, body: dict[str, Any], place: int) -> str:
        settings, seed = self.settings, body.get("seed") or 0
        if "messages" in body:
            asked = body["messages"][-1]["content"]
            if "<GAP>" in asked:
                return f"Sure:\n```python\n    return {settings.text}\n```\nThat is it."
            if settings.programs:
                return settings.programs[(seed + place) % len(settings.programs)]
            return f"to {asked!r}, {seed + place}"
        marked = any(
            family.name == settings.marks and family.suffix.strip() in body["prompt"]
            for family in FAMILIES
        )
        if marked or (settings.suffix == "fills" and body.get("suffix")):
            return settings.text
        if settings.programs:
            return settings.programs[(seed + place) % len(settings.programs)]
        return f"plain {seed + place}"


def refusal(status: int, message: str, **more: Any) -> JSONResponse:
    headers = {"Retry-After": "7"} if status == 429 else None
    return JSONResponse({"error": {"message": message, **more}}, status, headers)


def application(server: Upstream) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/completions")
    async def complete(request: Request) -> Response:
        return await answer(server, request, "text")

    @app.post("/v1/chat/completions")
    async def converse(request: Request) -> Response:
        return await answer(server, request, "message")

    return app


async def answer(server: Upstream, request: Request, kind: str) -> Response:
    body, settings = await request.json(), server.settings
    server.bodies.append(body)
    server.headers.append(dict(request.headers))
    if settings.fails == "silent":
        await asyncio.sleep(5)
    if settings.fails == "html":
        return Response("<html>a page</html>", media_type="text/html")
    if isinstance(settings.fails, int) and settings.fails:
        return refusal(settings.fails, f"no, and the key was {KEY}", param="x")
    if not (settings.chats if kind == "message" else settings.prompts):
        return refusal(404, "there is no such path")
    if body.get("suffix") and settings.suffix == "refuses":
        return refusal(400, "suffix is not supported")
    n = body.get("n") or 1
    if n > 1 and settings.n == "refuses":
        return refusal(400, "'n' : number must be at most 1")
    n = 1 if settings.n == "ignores" else n
    texts = [server.said(body, place) for place in range(n)]
    shown = body.get("prompt") or body["messages"][-1]["content"]
    if settings.suffix == "fills" and body.get("suffix"):
        shown += body["suffix"]
    usage = {"prompt_tokens": server.tokens(shown), "completion_tokens": 3 * n}
    usage["total_tokens"] = sum(usage.values())
    head = {"id": "up-1", "created": 1, "model": "the-real-name", "extra": "kept"}
    if body.get("stream"):
        events = _events(server, request, head, texts, kind, usage)
        return StreamingResponse(events, media_type="text/event-stream")
    if settings.pause:
        await _pause(server, request, settings.pause)
    choices = [
        {"index": i, "finish_reason": "stop", kind: text if kind == "text" else _turn(text)}
        for i, text in enumerate(texts)
    ]
    told = {**head, "object": "x", "choices": choices}
    return JSONResponse(told | ({"usage": usage} if settings.counts else {}))


def _turn(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


async def _pause(server: Upstream, request: Request, seconds: float) -> None:
    try:
        for _ in range(int(seconds / 0.02)):
            if await request.is_disconnected():
                server.left += 1
                return
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        server.left += 1
        raise


async def _events(server, request, head, texts, kind, usage) -> Any:
    try:
        for index, text in enumerate(texts):
            for at, word in enumerate(re.findall(r"\s*\S+", text)):
                delta = {"text": word} if kind == "text" else {"delta": {"content": word}}
                choice = {"index": index, "finish_reason": None, **delta}
                # A line's end of Unicode inside JSON is none of the stream.
                piece = {**head, "odd": chr(0x2028), "choices": [choice]}
                yield f"data: {json.dumps(piece, ensure_ascii=False)}\r\n\r\n"
                server.written += 1
                await asyncio.sleep(server.settings.pause)
                if server.settings.fails == "cut" and at == 0:
                    raise ConnectionError("cut")
            end = {"text": ""} if kind == "text" else {"delta": {}}
            choice = {"index": index, "finish_reason": "stop", **end}
            yield f": alive\n\ndata: {json.dumps({**head, 'choices': [choice]})}\n\n"
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n"
        yield "data: [DONE]\n\n"
    except asyncio.CancelledError:
        server.left += 1
        raise


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Runs it until the block ends."""
    made = Upstream()
    listening = socket.create_server(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    config = uvicorn.Config(application(made), log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
