"""`codewright write SPEC`: many candidates, one answer, and how far to trust it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from codewright import console
from codewright.cli import write_options as options
from codewright.cli.context_wanted import context_wanted
from codewright.cli.grammar_options import GrammarName, chosen
from codewright.cli.watching import Watching
from codewright.errors import UnknownName, UserError
from codewright.files import RowLog, json_text, write_whole
from codewright.generate.kept import Kept
from codewright.generate.recorded import read_recorded
from codewright.generate.registry import FORMS, is_local, open_generator
from codewright.generate.remote import Service
from codewright.sandbox.environment import Environment
from codewright.sandbox.policy import find
from codewright.sandbox.pool import Pool
from codewright.types.context import Query
from codewright.types.generation import Generator
from codewright.verify import answer_json, answer_page, report
from codewright.verify.select import METHODS
from codewright.verify.show import class_name
from codewright.verify.study import Assessment
from codewright.write.choose import Chooser, Reply, Wishes, read_reply
from codewright.write.given import read_examples, read_shots
from codewright.write.prompts import Asking
from codewright.write.specification import Specification, read_specification, read_text
from codewright.write.synthesize import PROGRAM_TASK, Choice, Plan, Written, synthesize

QUESTIONS = 3
"""Questions that are asked in a terminal, one after the other."""
TESTS = 1_000_000
"""Bytes of a file of tests."""

COMPLETIONS, PROGRAM, ANSWER, PAGE = "completions.jsonl", "program.py", "answer.json", "report.html"


USUAL = 20
"""Candidates, where nobody says how many."""


def write(
    spec: options.Spec,
    n: options.Count = None,
    model: options.Model = "embedded",
    temperature: options.Temperature = 0.8,
    top_p: options.TopP = 0.95,
    max_tokens: options.MaxTokens = 1024,
    chat: options.Chat = None,
    few_shot: options.FewShot = None,
    cot: options.ChainOfThought = False,
    critique: options.Critique = False,
    written_tests: options.WrittenTests = 0,
    grammar: GrammarName = "",
    context: options.ShowContext = "none",
    examples: options.Examples = None,
    tests: options.Tests = None,
    entry_point: options.EntryPoint = "",
    select: options.Select = "best",
    inputs: options.InputCount = 100,
    seed: options.Seed = 0,
    early_stop: options.EarlyStop = True,
    ask: options.Ask = None,
    answers: options.Answers = None,
    isolation: options.Isolation = "default",
    packages: options.Packages = "numpy",
    workers: options.Workers = 0,
    budget: options.Budget = None,
    concurrency: options.Concurrency = 8,
    as_json: options.Json = False,
    html: options.Html = None,
    out: options.Out = None,
) -> None:
    """Writes a program: many candidates, run and compared, one answer with its trust report."""
    began = time.monotonic()
    in_words = not is_local(model) if chat is None else chat
    _check(model, select, chat=in_words, cot=cot, critique=critique)
    find(isolation)
    n = n or _usual(model)
    asking = Asking(chat=in_words, think=cot, shots=read_shots(few_shot) if few_shot else ())
    plan = Plan(
        n=n, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed,
        round=n if model.startswith("recorded/") else 0, asking=asking, critique=critique,
        written_tests=written_tests, method=select, early_stop=early_stop,
        grammar=chosen(model, grammar),
    )  # fmt: skip
    wanted, wishes = _wanted(spec, entry_point, examples, tests)
    interactive = sys.stdin.isatty() and sys.stderr.isatty() and spec != "-" and not as_json
    task = _Task(
        spec=wanted,
        wishes=wishes,
        plan=replace(plan, context=context_wanted(context, Query(task=wanted.prompt), model)),
        model=model,
        service=Service(concurrency=concurrency, budget=budget),
        settings=Assessment(method=select, calls=inputs, seed=seed),
        pool=_PoolSettings(isolation, tuple(filter(None, packages.split(","))), workers),
        answers=tuple(answers or ()),
        ask=interactive if ask is None else ask and not as_json,
        output=_Output(as_json, html, out),
    )
    _write(task, began)


def _usual(model: str) -> int:
    """How many candidates to ask for: of a run that was kept, as many as it holds."""
    name, _, path = model.partition("/")
    if name != "recorded":
        return USUAL
    kept = [row for row in read_recorded(Path(path)) if row.task == PROGRAM_TASK]
    return sum(len(row.texts) for row in kept) or USUAL


@dataclass(frozen=True, slots=True)
class _PoolSettings:
    isolation: str
    packages: tuple[str, ...]
    workers: int


@dataclass(frozen=True, slots=True)
class _Output:
    as_json: bool
    html: Path | None
    folder: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """The command line, checked and read."""

    spec: Specification
    wishes: Wishes
    plan: Plan
    model: str
    service: Service
    settings: Assessment
    pool: _PoolSettings
    answers: tuple[str, ...]
    ask: bool
    output: _Output


def _check(model: str, select: str, *, chat: bool, cot: bool, critique: bool) -> None:
    if not model:
        raise UserError("which model should write?", hint=f"--model {', '.join(FORMS)}")
    if select not in METHODS:
        raise UnknownName(
            f"no method of selection is called {select!r}", hint=f"known: {', '.join(METHODS)}"
        )
    if not chat and (cot or critique):
        raise UserError(
            "--cot and --critique are asked in words, and a text to continue asks nothing",
            hint="leave them out, or name a model that answers, without --complete",
        )


def _wanted(
    given: str, entry_point: str, examples: Path | None, tests: Path | None
) -> tuple[Specification, Wishes]:
    """What is to be written, and what the user knows about it."""
    spec = read_specification(given, entry_point=entry_point, stdin=sys.stdin.buffer.read)
    told = read_examples(examples, spec.entry_point) if examples is not None else None
    if told is not None:
        spec = replace(spec, entry_point=spec.entry_point or told.name)
    return spec, Wishes(
        examples=told.pairs if told is not None else (),
        shown=spec.examples,
        tests=read_text(tests, most=TESTS) if tests else "",
    )


def _write(task: _Task, began: float) -> None:
    """Does it all and leaves with the exit code."""
    with ExitStack() as stack:
        watch = stack.enter_context(Watching())
        generator = open_generator(task.model, environment=os.environ, service=task.service)
        # A recording is kept already, and would say again what was kept of it.
        if task.output.folder is not None and not task.model.startswith("recorded/"):
            generator = _kept(stack, task, generator)
        environment = Environment(packages=task.pool.packages)
        pool = stack.enter_context(
            Pool(
                workers=task.pool.workers,
                isolation=task.pool.isolation,
                environment=environment,
            )
        )
        chooser = Chooser(
            task.spec, task.wishes, executor=pool, settings=task.settings, watch=watch
        )
        written = synthesize(task.spec, generator, task.plan, chooser, watch)
        choice = _clarified(task, chooser, written)
        isolation = pool.isolation
    told = report.Report(
        answer=choice.answer,
        candidates=choice.offered,
        specification=task.spec.prompt,
        facts=_facts(task, written, isolation, time.monotonic() - began),
    )
    _show(task, told)


def _kept(stack: ExitStack, task: _Task, generator: Generator) -> Generator:
    """The generator, with all that it says kept in the folder."""
    assert task.output.folder is not None
    log = stack.enter_context(RowLog(task.output.folder / COMPLETIONS))
    if log.rows:
        console.say(f"going on in {task.output.folder}")
    return Kept(generator, log, run=f"seed {task.plan.seed}")


def _clarified(task: _Task, chooser: Chooser, written: Written) -> Choice:
    """The choice after every reply that there is to its questions."""
    choice, replies = written.choice, list[Reply]()
    given = list(task.answers)
    while choice.answer.question is not None:
        if given:
            reply = read_reply(given.pop(0), choice.answer.question)
        elif task.ask and len(replies) < QUESTIONS:
            asked = _asked(choice)
            if asked is None:
                break
            reply = asked
        else:
            break
        replies.append(reply)
        choice = chooser(written.draft, replies)
    if given:
        console.say(f"--answer {given[0]}: there was no question left to answer")
    return choice


def _asked(choice: Choice) -> Reply | None:
    """The reply of the person at the terminal; None where they would rather not say."""
    question = choice.answer.question
    assert question is not None
    console.say("\n".join(report.question_lines(question, choice.answer.entry_point, _width())))
    while True:
        console.say("Your answer (a letter, a value, or nothing to skip):")
        line = sys.stdin.readline()
        if not line.strip():
            return None
        try:
            return read_reply(line, question)
        except UserError as error:
            console.print_error(error)


def _facts(
    task: _Task, written: Written, isolation: tuple[str, ...], seconds: float
) -> dict[str, str]:
    plan = task.plan
    how = [f"temperature {plan.temperature:g}", f"seed {plan.seed}"]
    how += ["chain of thought"] if plan.asking.think else []
    how += ["reviewed by the model"] if plan.critique else []
    facts = {
        "model": task.model,
        "sampling": ", ".join(how),
        "sampled": report.many(len(written.draft.candidates), "candidate"),
    }
    if written.saved:
        facts["sampled"] += (
            f"; the other {written.saved} of {plan.n} could not have changed the choice"
        )
    if plan.written_tests:
        facts["tests by the model"] = f"{len(written.draft.tests)}"
    return {**facts, "isolation": ", ".join(isolation), "time": f"{seconds:.1f} s"}


def _show(task: _Task, told: report.Report) -> None:
    """Prints and writes the answer; exit code 1 where it should not be used unread."""
    answer, output = told.answer, task.output
    good = answer.chosen is not None and answer.state != "abstain"
    files = []
    pages = [output.html] if output.html is not None else []
    pages += [output.folder / PAGE] if output.folder is not None else []
    if pages:
        page = answer_page.page(told)
        files += [(path, page) for path in pages]
    if output.folder is not None:
        files.append((output.folder / ANSWER, json_text(answer_json.answer_json(told))))
        if good:
            files.append((output.folder / PROGRAM, answer.program.rstrip("\n") + "\n"))
        else:
            (output.folder / PROGRAM).unlink(missing_ok=True)
    for path, content in files:
        write_whole(path, content)
    if output.as_json:
        console.print_json(answer_json.answer_json(told))
    else:
        console.say("\n".join(report.lines(told, width=_width(), blocks=_blocks())))
        if answer.program and not good:
            shown = "\n".join(f"    {line}" for line in answer.program.strip().splitlines())
            console.say(f"\nNot printed as the answer, because of this doubt:\n\n{shown}")
        if answer.question is not None:
            one, other = (class_name(number) for number in answer.question.classes)
            console.say(f"\nReply with --answer {one}, --answer {other} or --answer VALUE.")
        if files:
            console.say(f"\nwritten: {', '.join(str(path) for path, _ in files)}")
        if good:
            console.print_text(answer.program.strip("\n"))
    if not good:
        raise typer.Exit(1)


def _width() -> int:
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 140))


def _blocks() -> bool:
    return (sys.stderr.encoding or "").lower().replace("-", "").startswith("utf")
