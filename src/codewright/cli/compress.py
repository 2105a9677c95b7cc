"""`codewright compress CHECKPOINT`: a smaller model by pruning, by zeros, and by fewer bits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from codewright import console
from codewright.errors import ConfigError, MissingExtra, UserError
from codewright.generate.registry import EMBEDDED, embedded

if TYPE_CHECKING:
    from codewright.model.prune import Keep
    from codewright.model.quantize import Scheme

Target = Literal["float32", "bfloat16", "int8", "int4"]
Method = Literal["rtn", "gptq"]
By = Literal["magnitude", "wanda"]

GROUP = 64
STRUCTURES = ("heads", "inner", "layers")


def compress(
    checkpoint: Annotated[str, typer.Argument(help="A checkpoint folder, or embedded.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    to: Annotated[Target, typer.Option(help="How weights are stored.")] = "float32",
    group: Annotated[
        int | None,
        typer.Option(help="Inputs that share a scale, 0 for a whole row; 64 for int4, else 0."),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(help="How weights are rounded; gptq where there is text to calibrate on."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Structures that stay: heads=3 (of keys), inner=512, layers=5."),
    ] = None,
    sparsity: Annotated[
        str, typer.Option(help="Weights that become zero: a share (0.5), or N of M stay (2:4).")
    ] = "",
    by: Annotated[
        By | None, typer.Option(help="Which weights; wanda where there is text to calibrate on.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="A folder of packed rows to calibrate on.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of it that are read.")] = 32,
    score: Annotated[
        int, typer.Option(min=0, help="Held-out rows of it to measure bits per byte on.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the choice of rows.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Makes a checkpoint smaller: int8 and int4 weights, zeros, fewer heads and layers."""
    for package in ("torch", "safetensors", "tokenizers"):
        if find_spec(package) is None:
            raise MissingExtra(package, "local")
    from codewright.cli import compress_work

    told = compress_work.work(
        embedded() if checkpoint == EMBEDDED else Path(checkpoint),
        out,
        compress_work.Wanted(
            to=to,
            scheme=_scheme(to, group, method),
            method=method or ("gptq" if calibration else "rtn"),
            keep=_keep(keep or []),
            sparsity=sparsity,
            by=by or ("wanda" if calibration else "magnitude"),
            calibration=calibration,
            rows=rows,
            score=score,
            seed=seed,
        ),
    )
    if as_json:
        console.print_json(told)
    else:
        console.print_text("\n".join(_lines(told)))


def _scheme(to: Target, group: int | None, method: Method | None) -> Scheme | None:
    """Returns the form of the weights, None where they stay floating point."""
    from codewright.model.quantize import Scheme

    if to not in ("int8", "int4"):
        if group is not None or method is not None:
            raise UserError(
                f"{to} is not rounded to a grid",
                hint="leave --group and --method out, or --to int4",
            )
        return None
    size = group if group is not None else GROUP if to == "int4" else 0
    try:
        return Scheme(bits=4 if to == "int4" else 8, group=size)
    except ValueError as error:
        raise ConfigError(f"--group {size}: {error}", hint="0 is one scale a row") from None


def _keep(words: list[str]) -> Keep | None:
    """Reads what stays."""
    from codewright.model.prune import Keep

    found: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in STRUCTURES or not number.isdecimal() or int(number) < 1 or name in found:
            raise UserError(
                f"--keep {word!r} says nothing",
                hint=f"{', '.join(f'{each}=N' for each in STRUCTURES)}, each once and from 1",
            )
        found[name] = int(number)
    if not found:
        return None
    counts = (found.get(name, 0) for name in STRUCTURES)
    return Keep(**dict(zip(STRUCTURES, counts, strict=True)))


def _lines(told: dict[str, Any]) -> list[str]:
    parameters, was = told["parameters"], told["parameters_before"]
    form = told["to"]
    if "bits" in told:
        form += f" by {told['method']}, "
        form += f"groups of {told['group']}" if told["group"] else "a scale a row"
    said = [
        f"{told['out']}: {parameters / 1e6:.2f} M parameters in {form}, "
        f"{told['weight_bytes'] / 1e6:.2f} MB of weights"
    ]
    if parameters != was:
        said.append(f"pruned: {1 - parameters / was:.1%} of {was / 1e6:.2f} M parameters are gone")
    if "zeros" in told:
        said.append(f"zeros: {told['zeros']:.1%} of the layers' weights, by {told['by']}")
    if "bits_per_byte" in told:
        said.append(
            f"bits per byte: {told['bits_per_byte_before']:.4f} before, "
            f"{told['bits_per_byte']:.4f} now"
        )
    return said
