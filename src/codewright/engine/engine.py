"""Ids to ids: what is asked for, step by step, until every text has its end.

    engine = Engine(runner, token_bytes, ends)
    engine.add(ask)
    while engine.busy:
        for sequence in engine.step(): …      those that got tokens

A step is schedule → forward → draw → hand out. For a prompt, a seed and a model the text is the
same whatever else is asked for, however the prompt was cut, and whether tokens were guessed: sums
do not depend on the batch (`native.py`), nor random numbers on it (`sampling.py`).

Legend: T rows of a step, S sequences, R rows whose logits are wanted.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence as Items
from dataclasses import dataclass

import numpy as np

from codewright.engine.blocks import Blocks
from codewright.engine.guess import Guesser
from codewright.engine.lookup import Lookup
from codewright.engine.runner import Floats, Runner, Step
from codewright.engine.sampling import MANNER, key
from codewright.engine.scheduler import Chunk, Limits, Scheduler
from codewright.engine.sequence import Ask, Sequence
from codewright.engine.shaping import Draw, shape
from codewright.errors import DataError, UserError


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has been done so far.

    read: tokens that were read, prompts and all. guessed, right: guesses that were looked at, and
    those that came true.
    """

    steps: int = 0
    read: int = 0
    drawn: int = 0
    guessed: int = 0
    right: int = 0


