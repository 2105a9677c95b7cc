"""How a benchmark asks a model, and how it makes programs of what the model says.

`PROGRAMS` is how all benchmarks that want a function do it. A benchmark that wants something else
brings a manner of its own; sampling and reading recorded samples are the same for all of them.
No model is asked here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from codewright.types.judging import Problem
from codewright.write.extract import Form, frame, program

ASK = """Complete this Python function. Reply with the whole function, imports included, in one \
code block.

```python
{prompt}
```
"""

ASK_SCRIPT = """Write the Python function that this docstring asks for. Reply with the whole \
function, imports included, in one code block.

{prompt}"""

Reader = Callable[[str, Form], tuple[str, str]]
"""From a text and its form to a whole program, and the rule that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to ask for one problem, and how to read the answer.

    words: what a chat is told. prompt: what a base model continues, up to one of `stops`.
    reader: for a problem, and the prompt that the texts were written for.
    """

    words: Callable[[Problem], str]
    prompt: Callable[[Problem], str]
    stops: Callable[[Problem], tuple[str, ...]]
    reader: Callable[[Problem, str], Reader]


def _words(problem: Problem) -> str:
    opened = frame(problem.prompt, problem.entry_point).open
    return (ASK if opened else ASK_SCRIPT).format(prompt=problem.prompt.rstrip())


def _prompt(problem: Problem) -> str:
    return problem.prompt


def _stops(problem: Problem) -> tuple[str, ...]:
    return frame(problem.prompt, problem.entry_point).stops


def _reader(problem: Problem, prompt: str) -> Reader:
    return partial(program, frame(prompt, problem.entry_point))


PROGRAMS = Manner(words=_words, prompt=_prompt, stops=_stops, reader=_reader)
