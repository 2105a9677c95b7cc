"""Trains the table of `repo/static_vectors.py`: sentences beside the functions they belong to.

A batch holds sentences and functions of a few distributions, in groups, so that what is wrong is
mostly of the same library, as it is in a search. The loss is cross-entropy over the batch, both
ways (Radford et al., "CLIP", 2021, section 2.3), with a learned temperature. Words are left out at
random on both sides, and names more often: what is left has to find its way. One thread, seeded.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.repo.words import stem

Ids = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the table is trained. drop, nameless: shares of words, and of names, left out."""

    words: int = 26_000
    least: int = 5
    size: int = 128
    epochs: int = 6
    batch: int = 2048
    group: int = 512
    rate: float = 0.01
    drop: float = 0.3
    nameless: float = 0.3
    temperature: float = 0.05
    seed: int = 1


class Pair(NamedTuple):
    """One line of `pairs.py`, in stems."""

    distribution: str
    sentence: list[str]
    paragraph: list[str]
    fields: tuple[list[str], list[str], list[str]]


def read(path: Path) -> list[Pair]:
    """Returns the pairs of a file."""
    cut = lru_cache(maxsize=None)(stem)
    found = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            name, *texts = line.rstrip("\n").split("\t")
            sentence, paragraph, *rest = ([cut(word) for word in each.split()] for each in texts)
            named, head, body = rest
            found.append(Pair(name, sentence, paragraph, (named, head, body)))
    return found


def vocabulary(pairs: Sequence[Pair], recipe: Recipe) -> tuple[list[str], np.ndarray]:
    """Returns the words that most texts have, and how telling each is: its log share, inverted."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        counts.update({*pair.sentence, *pair.paragraph})
        counts.update({word for field in pair.fields for word in field})
    table = sorted(counts, key=lambda word: (-counts[word], word))[: recipe.words]
    table = [word for word in table if counts[word] >= recipe.least]
    worth = np.log(2 * len(pairs) / np.array([counts[word] for word in table]))
    return table, worth.clip(0.3).astype(np.float32)


class Towers(nn.Module):
    """One table of rows; each word has a weight of its own on each side."""

    def __init__(self, worth: np.ndarray, recipe: Recipe) -> None:
        super().__init__()
        rows = torch.randn(len(worth), recipe.size) / recipe.size**0.5
        self.rows = nn.Parameter(rows * torch.from_numpy(worth)[:, None] / 5)
        self.asked = nn.Parameter(torch.zeros(len(worth), 1))
        self.fields = nn.Parameter(torch.tensor([0.7, 0.3, 1.0]).log())
        self.sharpness = nn.Parameter(torch.tensor(1 / recipe.temperature).log())

    def forward(self, questions: Sequence[Ids], pieces: Sequence[Sequence[Ids]]) -> Tensor:
        """Returns the products of each question with each piece, sharpened."""
        asked = F.normalize(bag(self.rows * self.asked.exp(), questions)[0], dim=1)
        parts = []
        for field, weight in zip(pieces, self.fields.exp(), strict=True):
            added, counts = bag(self.rows, field)
            parts.append(weight * added / counts.sqrt())
        found = F.normalize(torch.stack(parts).sum(0), dim=1)
        return asked @ found.T * self.sharpness.exp()


def bag(rows: Tensor, lists: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Returns the sums of rows, and how many each is of (1 for none)."""
    counts = [len(each) for each in lists]
    starts = np.cumsum([0, *counts[:-1]])
    joined = torch.from_numpy(np.concatenate(lists).astype(np.int64))
    added = F.embedding_bag(joined, rows, torch.from_numpy(starts), mode="sum")
    return added, torch.tensor(counts, dtype=torch.float32).clamp(min=1)[:, None]


