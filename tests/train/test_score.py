"""Bits per byte by directory against a slow, obvious count."""

import json
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from codewright.errors import DataError
from codewright.model.transformer import Decoder
from codewright.train.score import score, total
from tests.train import made


@pytest.fixture(scope="module")
def model():
    return Decoder(made.config(), generator=torch.Generator().manual_seed(2))


def slow(model, packed):
    """Row by row, all logits at once, in float32."""
    held = json.loads((packed / "held.json").read_text())
    rows = torch.from_numpy(np.load(packed / "held-00000.npy").astype(np.int64))
    nats = []
    for row in rows:
        with torch.no_grad():
            logits = model.logits(model(row[None, :-1]).hidden_BTD)[0]
        nats.append(float(F.cross_entropy(logits, row[1:], ignore_index=made.PAD, reduction="sum")))
    start = 0
    for group in held["groups"]:
        own = nats[start : start + group["rows"]]
        start += group["rows"]
        yield group["name"], sum(own) / math.log(2) / group["bytes"], sum(own) / group["tokens"]


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_each_directory_has_its_bits_per_byte(model, tmp_path, batch):
    packed = made.packed(tmp_path)
    groups = score(model, packed, pad=made.PAD, batch=batch, precision="float32")
    for group, (name, bits, loss) in zip(groups, slow(model, packed), strict=True):
        assert group.name == name
        assert group.bits_per_byte == pytest.approx(bits, rel=1e-5)
        assert group.perplexity == pytest.approx(math.exp(loss), rel=1e-5)
    every = total(groups)
    assert every.tokens == sum(group.tokens for group in groups)
    assert every.bits_per_byte == pytest.approx(
        sum(group.bits_per_byte * group.bytes for group in groups) / every.bytes
    )
    told = every.to_dict()
    assert told["bits_per_byte"] == every.bits_per_byte
    assert told["loss"] == pytest.approx(math.log(told["perplexity"]))


def test_in_bfloat16_it_is_near(model, tmp_path):
    packed = made.packed(tmp_path)
    exact = total(score(model, packed, pad=made.PAD, precision="float32"))
    near = total(score(model, packed, pad=made.PAD, precision="bf16"))
    assert near.bits_per_byte == pytest.approx(exact.bits_per_byte, rel=2e-3)


def test_a_model_that_knows_nothing_pays_the_logarithm_of_its_vocabulary(tmp_path):
    packed = made.packed(tmp_path)
    blank = Decoder(made.config())
    with torch.no_grad():
        blank.embedding.weight.zero_()
    every = total(score(blank, packed, pad=made.PAD))
    assert every.perplexity == pytest.approx(made.VOCABULARY, rel=1e-3)
    assert every.bits_per_byte == pytest.approx(math.log2(made.VOCABULARY) / 3, rel=1e-3)


def test_without_held_out_text_there_is_no_score(model, tmp_path):
    with pytest.raises(DataError, match="no text kept from training"):
        score(model, made.packed(tmp_path, held=0), pad=made.PAD)
