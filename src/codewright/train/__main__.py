"""`python -m codewright.train`: pre-training where there is no `codewright` command.

A machine that only trains has torch, numpy and safetensors, and neither Typer nor Rich. Errors are
told as the command line tells them, with the same exit codes; 4 says that the run was stopped by
--stop-after and is to be started again.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from codewright import config, console
from codewright.corpus.loader import Loader
from codewright.errors import CodewrightError
from codewright.train.plan import plan
from codewright.train.pretrain import Trained, pretrain
from codewright.train.recipe import Recipe

EXIT_UNFINISHED = 4


def run(arguments: Sequence[str]) -> int:
    """Trains as `arguments` say, and returns the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    try:
        recipe = config.load(Recipe, options.recipe, options.overrides)
        settled = plan(recipe.model, recipe.train, Loader(options.packed, batch=1, seed=0).facts)
        for line in settled.lines():
            console.say(line)
        trained = pretrain(
            settled.train,
            settled.model,
            options.packed,
            options.out,
            tokenizer=options.tokenizer,
            stop_after=options.stop_after,
        )
    except CodewrightError as error:
        console.print_error(error)
        return error.exit_code
    console.print_json(_told(trained))
    return 0 if trained.finished else EXIT_UNFINISHED


def _told(trained: Trained) -> dict[str, object]:
    told = dataclasses.asdict(trained)
    return {**told, "checkpoint": str(trained.checkpoint), "finished": trained.finished}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codewright.train")
    parser.add_argument("recipe", type=Path, help="a TOML recipe; [model] and [train] are used")
    parser.add_argument("overrides", nargs="*", metavar="a.b=c", help="settings that win")
    parser.add_argument("--packed", type=Path, required=True, help="the folder of packed rows")
    parser.add_argument("--out", type=Path, required=True, help="where the run is kept")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json, kept in checkpoints")
    parser.add_argument(
        "--stop-after", type=float, metavar="SECONDS", help="save then, and exit with 4"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
