"""`codewright train RECIPE`: corpus, tokenizer, rows, training and scores, in one go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codewright import config, console
from codewright.errors import MissingExtra, UnknownName

if TYPE_CHECKING:
    from codewright.train.stages import Done, Stage

_NEEDED = {
    "torch": ("torch", "local"),
    "tokenizers": ("tokenizers", "local"),
    "safetensors": ("safetensors", "local"),
}


def train(
    recipe: Annotated[Path, typer.Argument(help="The TOML recipe, for example recipes/tiny.toml.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Overrides: train.budget.steps=100 and the like."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where it is made; runs/NAME by default.")
    ] = None,
    stage: Annotated[
        str,
        typer.Option(
            help="The last stage to run: corpus, tokenizer, pack, train, repack, lengthen or score."
        ),
    ] = "score",
    restart: Annotated[
        str, typer.Option(help="Throw this stage's product away, and those made from it.")
    ] = "",
    stop_after: Annotated[
        float | None, typer.Option(help="Seconds of training after which it saves and stops.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Makes a model from a recipe: corpus, tokenizer, packed rows, training, scores."""
    for module, (package, extra) in _NEEDED.items():
        if find_spec(module) is None:
            raise MissingExtra(package, extra)
    from codewright.train.recipe import Recipe
    from codewright.train.stages import Workshop

    data = os.environ.get("CODEWRIGHT_DATA")
    folder = out or Path("runs") / recipe.stem
    workshop = Workshop(
        config.load(Recipe, recipe, settings or ()),
        folder,
        benchmarks=Path(data) if data else None,
        stop_after=stop_after,
        restart=_stage(restart) if restart else None,
    )
    done = []
    for each in workshop.run(_stage(stage)):
        console.say(_line(each))
        done.append(each)
    if as_json:
        console.print_json(_told(folder, done))
    else:
        console.print_text("\n".join(_summary(folder, done)))
    if not done[-1].finished:
        raise typer.Exit(1)


def _stage(name: str) -> Stage:
    from codewright.train.stages import STAGES

    for stage in STAGES:
        if stage == name:
            return stage
    raise UnknownName(f"no stage is called {name}", hint=f"known: {', '.join(STAGES)}")


def _line(done: Done) -> str:
    if not done.made:
        return f"{done.stage}: there already"
    return f"{done.stage}: {'done' if done.finished else 'stopped'} after {done.seconds:.1f} s"


def _told(folder: Path, done: Sequence[Done]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "stages": {
            each.stage: {"made": each.made, "seconds": each.seconds, **each.facts} for each in done
        },
    }


def _summary(folder: Path, done: Sequence[Done]) -> list[str]:
    facts = {each.stage: each.facts for each in done}
    said = []
    if "corpus" in facts:
        corpus = facts["corpus"]
        dropped = sum(corpus["dropped"].values())
        said.append(
            f"corpus      {corpus['files']:,} files, {corpus['bytes'] / 1e6:.1f} MB; "
            f"{dropped:,} files dropped"
        )
    if "tokenizer" in facts:
        said.append(f"tokenizer   {facts['tokenizer']['vocabulary']:,} tokens")
    if "pack" in facts:
        pack = facts["pack"]
        said.append(
            f"rows        {pack['rows']:,} of {pack['tokens']:,} tokens in all, "
            f"{pack['bytes'] / max(pack['tokens'], 1):.2f} bytes a token; "
            f"{pack['held_rows']:,} rows held out"
        )
    if "train" in facts:
        train = facts["train"]
        said.append(
            f"training    {train['parameters']:,} parameters, step {train['step']:,} of "
            f"{train['steps']:,}: {folder / train['checkpoint']}"
        )
    if "score" in facts:
        said += _scores(facts["score"])
    return said


def _scores(score: dict[str, Any]) -> list[str]:
    if "held_out" not in score:
        return ["held out    nothing was kept from training, so nothing is measured"]
    held = score["held_out"]
    said = [
        f"held out    {held['bits_per_byte']:.4f} bits per byte, perplexity "
        f"{held['perplexity']:.2f}, {held['bytes'] / 1e6:.2f} MB"
    ]
    worst = sorted(score["groups"], key=lambda group: -group["bytes"])[:10]
    said += [
        f"  {group['bits_per_byte']:.4f}  {group['name']} ({group['bytes'] / 1e3:.0f} kB)"
        for group in worst
    ]
    return said
