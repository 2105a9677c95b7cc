"""What an editor is offered, against what stands there: files that the model was not trained on.

    pip download --no-deps -d held boltons==26.2.0 celery==5.7.0 tornado==6.6.1
    python bench/offers.py held/*.whl [-n 1000] [--set window=2048]

At random places of random lines the rest of the line is taken away, as if it were being typed. What
the language server would offer there is compared with it: an offer is exact where its first line
is the rest of the line, and right as far as its lines are those of the file. Once offers of a line,
everything shown, and once what a user has by the server's own settings. Table on stderr, JSON on
stdout. Needs the serve extra.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tomllib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pages import say

from codewright.generate.registry import open_model
from codewright.generate.settings import Local
from codewright.serve.loop import EngineLoop
from codewright.serve.taste import Taste
from codewright.serve.typing_ahead import Ahead
from codewright.write.complete import Cursor

TOGETHER = 16
LEAST_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor in a file, and what stood behind it: the rest of its line, and what follows."""

    path: str
    cursor: Cursor
    rest: str


def files(wheels: list[Path]) -> dict[str, str]:
    """Returns the Python files of some wheels, tests aside."""
    found = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith(".py") or "/test" in name:
                    continue
                text = archive.read(name).decode("utf-8")
                if text.count("\n") >= LEAST_LINES:
                    found[name] = text
    return found


def places(texts: dict[str, str], count: int, seed: int) -> list[Place]:
    """Returns random places in lines of code, longer files having more of them."""
    chance = random.Random(seed)
    names = list(texts)
    weights = [texts[name].count("\n") for name in names]
    found: list[Place] = []
    while len(found) < count:
        (name,) = chance.choices(names, weights)
        lines = texts[name].split("\n")
        number = chance.randrange(len(lines))
        line = lines[number]
        body = line.strip()
        if len(body) < 4 or body[0] in "#\"'":
            continue
        column = chance.randrange(len(line) - len(body), len(line))
        before = "\n".join([*lines[:number], line[:column]])
        after = "".join("\n" + each for each in lines[number + 1 :])
        cursor = Cursor(before=before, after=after, python=True)
        found.append(Place(path=name, cursor=cursor, rest=line[column:]))
    return found


async def offered(engine: EngineLoop, wanted: list[Place], taste: Taste) -> list[str]:
    """Returns what is offered at each place; nothing is an empty text."""
    turns = asyncio.Semaphore(TOGETHER)

    async def one(place: Place) -> str:
        async with turns:
            return await Ahead(engine).offer(place.cursor, taste) or ""

    return await asyncio.gather(*(one(place) for place in wanted))


def score(wanted: list[Place], texts: list[str]) -> dict[str, Any]:
    """Counts what is right: rest of the line, and lines of an offer until the first wrong one."""
    shown = [pair for pair in zip(wanted, texts, strict=True) if pair[1]]
    exact, said, right, characters = 0, 0, 0, 0
    for place, text in shown:
        lines = text.rstrip().split("\n")
        truth = (place.rest + place.cursor.after).split("\n")
        equal = 0
        while (
            equal < min(len(lines), len(truth)) and lines[equal].rstrip() == truth[equal].rstrip()
        ):
            characters += len(lines[equal].strip())
            equal += 1
        exact += equal > 0
        said, right = said + len(lines), right + equal
    count = len(wanted)
    return {
        "places": count,
        "shown": len(shown) / count,
        "exact": exact / count,
        "exact_of_shown": exact / max(1, len(shown)),
        "lines_said": said / count,
        "lines_right": right / count,
        "characters_right": characters / count,
    }


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("-n", type=int, default=1000, help="places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE of a setting")
    given = parser.parse_args()
    taste = replace(Taste(), **tomllib.loads("\n".join(given.set)))
    wanted = places(files(given.wheels), given.n, given.seed)
    model = open_model(given.model, Local(rows=TOGETHER, threads=1, guesses=8))
    engine = EngineLoop(model, most=2 * TOGETHER)
    told = {}
    for name, way in (
        ("line, all", replace(taste, line=True, least=0.0)),
        ("as set", taste),
    ):
        told[name] = score(wanted, asyncio.run(offered(engine, wanted, way)))
        cells = "  ".join(f"{key} {value:.3f}" for key, value in told[name].items())
        say(f"{name:10} {cells}")
    print(json.dumps({"set": given.set, "seed": given.seed, **told}))


if __name__ == "__main__":
    main()
