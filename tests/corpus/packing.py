"""What the tests of packing share: a small real tokenizer and made documents."""

from __future__ import annotations

import random

from codewright.tokens.bpe import Tokenizer
from codewright.types.document import Document


def tokenizer() -> Tokenizer:
    """Returns a tokenizer of a few hundred tokens, learned from made source text."""
    return Tokenizer.train([source(n) for n in range(40)], vocabulary=400)


def source(number: int, lines: int = 20) -> str:
    """Returns made source text, another for each number."""
    rng = random.Random(number)
    words = ["alpha", "beta_value", "gamma", "delta", "Δelta", "x", "total", "number_of_items"]
    text = []
    for line in range(lines):
        first, second = rng.choices(words, k=2)
        if line % 5 == 0:
            text.append(f"def {first}_{number}({second}):")
        else:
            text.append(f"    {first} = {second} + {rng.randrange(1000)}  # {number}")
    return "\n".join(text) + "\n"


def document(number: int, *, lines: int = 20, origin: str = "made==1.0") -> Document:
    """Returns a made document."""
    text = source(number, lines)
    return Document(text=text, path=f"made/part{number % 3}/f{number}.py", licence="MIT",
                    origin=origin)  # fmt: skip


def documents(count: int, *, origins: int = 8, seed: int = 0) -> list[Document]:
    """Returns documents of mixed lengths from several distributions."""
    rng = random.Random(seed)
    return [
        document(number, lines=int(10 ** rng.uniform(0, 2.2)), origin=f"lib{number % origins}==1")
        for number in range(count)
    ]
