"""aider's repository map, run by aider's own Python: how long it takes, and what is on it.

    AIDER/bin/python bench/remembering/aider_child.py speed --root TREE --tokens tokenizer.json \\
        --open FILE --open FILE --budget 1024 --out told.json
    AIDER/bin/python bench/remembering/aider_child.py maps --root TREE --tokens tokenizer.json \\
        --asks asks.json --out maps.json

`RepoMap` is used as aider uses it, with the open file in the chat and all other Python files beside
it; its cache of tags lies in the tree. Tokens are counted with the tokenizer that it is given, in
place of a model's from the network. Of `maps`, each ask is `{"path", "words", "budgets"}`, and the
answer has text and lines for each budget; ranks are worked out once for all budgets, and tags are
kept in memory. Nothing here imports Codewright: the environments differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from aider.io import InputOutput
from aider.repomap import RepoMap
from tokenizers import Tokenizer


class Counting:
    """What `RepoMap` wants of a model."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))

    def token_count(self, text: str) -> int:
        """Returns how many tokens a text has."""
        return len(self._tokenizer.encode(text).ids)


class Mapped(RepoMap):
    """A map that remembers which lines it shows, and ranks once for several budgets."""

    def __init__(self, root: Path, model: Counting, budget: int) -> None:
        io = InputOutput(pretty=False, yes=True, fancy_input=False)
        super().__init__(map_tokens=budget, root=str(root), main_model=model, io=io)
        self.shown: dict[str, dict[str, list[int]]] = {}
        self._lines: dict[tuple, list[int]] = {}
        self._now: dict[str, list[int]] = {}
        self._ranked: tuple[tuple, list] | None = None

    def render_tree(self, abs_fname, rel_fname, lois):
        """Renders one file, and notes its lines."""
        text = super().render_tree(abs_fname, rel_fname, lois)
        key = (rel_fname, tuple(sorted(lois)))
        if key not in self._lines:
            context = self.tree_context_cache[rel_fname]["context"]
            self._lines[key] = sorted(number + 1 for number in context.show_lines)
        self._now[rel_fname] = self._lines[key]
        return text

    def to_tree(self, tags, chat_rel_fnames):
        """Renders a map, and notes what it shows."""
        self._now = {}
        text = super().to_tree(tags, chat_rel_fnames)
        self.shown[text] = self._now
        return text

    def get_ranked_tags(self, chat, other, paths, words, progress=None):
        """Ranks, or returns what was ranked a moment ago for the same question."""
        key = (tuple(sorted(chat)), tuple(sorted(words)))
        if self._ranked is None or self._ranked[0] != key:
            self._ranked = key, super().get_ranked_tags(chat, other, paths, words, progress)
        return self._ranked[1]


def speed(given: argparse.Namespace) -> list[dict[str, object]]:
    """Times a map for each file that is opened, one after the other in this process."""
    files = [str(path) for path in sorted(given.root.rglob("*.py"))]
    io = InputOutput(pretty=False, yes=True, fancy_input=False)
    model, told = Counting(given.tokens), []
    began = time.perf_counter()
    made = RepoMap(map_tokens=given.budget, root=str(given.root), main_model=model, io=io)
    for name in given.open:
        opened = str(given.root / name)
        text = made.get_repo_map([opened], [each for each in files if each != opened]) or ""
        seconds, began = time.perf_counter() - began, time.perf_counter()
        told.append({"open": name, "seconds": seconds, "tokens": model.token_count(text)})
        given.out.write_text(json.dumps(told))
    return told


def maps(given: argparse.Namespace) -> list[dict[str, object]]:
    """Draws a map for each ask and budget; goes on where it stopped."""
    files = [str(path) for path in sorted(given.root.rglob("*.py"))]
    model = Counting(given.tokens)
    made, told = Mapped(given.root, model, 1024), []
    made.TAGS_CACHE = {}
    if given.out.is_file():
        told = json.loads(given.out.read_text())
    for ask in json.loads(given.asks.read_text())[len(told) :]:
        opened, answer = str(given.root / ask["path"]), {}
        other = [each for each in files if each != opened]
        for budget in ask["budgets"]:
            text = made.get_ranked_tags_map_uncached(
                [opened], other, budget, set(), set(ask["words"])
            )
            answer[str(budget)] = {
                "text": text or "",
                "tokens": model.token_count(text or ""),
                "lines": made.shown.get(text or "", {}),
            }
        made.shown.clear()
        told.append({"path": ask["path"], "maps": answer})
        fresh = given.out.with_suffix(".new")
        fresh.write_text(json.dumps(told))
        fresh.replace(given.out)
        print(f"{given.root.name}: {len(told)} maps", file=sys.stderr, flush=True)
    return told


def main() -> None:
    """Does what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("speed", "maps"))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--open", action="append", default=[])
    parser.add_argument("--budget", type=int, default=1024)
    parser.add_argument("--asks", type=Path)
    given = parser.parse_args()
    speed(given) if given.what == "speed" else maps(given)


if __name__ == "__main__":
    main()
