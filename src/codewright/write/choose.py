"""From candidates to an answer, under everything that the user said about what is right.

The user's tests are a sieve before the choice, the user's examples a part of it. A reply to the
clarifying question is both: it drops the candidates that do otherwise, and becomes an example where
an example can say it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codewright.errors import UserError
from codewright.sandbox.compare import values_match
from codewright.types.behaviour import Answer, Call, Inputs, Observation, Outcome, Question, Sandbox
from codewright.types.judging import CallPair, Candidate
from codewright.verify.assess import assess
from codewright.verify.behaviour import labels, observe
from codewright.verify.literals import expression, is_data, literal
from codewright.verify.operations import Refused
from codewright.verify.show import call_text, class_name, outcome_text
from codewright.verify.study import Assessment
from codewright.write.announce import announced
from codewright.write.screen import screen
from codewright.write.specification import Specification
from codewright.write.synthesize import Choice, Draft

TOLERANCE = 1e-6
"""Of floats, absolute or relative, when a reply is compared with what candidates return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user said about what is right: examples, and asserting code.

    `shown` are examples that were read from the specification; what a reader took from prose may be
    misread, so they count for the choice and forbid nothing.
    """

    examples: tuple[CallPair, ...] = ()
    shown: tuple[CallPair, ...] = ()
    tests: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to the clarifying question: what this call should do.

    example: the same as an example, where one can say it.
    """

    call: Call
    wanted: Outcome
    example: CallPair | None

    def agrees(self, outcome: Outcome) -> bool:
        """Tells whether a program that did this on the call does what is wanted."""
        if self.example is not None:
            return _returns(outcome, self.example.expected)
        table = labels([[self.wanted], [outcome]])
        return bool(table[0, 0] == table[1, 0])


class Chooser:
    """Forms answers to one specification; called with a draft, and with the replies so far."""

    def __init__(
        self,
        spec: Specification,
        wishes: Wishes,
        *,
        executor: Sandbox,
        settings: Assessment,
        watch: Callable[[str, int, int], None],
    ) -> None:
        self._spec = spec
        self._wishes = wishes
        self._executor = executor
        self._settings = settings
        self._watch = watch

    def __call__(self, draft: Draft, replies: Sequence[Reply] = ()) -> Choice:
        """Returns the answer, and the candidates that it numbers.

        Where no candidate passes the user's tests, or does what the replies say, none is chosen;
        where the best one fails an example of the user's, it is nothing to rely on.
        """
        offered = list(draft.candidates)
        findings, sound = [], True
        if self._wishes.tests:
            screened = screen(
                offered, self._wishes.tests, draft.entry_point, self._executor, self._watch
            )
            findings.append(screened.finding)
            sound = bool(screened.passed)
            offered = [offered[number] for number in screened.passed] or offered
        agreeing = set(range(len(offered)))
        for reply in replies:
            agreeing &= self._following(reply, offered, draft.entry_point)
            findings.append(_heard(reply, draft.entry_point))
        if replies:
            findings.append(f"{len(agreeing)} of {len(offered)} candidates do what you said")
        answer = self._assessed(offered, draft, replies)
        # Others stay where examples can weigh them: what the choice is worth depends on them too.
        told = all(reply.example is not None for reply in replies)
        if agreeing and not (told and answer.chosen in agreeing):
            offered = [each for number, each in enumerate(offered) if number in agreeing]
            answer = self._assessed(offered, draft, replies)
        if broken := self._broken(answer, offered, draft.entry_point):
            findings.append(broken)
            answer = replace(answer, state="abstain")
        answer = replace(_named(answer, offered), findings=(*findings, *answer.findings))
        if not sound or not agreeing:
            answer = replace(answer, chosen=None, state="abstain", confidence=0.0, question=None)
        return Choice(answer=answer, offered=tuple(offered))

    def _assessed(
        self, offered: Sequence[Candidate], draft: Draft, replies: Sequence[Reply]
    ) -> Answer:
        said = [reply.example for reply in replies if reply.example is not None]
        return assess(
            announced(self._spec, offered, draft.entry_point),
            draft.entry_point,
            offered,
            executor=self._executor,
            examples=(*self._wishes.shown, *self._wishes.examples, *said),
            tests=draft.tests,
            settings=self._settings,
            watch=self._watch,
        )

    def _following(self, reply: Reply, offered: Sequence[Candidate], entry_point: str) -> set[int]:
        """The numbers of the candidates that do what the reply says."""
        seen = self._seen(offered, [reply.call], entry_point)
        return {number for number, each in enumerate(seen) if reply.agrees(each.outcomes[0])}

    def _broken(self, answer: Answer, offered: Sequence[Candidate], entry_point: str) -> str:
        """Which of the user's own examples the chosen program does not hold, as a sentence."""
        pairs = self._wishes.examples
        if answer.chosen is None or not pairs:
            return ""
        calls = [Call(args=pair.args, kwargs=pair.kwargs) for pair in pairs]
        (seen,) = self._seen([offered[answer.chosen]], calls, entry_point)
        wrong = [
            call_text(call, entry_point)
            for call, pair, outcome in zip(calls, pairs, seen.outcomes, strict=True)
            if not _returns(outcome, pair.expected)
        ]
        if not wrong:
            return ""
        return f"the best program fails {len(wrong)} of your {len(pairs)} examples: {wrong[0]}"

    def _seen(
        self, offered: Sequence[Candidate], calls: Sequence[Call], entry_point: str
    ) -> list[Observation]:
        return observe(
            self._executor,
            [each.program for each in offered],
            [each.entry_point or entry_point for each in offered],
            Inputs(calls=tuple(calls), call_seconds=self._settings.call_seconds),
            self._settings.limits,
        )


