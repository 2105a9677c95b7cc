"""The options of `codewright evaluate`, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codewright.evaluate.benchmarks import BENCHMARKS

_WHAT, _HOW, _RUN = "What is judged", "How it is judged", "The run"

Benchmark = Annotated[
    str, typer.Argument(help=", ".join(BENCHMARKS), metavar="BENCHMARK", show_default=False)
]

SamplesFile = Annotated[
    Path | None,
    typer.Option(
        "--samples",
        help="JSONL of task_id + completion, task_id + solution, or prompt + samples; may be "
        "gzipped.",
        rich_help_panel=_WHAT,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        help="Who writes the programs: embedded, a checkpoint FOLDER, openai/NAME or "
        "recorded/FILE. Without --samples and --model only the references are judged.",
        rich_help_panel=_WHAT,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--n",
        min=1,
        help="Samples a problem (default: 1; of a file, all).",
        rich_help_panel=_WHAT,
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(min=0, help="Default: 0 for one sample, else 0.8.", rich_help_panel=_WHAT),
]
TopP = Annotated[float, typer.Option(min=0, max=1, help="Nucleus sampling.", rich_help_panel=_WHAT)]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        min=1, help="Of one answer (default: 1024; of a gap, 256).", rich_help_panel=_WHAT
    ),
]
Chat = Annotated[
    bool | None,
    typer.Option(
        "--chat/--complete",
        help="Ask the model in words, or to continue (default: a server in words, a model on this "
        "machine to continue).",
        show_default=False,
        rich_help_panel=_WHAT,
    ),
]
Cot = Annotated[
    bool,
    typer.Option(
        "--cot", help="Ask for the reasoning first, step by step (cruxeval).", rich_help_panel=_WHAT
    ),
]
OneLine = Annotated[
    bool,
    typer.Option(
        "--one-line",
        help="Take the first line of what fills a gap (humaneval-infilling-single-line).",
        rich_help_panel=_WHAT,
    ),
]
Fim = Annotated[
    str,
    typer.Option(
        metavar="psm|spm",
        help="How a model on this machine is shown a gap (humaneval-infilling-…): prefix, suffix, "
        "middle, or suffix first (default: as the checkpoint says).",
        rich_help_panel=_WHAT,
    ),
]
Budget = Annotated[
    int | None,
    typer.Option(min=1, help="Tokens that the model may cost in all.", rich_help_panel=_WHAT),
]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests in flight.", rich_help_panel=_WHAT)]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Only the first problems.", rich_help_panel=_WHAT)
]
Problems = Annotated[
    str,
    typer.Option(help="Only these problems, by id or number, with commas.", rich_help_panel=_WHAT),
]

ModeName = Annotated[
    str,
    typer.Option(
        "--mode",
        help="session: harmless programs of a problem share a process; fork: none do.",
        rich_help_panel=_HOW,
    ),
]
Cpu = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        help="CPU seconds a program may use (default: by the reference's).",
        rich_help_panel=_HOW,
    ),
]
Isolation = Annotated[
    str, typer.Option(help="The policy; see codewright doctor.", rich_help_panel=_HOW)
]
Packages = Annotated[
    str,
    typer.Option(
        help="Installed packages that programs may import, with commas.", rich_help_panel=_HOW
    ),
]
Workers = Annotated[
    int, typer.Option(min=0, help="Programs at once; 0: one a core.", rich_help_panel=_HOW)
]

Ray = Annotated[
    bool, typer.Option("--ray", help="Judge on every node of a Ray cluster.", rich_help_panel=_HOW)
]
RayAddress = Annotated[
    str, typer.Option(help="Of the cluster; a local one where not given.", rich_help_panel=_HOW)
]

Select = Annotated[
    str,
    typer.Option(
        help="Choose one program a problem: first, majority, dual, examples or best.",
        rich_help_panel=_HOW,
    ),
]
WrittenTests = Annotated[
    Path | None,
    typer.Option(help="Tests that a model wrote, for --select.", rich_help_panel=_HOW),
]
Examples = Annotated[
    bool, typer.Option(help="Let --select read the prompts' examples.", rich_help_panel=_HOW)
]

Ks = Annotated[str, typer.Option("--k", help="The k of pass@k, with commas.", rich_help_panel=_RUN)]
Seed = Annotated[int, typer.Option(help="Of sampling and of intervals.", rich_help_panel=_RUN)]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the results; the same command resumes there (default: in runs/).",
        rich_help_panel=_RUN,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Forget earlier results.", rich_help_panel=_RUN)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=_RUN)]
