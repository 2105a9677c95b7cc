"""The whole life of a small model by its recipe: corpus, tokenizer, rows, training, scores, words.

Smaller and shorter than the recipe says, for a server with one slow core; what it is made of is the
same. Killed at random moments and started again, it has to end with the same bits.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from math import fsum, log

import numpy as np
import pytest
import torch

from codewright.files import read_rows
from codewright.generate.local import LocalGenerator
from codewright.model import checkpoint
from codewright.tokens.bpe import Tokenizer
from codewright.types.generation import Request
from tests.corpus.test_build import benchmarks, environment, planted
from tests.test_layers import REPOSITORY

STEPS = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Returns what the command line needs: an environment with planted files, and benchmarks."""
    folder = tmp_path_factory.mktemp("world")
    return environment(folder / "site"), benchmarks(folder / "data")


def begin(world, out):
    site, data = world
    sources = (
        '[{kind = "standard-library", share = 0.15, exclude = ["test/*", "*/test*", "idlelib/*"]}, '
        f'{{kind = "installed", path = "{site}"}}]'
    )
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "codewright", "train", "recipes/tiny.toml", "--json"),
            *("--out", str(out)),
            *(f"corpus.sources={sources}", "corpus.workers=1", 'pack.held=["aone", "python/json"]'),
            *(f"train.budget.steps={STEPS}", "train.batch=8", "train.compute.threads=1"),
            *("train.watch.save_every=5", "train.watch.evaluate_every=20"),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "CODEWRIGHT_DATA": str(data), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that its workers can be killed with it
    )


@pytest.fixture(scope="module")
def life(world, tmp_path_factory):
    """A life that nothing disturbed: its folder, and what the command printed."""
    out = tmp_path_factory.mktemp("life")
    process = begin(world, out)
    printed, said = process.communicate(timeout=280)
    assert process.returncode == 0, said
    return out, json.loads(printed)["stages"]


def test_what_was_planted_is_dropped_each_for_its_own_reason(life):
    out, stages = life
    told = {row["path"]: row["reason"] for _, row in read_rows(out / "corpus" / "drops.jsonl")}
    for number, reason in enumerate(planted()):
        assert told[f"bad/{number:02d}.py"] == reason
    assert told["unfree.py"] == "licence"
    dropped = stages["corpus"]["dropped"]
    assert dropped["decontamination: contaminated: humaneval"] == 1
    assert sum(dropped.values()) == len(told)


def test_it_learned_more_than_how_often_each_token_comes(life):
    out, stages = life
    rows = np.concatenate([np.load(path) for path in (out / "packed").glob("rows-*.npy")])
    counts = Counter(rows[:, 1:][rows[:, 1:] != 4].tolist())
    total = sum(counts.values())
    unigram = -fsum(n / total * log(n / total) for n in counts.values())
    metrics = [row for _, row in read_rows(out / "training" / "metrics.jsonl")]
    losses = [row["nll"] for row in metrics if row["kind"] == "step"]
    assert len(losses) == STEPS
    assert abs(losses[0] - log(stages["tokenizer"]["vocabulary"])) < 0.3
    assert fsum(losses[-10:]) / 10 < unigram - 0.2
    assert (out / "training" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert list((out / "training" / "tensorboard").iterdir())


def test_its_score_is_that_of_the_text_that_was_kept_from_it(life):
    out, stages = life
    score = json.loads((out / "score.json").read_text())
    assert score == {k: v for k, v in stages["score"].items() if k not in ("made", "seconds")}
    names = {group["name"] for group in score["groups"]}
    assert any(name.startswith("aone") for name in names)
    # Eight bits a byte is what text costs without any model; even this one halves it.
    assert 1.0 < score["held_out"]["bits_per_byte"] < 4.0
    packed = json.loads((out / "packed" / "held.json").read_text())
    assert score["held_out"]["tokens"] == packed["tokens"]


def test_its_checkpoint_loads_and_writes(life):
    out, stages = life
    folder = out / stages["train"]["checkpoint"]
    assert max(path.stat().st_size for path in folder.iterdir()) <= 16_000_000
    model, _ = checkpoint.load(folder)
    assert model.config.parameters() == stages["train"]["parameters"]
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    assert tokenizer.sha256 == stages["tokenizer"]["sha256"]
    generator = LocalGenerator(folder)
    for request in (
        Request(prompt="def ", n=2, max_tokens=24, seed=1),
        Request(prompt="def f(x):\n    ", suffix="\n    return y\n", max_tokens=24, seed=1),
    ):
        (completions,) = generator.generate([request])
        assert len(completions) == request.n
        assert all(0 < each.tokens <= 24 and each.log_probability < 0 for each in completions)


def test_killed_at_random_moments_it_ends_with_the_same_bits(life, world, tmp_path):
    out, stages = life
    chance = random.Random()
    # Once while the corpus is made, then twice while it trains, if it comes to that.
    for least, most in ((2.0, 9.0), (6.0, 18.0), (6.0, 18.0)):
        process = begin(world, tmp_path)
        until = time.monotonic() + chance.uniform(least, most)
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = begin(world, tmp_path)
    printed, said = process.communicate(timeout=280)
    assert process.returncode == 0, said
    assert json.loads(printed)["stages"]["score"]["held_out"] == stages["score"]["held_out"]
    for name in ("tokenizer.json", "packed/rows-00000.npy", "packed/held-00000.npy"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
    ours, theirs = (
        checkpoint.load(folder / stages["train"]["checkpoint"])[0] for folder in (tmp_path, out)
    )
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other), name
    steps = [row["step"] for _, row in read_rows(tmp_path / "training" / "metrics.jsonl")
             if row["kind"] == "step"]  # fmt: skip
    assert steps == list(range(1, STEPS + 1))
