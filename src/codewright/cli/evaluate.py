"""`codewright evaluate BENCHMARK`: from samples, or a model, to pass@k and a report."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from codewright import console
from codewright.cli import evaluate_asking as asking
from codewright.cli import evaluate_options as options
from codewright.cli.evaluate_select import Choosing, check, choose
from codewright.errors import UserError
from codewright.evaluate import benchmarks, html, report, samples
from codewright.evaluate.fetch import Home
from codewright.evaluate.folder import (
    CASES,
    GENERATED,
    REPORT,
    RESULTS,
    RUN,
    SAMPLES,
    SUMMARY,
    Identity,
    claim,
    file_digest,
    problems_digest,
)
from codewright.evaluate.harness import Graded, Harness
from codewright.evaluate.manner import Manner
from codewright.evaluate.records import Journal, Record
from codewright.evaluate.sampling import Sampling, sample
from codewright.evaluate.summary import Result, conclude, sample_lines, summary, why
from codewright.files import RowLog, json_text, write_whole
from codewright.generate.registry import content, is_local, open_generator
from codewright.generate.remote import Service
from codewright.sandbox.cluster import Cluster
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.types.judging import Mode, Problem

Candidates = samples.Candidates


def evaluate(
    benchmark: options.Benchmark,
    samples_file: options.SamplesFile = None,
    model: options.Model = "",
    n: options.Count = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = 0.95,
    max_tokens: options.MaxTokens = None,
    chat: options.Chat = None,
    cot: options.Cot = False,
    one_line: options.OneLine = False,
    fim: options.Fim = "",
    budget: options.Budget = None,
    concurrency: options.Concurrency = 8,
    limit: options.Limit = None,
    problems: options.Problems = "",
    mode: options.ModeName = "session",
    cpu: options.Cpu = None,
    isolation: options.Isolation = "default",
    packages: options.Packages = "numpy",
    workers: options.Workers = 0,
    ray: options.Ray = False,
    ray_address: options.RayAddress = "",
    select: options.Select = "",
    written_tests: options.WrittenTests = None,
    examples: options.Examples = True,
    k: options.Ks = "1,10,100",
    seed: options.Seed = 0,
    out: options.Out = None,
    fresh: options.Fresh = False,
    as_json: options.Json = False,
) -> None:
    """Grades programs for a benchmark: pass@k with intervals, references first."""
    judging = _Judging(_mode(mode), cpu, isolation, _words(packages), workers, ray, ray_address)
    samples_file, model = _source(samples_file, model)
    choosing = Choosing(method=select, tests=written_tests, examples=examples, seed=seed)
    check(choosing, samples_file, model)
    known = benchmarks.find(benchmark)
    asked = asking.Asking(chat=chat, cot=cot, one_line=one_line, fim=fim, max_tokens=max_tokens)
    asking.check(asked, known, model)
    sampling = asking.sampling(
        asked, known, model, n=n or 1, temperature=temperature, top_p=top_p, seed=seed
    )
    task = _Task(
        benchmark=known, source=_Source(file=samples_file, model=model, first=n), sampling=sampling,
        asking=asked,
        service=Service(concurrency=concurrency, budget=budget),
        selection=_Selection(chosen=_words(problems), limit=limit),
        judging=judging,
        choosing=choosing, ks=_ks(k), out=out, fresh=fresh,
    )  # fmt: skip
    result, files = _evaluate(task)
    told = summary(result, files)
    if as_json:
        console.print_json(told)
    else:
        console.print_text(report.lines(result.title, told))


def _source(file: Path | None, model: str) -> tuple[Path | None, str]:
    """Returns the file of samples, or the model, that is meant."""
    if file is not None and model:
        raise UserError("--samples and --model exclude each other", hint="leave one of them out")
    if model.startswith("recorded/"):
        return Path(model.removeprefix("recorded/")), ""
    return file, model


@dataclass(frozen=True, slots=True)
class _Source:
    """Where programs come from: a file of samples, or a model, or nowhere."""

    file: Path | None
    model: str
    first: int | None


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which problems are meant; all of them where nothing is said."""

    chosen: tuple[str, ...]
    limit: int | None


