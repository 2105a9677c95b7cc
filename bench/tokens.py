"""Measures the tokenizer: bytes per token on held-out Python by how text is cut, and speed.

    python bench/tokens.py                 site-packages and the standard library; half an hour
    python bench/tokens.py --megabytes 8   at most so much to learn from

Every way of cutting learns from the same files and is measured on the same others; no
distribution is on both sides. A vocabulary of 8,192 is the first half of one of 16,384. GPT-2's
own vocabulary is not used: what is compared is its way of cutting, trained on the same files, at
its own size of 50,257 too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from tokenizers import Regex
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split
from tokenizers.trainers import BpeTrainer

from codewright.tokens import fim
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.pretokenise import PATTERN

RESULTS = Path(__file__).resolve().parent / "results" / "tokens.json"
SPECIAL_SLOTS = 32
SIZES = (8192, 16384)
GPT2_SIZE = 50257
LEARNED_FROM_ONE, HELD_FROM_ONE = 6_000_000, 1_000_000
"""Characters of one distribution at most."""

_LOWER = r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_OPERATOR = r"[^\s\p{L}\p{M}\p{N}_]"
_CAMEL = rf"(?:\p{{Lu}}+(?!{_LOWER})|\p{{Lu}}?{_LOWER}+)"
_BREAK, _SPACES = r"[\r\n]+[ \t]*", r"[^\S\r\n]+(?!\S)|[^\S\r\n]+"
_RUN = rf" ?(?:{_OPERATOR}|_+(?![_\p{{L}}\p{{M}}\p{{N}}]))+"
_PLAIN = r" ?_*"


def _cut(before: str, *, word: str = _CAMEL, digit: str = r"\p{N}", line: str = _BREAK) -> str:
    return "|".join((line, before + word, before + digit, _RUN, _SPACES))


PATTERNS: dict[str, str | None] = {
    "chosen": PATTERN,
    "digits in threes": _cut(rf" ?{_OPERATOR}?_*", digit=r"\p{N}{1,3}"),
    "camelCase whole": _cut(rf" ?{_OPERATOR}?_*", word=r"[\p{L}\p{M}]+"),
    "each line break alone": _cut(rf" ?{_OPERATOR}?_*", line=r"\r?\n[ \t]*|\r"),
    "a space or an operator before a word": _cut(rf"(?: ?|{_OPERATOR})_*"),
    "only a space before a word": _cut(_PLAIN),
    "generic (cl100k)": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "GPT-2": None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=float("inf"), help="to learn from")
    parser.add_argument("--only", action="append", help="one of the ways of cutting; repeatable")
    given = parser.parse_args()
    learned, held = documents(given.megabytes * 1e6)
    told: dict[str, Any] = {
        "learned_megabytes": round(sum(map(len, learned)) / 1e6, 1),
        "held_megabytes": round(sum(map(len, held)) / 1e6, 1),
        "bytes_per_token": {},
    }
    print(f"{told['learned_megabytes']} MB learned from, {told['held_megabytes']} MB held out")
    for name, pattern in PATTERNS.items():
        if not given.only or name in given.only:
            told["bytes_per_token"][name] = measured(name, pattern, learned, held)
    told["speed"] = speed(learned, held)
    print(json.dumps(told["speed"], indent=2))
    if not given.only and given.megabytes == float("inf"):
        RESULTS.write_text(json.dumps(told, indent=2) + "\n")


def documents(most: float) -> tuple[list[str], list[str]]:
    """Returns distinct files to learn from, and others of other distributions."""
    groups: dict[str, list[Path]] = defaultdict(list)
    site, library = (Path(sysconfig.get_paths()[name]) for name in ("purelib", "stdlib"))
    for path in sorted(site.rglob("*.py")):
        groups[path.relative_to(site).parts[0]].append(path)
    for path in sorted(library.rglob("*.py")):
        if path.relative_to(library).parts[0] not in ("site-packages", "test", "encodings"):
            groups["the standard library"].append(path)
    seen: set[str] = set()
    sides: tuple[list[str], list[str]] = ([], [])
    for name, paths in sorted(groups.items()):
        # The first byte of a digest is a coin that falls the same way on every machine.
        side = hashlib.sha256(name.encode()).digest()[0] % 2
        if name == "the standard library":
            side = 0
        random.Random(name).shuffle(paths)
        room = (LEARNED_FROM_ONE, HELD_FROM_ONE)[side]
        for text in distinct(paths, seen):
            room -= len(text)
            if room < 0:
                break
            sides[side].append(text)
    learned, total = [], 0
    for text in random.Random(0).sample(sides[0], len(sides[0])):
        total += len(text)
        if total > most:
            break
        learned.append(text)
    return learned, sides[1]


def distinct(paths: list[Path], seen: set[str]) -> Iterator[str]:
    """Yields texts that are code by their shape, each once."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        digest = hashlib.sha256(text.encode()).hexdigest()
        usual = 64 <= len(text) <= 200_000 and max(map(len, text.split("\n"))) <= 1000
        if usual and digest not in seen:
            seen.add(digest)
            yield text