def _heard(reply: Reply, entry_point: str) -> str:
    verb = "return " if reply.wanted.kind == "value" else ""
    call = call_text(reply.call, entry_point)
    return f"you said: {call} should {verb}{outcome_text(reply.wanted)}"


def _named(answer: Answer, offered: Sequence[Candidate]) -> Answer:
    """The answer under the name that the chosen candidate itself gives to its function."""
    own = offered[answer.chosen].entry_point if answer.chosen is not None else ""
    return replace(answer, entry_point=own) if own else answer


def read_reply(text: str, question: Question) -> Reply:
    """Returns what a user's reply to a question means.

    Args:
        text: the letter of one of the two classes, or the value that is right, as Python.
        question: as asked.

    Raises:
        UserError: the text is neither.
    """
    said = text.strip()
    letters = [class_name(number) for number in question.classes]
    if said.upper() in letters:
        which = letters.index(said.upper())
        wanted, other = question.choices[which], question.choices[1 - which]
        plain = (
            wanted.kind == "value"
            and is_data(wanted.value)
            and not _returns(other, wanted.value)  # else it is not the value that they differ in
        )
        return Reply(
            call=question.call,
            wanted=wanted,
            example=_pair(question.call, wanted.value) if plain else None,
        )
    try:
        node = expression(said)
        if node is None:
            raise Refused("no expression")
        value = literal(node)
    except Refused:
        raise UserError(
            f"{said[:60]!r} is neither {letters[0]} nor {letters[1]} nor a value",
            hint="a value is written as in Python: 3, 'text', [1, 2], True",
        ) from None
    return Reply(
        call=question.call,
        wanted=Outcome(kind="value", value=value),
        example=_pair(question.call, value),
    )


def _pair(call: Call, expected: Any) -> CallPair:
    return CallPair(args=call.args, kwargs=call.kwargs, expected=expected)


def _returns(outcome: Outcome, value: Any) -> bool:
    return outcome.kind == "value" and values_match(outcome.value, value, TOLERANCE)
