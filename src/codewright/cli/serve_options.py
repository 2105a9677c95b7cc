"""The options of `codewright serve`, each as a type that its signature names."""

from __future__ import annotations

from typing import Annotated

import typer

from codewright.generate.settings import Device, Precision, RunnerName

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")]
Rows = Annotated[int, typer.Option(min=1, help="Texts written at the same time.")]
Waiting = Annotated[int, typer.Option(min=1, help="Texts taken in; more get 429.")]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds for an answer.")]
BodySize = Annotated[int, typer.Option("--body", min=1000, help="Bytes of a request at most.")]
Memory = Annotated[int, typer.Option(min=0, help="MiB for keys and values; 0: 4096.")]
Threads = Annotated[int, typer.Option(min=0, help="0: one for each core.")]
Guesses = Annotated[int, typer.Option(min=0, max=32, help="Tokens guessed ahead.")]
Silence = Annotated[
    float, typer.Option(min=0.1, help="Seconds without a byte from a server elsewhere.")
]
Verifications = Annotated[
    int, typer.Option(min=0, help="Answers at once whose candidates are run; 0: none.")
]
Candidates = Annotated[int, typer.Option(min=1, help="Candidates of such an answer at most.")]
Runner = Annotated[RunnerName, typer.Option(help="C, or torch.")]
Precise = Annotated[Precision, typer.Option(help="Of weights and activations.")]
On = Annotated[Device, typer.Option(help="Where it runs.")]
