"""Drawing in C and in torch against drawing by the book, and all against the laws of chance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kernels import BUILDS, needs_kernels

from codewright.engine import library, sampling
from codewright.engine.sampling import MANNER, Sampling
from codewright.engine.torch_draw import draw as draw_in_torch


def in_torch(logits_RV: np.ndarray, manners_R: np.ndarray) -> tuple:
    ids, scores = draw_in_torch(torch.from_numpy(logits_RV.copy()), manners_R)
    return ids.numpy(), scores.numpy()


def in_c(logits_RV: np.ndarray, manners_R: np.ndarray, build: str = "") -> tuple:
    """Draws with the kernels; rows are padded as a runner pads them."""
    found = library.find(build)
    rows, count = logits_RV.shape
    padded = np.full((rows, -(-count // library.PANEL) * library.PANEL), 7e8, np.float32)
    padded[:, :count] = logits_RV
    ids, scores = np.empty(rows, np.int32), np.empty(rows, np.float32)
    pool = found.calls.cw_pool_new(2)
    found.calls.cw_sample(
        *(found.build, library.address(padded), rows, count, padded.shape[1]),
        *(library.address(manners_R), library.address(ids), library.address(scores), pool),
    )
    found.calls.cw_pool_free(pool)
    return ids, scores


def manners(rows: int, how: Sampling, seed: int) -> np.ndarray:
    made = np.zeros(rows, MANNER)
    for name in ("temperature", "top_p", "min_p", "top_k"):
        made[name] = getattr(how, name)
    made["key"] = [sampling.key(seed, row) for row in range(rows)]
    made["step"] = np.arange(rows) % 5
    return made


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 700),
    spread=st.sampled_from([0.0, 0.3, 3.0, 30.0]),
    forbidden=st.sampled_from([0.0, 0.7]),
    how=st.builds(
        Sampling,
        temperature=st.sampled_from([0.0, 1e-3, 0.2, 1.0, 5.0]),
        top_p=st.sampled_from([1.0, 0.95, 0.5, 0.01, 0.0]),
        top_k=st.sampled_from([0, 1, 3, 50, 10_000]),
        min_p=st.sampled_from([0.0, 0.05, 1.0]),
    ),
    seed=st.integers(0, 2**64 - 1),
    build=st.sampled_from(["torch", *BUILDS]),
)
def test_all_draw_what_the_book_draws(count, spread, forbidden, how, seed, build):
    random = np.random.default_rng(seed % 2**32)
    logits = (random.normal(size=(9, count)) * spread).astype(np.float32)
    logits[:, 1:][random.random((9, count - 1)) < forbidden] = -np.inf
    made = manners(9, how, seed)
    ids, scores = in_torch(logits, made) if build == "torch" else in_c(logits, made, build)
    for row in range(9):
        token, score = sampling.draw(logits[row], made[row])
        assert scores[row] == pytest.approx(_score(logits[row], ids[row]), abs=2e-4, rel=1e-4)
        if ids[row] != token:  # only where rounding may decide
            assert _close_call(logits[row], made[row], int(ids[row]), token)
        else:
            assert score == pytest.approx(scores[row], abs=2e-4, rel=1e-4)


def _score(logits: np.ndarray, token: int) -> float:
    exact = logits.astype(np.float64) - logits.max()
    return exact[token] - np.log(np.exp(exact).sum())


def _close_call(logits: np.ndarray, manner, token: int, other: int) -> bool:
    """Tells whether a draw falls so close to a border that float32 may put it on either side."""
    weights = np.exp((logits.astype(np.float64) - logits.max()) / float(manner["temperature"]))
    weights = sampling.kept(weights, top_k=int(manner["top_k"]), min_p=float(manner["min_p"]))
    edges = np.cumsum(weights) / weights.sum()
    key, step = np.array([manner["key"]]), np.array([manner["step"]])
    places = [sampling.uniforms(key, step, attempt)[0] for attempt in range(sampling.ATTEMPTS + 1)]
    near = min(abs(edges - place).min() for place in places)
    share = weights / weights.sum()
    above = np.array([share[share > share[t]].sum() for t in (token, other)])
    return near < 1e-5 or abs(above - float(manner["top_p"])).min() < 1e-5


@needs_kernels
@pytest.mark.parametrize(
    "how",
    [
        Sampling(temperature=0.8, top_p=0.9),
        Sampling(temperature=1.5, top_k=5),
        Sampling(temperature=1.0, min_p=0.2, top_p=0.7),
        Sampling(temperature=1.0, top_p=0.3),
    ],
)
def test_draws_have_the_distribution_that_is_asked_for(how: Sampling):
    rows = 20_000
    logits = np.random.default_rng(4).normal(size=40).astype(np.float32) * 1.5
    weights = np.exp((logits.astype(np.float64) - logits.max()) / how.temperature)
    inside = sampling.kept(weights, top_k=how.top_k, min_p=how.min_p)
    inside = sampling.nucleus(inside, how.top_p) if how.top_p < 1 else inside
    expected = inside / inside.sum() * rows
    ids, _ = in_c(np.tile(logits, (rows, 1)), manners(rows, how, 1))
    seen = np.bincount(ids, minlength=40)
    assert (seen[expected == 0] == 0).all()
    some = expected > 0
    chi = ((seen[some] - expected[some]) ** 2 / expected[some]).sum()
    freedom = some.sum() - 1
    assert chi < freedom + 5 * (2 * freedom) ** 0.5


def test_penalties_are_those_of_their_papers():
    logits = np.array([2.0, -2.0, 1.0, 0.5], np.float32)
    how = Sampling(repetition=2.0, presence=0.25, frequency=0.5)
    changed = logits.copy()
    sampling.penalise(changed, how, [1], [0, 0, 2])
    assert changed.tolist() == [2 / 2 - 0.25 - 1.0, -4.0, 0.5 - 0.25 - 0.5, 0.5]
    untouched = logits.copy()
    sampling.penalise(untouched, how, [], [])
    assert untouched.tolist() == logits.tolist()
