"""What it costs to make the embedded model smaller: bytes, speed and bits per byte of each form.

    python bench/compress.py --start CHECKPOINT --packed FOLDER     half an hour on a core
    python bench/compress.py … --trained FOLDER    with what training made: FOLDER/qat and others
    python bench/compress.py --write-docs          the table into docs/compress.md

CHECKPOINT is the exact (float32) one behind the embedded model, FOLDER its packed rows: GPTQ, Wanda
and the importance of structures see the same training rows, and all forms are measured on the same
held-out rows, with products in bfloat16, from what was written to disk. --trained has the runs of
recipes/compress.toml: `qat-gptq` as it stands; and of 50 steps at a rate of 5e-4 from CHECKPOINT
`qat` and `qat-row` with weights in four bits, `plain` without, and `inner-trained` and
`24-trained` from pruned checkpoints. Tokens a second are of one
thread by CPU time, the best of three, at 1 and at 32 texts of 96 tokens, and of forms of the same
kind and shape the first is timed. Forms that are there are not made again. Table on stderr, JSON to
bench/results/compress.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pages import fill, say

from codewright.cli.compress_work import Wanted, work
from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops
from codewright.generate.runners import open_runner
from codewright.generate.settings import Local, Precision, RunnerName
from codewright.model import checkpoint
from codewright.model.prune import Keep
from codewright.model.quantize import Scheme
from codewright.model.stored import Stored
from codewright.train.score import sampled

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = Path(__file__).resolve().parent / "results" / "compress.json"
_DOC = _ROOT / "docs" / "compress.md"
PROMPT, ROOM, ROUNDS = 32, 96, 3
BATCHES = (1, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One row of the table. start: a run under --trained, empty for the checkpoint itself.

    torch, native: in which numbers each runner computes it, empty where it does not.
    """

    label: str
    wanted: Wanted
    start: str = ""
    torch: Precision = "bfloat16"
    native: Precision = "bfloat16"


def forms(packed: Path, rows: int) -> Iterator[Form]:
    """Yields every form, in the order of the table."""
    plain = Wanted(
        to="float32",
        scheme=None,
        method="rtn",
        keep=None,
        sparsity="",
        by="magnitude",
        calibration=packed,
        rows=rows,
        score=0,
        seed=1,
    )
    yield Form(label="float32", wanted=plain, torch="float32", native="float32")
    yield Form(label="bfloat16", wanted=replace(plain, to="bfloat16"))
    eight = replace(plain, to="int8", scheme=Scheme())
    yield Form(label="int8, a row", wanted=eight, torch="int8", native="int8")

    def four(group: int, method: str, said: str, start: str = "") -> Form:
        scheme, where = Scheme(bits=4, group=group), f"groups of {group}" if group else "a row"
        wanted = replace(plain, to="int4", scheme=scheme, method=method)
        label = f"int4, {where}, {said}"
        return Form(label=label, wanted=wanted, start=start, torch="int4", native="int8")

    for group in (0, 64, 32):
        yield four(group, "rtn", "nearest")
        yield four(group, "gptq", "GPTQ")
    yield Form(label="float32, 50 steps more", wanted=plain, start="plain", native="float32")
    for group, run in ((0, "qat-row"), (64, "qat")):
        yield four(group, "gptq", "GPTQ after 50 steps more", "plain")
        yield four(group, "rtn", "QAT of 50 steps", run)
    yield four(64, "rtn", "QAT of 24 steps from GPTQ", "qat-gptq")
    for name, keep in (
        ("inner 512 of 704", Keep(inner=512)),
        ("heads 3 of 4", Keep(heads=3)),
        ("layers 5 of 6", Keep(layers=5)),
    ):
        yield Form(label=name, wanted=replace(plain, to="bfloat16", keep=keep))
    half = replace(plain, to="bfloat16")
    yield Form(label="inner 512, 50 steps more", wanted=half, start="inner-trained")
    for pattern, by in (("0.5", "magnitude"), ("0.5", "wanda"), ("2:4", "wanda")):
        wanted = replace(half, sparsity=pattern, by=by)
        yield Form(label=f"zeros {pattern}, {by}", wanted=wanted)
    yield Form(label="zeros 2:4, wanda, 50 steps more", wanted=half, start="24-trained")


