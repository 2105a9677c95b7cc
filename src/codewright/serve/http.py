"""The HTTP server: OpenAI's protocol, llama.cpp's /infill, health and metrics.

    app = application(served, verifier=verifier, keys=("secret",), limits=Limits(), log=print)

Nothing is decided here but who answers what: the model, behind its doors, or a verification. A
client that leaves takes its request with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from codewright.errors import CodewrightError
from codewright.serve import verified
from codewright.serve.answers import Json
from codewright.serve.forms import ChatBody, CompletionBody
from codewright.serve.guard import (
    Guard,
    Limits,
    Log,
    of_error,
    on_bad_body,
    on_error,
    problem,
)
from codewright.serve.metrics import Metrics
from codewright.serve.served import Door, Served
from codewright.serve.verification import Verifier

T = TypeVar("T")

STRICT: Mapping[str, type[BaseModel]] = {
    "/v1/completions": CompletionBody,
    "/v1/chat/completions": ChatBody,
}
"""What a body has to be that asks for verified candidates, whatever the model's own door takes."""


def application(
    served: Served,
    *,
    verifier: Verifier,
    keys: Sequence[str] = (),
    limits: Limits,
    log: Log,
) -> FastAPI:
    """Returns the application.

    Args:
        served: the model.
        verifier: runs candidates where a body asks for it.
        keys: API keys, one of which every request has to bring; none: anybody may ask.
        limits: of a request.
        log: takes one line for each request.
    """
    metrics = Metrics([*served.gauges(), *verifier.gauges()])

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await served.close()

    app = FastAPI(title="Codewright", openapi_url=None, lifespan=life)
    app.add_exception_handler(CodewrightError, on_error)
    app.add_exception_handler(RequestValidationError, on_bad_body)
    app.add_exception_handler(StarletteHTTPException, _on_http)
    app.add_middleware(Guard, keys=keys, limits=limits, metrics=metrics, log=log)
    for door in served.doors:
        app.add_api_route(
            door.path, _endpoint(door, served.name, verifier, limits), methods=["POST"]
        )
    _tell(app, served, verifier, metrics)
    return app


def _endpoint(
    door: Door[Any], name: str, verifier: Verifier, limits: Limits
) -> Callable[[Request], Awaitable[Response]]:
    """Answers what is sent to a door."""

    async def reply(request: Request) -> Response:
        raw = await request.body()
        body = _read(door.form, raw)
        answer: Callable[[], Awaitable[Json]] = partial(door.answer, body)
        stream: Callable[[], AsyncGenerator[Json | str]] = partial(door.stream, body)
        if body.verify is not None:
            strict = _read(STRICT[door.path], raw)
            answer = partial(verified.answer, verifier, name, strict)
            stream = partial(verified.stream, verifier, name, strict)
        if not body.stream:
            content = await _unless_left(request, answer(), limits.seconds)
            # Escaped: a model may write halves of characters, which UTF-8 has no bytes for.
            return Response(json.dumps(content), media_type="application/json")
        pieces = stream()
        # The first piece decides whether there is an answer at all.
        first = await _unless_left(request, anext(pieces, None), limits.seconds)
        events = _events(first, pieces, limits.seconds, door.done)
        return StreamingResponse(events, media_type="text/event-stream")

    return reply


def _read(form: type[BaseModel], raw: bytes) -> Any:
    """Returns a body; raises RequestValidationError where it is not what it should be."""
    try:
        return form.model_validate_json(raw)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def _tell(app: FastAPI, served: Served, verifier: Verifier, metrics: Metrics) -> None:
    """Adds what is asked about the server, not of the model."""

    async def card() -> Json:
        begin = {"id": served.name, "object": "model", "created": 0}
        return {**begin, **await served.card(), "verify": await verifier.card()}

    @app.get("/v1/models")
    async def models() -> Json:
        return {"object": "list", "data": [await card()]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> Json:
        if name != served.name:
            raise HTTPException(404, f"there is no model {name!r}, but {served.name!r}")
        return await card()

    @app.get("/health")
    async def health() -> Json:
        return served.health()

    @app.get("/metrics")
    async def counted() -> Response:
        page = metrics.text({**served.gauges(), **verifier.gauges()})
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    return problem(error.status_code, str(error.detail))


async def _events(
    first: Json | str | None, pieces: AsyncGenerator[Json | str], seconds: float, done: str
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


def _event(content: Json | str) -> str:
    """A piece of an answer; a text is a comment, which clients pass over."""
    if isinstance(content, str):
        return f": {content}\n\n"
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
