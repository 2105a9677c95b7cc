"""Answers whose candidates were run: what `codewright write` does, at OpenAI's doors.

What a body asks for is read in `wishes.py`. Sampling, running, choosing and abstaining are those of
`write/` and `verify/`; here their answers become bodies.

Where the answer is to rely on none, no program stands where programs do: the text is empty, the
reason for finishing is `content_filter`, and a conversation's turn is a refusal that says why. The
programs can still be read in the report.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from codewright.serve.answers import Json, head, usage
from codewright.serve.forms import ChatBody, CompletionBody
from codewright.serve.report import Decided, told
from codewright.serve.verification import Begun, Verifier
from codewright.serve.watching import Watched, Watching, Writer
from codewright.serve.wishes import Task, read
from codewright.verify.study import Assessment
from codewright.write import gap
from codewright.write.choose import Chooser, Wishes
from codewright.write.complete import Wanted
from codewright.write.specification import Specification
from codewright.write.synthesize import synthesize

ALIVE = 5.0
"""Seconds after which a stream says that it is alive, where nothing happens."""
LATEST = 0.1
"""Seconds between two looks at how far a verification is."""


async def answer(verifier: Verifier, name: str, body: CompletionBody | ChatBody) -> Json:
    """Returns the answer when it is decided; raises as `read` and `Verifier.begin`."""
    task = read(body, verifier.trials)
    async with verifier.begin(partial(decide, task), seconds=task.seconds) as running:
        decided = await running.result
    _count(verifier, decided)
    return _whole(name, task, decided)


async def stream(
    verifier: Verifier, name: str, body: CompletionBody | ChatBody
) -> AsyncGenerator[Json | str]:
    """Yields how far it is, as comments, and the answer in one piece when it is decided."""
    task = read(body, verifier.trials)
    async with verifier.begin(partial(decide, task), seconds=task.seconds) as running:
        async with aclosing(_progress(running)) as comments:
            async for comment in comments:
                yield comment
        decided = running.result.result()
    _count(verifier, decided)
    for piece in _pieces(name, task, decided):
        yield piece


async def _progress(running: Begun[Decided]) -> AsyncGenerator[str]:
    """Yields each stage that it went through, and the last one again where nothing else happens."""
    said, at, over = None, 0.0, False
    while not over:
        over = running.result.done()
        for stage in running.watching.news():
            now = time.monotonic()
            if stage != said or now > at + ALIVE:
                said, at = stage, now
                name, done, total = stage
                yield f"{name} {done} of {total}" if total else name
        await asyncio.wait({running.result}, timeout=LATEST)


def decide(task: Task, sandbox: Watched, writer: Writer, watching: Watching) -> Decided:
    """Samples, runs and chooses; raises as the model and the sandbox do."""
    began = time.monotonic()
    writer.before, writer.stops = task.before, task.stops
    settings = Assessment(method=task.plan.method, calls=task.wish.inputs, seed=task.plan.seed)

    def chooser(spec: Specification) -> Chooser:
        wishes = Wishes(examples=task.examples.pairs, shown=spec.examples, tests=task.wish.tests)
        return Chooser(spec, wishes, executor=sandbox, settings=settings, watch=watching)

    saved = 0
    if task.place is not None:
        wanted = Wanted(
            n=task.plan.n, temperature=task.plan.temperature, top_p=task.plan.top_p,
            max_tokens=task.plan.max_tokens, seed=task.plan.seed,
        )  # fmt: skip
        name = task.wish.entry_point or task.examples.name
        spec, draft = gap.fill(task.place, writer, wanted, name, watching)
        choice = chooser(spec)(draft)
    else:
        assert task.spec is not None
        spec = task.spec
        written = synthesize(spec, writer, task.plan, chooser(spec), watching)
        draft, choice, saved = written.draft, written.choice, written.saved
    chosen = choice.answer.chosen
    text, continues = choice.answer.program, False
    if chosen is not None and task.place is not None:
        text, continues = choice.offered[chosen].text, True
    elif chosen is not None and not task.chat and spec.code == spec.prompt:
        continues = text.startswith(spec.prompt)
        text = text.removeprefix(spec.prompt)
    return Decided(
        answer=choice.answer, offered=choice.offered, text=text, continues=continues,
        sampled=len(draft.candidates), saved=saved, isolation=sandbox.isolation,
        seed=task.plan.seed, seconds=time.monotonic() - began, read=writer.read,
        written=writer.written, specification=spec.prompt,
    )  # fmt: skip


def _count(verifier: Verifier, decided: Decided) -> None:
    verifier.answered += 1
    verifier.abstained += decided.abstained


def _said(task: Task, decided: Decided) -> str:
    """What stands where an answer's text does; nothing where there is none to rely on."""
    if decided.abstained:
        return ""
    return f"```python\n{decided.text.strip(chr(10))}\n```\n" if task.chat else decided.text


def _finish(decided: Decided) -> str:
    return "content_filter" if decided.abstained else "stop"


def _usage(decided: Decided) -> Json:
    return usage(decided.read, decided.written)


def _whole(name: str, task: Task, decided: Decided) -> Json:
    text = _said(task, decided)
    choice: Json = {"index": 0, "logprobs": None, "finish_reason": _finish(decided)}
    if task.chat:
        refusal = f"No answer to rely on: {decided.why}" if decided.abstained else None
        message = {"role": "assistant", "content": text or None, "refusal": refusal}
        begin = head("chat.completion", "chatcmpl", name)
        choice["message"] = message
    else:
        begin = head("text_completion", "cmpl", name)
        choice["text"] = text
    return {
        **begin,
        "choices": [choice],
        "usage": _usage(decided),
        "codewright": told(decided, detail=task.wish.detail),
    }


def _pieces(name: str, task: Task, decided: Decided) -> list[Json]:
    """The answer as a stream has it; the report stands in the piece that ends it."""
    whole = _whole(name, task, decided)
    begin = {key: whole[key] for key in ("id", "object", "created", "model")}
    (choice,) = whole["choices"]
    report = {"codewright": whole["codewright"]}
    end = {"index": 0, "logprobs": None, "finish_reason": choice["finish_reason"]}
    if task.chat:
        begin["object"] = "chat.completion.chunk"
        delta = {key: value for key, value in choice["message"].items() if value is not None}
        pieces = [
            {**begin, "choices": [{**end, "delta": delta, "finish_reason": None}]},
            {**begin, "choices": [{**end, "delta": {}}], **report},
        ]
    else:
        pieces = [{**begin, "choices": [{**end, "text": choice["text"]}], **report}]
    if task.counted:
        pieces.append({**begin, "choices": [], "usage": whole["usage"]})
    return pieces
