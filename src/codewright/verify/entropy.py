"""How far apart the candidates are in what they do: semantic entropy, in bits.

Semantic entropy (Kuhn, Gal, Farquhar 2023, "Semantic Uncertainty", section 4) is the entropy over
classes of equal meaning instead of over texts. Here the meaning of a program is its behaviour, so
the classes are given and nothing has to judge whether two texts mean the same. Two estimators of
the classes' probabilities (Farquhar, Kossen, Kuhn, Gal 2024, "Detecting hallucinations in large
language models using semantic entropy", Methods):

- discrete: a class weighs as much as it has samples. Needs no log-probabilities.
- Rao-Blackwellised: a class weighs the sum of the probabilities of the samples seen in it.

Both are computed from what was sampled and are too low where classes were missed. Nothing here
runs a program or makes a class.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def semantic_entropy(sizes: Sequence[float]) -> float:
    """Returns the entropy in bits of classes with these sizes: counts, or masses of any scale.

    0 for one class, log2(n) for n equal ones; a class of size 0 adds nothing.

    Raises:
        ValueError: a size is negative or not finite, or all are 0, or there are none.
    """
    largest = max(sizes, default=0.0)
    if not all(math.isfinite(size) and size >= 0 for size in sizes) or largest <= 0:
        raise ValueError("entropy needs sizes that are finite, not negative and not all 0")
    # Scaled first: the sum of large sizes may not be finite.
    scaled = [size / largest for size in sizes]
    total = math.fsum(scaled)
    shares = [size / total for size in scaled]
    return math.fsum(-share * math.log2(share) for share in shares if share > 0) + 0.0


def probability_masses(
    classes: Sequence[Sequence[int]],
    log_probabilities: Sequence[float],
    tokens: Sequence[int],
    *,
    texts: Sequence[str] | None = None,
    length_normalised: bool = True,
) -> list[float]:
    """Returns the probability mass of each class, in the order of `classes`; they sum to 1.

    The estimator, with S the distinct samples that are in any class and l(s) the sum of the
    natural log-probabilities of the tokens(s) tokens of s:

        mass(C) = sum over s in S and C of exp(l(s) / tokens(s)), over the same sum over all S

    exp(l / tokens) is the geometric mean of the tokens' probabilities (Malinin & Gales 2021,
    "Uncertainty Estimation in Autoregressive Structured Prediction"; Kuhn et al. 2023): without
    it a long right program weighs nothing beside a short wrong one.
    With `length_normalised` off, exp(l) takes its place, and the masses are the model's own
    probabilities, conditional on S.

    A text that was drawn twice says nothing new about its probability, so it counts once per
    class; where its log-probabilities differ by rounding, the larger one counts.

    Args:
        classes: indices into the other sequences; a class of none has mass 0.
        log_probabilities: one per sample, natural logarithm, summed over its tokens.
        tokens: one per sample.
        texts: one per sample. Without them every sample counts as distinct.

    Raises:
        ValueError: the sequences differ in length; a sample of a class has no token or a
            log-probability that is nan or +inf; or no sample has a probability above 0.
    """
    if len(log_probabilities) != len(tokens) or (texts is not None and len(texts) != len(tokens)):
        raise ValueError("log-probabilities, tokens and texts have to be one per sample")
    distinct: list[dict[Hashable, float]] = []
    for members in classes:
        seen: dict[Hashable, float] = {}
        for index in members:
            weight = _log_weight(log_probabilities[index], tokens[index], length_normalised)
            name: Hashable = index if texts is None else texts[index]
            seen[name] = max(weight, seen.get(name, -math.inf))
        distinct.append(seen)
    top = max((weight for seen in distinct for weight in seen.values()), default=-math.inf)
    if top == -math.inf:
        raise ValueError("no sample has a probability above 0")
    # Log-sum-exp: with the largest weight taken out, the largest term is 1 and none overflows.
    sums = [math.fsum(math.exp(weight - top) for weight in seen.values()) for seen in distinct]
    total = math.fsum(sums)
    return [part / total for part in sums]


def rao_blackwell_entropy(
    classes: Sequence[Sequence[int]],
    log_probabilities: Sequence[float],
    tokens: Sequence[int],
    *,
    texts: Sequence[str] | None = None,
    length_normalised: bool = True,
) -> float:
    """Returns the entropy in bits of `probability_masses`, whose arguments and errors it has.

    This is -sum of P(C) log P(C) over the classes, with P normalised over the classes that were
    seen (Farquhar et al. 2024, Methods), and not the mean of -log P(C) of Kuhn et al. 2023.
    """
    return semantic_entropy(
        probability_masses(
            classes, log_probabilities, tokens, texts=texts, length_normalised=length_normalised
        )
    )


def text_entropy(texts: Sequence[str]) -> float:
    """Returns the discrete entropy in bits over distinct texts: what semantic entropy improves on.

    Never below the discrete semantic entropy of the same samples, if equal texts do the same.

    Raises:
        ValueError: there is no text.
    """
    return semantic_entropy(list(Counter(texts).values()))


def _log_weight(log_probability: float, tokens: int, length_normalised: bool) -> float:
    if tokens < 1 or math.isnan(log_probability) or log_probability == math.inf:
        raise ValueError(f"no probability of {tokens} tokens with logarithm {log_probability}")
    return log_probability / tokens if length_normalised else log_probability
