"""A real HTTP server that speaks OpenAI's protocol, well or badly as its model's name says."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

KEY = "sk-very-secret-key-0123456789"


class Server:
    """What the server saw, and how to reach it."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self.calls: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.url = ""

    def texts(self, body: dict[str, Any], count: int) -> list[str]:
        said = body.get("prompt") or body["messages"][-1]["content"]
        return [f"{said}!{body.get('seed')}.{i}" for i in range(count)]

    def answer(self, body: dict[str, Any], *, count: int | None = None) -> dict[str, Any]:
        texts = self.texts(body, body["n"] if count is None else count)
        scored = body.get("logprobs") and "bare" not in body["model"]
        choices: list[dict[str, Any]] = []
        for i, text in enumerate(texts):
            choice: dict[str, Any] = {"index": i, "finish_reason": "stop"}
            if "messages" in body:
                choice["message"] = {"role": "assistant", "content": text}
                if scored:
                    choice["logprobs"] = {"content": [{"logprob": -0.5}, {"logprob": -0.25}]}
            else:
                choice["text"] = text
                if scored:
                    choice["logprobs"] = {"token_logprobs": [-1.0, -0.5, -0.25]}
            choices.append(choice)
        usage = {"prompt_tokens": 10, "completion_tokens": 3 * len(texts)}
        usage["total_tokens"] = sum(usage.values())
        return {"choices": choices} | ({} if "bare" in body["model"] else {"usage": usage})


def refusal(code: int, message: str, **headers: str) -> JSONResponse:
    return JSONResponse(
        {"error": {"message": message}},
        status_code=code,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def misbehave(server: Server, body: dict[str, Any], call: int) -> Response | dict[str, Any]:
    """Answers the `call`-th request (from 0) for the model that `body` names."""
    model = body["model"]
    if model == "slow":
        await asyncio.sleep(0.05)
    if model == "stuck":
        await asyncio.sleep(3)
    if model == "greets" and call == 0:
        return refusal(429, "later", retry_after="0.6")
    if model == "forever":
        return refusal(429, "much later", retry_after="7200")
    if model == "shaky" and call < 3:
        return refusal((500, 503, 408)[call], "oops")
    if model == "down":
        return refusal(500, f"broken, and your key was {KEY}")
    if model == "garbled" and call < 5:
        return Response(
            ['{"choices": [', "[]", '{"choices": []}', '{"choices": [{}]}', "\xff"][call],
            media_type="application/json",
        )
    if model == "locked":
        return refusal(401, f"Incorrect API key provided: {KEY}")
    if model == "absent":
        return refusal(404, "The model `absent` does not exist")
    if model == "poor":
        return JSONResponse({"error": {"code": "insufficient_quota", "message": "pay"}}, 429)
    if model == "strict" and "logprobs" in body:
        return refusal(400, "Unrecognized request argument: logprobs")
    if model == "modern" and "max_tokens" in body:
        return refusal(400, "Use 'max_completion_tokens' instead of 'max_tokens'")
    if model == "narrow":
        return refusal(400, "this prompt is too long")
    if model == "single":
        return server.answer(body, count=1)
    if model == "generous":
        return server.answer(body, count=body["n"] + 2)
    return server.answer(body)


@contextmanager
def running() -> Iterator[Server]:
    """Serves on a free port of the loopback interface."""
    server = Server()
    app = FastAPI()

    async def serve(request: Request) -> Any:
        body = await request.json()
        server.bodies.append(body)
        server.times.append(time.monotonic())
        server.headers.append(dict(request.headers))
        call = server.calls[body["model"]]
        server.calls[body["model"]] += 1
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            return await misbehave(server, body, call)
        finally:
            server.at_once -= 1

    app.add_api_route("/v1/completions", serve, methods=["POST"], response_model=None)
    app.add_api_route("/v1/chat/completions", serve, methods=["POST"], response_model=None)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="off")
    machine = uvicorn.Server(config)
    thread = threading.Thread(target=machine.run, kwargs={"sockets": [listening]})
    thread.start()
    server.url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    try:
        yield server
    finally:
        machine.should_exit = True
        thread.join()
        listening.close()