def cutter(pattern: str | None) -> PreTokenizer:
    if pattern is None:
        return ByteLevel(add_prefix_space=False, use_regex=True)
    as_bytes = ByteLevel(add_prefix_space=False, use_regex=False)
    return Sequence([Split(Regex(pattern), "isolated"), as_bytes])


def measured(
    name: str, pattern: str | None, learned: list[str], held: list[str]
) -> dict[str, float]:
    """Returns the bytes per token on `held` at each size, by one training at the largest."""
    sizes = (*SIZES, GPT2_SIZE) if pattern is None else SIZES
    raw = tokenizers.Tokenizer(BPE())
    raw.pre_tokenizer = cutter(pattern)
    trainer = BpeTrainer(
        vocab_size=max(sizes) - SPECIAL_SLOTS,
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(iter(learned), trainer)
    model = json.loads(raw.to_str())["model"]
    size = sum(len(text.encode()) for text in held)
    found = {}
    for vocabulary in sizes:
        kept = {token: i for token, i in model["vocab"].items() if i < vocabulary - SPECIAL_SLOTS}
        merges = [tuple(merge) for merge in model["merges"] if "".join(merge) in kept]
        smaller = tokenizers.Tokenizer(BPE(vocab=kept, merges=merges))
        smaller.pre_tokenizer = cutter(pattern)
        tokens = sum(
            len(each.ids)
            for start in range(0, len(held), 200)
            for each in smaller.encode_batch_fast(held[start : start + 200])
        )
        found[str(vocabulary)] = round(size / tokens, 4)
    print(f"{name:<38} {found}", flush=True)
    return found


def speed(learned: list[str], held: list[str]) -> dict[str, float]:
    """Returns megabytes and documents per second of CPU time, on one core."""
    tokenizer = Tokenizer.train(learned[:2000], vocabulary=SIZES[1])
    texts = random.Random(0).sample(held, min(len(held), 1000))
    size = sum(len(text.encode()) for text in texts) / 1e6
    ids = [np.array(each, dtype=np.uint16) for each in map(tokenizer.encode, texts)]
    library = tokenizers.Tokenizer.from_str(tokenizer._text)
    rng = np.random.default_rng(0)

    def seconds(work: Callable[[], object]) -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return {
        "encode, MB/s": round(size / seconds(lambda: [*map(tokenizer.encode, texts)]), 1),
        "the library's threads, MB/s for each": round(
            size / seconds(lambda: library.encode_batch_fast(texts)), 1
        ),
        "decode, MB/s": round(
            size / seconds(lambda: [tokenizer.decode_bytes(each.tolist()) for each in ids]), 1
        ),
        "middle cut out of ids, documents/s": round(
            len(ids) / seconds(lambda: [fim.transform(tokenizer, x, rng, "psm") for x in ids])
        ),
        "middle cut out of text, documents/s": round(
            len(ids) / seconds(lambda: [fim.transform(tokenizer, x, rng, "psm") for x in texts])
        ),
        "kilobytes in a document": round(size * 1000 / len(texts), 1),
    }


if __name__ == "__main__":
    main()
