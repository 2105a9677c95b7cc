"""The options of `codewright write`, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WHAT, _ASK, _CHOOSE, _OUT = (
    "What is wanted",
    "How the model is asked",
    "How one is chosen",
    "What comes out",
)

Spec = Annotated[
    str,
    typer.Argument(
        help="What to write: words in quotes, a file (.py with an open function, or any text), "
        "or - for standard input.",
        metavar="SPEC",
        show_default=False,
    ),
]
EntryPoint = Annotated[
    str,
    typer.Option(help="The function's name, where SPEC does not say it.", rich_help_panel=_WHAT),
]
Examples = Annotated[
    Path | None,
    typer.Option(
        help='Examples that have to hold: JSON rows of "args" and "expected", or lines like '
        "f(1, 2) == 3.",
        rich_help_panel=_WHAT,
    ),
]
Tests = Annotated[
    Path | None,
    typer.Option(
        help="Asserting code of yours; a candidate that fails it is not offered.",
        rich_help_panel=_WHAT,
    ),
]

Model = Annotated[
    str,
    typer.Option(
        help="Who writes: embedded, a checkpoint FOLDER, openai/NAME, recorded/FILE or "
        "scripted/FILE.",
        rich_help_panel=_ASK,
    ),
]
Draft = Annotated[
    str,
    typer.Option(help="A smaller model that guesses for it: embedded, or a checkpoint FOLDER."),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--n",
        "-n",
        min=1,
        max=10_000,
        rich_help_panel=_ASK,
        help="Candidates (default: 20; of a recorded run, all).",
    ),
]
Temperature = Annotated[float, typer.Option(min=0, help="Of sampling.", rich_help_panel=_ASK)]
TopP = Annotated[float, typer.Option(min=0, max=1, help="Nucleus sampling.", rich_help_panel=_ASK)]
MaxTokens = Annotated[int, typer.Option(min=1, help="Of one answer.", rich_help_panel=_ASK)]
Chat = Annotated[
    bool | None,
    typer.Option(
        "--chat/--complete",
        help="Ask the model in words, or to continue (default: a model on this machine to "
        "continue, others in words).",
        show_default=False,
        rich_help_panel=_ASK,
    ),
]
FewShot = Annotated[
    Path | None,
    typer.Option(
        help='Pairs to show first: JSONL of "prompt" and "completion" (or "spec" and "program"), '
        "or any text.",
        rich_help_panel=_ASK,
    ),
]
ChainOfThought = Annotated[
    bool,
    typer.Option("--cot", help="Let the model think step by step first.", rich_help_panel=_ASK),
]
Critique = Annotated[
    bool,
    typer.Option(
        "--critique", help="Let the model review and correct each program.", rich_help_panel=_ASK
    ),
]
WrittenTests = Annotated[
    int,
    typer.Option(
        min=0, help="Texts of tests to ask the model for, to weigh candidates.",
        rich_help_panel=_ASK,
    ),
]  # fmt: skip
Seed = Annotated[int, typer.Option(help="Of sampling and of the inputs.", rich_help_panel=_ASK)]
EarlyStop = Annotated[
    bool,
    typer.Option(
        "--early-stop/--no-early-stop",
        help="Stop sampling when more candidates can no longer change the choice.",
        rich_help_panel=_ASK,
    ),
]
Budget = Annotated[
    int | None,
    typer.Option(min=1, help="Tokens that the model may cost in all.", rich_help_panel=_ASK),
]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests in flight.", rich_help_panel=_ASK)]

Select = Annotated[
    str,
    typer.Option(
        metavar="METHOD",
        help="first, majority, dual, examples or best.",
        rich_help_panel=_CHOOSE,
    ),
]
InputCount = Annotated[
    int,
    typer.Option("--inputs", min=1, help="Inputs to compare on, at most.", rich_help_panel=_CHOOSE),
]
Ask = Annotated[
    bool | None,
    typer.Option(
        "--ask/--no-ask",
        help="Ask the clarifying question, if there is one (default: in a terminal).",
        show_default=False,
        rich_help_panel=_CHOOSE,
    ),
]
Answers = Annotated[
    list[str] | None,
    typer.Option(
        "--answer",
        help="The reply to the question, for scripts: A, B, or a value; again for the next one.",
        rich_help_panel=_CHOOSE,
    ),
]
Isolation = Annotated[
    str, typer.Option(help="The policy; see codewright doctor.", rich_help_panel=_CHOOSE)
]
Packages = Annotated[
    str,
    typer.Option(
        help="Installed packages that programs may import, with commas.", rich_help_panel=_CHOOSE
    ),
]
Workers = Annotated[
    int, typer.Option(min=0, help="Programs at once; 0: one a core.", rich_help_panel=_CHOOSE)
]

Json = Annotated[
    bool,
    typer.Option("--json", help="Print everything as one JSON object.", rich_help_panel=_OUT),
]
Html = Annotated[
    Path | None,
    typer.Option(help="Write the report as one page to this file.", rich_help_panel=_OUT),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Keep everything in this folder; the same command goes on there.",
        rich_help_panel=_OUT,
    ),
]
ShowContext = Annotated[
    str,
    typer.Option(
        "--context",
        metavar="none|auto|TOKENS",
        help="Show the model so many tokens of the repository here that the specification is "
        "about; auto is a quarter of what it can read.",
        rich_help_panel=_ASK,
    ),
]
