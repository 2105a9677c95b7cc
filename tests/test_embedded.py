"""The model that ships: small enough, told about, and able to do what it is there for."""

from __future__ import annotations

import json
import math
from json import decoder
from pathlib import Path

import pytest
import torch

from codewright.corpus.fingerprints import Index
from codewright.generate.registry import embedded, open_generator
from codewright.generate.remote import Service
from codewright.generate.settings import Arrangement, Local
from codewright.model import checkpoint
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END
from codewright.types.generation import Generator, Request

MOST = 60_000_000
FRESH = '''\
def count_vowels(text):
    """Return how many vowels there are in text."""
    total = 0
    for letter in text:
        if letter in "aeiou":
            total += 1
    return total
'''


@pytest.fixture(scope="module")
def generator() -> Generator:
    return open_generator("embedded", environment={}, service=Service())


def test_it_is_small_and_whole():
    folder = embedded()
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sum(sizes.values()) <= MOST
    assert {"config.json", "tokenizer.json", "card.md", "fingerprints.npz"} <= sizes.keys()
    model, _ = checkpoint.load(folder)
    assert model.config.context >= 2048
    # One byte a weight and little more.
    weights = sum(size for name, size in sizes.items() if name.endswith(".safetensors"))
    assert weights < 1.1 * model.config.parameters()
    assert Tokenizer.load(folder / "tokenizer.json").vocabulary == model.config.vocabulary


def test_its_card_says_what_it_is_made_of():
    folder = embedded()
    card = (folder / "card.md").read_text()
    for word in ("Data", "Licences", "operations", "Held out", "Scores", "Limits"):
        assert word in card
    million = checkpoint.load(folder)[0].config.parameters() / 1e6
    assert f"{million:.1f} million parameters" in card
    kept = json.loads((folder / "config.json").read_text())
    assert f"{kept['model']['context']:,} tokens" in card


def test_it_predicts_code_and_not_noise():
    folder = embedded()
    model, _ = checkpoint.load(folder)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")

    def bits(text: str) -> float:
        ids = torch.tensor([[END, *tokenizer.encode(text)]])
        with torch.no_grad():
            logits = model.logits(model(ids[:, :-1]).hidden_BTD)
        nats = torch.nn.functional.cross_entropy(logits[0], ids[0, 1:], reduction="sum")
        return float(nats) / math.log(2) / len(text.encode())

    assert bits(FRESH) < 1.0
    assert bits(FRESH) < bits(FRESH[::-1]) / 3


@pytest.mark.parametrize("order", ["psm", "spm"])
def test_it_fills_a_gap_in_both_orders(order: Arrangement):
    generator = open_generator(
        "embedded", environment={}, service=Service(), local=Local(fim=order)
    )
    before, gap, after = FRESH.partition("        if letter in")
    first, _, rest = (gap + after).partition("\n            total += 1\n")
    request = Request(
        prompt=before + first + "\n",
        suffix=rest,
        n=16,
        temperature=0.4,
        max_tokens=24,
        seed=1,
    )
    (said,) = generator.generate([request])
    assert sum("total += 1" in each.text for each in said) >= 4


def test_it_writes_what_it_was_shown_the_like_of(generator: Generator):
    prompt = 'def double(number):\n    """Return number times two."""\n'
    (said,) = generator.generate(
        [Request(prompt=prompt, n=16, temperature=0.4, max_tokens=24, stop=("\n\n",), seed=1)]
    )
    assert any("return number * 2" in each.text or "2 * number" in each.text for each in said)


def test_its_index_knows_its_sources():
    index = Index.load(embedded() / "fingerprints.npz")
    source = Path(decoder.__file__).read_text()
    first, *_ = index.match(source)
    assert first.origin.startswith("python==")
    assert first.licence == "PSF-2.0"
    assert first.path.endswith("json/decoder.py")
    assert not index.match(FRESH)
