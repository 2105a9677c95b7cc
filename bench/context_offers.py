"""Does the rest of the repository help a model to complete a line? Files it was not trained on.

    pip download --no-deps -d held celery==5.7.0 tornado==6.6.1  # unpack each to a folder
    python bench/context_offers.py held/celery held/tornado [-n 200] [--model embedded]

At random places of random lines of code the rest of the line is taken away. The model is asked for
it with nothing but what stands before the cursor (`alone`), with the file, and with the file and
passages of the repository within some tokens. Places whose line names what another file defines
are counted by themselves as well. Exact is the share of lines that come out as they were, similar
the mean of difflib's ratio. Table on stderr, JSON on stdout.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import defaultdict
from difflib import SequenceMatcher
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from codewright import console
from codewright.cli.context_manner import builder, manner_of
from codewright.cli.opening import languages
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.generate.settings import Local
from codewright.repo.facts import Binding
from codewright.repo.store import Store
from codewright.types.context import Query
from codewright.write.complete import Cursor, Wanted, complete

BUDGETS = (256, 512)
HEAD = 600
"""Characters that `alone` sees."""


def places(store: Store, count: int, seed: int) -> list[tuple[str, Cursor, str, bool]]:
    """Returns cursors: path, place, the rest of the line, whether it names another file's."""
    chance, found = random.Random(seed), []
    files = [each for each in store.files() if each.language == "python" and each.lines > 40]
    files = [each for each in files if "/tests/" not in each.path and "/test/" not in each.path]
    while len(found) < count:
        file = chance.choice(files)
        lines = store.text(file.path).split("\n")
        number = chance.randrange(len(lines))
        line = lines[number]
        if len(line.strip()) < 10 or line.lstrip().startswith(("#", '"', "'")):
            continue
        column = chance.randrange(len(line) - len(line.lstrip()), len(line) - 3)
        before = "\n".join([*lines[:number], line[:column]])
        after = "\n".join(["", *lines[number + 1 :]])
        other = any(
            each.binding == Binding.IMPORT and each.line == number + 1 and each.column >= column
            for each in store.facts(file.content).references
        )
        place = Cursor(before=before, after=after, python=True)
        found.append((file.path, place, line[column:], other))
    return found


def main() -> None:
    """Asks and tells."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--model", default="embedded")
    given = parser.parse_args()
    generator = open_generator(given.model, environment={}, service=Service(), local=Local())
    exact, similar, times = defaultdict(list), defaultdict(list), []
    for root in given.roots:
        with (
            tempfile.TemporaryDirectory() as cache,
            Store.open(root, Path(cache), languages(), console.say) as store,
        ):
            store.update()
            how = manner_of(given.model, form="auto", tokenizer=None, name=root.name)
            context = builder(store, languages(), how)
            for path, place, rest, other in places(store, given.n // len(given.roots), 0):
                alone = Cursor(before=place.before[-HEAD:], after="", python=True)
                ways = {"alone": (alone, None), "file": (place, None)}
                for budget in BUDGETS:
                    began = time.perf_counter()
                    query = Query(path=path, before=place.before, after=place.after)
                    ways[f"repository {budget}"] = (place, context.retrieve(query, budget))
                    times.append(time.perf_counter() - began)
                for name, (cursor, shown) in ways.items():
                    wanted = Wanted(line=True, max_tokens=48, context=shown)
                    offers = complete(cursor, generator, wanted)
                    text = offers[0].text.split("\n")[0].rstrip() if offers else ""
                    ratio = SequenceMatcher(None, text, rest.rstrip()).ratio()
                    for group in ("all", "names others") if other else ("all",):
                        exact[group, name].append(text == rest.rstrip())
                        similar[group, name].append(ratio)
    told = {}
    for (group, name), values in sorted(exact.items()):
        ratio = sum(similar[group, name]) / len(values)
        told[f"{group}, {name}"] = [len(values), sum(values) / len(values), ratio]
        share = sum(values) / len(values)
        console.say(f"{group:14} {name:16} {len(values):4} exact {share:.1%} similar {ratio:.3f}")
    times.sort()
    middle, last = times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3
    console.say(f"a context took {middle:.0f} ms, p99 {last:.0f}")
    console.print_json(told)


if __name__ == "__main__":
    main()
