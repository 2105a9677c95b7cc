"""`codewright doctor`: what this machine offers."""

from __future__ import annotations

import os
import platform
from typing import Annotated

import typer

from codewright import console
from codewright.engine import library
from codewright.errors import IsolationError, MissingKernels, WorkerError
from codewright.repo import scanner
from codewright.sandbox import landlock
from codewright.sandbox.environment import Environment
from codewright.sandbox.jail import LAYERS
from codewright.sandbox.languages import LANGUAGES
from codewright.sandbox.policy import HOW_TO_GET, POLICIES, demand
from codewright.sandbox.server import PROGRAM_ROLES, ForkServer

_MEMORY = 1 << 30


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Says which layers of isolation hold on this machine, and how to get the rest."""
    layers, broken = _try_layers()
    policies = {name: _holds(name, layers) for name in POLICIES}
    languages = {name: language.missing() for name, language in LANGUAGES.items()}
    kernels = _kernels()
    if as_json:
        console.print_json(
            {
                "layers": {
                    name: {"holds": reason == "", "why": reason, "how": _how(name, reason)}
                    for name, reason in layers.items()
                },
                "policies": {name: why == "" for name, why in policies.items()},
                "languages": {name: why == "" for name, why in languages.items()},
                "landlock_abi": landlock.abi(),
                "kernels": kernels,
                "scanner": _scanner(),
                "user": "root" if os.getuid() == 0 else "ordinary",
                "cores": os.cpu_count(),
                "kernel": platform.release(),
                "python": platform.python_version(),
                "error": broken,
            }
        )
    else:
        console.print_text(
            "\n".join(
                [
                    *_lines(layers, policies, languages, broken),
                    "",
                    f"  {'kernels':<16} {kernels}",
                    f"  {'scanner':<16} {_scanner()}",
                ]
            )
        )
    if policies["default"]:
        raise typer.Exit(3)


def _try_layers() -> tuple[dict[str, str], str]:
    try:
        server = ForkServer(Environment(preload=()), PROGRAM_ROLES, _MEMORY)
        server.wait_ready()
    except WorkerError as error:
        return dict.fromkeys(LAYERS, "the fork server did not start"), error.message
    server.close()
    return {name: server.layers.get(name, "not tried") for name in LAYERS}, ""


def _kernels() -> str:
    """Returns which build of the engine's kernels runs here, or why none does."""
    try:
        return library.find().name
    except MissingKernels as error:
        return f"{error.message}: models on this machine run on torch"


def _scanner() -> str:
    """Returns whether Python files are read by the C scanner here, or why not."""
    try:
        scanner.find()
    except MissingKernels as error:
        return f"{error.message}: files are indexed by Python, slowly"
    return "C"


def _holds(policy: str, layers: dict[str, str]) -> str:
    try:
        demand(POLICIES[policy], layers)
    except IsolationError as error:
        return error.message
    return ""


def _how(name: str, reason: str) -> str:
    return HOW_TO_GET[name] if reason else ""


def _lines(
    layers: dict[str, str], policies: dict[str, str], languages: dict[str, str], broken: str
) -> list[str]:
    said = [
        f"Linux {platform.release()} on {platform.machine()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {'root' if os.getuid() == 0 else 'an ordinary user'}",
        "",
    ]
    if broken:
        said += [broken, ""]
    for name, reason in layers.items():
        said.append(f"  {name:<13} {'holds' if not reason else 'MISSING: ' + reason}")
        if reason:
            said.append(f"  {'':<13} get it: {HOW_TO_GET[name]}")
    said.append("")
    for name, why in policies.items():
        state = "can be kept" if not why else "cannot be kept"
        said.append(f"  policy {name:<9} {state:<15} {POLICIES[name].meaning}")
    said.append("")
    for name, why in languages.items():
        said.append(f"  {name:<16} {why or 'toolchain found'}")
    return said