def speed(folder: Path, runner: RunnerName, precision: Precision, batch: int) -> float:
    """Returns the tokens that are drawn in a second of CPU time of one thread."""
    settings = Local(runner=runner, precision=precision, device="cpu", threads=1)
    best = 0.0
    opened = open_runner(folder, Stored(folder), settings, rows=batch)
    warm = Sampling(temperature=1.0)
    for number in range(ROUNDS):
        engine = Engine(opened, [b"x"] * opened.vocabulary, ())
        ids = [(7 * place + number) % opened.vocabulary for place in range(PROMPT)]
        ask = Ask(prompt=ids, room=ROOM, sampling=warm, stops=Stops([]), count=batch, seed=number)
        engine.add(ask)
        began = time.process_time()
        while engine.busy:
            engine.step()
        best = max(best, engine.counts.drawn / (time.process_time() - began))
    opened.close()
    return best


def measure(
    form: Form, folder: Path, packed: Path, held: int, before: list[dict[str, Any]]
) -> dict[str, Any]:
    """Returns the row of a form that was written to `folder`.

    What has the same shape, storage and groups as a form `before` it is as fast, and not timed.
    """
    model, extra = checkpoint.load(folder)
    told: dict[str, Any] = {
        "label": form.label,
        "parameters": model.config.parameters(),
        "bytes": sum(path.stat().st_size for path in folder.glob("model-*.safetensors")),
        "kind": [form.wanted.to, Stored(folder).group, model.config.to_dict()],
        "bits_per_byte": sampled(model, packed, rows=held, precision="bf16"),
        "compressed": extra["compressed"],
        "speed": {},
    }
    for other in before:
        if other["kind"] == told["kind"]:
            return {**told, "speed": other["speed"]}
    for runner, precision in (("torch", form.torch), ("native", form.native)):
        rates = [speed(folder, runner, precision, batch) for batch in BATCHES]
        told["speed"][runner] = {"precision": precision, "tokens_per_second": rates}
    return told


def markdown(told: dict[str, Any]) -> str:
    """Returns the table."""
    exact = told["forms"][0]["bits_per_byte"]
    lines = [
        "| form | MB | bits per byte | more | torch, 1 / 32 | native, 1 / 32 |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for form in told["forms"]:
        cells = [form["label"], f"{form['bytes'] / 1e6:.2f}", f"{form['bits_per_byte']:.4f}"]
        cells.append(f"{form['bits_per_byte'] / exact - 1:+.1%}")
        for runner in ("torch", "native"):
            one, many = form["speed"][runner]["tokens_per_second"]
            cells.append(f"{one:,.0f} / {many:,.0f} ({form['speed'][runner]['precision']})")
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"{told['held']} held-out rows of {told['context']:,} tokens, {told['rows']} rows to "
        "calibrate on; tokens a second of one thread by CPU time, on a machine with other work, "
        "timed once for forms of the same kind and shape.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", type=Path, help="the exact checkpoint")
    parser.add_argument("--packed", type=Path, help="its packed rows")
    parser.add_argument("--trained", type=Path, help="runs of recipes/compress.toml")
    parser.add_argument("--out", type=Path, default=_ROOT / "runs" / "compress-bench")
    parser.add_argument("--rows", type=int, default=32, help="rows to calibrate on")
    parser.add_argument("--held", type=int, default=64, help="held-out rows to measure on")
    parser.add_argument("--write-docs", action="store_true", help="from the last results")
    given = parser.parse_args()
    if given.write_docs:
        text = markdown(json.loads(_RESULTS.read_text()))
        say(f"filled {', '.join(fill([_DOC], 'compress', text))}")
        return
    if given.start is None or given.packed is None:
        parser.error("--start and --packed are needed to measure")
    import torch

    from codewright.corpus.loader import Loader
    from codewright.train import state
    from codewright.train.pretrain import CHECKPOINTS

    torch.set_num_threads(1)
    context = Loader(given.packed, batch=1, seed=0).context
    told = {"rows": given.rows, "held": given.held, "context": context, "forms": []}
    for number, form in enumerate(forms(given.packed, given.rows)):
        start = given.start
        if form.start:
            if given.trained is None:
                continue
            start = state.latest(given.trained / form.start / CHECKPOINTS)
            if start is None:
                raise SystemExit(f"{given.trained} holds no run {form.start}")
        folder = given.out / f"{number:02}"
        if not folder.is_dir():
            work(start, folder, form.wanted)
        told["forms"].append(measure(form, folder, given.packed, given.held, told["forms"]))
        say(markdown({**told, "forms": [told["forms"][0], told["forms"][-1]]}).splitlines()[3])
        _RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    say(markdown(told))


if __name__ == "__main__":
    main()
