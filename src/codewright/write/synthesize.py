"""The run of `write`: sample, read, look again, and choose, until more samples change nothing.

Candidates are asked for in rounds. Once more than half of them are there, the answer is formed
after each round, and the run ends early where those that are still to come could not overtake the
leading class if they all agreed.
How a model is reached, and how candidates are weighed, is given as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from codewright.types.behaviour import Answer
from codewright.types.context import Context
from codewright.types.generation import Completion, Generator, Grammar, Request
from codewright.types.judging import Candidate
from codewright.write import prompts
from codewright.write.prompts import Asking, Prompt
from codewright.write.reading import candidate, commonest, defines, written_tests
from codewright.write.specification import Specification

Watch = Callable[[str, int, int], None]
"""Told the name of a stage, how much of it is done, and how much there is."""

PROGRAM_TASK = "program"
"""The task under which a recording holds the programs of a run."""

COUNTING = frozenset({"majority", "best"})
"""Methods whose choice is led by the number of candidates that agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a program is sought.

    n: candidates at most. round: of them at once; 0 is a quarter of n. critique: the model reviews
    each of its programs. written_tests: texts of tests to ask for. method: how the choice is
    made; early_stop: let it end the run before n. grammar: what programs have to be. context:
    what the model is shown of the repository that the program is for.
    """

    n: int = 20
    round: int = 0
    temperature: float = 0.8
    top_p: float = 0.95
    max_tokens: int = 1024
    seed: int = 0
    asking: Asking = field(default_factory=Asking)
    critique: bool = False
    written_tests: int = 0
    method: str = "best"
    early_stop: bool = True
    grammar: Grammar | None = None
    context: Context | None = None

    @property
    def at_once(self) -> int:
        """Candidates of one round."""
        return self.round or max(4, -(-self.n // 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is there to choose from: candidates, assertions that the model wrote, and the name of
    the function where a candidate names none."""

    candidates: tuple[Candidate, ...]
    tests: tuple[str, ...]
    entry_point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An answer, and the candidates that it numbers: those of a draft that can be offered."""

    answer: Answer
    offered: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft, what was chosen of it, and how many candidates were not asked for."""

    draft: Draft
    choice: Choice
    saved: int = 0


def synthesize(
    spec: Specification,
    generator: Generator,
    plan: Plan,
    choose: Callable[[Draft], Choice],
    watch: Watch,
) -> Written:
    """Returns the answer to a specification, with what it was chosen from.

    Args:
        spec: what is wanted.
        generator: who writes.
        plan: how.
        choose: forms an answer to a draft; called after rounds that may be the last.
        watch: told how far each stage is.

    Raises:
        CodewrightError: as `generator` and `choose` raise.
    """
    writer = _Writer(spec, generator, plan, watch)
    candidates: list[Candidate] = []
    tests: tuple[str, ...] | None = None
    while True:
        candidates += writer.programs(len(candidates), min(plan.n, len(candidates) + plan.at_once))
        name = spec.entry_point or commonest([each.entry_point for each in candidates])
        if tests is None:
            tests = writer.tests(name)
        draft = Draft(candidates=tuple(candidates), tests=tests, entry_point=name)
        left = plan.n - len(candidates)
        # As many as there are could not lead by more than that.
        may_end = plan.early_stop and plan.method in COUNTING and len(candidates) > left
        if left and not may_end:
            continue
        choice = choose(draft)
        if not left or decided(choice.answer, left):
            return Written(draft=draft, choice=choice, saved=left)


def decided(answer: Answer, left: int) -> bool:
    """Tells whether the chosen class leads by more candidates than are still to come."""
    if answer.chosen is None or answer.state == "abstain":
        return False
    sizes = {each.members: len(each.members) for each in answer.classes}
    ours = next((size for members, size in sizes.items() if answer.chosen in members), 0)
    others = [size for members, size in sizes.items() if answer.chosen not in members]
    return ours - max(others, default=0) > left


class _Writer:
    """Asks the generator, as the plan says."""

    def __init__(self, spec: Specification, generator: Generator, plan: Plan, watch: Watch) -> None:
        self._spec = spec
        self._generator = generator
        self._plan = plan
        self._watch = watch

    def programs(self, first: int, end: int) -> list[Candidate]:
        """The candidates with the numbers `first` to `end`, the end left out."""
        plan, spec = self._plan, self._spec
        self._watch("sampling", first, plan.n)
        prompt = prompts.for_program(spec, plan.asking)
        request = self._request(prompt, PROGRAM_TASK, n=end - first, seed=plan.seed + first)
        (said,) = self._generator.generate([request])
        self._watch("sampling", end, plan.n)
        origin = self._generator.name
        made = [candidate(spec, each, plan.asking.form, origin) for each in said]
        return self._reviewed(first, said, made) if plan.critique else made

    def _reviewed(
        self, first: int, said: Sequence[Completion], made: Sequence[Candidate]
    ) -> list[Candidate]:
        """The candidates as the model corrected them; where it gave no program, as they were."""
        plan, spec = self._plan, self._spec
        requests = [
            self._request(
                prompts.for_critique(spec, plan.asking, each.text),
                f"critique/{number}",
                seed=plan.seed + number,
            )
            for number, each in enumerate(said, start=first)
        ]
        done = list(made)
        self._watch("reviewing", first, plan.n)
        for count, (place, answers) in enumerate(self._generator.stream(requests), start=1):
            origin = self._generator.name
            again = candidate(spec, answers[0], "reasoning", origin, rule="corrected: ")
            if defines(again.program, again.entry_point or spec.entry_point):
                done[place] = again
            self._watch("reviewing", first + count, plan.n)
        return done

    def tests(self, name: str) -> tuple[str, ...]:
        """The assertions about the function `name`, as often as the model wrote them."""
        plan = self._plan
        if not plan.written_tests or not name:
            return ()
        self._watch("asking for tests", 0, plan.written_tests)
        prompt = prompts.for_tests(self._spec, name, chat=plan.asking.chat)
        request = self._request(prompt, "tests", n=plan.written_tests, seed=plan.seed)
        (said,) = self._generator.generate([request])
        head = "" if plan.asking.chat else f"assert {name}("
        tests = tuple(test for each in said for test in written_tests(head + each.text, name))
        self._watch("asking for tests", plan.written_tests, plan.written_tests)
        return tests

    def _request(self, prompt: Prompt, task: str, *, seed: int, n: int = 1) -> Request:
        plan = self._plan
        return Request(
            prompt=prompt.text,
            messages=prompts.knowing(prompt.messages, plan.context),
            n=n,
            max_tokens=plan.max_tokens,
            temperature=plan.temperature,
            top_p=plan.top_p,
            stop=prompt.stops,
            seed=seed,
            task=task,
            grammar=plan.grammar if task == PROGRAM_TASK else None,
            context=None if prompt.messages else plan.context,
        )
