"""Semantic entropy: its laws, and its estimators against brute force over a model's every text."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.verify.entropy import (
    probability_masses,
    rao_blackwell_entropy,
    semantic_entropy,
    text_entropy,
)

COUNTS = st.lists(st.integers(1, 1000), min_size=1, max_size=30)
MASSES = st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda m: max(m) > 1e-300)


@given(st.floats(1e-300, 1e300))
def test_one_class_has_none(size: float):
    assert semantic_entropy([size]) == 0.0
    assert math.copysign(1, semantic_entropy([size])) == 1.0


@given(st.integers(1, 500), st.floats(1e-300, 1e300))
def test_equal_classes_have_the_logarithm_of_their_number(n: int, size: float):
    assert semantic_entropy([size] * n) == pytest.approx(math.log2(n), abs=1e-12)


@given(COUNTS)
def test_equals_the_definition(sizes: list[int]):
    shares = [float(Fraction(size, sum(sizes))) for size in sizes]
    truth = sum(-share * math.log2(share) for share in shares)
    assert semantic_entropy(sizes) == pytest.approx(truth, abs=1e-12)


@given(MASSES, st.randoms(use_true_random=False), st.floats(1e-3, 1e3))
def test_neither_order_nor_scale_nor_empty_classes_matter(sizes, rng, scale):
    here = semantic_entropy(sizes)
    assert -1e-12 <= here <= math.log2(len(sizes)) + 1e-12
    shuffled = [*sizes, 0.0]
    rng.shuffle(shuffled)
    assert semantic_entropy(shuffled) == pytest.approx(here, abs=1e-12)
    assert semantic_entropy([size * scale for size in sizes]) == pytest.approx(here, abs=1e-9)


@given(MASSES.filter(lambda m: len(m) > 1))
def test_merging_classes_never_raises_it(sizes: list[float]):
    merged = [sizes[0] + sizes[1], *sizes[2:]]
    assert semantic_entropy(merged) <= semantic_entropy(sizes) + 1e-12


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(*[st.lists(
    st.floats(0, 1), min_size=n, max_size=n).filter(lambda m: sum(m) > 1e-3)] * 2)), st.floats(0, 1)
)  # fmt: skip
def test_it_is_concave(pair: tuple[list[float], list[float]], share: float):
    first, second = ([each / sum(part) for each in part] for part in pair)
    mixed = [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]
    apart = share * semantic_entropy(first) + (1 - share) * semantic_entropy(second)
    assert semantic_entropy(mixed) >= apart - 1e-12


@pytest.mark.parametrize("sizes", [[], [0.0], [1.0, -1.0], [math.nan, 1.0], [1.0, math.inf]])
def test_refuses_what_has_no_entropy(sizes: list[float]):
    with pytest.raises(ValueError, match="entropy needs"):
        semantic_entropy(sizes)


def test_extremes_of_size_stay_finite():
    assert semantic_entropy([1.7e308] * 4) == pytest.approx(2.0)
    assert semantic_entropy([5e-324] * 4) == pytest.approx(2.0)
    assert semantic_entropy([1e300, 5e-324]) == 0.0


NEXT = {"a": 0.5, "b": 0.3, "c": 0.2}
"""A model that draws three tokens, each on its own."""

TEXTS = ["".join(drawn) for drawn in product(NEXT, repeat=3)]
LOGS = [sum(math.log(NEXT[token]) for token in text) for text in TEXTS]


def by_meaning(texts: list[str]) -> list[list[int]]:
    """Texts mean the same that have as many a."""
    classes: dict[int, list[int]] = {}
    for index, text in enumerate(texts):
        classes.setdefault(text.count("a"), []).append(index)
    return list(classes.values())


def test_with_every_text_seen_it_is_the_entropy_of_the_model():
    binomial = [math.comb(3, k) * 0.5**3 for k in range(4)]
    truth = -sum(p * math.log2(p) for p in binomial)
    classes, tokens = by_meaning(TEXTS), [3] * 27
    exact = rao_blackwell_entropy(classes, LOGS, tokens, length_normalised=False)
    assert exact == pytest.approx(truth, abs=1e-12)
    masses = probability_masses(classes, LOGS, tokens, length_normalised=False)
    assert sorted(masses) == pytest.approx(sorted(binomial), abs=1e-12)


SAMPLES = st.lists(
    st.tuples(st.floats(-200, 0), st.integers(1, 60), st.integers(0, 5)), min_size=1, max_size=20
)


def split(samples):
    classes: dict[int, list[int]] = {}
    for index, (_, _, name) in enumerate(samples):
        classes.setdefault(name, []).append(index)
    return list(classes.values()), [logp for logp, _, _ in samples], [n for _, n, _ in samples]


@given(SAMPLES)
def test_equals_brute_force(samples):
    classes, logs, tokens = split(samples)
    weights = [math.exp(logp / n) for logp, n in zip(logs, tokens, strict=True)]
    truth = [sum(weights[i] for i in members) / sum(weights) for members in classes]
    masses = probability_masses(classes, logs, tokens)
    assert masses == pytest.approx(truth, rel=1e-9)
    assert sum(masses) == pytest.approx(1.0)
    entropy = -sum(p * math.log2(p) for p in truth if p > 0)
    assert rao_blackwell_entropy(classes, logs, tokens) == pytest.approx(entropy, abs=1e-9)


@given(SAMPLES)
def test_stays_exact_where_probabilities_underflow(samples):
    classes, logs, tokens = split(samples)
    here = probability_masses(classes, logs, tokens, length_normalised=False)
    far = [logp - 50_000 for logp in logs]
    there = probability_masses(classes, far, tokens, length_normalised=False)
    assert there == pytest.approx(here, rel=1e-6, abs=1e-12)


@given(SAMPLES, st.integers(1, 4))
def test_a_text_drawn_again_changes_nothing(samples, times: int):
    classes, logs, tokens = split(samples)
    texts = [str(index) for index in range(len(samples))]
    once = probability_masses(classes, logs, tokens, texts=texts)
    assert once == probability_masses(classes, logs, tokens)
    again = [
        [index + len(samples) * time for time in range(times) for index in members]
        for members in classes
    ]
    repeated = probability_masses(again, logs * times, tokens * times, texts=texts * times)
    assert repeated == pytest.approx(once, rel=1e-12)


@given(st.integers(2, 20), st.floats(-5, -0.01))
def test_equal_probabilities_give_the_discrete_entropy(n: int, per_token: float):
    classes = [list(range(0, n, 2)), list(range(1, n, 2))]
    tokens = list(range(1, n + 1))
    logs = [per_token * count for count in tokens]
    discrete = semantic_entropy([len(members) for members in classes])
    assert rao_blackwell_entropy(classes, logs, tokens) == pytest.approx(discrete, abs=1e-9)


def test_samples_in_no_class_do_not_count_and_empty_classes_weigh_nothing():
    assert probability_masses([[1], [], [2]], [0.0, -1.0, -1.0], [1, 1, 1]) == [0.5, 0.0, 0.5]
    assert probability_masses([[0], [1]], [-math.inf, -1.0], [1, 1]) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("classes", "logs", "tokens", "match"),
    [
        ([[0]], [-1.0], [0], "0 tokens"),
        ([[0]], [math.nan], [1], "nan"),
        ([[0]], [math.inf], [1], "inf"),
        ([[0]], [-math.inf], [1], "above 0"),
        ([], [], [], "above 0"),
        ([[0]], [-1.0], [1, 1], "one per sample"),
    ],
)
def test_refuses_samples_without_a_probability(classes, logs, tokens, match):
    with pytest.raises(ValueError, match=match):
        probability_masses(classes, logs, tokens)


@given(st.lists(st.text(alphabet="ab", max_size=3), min_size=1, max_size=20))
def test_what_texts_do_has_never_more_entropy_than_the_texts(texts: list[str]):
    counts = [texts.count(text) for text in set(texts)]
    assert text_entropy(texts) == pytest.approx(semantic_entropy(counts), abs=1e-12)
    meanings = [len(members) for members in by_meaning(texts)]
    assert semantic_entropy(meanings) <= text_entropy(texts) + 1e-12


def test_no_text_has_no_entropy():
    with pytest.raises(ValueError, match="entropy needs"):
        text_entropy([])
