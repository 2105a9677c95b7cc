"""A gold patch in the files of a release: which lines it changes there, if it fits at all.

A patch was made at one commit and the release at another, so files are found by their path in the
package and hunks by what they replace: its lines one after another, wherever in the file they
stand. A release fits a patch if each changed Python file that is no test is there and each of its
hunks is found; a release in which a hunk's outcome already stands does not fit. Hunks whose lines
stand at several places are taken at the place nearest to where the patch has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FOLDERS = ("src", "lib")
"""Folders in which a repository keeps the package that a wheel has at its top."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One place of a patch. start: its line. body: lines with their leading sign or space."""

    start: int
    body: tuple[str, ...]

    @property
    def before(self) -> list[str]:
        """The lines that it replaces, with their surroundings."""
        return [line[1:] for line in self.body if line[:1] != "+"]

    @property
    def after(self) -> list[str]:
        """The lines that it leaves."""
        return [line[1:] for line in self.body if line[:1] != "-"]

    @property
    def changed(self) -> list[int]:
        """Places in `before` of the lines that go; where lines only come, of the one before."""
        gone, place, came = [], 0, []
        for line in self.body:
            if line[:1] == "+":
                came.append(max(0, place - 1))
                continue
            if line[:1] == "-":
                gone.append(place)
            place += 1
        return gone or sorted(set(came))


def hunks(patch: str) -> dict[str, list[Hunk]]:
    """Returns the hunks of a patch by the path of the file before it; new files are left out."""
    found: dict[str, list[Hunk]] = {}
    path, body, start = "", [], 0

    def done() -> None:
        if path and body:
            found.setdefault(path, []).append(Hunk(start=start, body=tuple(body)))

    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            done()
            path, body = "", []
        elif line.startswith("--- ") and not body:
            path = line[6:].partition("\t")[0] if line.startswith("--- a/") else ""
        elif line.startswith("+++ ") and not body:
            continue
        elif told := _HUNK.match(line):
            done()
            body, start = [], int(told[1])
        elif path and start and line[:1] in ("+", "-", " "):
            body.append(line)
        elif path and start and line == "":
            body.append(" ")  # an empty line whose space was stripped; the last one is dropped
    done()
    return {name: [_trimmed(hunk) for hunk in each] for name, each in found.items()}


def _trimmed(hunk: Hunk) -> Hunk:
    """Drops the empty line that a patch's own last line break leaves."""
    body = list(hunk.body)
    while body and body[-1] == " ":
        body.pop()
    return Hunk(start=hunk.start, body=tuple(body))


def is_test(path: str) -> bool:
    """Says whether a path is a test's."""
    parts = PurePosixPath(path).parts
    name = parts[-1]
    return (
        any(part in ("test", "tests", "testing") for part in parts[:-1])
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )


def inside(path: str) -> str:
    """Returns a path of the repository as a wheel has it."""
    parts = PurePosixPath(path).parts
    return "/".join(parts[1:] if parts[0] in FOLDERS and len(parts) > 1 else parts)


def fitted(patch: str, root: Path) -> dict[str, list[int]] | None:
    """Returns the lines that a patch changes in a release, by path; None where it does not fit."""
    found: dict[str, list[int]] = {}
    for path, each in hunks(patch).items():
        if not path.endswith(".py") or is_test(path):
            continue
        file = root / inside(path)
        if not file.is_file():
            return None
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        for hunk in each:
            place = _place(hunk, [line.rstrip("\r") for line in lines])
            if place is None:
                return None
            changed = [place + offset + 1 for offset in hunk.changed]
            found.setdefault(inside(path), []).extend(changed)
    return found or None


def _place(hunk: Hunk, lines: Sequence[str]) -> int | None:
    """Returns where a hunk's lines begin, counted from 0."""
    if list(_places(hunk.after, lines)) and any(line[:1] == "+" for line in hunk.body):
        return None  # it is mended already
    places = list(_places(hunk.before, lines))
    return min(places, key=lambda place: abs(place - hunk.start + 1)) if places else None


def _places(wanted: Sequence[str], lines: Sequence[str]) -> Iterator[int]:
    if not wanted:
        return
    for place in range(len(lines) - len(wanted) + 1):
        if lines[place] == wanted[0] and list(lines[place : place + len(wanted)]) == list(wanted):
            yield place
