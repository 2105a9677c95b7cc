"""What a grammar costs: tokens a second with each kind, beside the same model without one.

    python bench/grammar.py [--n 8] [--tokens 96]

The embedded model writes `n` texts at once, at temperature 0.8. "look" is what the constraint takes
of a step and a text, in microseconds (median, 99th of a hundred, most), apart from the model; for
Python that is all looks that one token needs. A text that is complete ends, so a table's rows write
different numbers of tokens; the rate is of those that were written.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from codewright.engine import engine as engines
from codewright.engine import shaping
from codewright.generate.registry import open_model
from codewright.generate.settings import Local
from codewright.types.generation import Grammar, Request

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
    },
    "required": ["name", "age", "tags", "zip"],
    "additionalProperties": False,
}
KINDS: dict[str, Grammar | None] = {
    "none": None,
    "schema": Grammar(kind="schema", source=json.dumps(PERSON)),
    "object": Grammar(kind="object"),
    "regex": Grammar(kind="regex", source=r"[a-z_ ]*(\([a-z_, ]*\) == [0-9]+\n)*"),
    "lark": Grammar(
        kind="lark",
        source='start: line*\nline: NAME " = " sum "\\n"\nsum: term (" + " term)*\n'
        'term: NAME | NUMBER | "(" sum ")"\nNAME: /[a-z_]+/\nNUMBER: /[0-9]+/',
    ),
    "python": Grammar(kind="python"),
}
PROMPT = "def read(path):\n    with open(path) as file:\n        lines = file.readlines()\n"


def main() -> None:
    """Prints the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--n", type=int, default=8)
    asked.add_argument("--tokens", type=int, default=96)
    settings = asked.parse_args()
    model = open_model("embedded", Local(threads=1))
    looks: list[float] = []
    plain = shaping.shape

    def timed(draw, logits_V, manner) -> None:
        began = time.perf_counter()
        plain(draw, logits_V, manner)
        looks.append(time.perf_counter() - began)

    engines.shape = timed
    print(f"{model.runner.name}, {settings.n} texts of {settings.tokens} tokens at most")
    print("kind     tokens  tokens/s  look µs: median    p99    most   guesses right")
    for name, grammar in KINDS.items():
        for turn in range(2):  # the first one warms up
            looks.clear()
            counts = model.engine.counts
            before = (counts.guessed, counts.right)
            request = Request(
                prompt=PROMPT, n=settings.n, max_tokens=settings.tokens, seed=turn, grammar=grammar
            )
            texts = model.engine.add(model.ask(request))
            began = time.perf_counter()
            while model.engine.busy:
                model.engine.step()
            took = time.perf_counter() - began
        written = sum(text.written for text in texts)
        at = np.percentile(np.array(looks or [0.0]) * 1e6, [50, 99, 100])
        right = f"{counts.right - before[1]}/{counts.guessed - before[0]}"
        print(
            f"{name:8} {written:6} {written / took:9.0f}  {at[0]:15.0f} {at[1]:6.0f} {at[2]:7.0f}"
            f"   {right:>13}"
        )


if __name__ == "__main__":
    main()
