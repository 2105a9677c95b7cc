"""What the tools of the MCP server are asked: each argument with its limits and what it means.

Texts are `str` and nothing else, empty where they are not given: the SDK reads JSON out of the
text of an argument that could be anything else, and a program may be JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

TEXT = 1_000_000
"""Characters of a program, its tests, or an open file."""

_NAME = r"^([^\W\d]\w*(\.[^\W\d]\w*)*)?$"
_Text = Annotated[str, Field(max_length=TEXT)]
_Path = Annotated[str, Field(max_length=4096)]

Seed = Annotated[int, Field(ge=0, lt=1 << 31, description="The same one, the same answer")]

Specification = Annotated[
    str,
    Field(
        min_length=1,
        max_length=50_000,
        description="What to write, in words; or Python with an open function: its signature and "
        "docstring, and what it needs before it",
    ),
]
EntryPoint = Annotated[
    str, Field(max_length=200, pattern=_NAME, description="The function's name, if not given")
]
Examples = Annotated[_Text, Field(description="Lines like f(1, 2) == 3 that have to hold")]
CandidateTests = Annotated[
    _Text, Field(description="Asserting code; a candidate that fails it is not offered")
]
Answers = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...],
    Field(max_length=8, description="Replies to its questions, in order: A, B, or a value"),
]
Candidates = Annotated[int, Field(ge=1, le=200, description="How many to write and compare")]

OpenFile = Annotated[_Path, Field(description="The file; with content, only its name counts")]
Line = Annotated[int, Field(ge=1, description="Of the cursor, from 1")]
Column = Annotated[int, Field(ge=1, description="Of the cursor, from 1, in characters")]
Unsaved = Annotated[
    _Text, Field(description="The text as it is in the editor, if it is not what is saved")
]
Offers = Annotated[int, Field(ge=1, le=50, description="Texts to write; those that agree count")]
MaxTokens = Annotated[int, Field(ge=1, le=1024)]
OneLine = Annotated[bool, Field(description="Stop at the end of the line")]

File = Annotated[_Path, Field(description="A file in place of the text")]
Program = Annotated[_Text, Field(description="The program's text")]
ProgramTests = Annotated[
    _Text,
    Field(
        description="Asserting Python; or a JSON list of pairs: "
        '{"stdin": …, "stdout": …} for any language, {"args": […], "expected": …} for Python'
    ),
]
Called = Annotated[
    str, Field(max_length=200, pattern=_NAME, description="The function that pairs of args call")
]
Language = Annotated[
    Literal["", "python", "c", "cpp", "javascript", "go", "rust", "java"],
    Field(description="Empty: by the file's suffix, else Python"),
]
Level = Annotated[
    Literal["isolated", "shared"],
    Field(description="shared: for unittest suites, in one process with the program"),
]
Cpu = Annotated[float, Field(gt=0, le=120, description="Seconds that the program may compute")]
Packages = Annotated[
    tuple[Annotated[str, Field(max_length=100, pattern=r"^[\w.-]+$")], ...],
    Field(max_length=50, description="Installed packages that the program may import"),
]

Benchmark = Annotated[
    str,
    Field(max_length=60, pattern=r"^\w[\w.+-]*$", description="humaneval, mbpp and others"),
]
Samples = Annotated[
    _Path, Field(description="A file of JSONL rows: task_id, and completion or solution")
]
UseModel = Annotated[bool, Field(description="Let the server's model write the programs")]
Problems = Annotated[int, Field(ge=1, le=1000, description="How many, from the first on")]
SampleCount = Annotated[int, Field(ge=1, le=100, description="Of each problem, by the model")]
Ks = Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1, max_length=9)]

Wanted = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4000,
        description='Words, names, "exact phrases", patterns with *, in any mixture',
    ),
]
Hits = Annotated[int, Field(ge=1, le=50, description="Pieces to return")]
Kinds = Annotated[
    tuple[Literal["module", "class", "function", "method", "variable", "constant", "type"], ...],
    Field(max_length=7, description="Only these"),
]
Languages = Annotated[
    tuple[Annotated[str, Field(max_length=40, pattern=r"^\w+$")], ...],
    Field(max_length=20, description="Only files in these: python, javascript, markdown …"),
]
Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=400)], ...],
    Field(max_length=20, description="Only files that these name, as in .gitignore: src/**, *.py"),
]
Tests = Annotated[Literal["both", "only", "none"], Field(description="Tests among what is found")]
Folder = Annotated[_Path, Field(description="One of the server's folders; empty: the first")]
