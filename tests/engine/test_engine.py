"""The engine against a loop that reads each text anew for every token: always the same texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference.engine import VOCABULARY, RememberingRunner, continued, logits_of

from codewright.engine.draft import Draft
from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling, key
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask, Sequence
from codewright.engine.stops import Stops
from codewright.errors import UserError

BYTES = [bytes([97 + token]) for token in range(VOCABULARY)]
ENDS = (0,)

samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.7, 1.3]),
    top_p=st.sampled_from([1.0, 0.8]),
    top_k=st.sampled_from([0, 4]),
    min_p=st.sampled_from([0.0, 0.1]),
    frequency=st.sampled_from([0.0, 0.0, 0.9]),
    repetition=st.sampled_from([1.0, 1.0, 1.4]),
)
tokens = st.integers(1, 4)
asks = st.builds(
    lambda common, own, **rest: Ask(prompt=[*common, *own], stops=Stops([]), **rest),
    # Prompts with the same beginning, so that there is something to share.
    common=st.sampled_from([[], [1, 2, 3, 4, 1, 2, 3], [1] * 9]),
    own=st.lists(tokens, min_size=1, max_size=6),
    room=st.integers(1, 9),
    sampling=samplings,
    count=st.integers(1, 5),
    seed=st.integers(0, 3),
)


def expected(text: Sequence) -> list[int]:
    """Returns what the slow loop writes for a text."""
    ask = text.ask
    return continued(
        logits_of,
        ask.prompt,
        ask.sampling,
        room=ask.room,
        key=key(ask.seed, text.number),
        ends=frozenset(ENDS),
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_random_arrivals_aborts_and_pressure(data: st.DataObject):
    size = data.draw(st.sampled_from([1, 2, 4]))
    context = 32
    rows = data.draw(st.integers(1, 6))
    runner = RememberingRunner(
        blocks=context // size + data.draw(st.integers(0, 20)), block_size=size, context=context
    )
    limits = Limits(rows=rows, tokens=rows + data.draw(st.integers(0, 12)))
    guesses = data.draw(st.sampled_from([0, 3]))
    guesser, small = None, None
    if data.draw(st.booleans()):
        blocks = data.draw(st.integers(0, 24))
        small = RememberingRunner(blocks=blocks, block_size=size, context=context - 8)
        most = data.draw(st.integers(1, rows))
        guesser = Draft(small, VOCABULARY, ENDS, rows=most, tokens=max(4, most))
    engine = Engine(runner, BYTES, ENDS, limits=limits, guesses=guesses, guesser=guesser)
    texts: list[Sequence] = []
    aborted: set[int] = set()
    for _ in range(data.draw(st.integers(1, 6))):
        texts += engine.add(data.draw(asks))
        for _ in range(data.draw(st.integers(0, 6))):
            engine.step()
        if data.draw(st.booleans()):
            place = data.draw(st.integers(0, len(texts) - 1))
            if not texts[place].finish:
                engine.abort(texts[place])
                aborted.add(place)
    steps = 0
    while engine.busy:
        engine.step()
        steps += 1
        assert steps < 5_000, "nothing moves any more"
    for place, text in enumerate(texts):
        written, wanted = text.ids[len(text.ask.prompt) :], expected(text)
        if place in aborted:
            assert text.finish == "aborted"
            assert written == wanted[: len(written)]
        else:
            assert written == wanted
            assert text.finish == ("stop" if wanted[-1] in ENDS else "length")
    assert engine.blocks.available == runner.blocks, "blocks are lost"
    assert guesser is None or guesser.blocks.available == small.blocks, "blocks are lost"
    assert max(runner.steps, default=0) <= limits.tokens


def test_the_machinery_is_really_used():
    """The law above would also hold if nothing were shared, guessed, cut or taken back."""
    warm = Sampling(temperature=1)
    ask = Ask(prompt=[1, 2, 3] * 6, room=12, sampling=warm, stops=Stops([]), count=4)
    runner = RememberingRunner(blocks=11, block_size=4, context=40)
    engine = Engine(runner, BYTES, (), limits=Limits(rows=4, tokens=8), guesses=3)
    engine.add(ask)
    while engine.busy:
        engine.step()
    assert runner.steps[:3] == [8, 8, 2], "the prompt is read once, in pieces"
    assert engine.scheduler.preempted > 0
    assert engine.scheduler.reused > 0
    before = engine.scheduler.reused
    engine.add(Ask(prompt=[1, 2, 3] * 6, room=1, sampling=Sampling(), stops=Stops([])))
    engine.step()
    assert engine.scheduler.reused == before + 16, "and later prompts have it from the cache"
    roomy = RememberingRunner(blocks=60, block_size=4, context=200)
    engine = Engine(roomy, BYTES, (), guesses=3)
    engine.add(Ask(prompt=[1, 2, 3] * 6, room=150, sampling=Sampling(), stops=Stops([])))
    while engine.busy:
        engine.step()
    assert engine.counts.guessed > engine.counts.right > 0
    assert engine.counts.steps < 130


def test_a_draft_that_is_the_model_itself_is_always_right():
    """At any temperature: it draws with the same random numbers. Prompts are read by it once."""
    runner = RememberingRunner(blocks=200, block_size=4, context=200)
    small = RememberingRunner(blocks=100, block_size=4, context=200)
    draft = Draft(small, VOCABULARY, ENDS, rows=8, tokens=16)
    engine = Engine(runner, BYTES, ENDS, guesses=6, guesser=draft)
    warm = Sampling(temperature=1.1, top_p=0.9)
    prompt = [1, 2, 3, 4] * 20
    texts = engine.add(Ask(prompt=prompt, room=60, sampling=warm, stops=Stops([]), count=3))
    while engine.busy:
        engine.step()
    for text in texts:
        assert text.ids[len(prompt) :] == expected(text)
    assert engine.counts.right == engine.counts.guessed > 0
    assert engine.counts.drawn > 4 * engine.counts.steps
    assert sum(small.steps) < len(prompt) + engine.counts.drawn + 3 * (4 + 6)


def test_guesses_leave_room_for_prompts():
    runner = RememberingRunner(blocks=200, block_size=4, context=200)
    engine = Engine(runner, BYTES, (), limits=Limits(rows=8, tokens=24), guesses=16)
    repeating = Ask(prompt=[1, 2, 3] * 6, room=150, sampling=Sampling(), stops=Stops([]), count=4)
    writing = engine.add(repeating)
    while any(not text.written for text in writing):
        engine.step()
    (reading,) = engine.add(Ask(prompt=[4] * 90, room=2, sampling=Sampling(), stops=Stops([])))
    steps = 0
    while not reading.written:
        engine.step()
        steps += 1
    assert steps <= 90 // (24 - 4 - 5) + 1
    assert engine.counts.right > 0


def test_those_who_write_do_not_wait_for_a_long_prompt():
    runner = RememberingRunner(blocks=64, block_size=4, context=200)
    engine = Engine(runner, BYTES, (), limits=Limits(rows=4, tokens=10))
    (first,) = engine.add(Ask(prompt=[1], room=100, sampling=Sampling(), stops=Stops([])))
    engine.step()
    (second,) = engine.add(Ask(prompt=[2] * 150, room=5, sampling=Sampling(), stops=Stops([])))
    for _ in range(16):
        before = first.written
        engine.step()
        assert first.written == before + 1
    assert second.kept >= 140


def test_stops_alternatives_and_what_cannot_be_answered():
    runner = RememberingRunner(blocks=8, block_size=4, context=24)
    engine = Engine(runner, BYTES, ENDS)
    plain = Ask(prompt=[1, 2], room=12, sampling=Sampling(), stops=Stops([]), alternatives=3)
    (text,) = engine.add(plain)
    while engine.busy:
        engine.step()
    said = text.text.decode()
    for (best, logs), token, score in zip(text.tops, text.ids[2:], text.scores, strict=True):
        assert best[0] == token
        assert logs[0] == pytest.approx(score, abs=1e-5)
        assert (logs[:-1] >= logs[1:]).all()
    stop = said[2:4]
    (cut,) = engine.add(Ask(prompt=[1, 2], room=12, sampling=Sampling(), stops=Stops([stop])))
    while engine.busy:
        engine.step()
    assert (cut.text.decode(), cut.finish) == (said[: said.index(stop)], "stop")
    with pytest.raises(UserError, match="more than the 24"):
        engine.add(Ask(prompt=[1] * 20, room=5, sampling=Sampling(), stops=Stops([])))
    small = Engine(RememberingRunner(blocks=2, block_size=4, context=24), BYTES, ENDS)
    with pytest.raises(UserError, match="2 blocks"):
        small.add(Ask(prompt=[1] * 8, room=5, sampling=Sampling(), stops=Stops([])))
    assert not small.busy
