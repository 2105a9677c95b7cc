"""What `codewright search` is asked on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

Query = Annotated[
    str, typer.Argument(help='Words, names, "phrases", patterns with *, in any mixture.')
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(help="Only these: class, function, method, variable, module …; repeatable."),
]
Languages = Annotated[
    list[str] | None, typer.Option(help="Only files in this language; repeatable.")
]
Paths = Annotated[
    list[str] | None,
    typer.Option(help="Only files that a pattern as in .gitignore names; repeatable."),
]
Tests = Annotated[
    bool | None, typer.Option("--tests/--no-tests", help="Only tests, or none of them.")
]
OutlineOf = Annotated[
    bool,
    typer.Option(
        "--outline",
        help="What is where: packages, modules, classes, each in a sentence; with a query "
        "from coarse to fine. One --path names the part.",
    ),
]
EmbedderName = Annotated[
    str,
    typer.Option(help="What finds by meaning: static, minilm, openai/NAME, FOLDER, none …"),
]
WithGraph = Annotated[
    bool,
    typer.Option("--graph", help="Count what the best hits use and are used by, too."),
]
