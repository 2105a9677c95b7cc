"""Constraints in the engine: exact against masks and the slow draw, under any pressure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.test_engine import BYTES, ENDS
from tests.reference.engine import VOCABULARY, RememberingRunner, continued, logits_of

from codewright.engine import sampling
from codewright.engine.checked import Field, draw
from codewright.engine.engine import Engine
from codewright.engine.sampling import MANNER, Sampling, key
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops
from codewright.errors import UserError


class Walk:
    """Permits after each token those that a function of the last one and of the place names."""

    def __init__(self, rule: Callable[[Sequence[int]], set[int]], *, asks: bool) -> None:
        self.rule, self.asks, self.seen = rule, asks, []
        self.over = False

    def mask(self) -> np.ndarray | None:
        if self.asks:
            return None
        mask = np.zeros(VOCABULARY, np.bool_)
        mask[list(self.rule(self.seen))] = True
        return mask

    def permits(self, token: int) -> bool:
        return token in self.rule(self.seen)

    def forced(self) -> Sequence[int]:
        return sorted(self.rule(self.seen))[:1] * 3

    def advance(self, token: int) -> bool:
        assert self.permits(token), "a token that was not permitted was taken"
        self.seen = [*self.seen, token]
        return True

    def whole(self, text: bytes) -> bool:
        return len(text) % 2 == 0

    def fork(self) -> Walk:
        made = Walk(self.rule, asks=self.asks)
        made.seen, made.over = self.seen, self.over
        return made


def rule(seen: Sequence[int]) -> set[int]:
    """Some tokens, others each time, sometimes one, the end now and then."""
    state = sum(seen) * 7 + len(seen)
    some = {(state * step + 1) % VOCABULARY for step in range(1, 2 + state % 5)}
    return some | {0} if len(seen) % 3 == 2 else some - {0} or {1}


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_masks_under_pressure_equal_the_slow_loop(data: st.DataObject):
    """Prefixes shared, guesses right and wrong, blocks taken away: the text is the same."""
    how = Sampling(
        temperature=data.draw(st.sampled_from([0.0, 1.0])),
        top_p=data.draw(st.sampled_from([1.0, 0.7])),
        frequency=data.draw(st.sampled_from([0.0, 0.0, 0.9])),
    )
    asks = data.draw(st.booleans())
    ask = Ask(
        prompt=[1, 2, 3] * 3,
        room=data.draw(st.integers(1, 12)),
        sampling=how,
        stops=Stops([]),
        count=data.draw(st.integers(1, 4)),
        seed=data.draw(st.integers(0, 9)),
        constraint=Walk(rule, asks=asks),
    )
    said = []
    for pressed in (True, False):
        blocks = 10 + data.draw(st.integers(0, 8)) if pressed else 90
        runner = RememberingRunner(blocks=blocks, block_size=3, context=30)
        limits = Limits(rows=4, tokens=4 + data.draw(st.integers(0, 12))) if pressed else Limits()
        guesses = data.draw(st.sampled_from([0, 3]))
        engine = Engine(runner, BYTES, ENDS, limits=limits, guesses=guesses)
        texts = engine.add(ask)
        while engine.busy:
            engine.step()
        said.append([text.ids for text in texts])
        assert engine.blocks.available == runner.blocks
    assert said[0] == said[1]
    if asks and how.temperature:
        return  # other random numbers than the slow loop's: see the law below

    def masked(ids: Sequence[int]) -> np.ndarray:
        logits = logits_of(ids)
        forbidden = [t for t in range(VOCABULARY) if t not in rule(ids[9:])]
        logits[forbidden] = -np.inf
        return logits

    for number, ids in enumerate(said[0]):
        wanted = continued(
            masked,
            ask.prompt,
            how,
            room=ask.room,
            key=key(ask.seed, number),
            ends=frozenset(ENDS),
        )
        assert ids[9:] == wanted


weights = st.lists(
    st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 7.0, 40.0]), min_size=1, max_size=9
)


@settings(max_examples=500)
@given(
    values=weights,
    allowed=st.lists(st.booleans(), min_size=9, max_size=9),
    top_p=st.sampled_from([0.0, 0.3, 0.5, 0.8, 0.95, 1.0]),
    top_k=st.sampled_from([0, 1, 2, 4, 30]),
    min_p=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
)
def test_what_is_kept_is_the_nucleus_of_what_is_permitted(values, allowed, top_p, top_k, min_p):
    weights_V = np.array(values)
    masked_V = np.where(allowed[: len(values)], weights_V, 0)
    if not masked_V.any():
        return
    kept_V = sampling.kept(masked_V, top_k=top_k, min_p=min_p)
    kept_V = sampling.nucleus(kept_V, top_p) if top_p < 1 else kept_V
    looks: list[int] = []

    def permits(token: int) -> bool:
        looks.append(token)
        return allowed[token]

    for token in np.flatnonzero(masked_V).tolist():
        found = Field(weights_V, permits).kept(token, top_p, top_k, min_p)
        assert found == (kept_V[token] > 0), (token, kept_V)
    assert top_p < 1 or top_k or min_p or not looks


def test_draws_have_their_share():
    """Frequencies against the distribution of a full mask, five standard deviations wide."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=40).astype(np.float32) * 2
    allowed = rng.random(40) < 0.4
    for how in (
        Sampling(temperature=1.0),
        Sampling(temperature=0.7, top_p=0.8),
        Sampling(temperature=1.3, top_k=5, min_p=0.05),
    ):
        weights_V = np.where(allowed, np.exp((logits - logits.max()) / how.temperature), 0.0)
        weights_V = sampling.kept(weights_V, top_k=how.top_k, min_p=how.min_p)
        weights_V = sampling.nucleus(weights_V, how.top_p) if how.top_p < 1 else weights_V
        share_V = weights_V / weights_V.sum()
        count, drawn = 4000, np.zeros(40)
        for number in range(count):
            manner = np.zeros(1, MANNER)[0]
            for name in ("temperature", "top_p", "min_p", "top_k"):
                manner[name] = getattr(how, name)
            manner["key"] = key(number)
            token, score = draw(logits, manner, lambda each: bool(allowed[each]))
            drawn[token] += 1
            exact = float(logits[token]) - np.log(np.exp(logits.astype(np.float64)).sum())
            assert score == pytest.approx(exact, abs=1e-5), "what the model itself gave it"
        assert not drawn[share_V == 0].any()
        assert (abs(drawn - count * share_V) < 5 * np.sqrt(count * share_V) + 1).all()


