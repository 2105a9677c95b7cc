"""The documentation runs: every ```console block is a session that really happens like this.

A line `$ command` is run by bash in a fresh folder, with this environment's commands on the PATH;
`> more` continues it. The lines below it are what it prints, stdout and stderr together, where
`...` stands for anything: on a line of its own for any number of lines, inside a line for part of
it. Comments above a block say more:

    <!-- file: NAME -->   the block below is a file of every session on this page
    <!-- needs: data -->  the session needs the benchmark data (CODEWRIGHT_DATA)
    <!-- needs: kernels --> it needs the C kernels
    <!-- exit: 1 -->      its last command ends with this exit code; without it, 0
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernels import BUILDS

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").glob("**/*.md"))]

FENCE = re.compile(
    r"(?P<notes>(?:^<!-- (?:file|needs|exit): .*? -->\n+)*)"
    r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NOTE = re.compile(r"<!-- (file|needs|exit): (.*?) -->")
SECONDS = 120


@dataclass(frozen=True)
class Step:
    """One command of a session and what it should print."""

    command: str
    expected: str


@dataclass(frozen=True)
class Session:
    """One ```console block."""

    place: str
    steps: tuple[Step, ...]
    files: dict[str, str]
    needs: str
    exit_code: int


def sessions(page: str, text: str) -> list[Session]:
    """Returns the sessions of a page, each with all files of the page."""
    found, files = [], {}
    for block in FENCE.finditer(text):
        notes = dict(NOTE.findall(block["notes"]))
        if "file" in notes:
            files[notes["file"]] = block["body"]
        elif block["kind"] == "console":
            line = text.count("\n", 0, block.start("body")) + 1
            needs, exit_code = notes.get("needs", ""), int(notes.get("exit", "0"))
            found.append(Session(f"{page}:{line}", steps(block["body"]), files, needs, exit_code))
    return found


def steps(body: str) -> tuple[Step, ...]:
    """Splits a session into its commands."""
    commands: list[tuple[list[str], list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            commands.append(([line[2:]], []))
        elif line.startswith("> ") and commands and not commands[-1][1]:
            commands[-1][0].append(line[2:])
        else:
            assert commands, f"a session begins with a command, not with {line!r}"
            commands[-1][1].append(line)
    return tuple(Step("\n".join(words), "\n".join(output)) for words, output in commands)


def agrees(expected: str, printed: str) -> bool:
    """True where `printed` is `expected`, white space at the ends of lines aside."""
    pattern = []
    for line in expected.splitlines():
        if line.strip() == "...":
            pattern.append(r"(?:.*\n)*?")
        else:
            parts = (re.escape(part) for part in line.rstrip().split("..."))
            pattern.append(".*".join(parts) + r"[ \t]*\n")
    text = "".join(line + "\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch("".join(pattern), text) is not None


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


def perform(session: Session, folder: Path) -> list[str]:
    """Runs a session in `folder` and returns what did not happen as it says."""
    for name, content in session.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    complaints = []
    for number, step in enumerate(session.steps, start=1):
        result = subprocess.run(
            ["bash", "-c", step.command],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        wanted = session.exit_code if number == len(session.steps) else 0
        if result.returncode != wanted:
            complaints.append(f"$ {step.command}\nexit code {result.returncode}, not {wanted}")
        if not agrees(step.expected, result.stdout):
            complaints.append(
                f"$ {step.command}\nexpected:\n{step.expected}\nprinted:\n{result.stdout}"
            )
    return complaints


def all_sessions() -> list[Session]:
    return [
        session
        for page in PAGES
        for session in sessions(
            page.relative_to(REPOSITORY).as_posix(), page.read_text(encoding="utf-8")
        )
    ]


@pytest.mark.parametrize("session", all_sessions(), ids=lambda session: session.place)
def test_the_session_happens_as_written(session, tmp_path):
    known = ("", "data", "kernels")
    assert session.needs in known, f"{session.place} needs {session.needs!r}: what is that?"
    if session.needs == "kernels" and not BUILDS:
        pytest.skip("the C kernels were not built")
    if session.needs == "data" and not os.environ.get("CODEWRIGHT_DATA"):
        pytest.skip("CODEWRIGHT_DATA names no folder of benchmark data")
    complaints = perform(session, tmp_path)
    assert not complaints, f"{session.place}\n" + "\n\n".join(complaints)


def anchors(text: str) -> set[str]:
    """Returns the anchors that the headings of a page have on the usual forges."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_inside_the_repository_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if "://" in target:
            continue
        other = page.parent / target if target else page
        assert other.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(other.read_text(encoding="utf-8")), f"{target}#{anchor}"


PAGE = """\
Words. `$ not this`

<!-- file: sub/greeting.txt -->
```text
hello
you
```

<!-- needs: data -->

<!-- exit: 3 -->
```console
$ cat sub/greeting.txt
hello
...
$ echo one \\
>   two; echo three four >&2; exit 3
one two
three ... 
```

```python
print("$ not this either")
```
"""  # noqa: W291


def test_a_page_is_read_as_it_is_meant():
    (session,) = sessions("page.md", PAGE)
    assert session.place == "page.md:13"
    assert session.files == {"sub/greeting.txt": "hello\nyou\n"}
    assert (session.needs, session.exit_code) == ("data", 3)
    assert session.steps == (
        Step("cat sub/greeting.txt", "hello\n..."),
        Step("echo one \\\n  two; echo three four >&2; exit 3", "one two\nthree ... "),
    )


def test_a_page_that_is_true_has_no_complaint(tmp_path):
    (session,) = sessions("page.md", PAGE)
    assert perform(session, tmp_path) == []


@pytest.mark.parametrize(
    ("said", "instead", "complaint"),
    [
        ("hello\nyou", "hallo\nyou", "printed:\nhallo"),
        ("exit 3\n", "exit 0\n", "exit code 0, not 3"),
        ("cat sub", "sleep 0; false; cat no/sub", "exit code 1, not 0"),
        ("three ... \n", "three\n", "expected:\none two\nthree\n"),
        ("one two\n", "", "expected:\nthree"),
        ("three ... \n", "three ...\nfive\n", "five"),
    ],
)
def test_a_page_that_is_not_true_is_told_so(tmp_path, said, instead, complaint):
    (session,) = sessions("page.md", PAGE.replace(said, instead, 1))
    complaints = "\n".join(perform(session, tmp_path))
    assert complaint in complaints


def test_dots_stand_for_anything_and_nothing_else_does():
    assert agrees("...", "")
    assert agrees("...\nlast", "one\ntwo\nlast\n")
    assert agrees("a ... c", "a b c  ")
    assert agrees("", "")
    assert not agrees("", "talk\n")
    assert not agrees("a.c", "abc\n")
    assert not agrees("...\nlast", "last\nmore\n")
    assert not agrees("a ... c", "a b\nc\n")
