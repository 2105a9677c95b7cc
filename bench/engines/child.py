"""One row, once: reads and writes in a process of its own, and says how fast.

    python bench/engines/child.py --row ROW --models FOLDER --threads 1 --out result.json

With `ROW:perplexity` the row's perplexity on `TEXTS` instead.
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import sys
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from engines.rows import ROWS, Asked, Row

PROMPT, LONG, WRITTEN = 256, 512, 128
TEXTS = (argparse, heapq, statistics)
"""Standard library: the model has seen its like, all rows the same."""


def rates(row: Row, model: Asked) -> dict[str, float]:
    """Returns tokens a second for each figure of the table."""
    random = np.random.default_rng(0)
    prompts = random.integers(32, 8000, (32, PROMPT)).tolist()
    long = random.integers(32, 8000, LONG).tolist()
    model.read(prompts[0])
    model.write(prompts[:2], 4)
    found = {"prefill": PROMPT / min(model.read(prompt) for prompt in prompts[:5])}
    for count in (1, 8, 32):
        found[str(count)] = count * WRITTEN / model.write(prompts[:count], WRITTEN)
    if row.most >= 100:
        found["100"] = 100 * WRITTEN / 2 / model.write([long] * 100, WRITTEN // 2)
    return found


def perplexity(model: Asked, folder: Path) -> float:
    """Returns the perplexity a token, over the beginnings of `TEXTS`."""
    from codewright.tokens.bpe import Tokenizer
    from codewright.tokens.special import END

    tokenizer = Tokenizer.load(folder / "int8" / "tokenizer.json")
    nats, count = 0.0, 0
    for module in TEXTS:
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        ids = [END, *tokenizer.encode(text)][:1024]
        logits = model.logits(ids)[:-1].astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        own = logits[np.arange(len(ids) - 1), ids[1:]]
        nats += float((np.log(np.exp(logits).sum(-1)) - own).sum())
        count += len(ids) - 1
    return float(np.exp(nats / count))


def main() -> None:
    """Measures one row."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--row", required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    name, _, what = given.row.partition(":")
    model = ROWS[name].open(given.models, given.threads)
    found = {"perplexity": perplexity(model, given.models)} if what else rates(ROWS[name], model)
    given.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