@dataclass(frozen=True, slots=True)
class _Judging:
    """How programs are judged."""

    mode: Mode
    cpu: float | None
    isolation: str
    packages: tuple[str, ...]
    workers: int
    ray: bool
    ray_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """The command line, checked."""

    benchmark: benchmarks.Benchmark
    source: _Source
    sampling: Sampling
    asking: asking.Asking
    service: Service
    selection: _Selection
    judging: _Judging
    choosing: Choosing
    ks: tuple[int, ...]
    out: Path | None
    fresh: bool


def _executor(judging: _Judging) -> Pool | Cluster:
    """What judges: workers of this machine, or of every node of a cluster."""
    environment = Environment(packages=judging.packages)
    if judging.ray or judging.ray_address:
        return Cluster(
            address=judging.ray_address,
            workers=judging.workers,
            isolation=judging.isolation,
            environment=environment,
        )
    return Pool(workers=judging.workers, isolation=judging.isolation, environment=environment)


def _evaluate(task: _Task) -> tuple[Result, list[Path]]:
    """Does it all and returns the result, with the files that were written."""
    began = time.monotonic()
    manner = asking.manner(task.asking, task.benchmark)
    home = _home()
    everything = benchmarks.load(task.benchmark.name, home)
    problems = (
        benchmarks.select(everything, task.selection.chosen)
        if task.selection.chosen
        else everything
    )
    problems = problems[: task.selection.limit]
    candidates: Candidates = {}
    if task.source.file is not None:
        candidates = _recorded(task, task.source.file, everything, problems, home, manner)
    identity = _identity(task, problems)
    stem = f"{task.benchmark.name}-{identity.digest()}"
    folder = task.out or Path("runs") / stem
    if claim(folder, identity, fresh=task.fresh):
        console.say(f"resuming in {folder}")
    if task.source.model:
        candidates = _generated(task, problems, folder, manner)
    with RowLog(folder / RESULTS) as log, _executor(task.judging) as pool:
        harness = Harness(pool, Journal(log), mode=task.judging.mode, cpu_seconds=task.judging.cpu)
        graded = _grade(harness, problems, candidates)
        held = pool.isolation
        choice = _choose(task, everything, problems, candidates, graded, home, pool, folder)
    result = conclude(
        task.benchmark.title,
        identity,
        problems,
        candidates,
        graded,
        ks=task.ks,
        seed=task.sampling.seed,
        isolation=held,
        mode=task.judging.mode,
        seconds=time.monotonic() - began,
        selection=choice,
    )
    return result, _write(result, folder)


def _home() -> Home:
    folder = os.environ.get("CODEWRIGHT_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Home(
        folder=Path(folder) if folder else None,
        cache=Path(cache) / "codewright",
        say=console.say,
    )


def _recorded(
    task: _Task,
    path: Path,
    everything: list[Problem],
    problems: list[Problem],
    home: Home,
    manner: Manner,
) -> Candidates:
    """Returns the samples of a file, for the problems that were chosen."""

    def prompts() -> Mapping[str, str]:
        human = task.benchmark.name.startswith("humaneval")
        return benchmarks.prompts_without_examples(home) if human else {}

    found = samples.from_file(
        path, everything, prompts=prompts, per_problem=task.source.first, manner=manner
    )
    return {problem.id: found[problem.id] for problem in problems if problem.id in found}


def _generated(task: _Task, problems: list[Problem], folder: Path, manner: Manner) -> Candidates:
    """Asks the model, before any worker stands: a program must not share time with a network."""
    generator = open_generator(
        task.source.model,
        environment=os.environ,
        service=task.service,
        local=asking.local(task.asking),
    )
    total = len(problems) * task.sampling.n
    with (
        RowLog(folder / GENERATED) as log,
        console.progress("sampling", total=total, unit="completions") as bar,
    ):
        return sample(problems, generator, task.sampling, log, bar.advance, manner)


