"""Which size of model is best from which budget on: a few runs, a fitted law, a plot.

    python bench/scaling.py --recipe recipes/embedded.toml --packed runs/embedded/packed \
        --out runs/scaling --depths 4,6,8 --flops 1e13,3e13,1e14

Every depth is trained once for every budget, each run with a decay of its own, as a loss half-way
through a longer run says nothing about a run that ends there. What else the recipe says holds for
all; batch and rate are the dial's where it leaves them at 0, and depth 0 is its own shape. Runs
that are there are not made again, and one that was killed goes on. Held-out loss is that of all
held-out rows. The law is that of every run that has ended under OUT; without --depths nothing is
trained.

JSON to stdout and OUT/scaling.json, the plot to OUT/scaling.png.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from codewright import config, console
from codewright.corpus.loader import Loader
from codewright.errors import CodewrightError
from codewright.files import json_text, write_whole
from codewright.model import checkpoint
from codewright.train.dial import ShapeConfig
from codewright.train.plan import Plan, plan
from codewright.train.pretrain import BudgetConfig, pretrain
from codewright.train.recipe import Recipe
from codewright.train.scaling import Point, draw, fit, turns
from codewright.train.score import score, total

KEPT = "point.json"


def run(recipe: Recipe, packed: Path, out: Path, depth: int, flops: float) -> Point:
    """Trains one size for one budget, and measures it."""
    facts = Loader(packed, batch=1, seed=0).facts
    settled = plan(
        _shape(recipe.model, depth),
        replace(recipe.train, budget=BudgetConfig(flops=flops)),
        facts,
    )
    place = _place(out, depth, flops)
    console.say(f"depth {depth}, {flops:.1e} operations")
    kept = place / KEPT
    if kept.is_file():
        return _kept(kept)
    trained = pretrain(settled.train, settled.model, packed, place)
    model, _ = checkpoint.load(trained.checkpoint)
    precision = settled.train.compute.precision
    measured = total(score(model, packed, pad=int(facts["pad"]), precision=precision))
    found = point(settled, trained.steps, measured.nats / measured.tokens)
    write_whole(kept, json_text(dataclasses.asdict(found)))
    return found


def _shape(own: ShapeConfig, depth: int) -> ShapeConfig:
    """Returns the shape of a depth; 0 is the recipe's own.

    A width that the recipe sets would be that of every depth, so it is left to the dial.
    """
    if not depth:
        return own
    return replace(own, depth=depth, width=0, heads=0, kv_heads=0, inner=0)


def _kept(path: Path) -> Point:
    return Point(**json.loads(path.read_text()))


def _place(out: Path, depth: int, flops: float) -> Path:
    return out / f"depth-{depth}-flops-{flops:.0e}"


def point(settled: Plan, steps: int, loss: float) -> Point:
    """Returns what a run tells the law; its operations are those that it really took."""
    tokens = float(steps * settled.train.batch * settled.model.context)
    return Point(
        name=f"depth {settled.model.layers}, {settled.model.parameters() / 1e6:.1f} M",
        parameters=float(settled.model.parameters()),
        tokens=tokens,
        flops=tokens * settled.model.flops_per_token(settled.model.context),
        loss=loss,
    )


def main() -> int:
    """Makes the runs that the command line asks for, and the law from them."""
    given = _parser().parse_args()
    recipe = config.load(Recipe, given.recipe, given.overrides)
    try:
        for flops in given.flops:
            for depth in given.depths:
                run(recipe, given.packed, given.out, depth, flops)
    except CodewrightError as error:
        console.print_error(error)
        return error.exit_code
    points = [_kept(path) for path in sorted(given.out.glob(f"*/{KEPT}"))]
    points.sort(key=lambda each: (each.flops, each.parameters))
    law = fit(points)
    told: dict[str, Any] = {
        "points": [dataclasses.asdict(each) for each in points],
        "law": dataclasses.asdict(law),
        "turns": [dataclasses.asdict(each) for each in turns(law, points)],
    }
    draw(points, law, given.out / "scaling.png")
    write_whole(given.out / "scaling.json", json_text(told))
    for turn in turns(law, points):
        console.say(f"from {turn.flops:.2e} operations on: {turn.larger} before {turn.smaller}")
    print(json.dumps(told))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*", metavar="a.b=c", help="settings that win")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--packed", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--depths", type=_numbers(int), default=[], help="4,6,8; 0: as it is")
    parser.add_argument("--flops", type=_numbers(float), default=[], help="1e13,3e13,1e14")
    return parser


def _numbers(kind: type) -> Any:
    return lambda text: [kind(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
