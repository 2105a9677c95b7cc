"""The HTTP server: OpenAI's protocol, llama.cpp's /infill, health and metrics.

    app = application(engine_loop, keys=("secret",), limits=Limits(), log=print)

Nothing is decided here but who answers what. A client that leaves takes its request with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from codewright.errors import CodewrightError
from codewright.serve import chat, completions, infill
from codewright.serve.answers import Json
from codewright.serve.forms import ChatBody, CompletionBody, InfillBody
from codewright.serve.guard import (
    Guard,
    Limits,
    Log,
    of_error,
    on_bad_body,
    on_error,
    problem,
)
from codewright.serve.loop import EngineLoop
from codewright.serve.metrics import Metrics

T = TypeVar("T")
Body = TypeVar("Body", CompletionBody, ChatBody, InfillBody)

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Kind(Generic[Body]):
    """How a body is answered: whole, or in pieces with `done` behind them."""

    answer: Callable[[EngineLoop, Body], Awaitable[Json]]
    stream: Callable[[EngineLoop, Body], AsyncGenerator[Json]]
    done: str = DONE


def application(
    engine: EngineLoop, *, keys: Sequence[str] = (), limits: Limits, log: Log
) -> FastAPI:
    """Returns the application.

    Args:
        engine: the model.
        keys: API keys, one of which every request has to bring; none: anybody may ask.
        limits: of a request.
        log: takes one line for each request.
    """
    metrics = Metrics()
    app = FastAPI(title="Codewright", openapi_url=None)
    app.add_exception_handler(CodewrightError, on_error)
    app.add_exception_handler(RequestValidationError, on_bad_body)
    app.add_exception_handler(StarletteHTTPException, _on_http)
    app.add_middleware(Guard, keys=keys, limits=limits, metrics=metrics, log=log)

    async def reply(request: Request, body: Body, kind: Kind[Body]) -> Response:
        if not body.stream:
            return JSONResponse(
                await _unless_left(request, kind.answer(engine, body), limits.seconds)
            )
        pieces = kind.stream(engine, body)
        # The first piece decides whether there is an answer at all.
        first = await _unless_left(request, anext(pieces, None), limits.seconds)
        events = _events(first, pieces, limits.seconds, kind.done)
        return StreamingResponse(events, media_type="text/event-stream")

    @app.post("/v1/completions")
    async def complete(request: Request, body: CompletionBody) -> Response:
        return await reply(request, body, Kind(completions.complete, completions.stream))

    @app.post("/v1/chat/completions")
    async def converse(request: Request, body: ChatBody) -> Response:
        return await reply(request, body, Kind(chat.answer, chat.stream))

    @app.post("/infill")
    async def fill(request: Request, body: InfillBody) -> Response:
        return await reply(request, body, Kind(infill.fill, infill.stream, done=""))

    _tell(app, engine, metrics)
    return app


def _tell(app: FastAPI, engine: EngineLoop, metrics: Metrics) -> None:
    """Adds what is asked about the server, not of the model."""

    @app.get("/v1/models")
    async def models() -> Json:
        return {"object": "list", "data": [_card(engine)]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> Json:
        if name != engine.model.name:
            raise HTTPException(404, f"there is no model {name!r}, but {engine.model.name!r}")
        return _card(engine)

    @app.get("/health")
    async def health() -> Response:
        if engine.failed is not None:
            return of_error(engine.failed)
        return JSONResponse({"status": "ok", "texts": engine.texts})

    @app.get("/metrics")
    async def counted() -> Response:
        page = metrics.text(engine.model.engine)
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    return problem(error.status_code, str(error.detail))


def _card(engine: EngineLoop) -> Json:
    """Returns what a client may want to know of the model."""
    model = engine.model
    return {
        "id": model.name,
        "object": "model",
        "created": 0,
        "owned_by": "codewright",
        "context": model.config.context,
        "parameters": model.config.parameters(),
        "runner": model.runner.name,
        "stored": model.storage,
        "suffix": True,
        "chat": model.chats,
    }


async def _events(
    first: Json | None, pieces: AsyncGenerator[Json], seconds: float, done: str
) -> AsyncIterator[str]:
    """Yields server-sent events; an error in the middle is the last of them."""
    try:
        async with asyncio.timeout(seconds):
            if first is not None:
                yield _event(first)
                async for piece in pieces:
                    yield _event(piece)
    except TimeoutError:
        yield _event(_error(problem(408, f"the answer took more than {seconds:g} s")))
    except CodewrightError as error:
        yield _event(_error(of_error(error)))
    finally:
        await pieces.aclose()
    if done:
        yield done


def _event(content: Json) -> str:
    return f"data: {json.dumps(content)}\n\n"


def _error(response: JSONResponse) -> Json:
    content: Json = json.loads(bytes(response.body))
    return content


async def _unless_left(request: Request, answer: Awaitable[T], seconds: float) -> T:
    """Returns the answer, unless its client goes away or the time is over."""
    task = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_left(request))
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise HTTPException(499, "the client has left")
    except TimeoutError:
        raise HTTPException(408, f"the answer took more than {seconds:g} s") from None
    finally:
        for each in (task, leaving):
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError, CodewrightError):
                await each


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
