"""The options of `codewright complete`, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ASK, _CHOOSE, _OUT = "How the model is asked", "What is offered", "What comes out"

Place = Annotated[
    str,
    typer.Argument(
        help="The file and the place of the cursor in it. Lines and columns count from 1, columns "
        "in characters; one behind the last character is the end of the line.",
        metavar="FILE:LINE:COL",
        show_default=False,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        help="Who writes: embedded, a checkpoint FOLDER, openai/NAME or scripted/FILE.",
        rich_help_panel=_ASK,
    ),
]
Count = Annotated[
    int, typer.Option("--n", "-n", min=1, max=1000, help="Candidates.", rich_help_panel=_ASK)
]
Temperature = Annotated[
    float | None,
    typer.Option(min=0, help="Default: 0 for one candidate, else 0.4.", rich_help_panel=_ASK),
]
TopP = Annotated[float, typer.Option(min=0, max=1, help="Nucleus sampling.", rich_help_panel=_ASK)]
MaxTokens = Annotated[int, typer.Option(min=1, help="Of a candidate.", rich_help_panel=_ASK)]
Fim = Annotated[
    str,
    typer.Option(
        metavar="psm|spm",
        help="How a model on this machine is shown the file: prefix, suffix, middle, or suffix "
        "first (default: as the checkpoint says).",
        rich_help_panel=_ASK,
    ),
]
Seed = Annotated[int, typer.Option(help="Of sampling.", rich_help_panel=_ASK)]
ShowContext = Annotated[
    str,
    typer.Option(
        "--context",
        metavar="none|auto|TOKENS",
        help="Show the model so many tokens of other files of the repository; auto is a quarter of "
        "what it can read.",
        rich_help_panel=_ASK,
    ),
]
Root = Annotated[
    Path | None,
    typer.Option(
        help="The repository of --context (default: the nearest one upwards from the file).",
        rich_help_panel=_ASK,
    ),
]
Line = Annotated[
    bool, typer.Option("--line", help="Stop at the end of the line.", rich_help_panel=_CHOOSE)
]
Least = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Offer nothing that a smaller share of the candidates agrees on.",
        rich_help_panel=_CHOOSE,
    ),
]
Write = Annotated[bool, typer.Option("--write", help="Put it into the file.", rich_help_panel=_OUT)]
ShowConfidence = Annotated[
    bool,
    typer.Option(
        "--show-confidence", help="Say on stderr how sure the model is.", rich_help_panel=_OUT
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print all offers as one JSON object.", rich_help_panel=_OUT),
]