def test_what_has_no_weight_beside_others_is_drawn_where_nothing_else_may():
    logits = np.array([5000.0, 4990.0, 0.0, -1.0, -3000.0, -np.inf], np.float32)
    manner = np.zeros(1, MANNER)[0]
    for temperature, allowed in ((1.0, {2, 3}), (0.3, {4}), (1.0, {3, 4}), (0.0, {2, 4})):
        manner["temperature"], manner["top_p"] = temperature, 0.9
        drawn = {}
        for number in range(200):
            manner["key"] = key(number)
            token, score = draw(logits, manner, allowed.__contains__)
            drawn[token] = score
        assert set(drawn) <= allowed
        assert all(np.isfinite(score) for score in drawn.values())
    with pytest.raises(UserError, match="nothing to write"):
        draw(logits, manner, lambda token: token == 5)


def test_stops_ends_and_what_nothing_fits():
    """A stop string counts where the text may end; a constraint that fails ends its own text."""

    def run(constraint: Walk, **rest) -> list:
        runner = RememberingRunner(blocks=90, block_size=4, context=40)
        engine = Engine(runner, BYTES, ENDS)
        how = {"prompt": [1], "room": 9, "sampling": Sampling(), "stops": Stops([])} | rest
        texts = engine.add(Ask(constraint=constraint, **how))
        others = engine.add(Ask(prompt=[1], room=5, sampling=Sampling(), stops=Stops([])))
        while engine.busy:
            engine.step()
        assert others[0].finish in ("stop", "length"), "others go on"
        assert engine.blocks.available == runner.blocks
        return texts

    always = {3: {4}, 4: {4}, 0: {3}}

    def four(seen: Sequence[int]) -> set[int]:
        return always[seen[-1] if seen else 0]

    # 3 spells d, 4 spells e: d e e e …, which may end after an even number of letters.
    for asks in (False, True):
        (text,) = run(Walk(four, asks=asks), stops=Stops(["ee"]))
        assert (bytes(text.text), text.finish) == (b"de", "stop"), "not after d, but after de"
        texts = run(Walk(lambda seen: {3} if len(seen) < 2 else set(), asks=asks), count=3)
        assert {text.finish for text in texts} == {"aborted"}
        assert all(isinstance(text.failure, UserError) for text in texts)
        assert all(bytes(text.text) == b"dd" for text in texts)

    class Closing(Walk):
        def advance(self, token: int) -> bool:
            self.over = len(self.seen) == 2
            return super().advance(token)

        def fork(self) -> Closing:
            made = Closing(self.rule, asks=self.asks)
            made.seen, made.over = self.seen, self.over
            return made

    (text,) = run(Closing(four, asks=False), room=3)
    assert (bytes(text.text), text.finish) == (b"dee", "stop"), "complete, not cut off"
