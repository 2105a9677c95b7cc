"""Rows of CRUXEval (Gu et al. 2024) as problems: predict what a call returns, or a call's input.

A prediction is a program without parameters (`predictions.py`), so it is judged, kept and chosen
among others as any program is; programs that return equal values are one class, and a majority over
classes is self-consistency (Wang et al. 2022). The reference is the row's own value.

A predicted input is tried on the row's function in the examiner, out of the program's reach. Three
rows have an input that is no literal (two pass a lambda, one a name); their references are the
row's text, and a predicted lambda counts as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codewright.evaluate import predictions
from codewright.evaluate.manner import Manner, Reader
from codewright.types.judging import AssertTests, Problem
from codewright.write.extract import Form
from codewright.write.source import helpers

ENTRY_POINT = "answer"

_TRY = """\
args, kwargs = answer()
signal.signal(signal.SIGPROF, late)
signal.setitimer(signal.ITIMER_PROF, {seconds}, 0.1)
try:
    returned = f(*args, **kwargs)
finally:
    signal.setitimer(signal.ITIMER_PROF, 0)
assert returned == {output}
"""

_LATE = """
import signal


def late(number, frame):
    raise TimeoutError("f does not return with this input")
"""

TRY_SECONDS = 3.0
"""CPU time that the function has for a predicted input; with its own it needs milliseconds."""

_FORMAT = "Write it as a Python literal, alone, between [ANSWER] and [/ANSWER]"
_CALL_FORMAT = (
    "Write the whole call, f(...), with literal arguments, between [ANSWER] and [/ANSWER]"
)

ASK_OUTPUT = f"""Which value has to stand in the place of ?? for the last line to hold?

```python
{{prompt}} ??
```

{_FORMAT}, and nothing else.
"""

ASK_OUTPUT_STEPS = f"""Which value has to stand in the place of ?? for the last line to hold?

```python
{{prompt}} ??
```

First follow the call line by line, and note how each variable changes. {_FORMAT}, at the very end.
"""

ASK_INPUT = f"""Which arguments in the place of ?? make the last line hold? Any that do are right.

```python
{{prompt}}??)
```

{_CALL_FORMAT}, and nothing else.
"""

ASK_INPUT_STEPS = f"""Which arguments in the place of ?? make the last line hold? Any that do are \
right.

```python
{{prompt}}??)
```

First work back from the result, and check your arguments by following the call line by line. \
{_CALL_FORMAT}, at the very end.
"""

_ALOUD = """

# What stands in the place of ??, found by following the code line by line. At the very end it is
# written as {what} between [ANSWER] and [/ANSWER].
#
# 1."""

CONTINUE_OUTPUT_STEPS = "{prompt} ??" + _ALOUD.format(what="a literal")
CONTINUE_INPUT_STEPS = "{prompt}??)" + _ALOUD.format(what="the whole call f(...)")

STOPS = ("\n\n", "\nassert", "\ndef ", "\nprint", "\n#", "\n```", "[/ANSWER]")
STEPS_STOPS = ("[/ANSWER]",)


def build_outputs(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of predicting what the calls return.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [
        Problem(
            id=row["id"],
            prompt=f"{row['code']}\n\nassert f({row['input']}) ==",
            entry_point=ENTRY_POINT,
            tests=AssertTests(code=f"assert answer() == {row['output']}\n"),
            reference=_reference(row["output"], predictions.value_in, row["output"]),
        )
        for row in rows
    ]


def build_inputs(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of predicting arguments with which the functions return a value.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [
        Problem(
            id=row["id"],
            prompt=f"{row['code']}\n\nassert {row['output']} == f(",
            entry_point=ENTRY_POINT,
            tests=AssertTests(
                code=_TRY.format(seconds=TRY_SECONDS, output=row["output"]),
                preamble=f"{row['code']}\n{_LATE}",
            ),
            reference=_reference(
                f"f({row['input']})",
                predictions.arguments_in,
                f"({row['input']},), {{}}",
                helpers(row["code"], "f"),
            ),
        )
        for row in rows
    ]


def _reference(text: str, take: predictions.Take, plain: str, names: str = "") -> str:
    """Returns the program of a row's own value: as a prediction of it, else as it is written."""
    found = take(text)
    if found is not None:
        return predictions.returning(found)
    return f"{names}\n\n{predictions.returning(plain)}".lstrip()


def _manner(
    ask: str, stops: tuple[str, ...], read: predictions.Read, proceed: str = "{prompt}"
) -> Manner:
    def reader(problem: Problem, prompt: str) -> Reader:
        def whole(text: str, form: Form) -> tuple[str, str]:
            return read(text)

        return whole

    return Manner(
        words=lambda problem: ask.format(prompt=problem.prompt),
        prompt=lambda problem: proceed.format(prompt=problem.prompt),
        stops=lambda problem: stops,
        reader=reader,
    )


OUTPUT = _manner(ASK_OUTPUT, STOPS, predictions.output)
OUTPUT_STEPS = _manner(ASK_OUTPUT_STEPS, STEPS_STOPS, predictions.output, CONTINUE_OUTPUT_STEPS)
INPUT = _manner(ASK_INPUT, STOPS, predictions.arguments)
INPUT_STEPS = _manner(ASK_INPUT_STEPS, STEPS_STOPS, predictions.arguments, CONTINUE_INPUT_STEPS)