class Batches:
    """The pairs as numbers, drawn batch by batch."""

    def __init__(self, pairs: Sequence[Pair], table: Sequence[str], recipe: Recipe) -> None:
        self._recipe = recipe
        self._draws = np.random.default_rng(recipe.seed)
        places = {word: place for place, word in enumerate(table)}

        def known(found: Sequence[str]) -> Ids:
            ids = dict.fromkeys(places[word] for word in found if word in places)
            return np.array(list(ids), dtype=np.int32)

        self._sentences = [known(each.sentence) for each in pairs]
        self._paragraphs = [known(each.paragraph) for each in pairs]
        self._fields = [[known(field) for field in each.fields] for each in pairs]
        self._of: dict[str, list[int]] = {}
        for place, pair in enumerate(pairs):
            self._of.setdefault(pair.distribution, []).append(place)
        self.count = len(pairs) // recipe.batch

    def epoch(self) -> Iterator[tuple[list[Ids], list[list[Ids]]]]:
        """Yields the batches of one pass."""
        size, groups = self._recipe.batch, []
        for places in self._of.values():
            mixed = self._draws.permutation(places)
            groups += [
                mixed[at : at + self._recipe.group]
                for at in range(0, len(mixed), self._recipe.group)
            ]
        order = np.concatenate([groups[at] for at in self._draws.permutation(len(groups))])
        for at in range(0, self.count * size, size):
            yield self._batch(order[at : at + size])

    def _batch(self, places: Ids) -> tuple[list[Ids], list[list[Ids]]]:
        draws = self._draws
        questions = [
            self._some((self._sentences if draws.random() < 0.7 else self._paragraphs)[place])
            for place in places
        ]
        nothing = np.zeros(0, dtype=np.int32)
        names = [
            nothing
            if draws.random() < self._recipe.nameless
            else self._some(self._fields[place][0])
            for place in places
        ]
        rest = [[self._some(self._fields[place][at]) for place in places] for at in (1, 2)]
        return questions, [names, *rest]

    def _some(self, ids: Ids) -> Ids:
        if len(ids) < 2:
            return ids
        kept = ids[self._draws.random(len(ids)) >= self._recipe.drop]
        return kept if len(kept) else ids


def train(pairs: Sequence[Pair], recipe: Recipe) -> bytes:
    """Returns the trained table as the bytes of `data/vectors.npz`."""
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    table, worth = vocabulary(pairs, recipe)
    towers, batches = Towers(worth, recipe), Batches(pairs, table, recipe)
    print(f"{len(pairs):,} pairs, {len(table):,} words", flush=True)
    optimizer = torch.optim.Adam(towers.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    steps = recipe.epochs * batches.count
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 50) * max(0.02, 1 - step / steps)
    )
    began = time.monotonic()
    for epoch in range(recipe.epochs):
        total = 0.0
        for questions, pieces in batches.epoch():
            scores = towers(questions, pieces)
            right = torch.arange(len(questions))
            loss = (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        seconds = time.monotonic() - began
        print(f"epoch {epoch + 1}: loss {total / batches.count:.3f}, {seconds:.0f} s", flush=True)
    return packed(table, towers)


def packed(table: Sequence[str], towers: Towers) -> bytes:
    """Returns the table with its rows in bytes."""
    rows = towers.rows.detach().numpy()
    scale = np.abs(rows).max(axis=1) / 127
    out = io.BytesIO()
    np.savez(
        out,
        words=np.frombuffer("\n".join(table).encode(), dtype=np.uint8),
        rows=np.rint(rows / scale[:, None]).astype(np.int8),
        scale=scale.astype(np.float32),
        asked=towers.asked.detach().exp().numpy()[:, 0].astype(np.float32),
        fields=towers.fields.detach().exp().numpy().astype(np.float32),
    )
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    given = parser.parse_args()
    recipe = Recipe(**{field.name: getattr(given, field.name) for field in fields(Recipe)})
    given.out.write_bytes(train(read(given.pairs), recipe))


if __name__ == "__main__":
    main()
