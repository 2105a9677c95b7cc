"""Reading piece by piece gives what reading at once gives."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.model import cache as cache_module
from codewright.model.cache import Cache
from tests.model.shapes import EVERY, config, decoder, tokens

CASES = {name: EVERY[name] for name in ("llama", "multi-query", "qwen2", "qwen3", "mixtral")}
MODELS = {name: decoder(shape) for name, shape in CASES.items()}


def pieces(length: int) -> st.SearchStrategy[list[int]]:
    """Returns ways to cut `length` into pieces."""
    cuts = st.sets(st.integers(1, max(1, length - 1)))
    return cuts.map(lambda found: _differences([0, *sorted(found - {length}), length]))


def _differences(borders):
    return [two - one for one, two in itertools.pairwise(borders)]


@settings(deadline=None, max_examples=60)
@given(
    case=st.sampled_from(sorted(CASES)),
    batch=st.integers(1, 3),
    cut=st.integers(1, 36).flatmap(pieces),
    growth=st.sampled_from([1, 5, 256]),
)
def test_any_split_gives_the_whole(case, batch, cut, growth):
    model = MODELS[case]
    ids = tokens(model.config, batch, sum(cut))
    cache = Cache(model.config, batch=batch)
    with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "GROWTH", growth)
        found = [model(piece, cache).hidden_BTD for piece in torch.split(ids, cut, dim=1)]
        wanted = model(ids).hidden_BTD
    torch.testing.assert_close(torch.cat(found, 1), wanted, atol=2e-5, rtol=1e-4)
    assert cache.length == sum(cut)


@settings(deadline=None, max_examples=60)
@given(
    case=st.sampled_from(sorted(CASES)),
    prompt=st.integers(1, 16).flatmap(pieces),
    steps=st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.integers(0, 3), min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    count=st.integers(1, 4),
)
def test_candidates_share_a_prompt_and_leave_one_by_one(case, prompt, steps, count):
    """A model of what a cache is: the tokens that each row has read."""
    model = MODELS[case]
    read = tokens(model.config, 1, sum(prompt))
    cache = Cache(model.config)
    seed = 0
    with torch.inference_mode():
        for piece in torch.split(read, prompt, dim=1):
            model(piece, cache)
        cache.expand(count)
        read = read.repeat(count, 1)
        for length, rows in steps:
            seed += 1
            new = tokens(model.config, len(read), length, seed)
            found = model(new, cache).hidden_BTD
            read = torch.cat((read, new), 1)
            wanted = model(read).hidden_BTD[:, -length:]
            torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)
            kept = [row % len(read) for row in rows]
            cache.select(kept)
            read = read[kept]
            assert (cache.batch, cache.length) == tuple(read.shape)


def test_what_was_expanded_can_be_expanded_again():
    model = MODELS["qwen2"]
    ids = tokens(model.config, 1, 12)
    other = tokens(model.config, 2, 6, seed=1)
    cache = Cache(model.config)
    with torch.inference_mode():
        model(ids[:, :5], cache)
        cache.expand(2)
        cache.expand(1) if cache.batch == 1 else cache.select([1])
        model(ids[:, 5:], cache)
        cache.expand(2)
        found = model(other, cache).hidden_BTD
        wanted = model(torch.cat((ids.repeat(2, 1), other), 1)).hidden_BTD[:, 12:]
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def test_selecting_before_anything_of_its_own_was_read():
    model = MODELS["llama"]
    cache = Cache(model.config)
    ids = tokens(model.config, 1, 4)
    with torch.inference_mode():
        model(ids[:, :3], cache)
        cache.expand(5)
        cache.select(torch.tensor([0, 3]))
        found = model(ids[:, 3:].repeat(2, 1), cache).hidden_BTD
        torch.testing.assert_close(found[1], model(ids).hidden_BTD[0, 3:], atol=2e-5, rtol=1e-4)


def test_a_prompt_is_kept_once_and_buffers_grow_in_place():
    shape = config()
    model = decoder(shape)
    cache = Cache(shape)
    with torch.inference_mode():
        model(tokens(shape, 1, 30), cache)
        cache.expand(50)
        model(tokens(shape, 50, 1), cache)
        before = cache.numbers()
        model(tokens(shape, 50, 1), cache)
        assert cache.numbers() == before
    each = 2 * shape.layers * shape.attention.kv_heads * shape.attention.head_dim
    assert before == each * (30 + 50 * (shape.context - 30))


def test_misuse_is_a_defect():
    model = MODELS["llama"]
    cache = Cache(model.config, batch=2)
    with torch.inference_mode():
        with pytest.raises(AssertionError, match="3 rows for a cache of 2"):
            model(tokens(model.config, 3, 2), cache)
        with pytest.raises(AssertionError, match="only a cache of one"):
            cache.expand(3)