def _grade(harness: Harness, problems: list[Problem], candidates: Candidates) -> Graded:
    with console.progress("references", total=len(problems), unit="programs") as bar:
        references, reference_stage = harness.grade_references(problems, bar.advance)
    _tell(references)
    total = sum(len({c.program for c in each}) for each in candidates.values())
    with console.progress("judging", total=total, unit="programs") as bar:
        graded, candidate_stage = harness.grade_candidates(
            problems, candidates, references, bar.advance
        )
    return Graded(
        references=references,
        candidates=graded,
        reference_stage=reference_stage,
        candidate_stage=candidate_stage,
    )


def _choose(
    task: _Task,
    everything: list[Problem],
    problems: list[Problem],
    candidates: Candidates,
    graded: Graded,
    home: Home,
    executor: Pool | Cluster,
    folder: Path,
) -> dict[str, Any] | None:
    """Chooses a program for each problem, where that is wanted."""
    if not task.choosing.method:
        return None
    if isinstance(executor, Cluster):
        # Candidates are observed on this machine: only verdicts are spread over a cluster.
        with Pool(
            isolation=task.judging.isolation,
            environment=Environment(packages=task.judging.packages),
        ) as pool:
            return _choose(task, everything, problems, candidates, graded, home, pool, folder)
    return choose(
        task.choosing,
        problems,
        candidates,
        graded,
        everything=everything,
        home=home,
        samples=task.source.file,
        observer=executor,
        folder=folder,
    )


def _tell(references: Mapping[str, Record]) -> None:
    """Says how the references did, and names each that failed."""
    failed = {t: r.verdict for t, r in references.items() if r.verdict.status != "passed"}
    console.say(f"references: {len(references) - len(failed)} of {len(references)} pass")
    for task, verdict in failed.items():
        console.say(f"  {task}: {verdict.status}: {why(verdict)}")


def _identity(task: _Task, problems: Sequence[Problem]) -> Identity:
    settings = {
        "mode": task.judging.mode,
        "cpu": f"{task.judging.cpu} s" if task.judging.cpu else "by the reference",
        "isolation policy": task.judging.isolation,
        "packages": ", ".join(task.judging.packages),
        "samples a problem": str(
            task.sampling.n if task.source.model else task.source.first or "all"
        ),
    }
    source = task.source.model or "none, references only"
    if task.source.file is not None:
        source = file_digest(task.source.file)
    if is_local(task.source.model):
        source = f"{task.source.model} ({content(task.source.model)})"
    if task.source.model:
        settings["sampling"] = asking.told(
            task.asking, task.benchmark, task.source.model, task.sampling
        )
    if task.asking.one_line:
        settings["read"] = "the first line"
    return Identity(
        benchmark=task.benchmark.name,
        problems=problems_digest(problems),
        samples=source,
        settings=settings,
        version=version("codewright"),
    )


def _write(result: Result, folder: Path) -> list[Path]:
    """Writes what is made at the end, each file whole; returns all the files of the folder."""
    made = [name for name in (RUN, GENERATED, RESULTS, CASES) if (folder / name).exists()]
    files = [folder / name for name in (*made, SAMPLES, SUMMARY, REPORT)]
    write_whole(folder / SAMPLES, sample_lines(result))
    write_whole(folder / REPORT, html.page(result))
    write_whole(folder / SUMMARY, json_text(summary(result, files)))
    return files


def _words(given: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in given.split(",") if word.strip())


def _ks(given: str) -> tuple[int, ...]:
    try:
        ks = tuple(int(word) for word in _words(given))
    except ValueError:
        ks = ()
    if not ks or min(ks) < 1:
        raise UserError(f"--k {given!r} is no list of sizes", hint="for example --k 1,10,100")
    return ks


def _mode(given: str) -> Mode:
    if given == "session":
        return "session"
    if given == "fork":
        return "fork"
    raise UserError(f"--mode {given!r} is unknown", hint="session or fork")