class Engine:
    """Runs one model. Not for several threads at once."""

    def __init__(
        self,
        runner: Runner,
        token_bytes: Items[bytes],
        ends: Collection[int],
        *,
        limits: Limits | None = None,
        guesses: int = 0,
        guesser: Guesser | None = None,
    ) -> None:
        """Starts with nothing to do.

        Args:
            runner: the model.
            token_bytes: what each token spells; tokens beyond them are never drawn.
            ends: tokens that end a text.
            limits: of a step.
            guesses: tokens of a text that are guessed at most, and read along; 0 for none.
            guesser: who guesses; by default, the text itself is looked into.
        """
        self.runner = runner
        self.limits = limits or Limits()
        self.blocks = Blocks(runner.blocks, runner.block_size)
        self.scheduler = Scheduler(self.blocks, self.limits)
        self._bytes = token_bytes
        self._ends = frozenset(ends)
        self._guesses = guesses
        self._guesser = guesser or Lookup()
        self._followers: dict[Sequence, list[Sequence]] = {}
        rows = self.limits.rows
        self._tables = np.zeros((rows, -(-runner.context // runner.block_size)), np.int32)
        self._manners = np.zeros(rows, MANNER)
        self.counts = Counts()

    @property
    def busy(self) -> bool:
        """Whether there is anything left to do."""
        return bool(self.scheduler.running or self.scheduler.waiting)

    def add(self, ask: Ask) -> list[Sequence]:
        """Takes a request in; returns its texts, which grow from now on.

        Raises:
            UserError: it can never be answered here, as it is too long.
        """
        length = len(ask.prompt) + ask.room
        if length > self.runner.context:
            raise UserError(
                f"{len(ask.prompt)} tokens and {ask.room} to write are more than the "
                f"{self.runner.context} of the model",
                hint="shorten the prompt, or ask for fewer tokens",
            )
        if -(-length // self.runner.block_size) > self.runner.blocks:
            raise UserError(
                f"{length} tokens do not fit the {self.runner.blocks} blocks of the cache",
                hint="give it more memory",
            )
        assert ask.prompt
        assert ask.room > 0
        texts = [
            Sequence(
                ask=ask,
                number=number,
                key=key(ask.seed, number),
                ids=list(ask.prompt),
                constraint=None if ask.constraint is None else ask.constraint.fork(),
                held=ask.held,
            )
            for number in range(ask.count)
        ]
        for text in texts[1:]:
            text.leader = texts[0]
        self._followers[texts[0]] = texts[1:]
        for text in texts:
            self.scheduler.add(text)
        return texts

    def abort(self, text: Sequence) -> None:
        """Ends a text that nobody waits for any more."""
        if text.finish:
            return
        text.finish = "aborted"
        self._leave(text)

    def step(self) -> list[Sequence]:
        """Reads and draws once; returns the texts that got a token or more.

        Raises:
            DataError: what the model computes are no numbers.
            MachineError: there is no memory for the step.
        """
        chunks = self.scheduler.schedule(self._guess())
        if self.scheduler.copies:
            self.runner.copy_blocks(self.scheduler.copies)
            self.scheduler.copies.clear()
        if not chunks:
            return []
        step, draws = self._step(chunks)
        logits_RV = self.runner.forward(step)[:, : len(self._bytes)]
        for chunk in chunks:
            self.scheduler.read(chunk.sequence, chunk.count)
        self._fork(draws)
        if draws:
            self._draw(draws, logits_RV)
        texts = list(dict.fromkeys(draw.text for draw in draws if not draw.void))
        for text in texts:
            if text.failure is not None:
                text.finish = "aborted"
            if text.finish:
                self._leave(text)
        return texts

    def _guess(self) -> dict[Sequence, tuple[int, ...]]:
        """Returns what the texts may go on with, as far as it is worth reading along."""
        texts = [text for text in self.scheduler.running if text.guessable]
        spare = self.scheduler.spare(self.runner.wide) // max(1, len(texts))
        # The last token of a text is drawn after the one before it, and is never read.
        room = {text: min(spare, text.ask.room - text.written - 1) for text in texts}
        guesses = {
            text: tuple(text.constraint.forced()[:most])
            for text, most in room.items()
            if text.constraint is not None and most > 0
        }
        guesses = {text: guess for text, guess in guesses.items() if guess}
        wanted = {text: min(self._guesses, room[text]) for text in texts if text not in guesses}
        wanted = {text: most for text, most in wanted.items() if most > 0}
        return guesses | self._guesser.guess(wanted) if wanted else guesses

    def _draw(self, draws: Items[Draw], logits_RV: Floats) -> None:
        """Draws a token for each row, and hands them out."""
        # A void one has no slot, and is drawn in any manner.
        manners_R = self._manners[[draw.text.slot for draw in draws]]
        manners_R["step"] = [draw.text.written + draw.place for draw in draws]
        for row, draw in enumerate(draws):
            if draw.text.shaped and not draw.void:
                shape(draw, logits_RV[row], manners_R[row])
        ids_R, scores_R = self.runner.draw(logits_RV, manners_R)
        if not np.isfinite(scores_R).all():
            raise DataError("the model's logits are not numbers", hint="its weights are broken")
        drawn = list(zip(ids_R.tolist(), scores_R.tolist(), strict=True))
        picked = [draw.picked or each for draw, each in zip(draws, drawn, strict=True)]
        self._hand_out(draws, picked)

    def _step(self, chunks: Items[Chunk]) -> tuple[Step, list[Draw]]:
        """Returns the rows of the chunks, and what is drawn after them."""
        ids: list[int] = []
        positions: list[int] = []
        slots: list[int] = []
        wanted: list[int] = []
        draws: list[Draw] = []
        free = self.scheduler.free
        for chunk in chunks:
            text = chunk.sequence
            self._enter(text)
            end, count = text.kept + chunk.count, chunk.count + len(chunk.draft)
            ids += text.ids[text.kept : end]
            ids += chunk.draft
            positions += range(text.kept, text.kept + count)
            slots += [text.slot] * count
            if end < len(text.ids):
                continue
            before: Draw | None = None
            for place in range(len(chunk.draft) + 1):
                guess = chunk.draft[place] if place < len(chunk.draft) else None
                before = Draw(text=text, place=place, guess=guess, before=before)
                draws.append(before)
                wanted.append(len(ids) - len(chunk.draft) - 1 + place)
            # What follows the prompt is drawn for everybody who has the same and finds a place.
            for follower in self._followers.pop(text, ()):
                if follower.finish:
                    continue
                if not free:
                    follower.leader = None
                    continue
                free -= 1
                draws.append(Draw(text=follower, leader=text))
                wanted.append(len(ids) - len(chunk.draft) - 1)
        step = Step(
            ids_T=np.array(ids, np.int32),
            position_T=np.array(positions, np.int32),
            table_T=np.array(slots, np.int32),
            tables_SB=self._tables,
            wanted_R=np.array(wanted, np.int32),
        )
        self.counts.steps += 1
        self.counts.read += len(ids)
        return step, draws

    def _enter(self, text: Sequence) -> None:
        """Writes a text's blocks and manner where the runner reads them, as far as they are new."""
        if not text.entered:
            how = text.ask.sampling
            self._manners[text.slot] = (
                *(how.temperature, how.top_p, how.min_p, how.top_k),
                *(text.key, 0),
            )
        if text.entered < len(text.table):
            self._tables[text.slot, text.entered : len(text.table)] = text.table[text.entered :]
            text.entered = len(text.table)

    def _fork(self, draws: Items[Draw]) -> None:
        """Gives the followers their blocks; who gets none waits, and reads its prompt itself."""
        for draw in draws:
            if draw.leader is None:
                continue
            if self.scheduler.fork(draw.leader, draw.text):
                self._enter(draw.text)
            else:
                draw.text.leader, draw.void = None, True

    def _hand_out(self, draws: Items[Draw], drawn: Items[tuple[int, float]]) -> None:
        """Gives the texts their tokens: after a guess that was wrong, nothing that was read is."""
        wrong: Sequence | None = None
        for draw, (token, score) in zip(draws, drawn, strict=True):
            text = draw.text
            if draw.void or text is wrong:
                continue
            try:
                if draw.failure is not None:
                    raise draw.failure
                text.take(token, score, None if token in self._ends else self._bytes[token])
            except UserError as error:
                text.failure, wrong = error, text
                continue
            if draw.top is not None:
                text.tops.append(draw.top)
            self.counts.drawn += 1
            if draw.guess is None:
                continue
            self.counts.guessed += 1
            if text.finish or token != draw.guess:
                wrong = text
            else:
                self.counts.right += 1
                self.scheduler.read(text, 1)

    def _leave(self, text: Sequence) -> None:
        self.scheduler.leave(text)
        self._guesser.forget(text)
        for follower in self._followers.pop(text, ()):
            follower.leader = None
