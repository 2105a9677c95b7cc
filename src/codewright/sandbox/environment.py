"""Which interpreter and packages programs get, and what of the host a jail shows for them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright.errors import DataError, UnknownName
from codewright.sandbox import describe

# Imported before any program runs. Each costs every fork a little, so only what programs commonly
# use, and what is dear to import, is here.
COMMON_MODULES = (
    "bisect", "cmath", "collections", "collections.abc", "copy", "datetime", "decimal",
    "fractions", "functools", "heapq", "io", "itertools", "json", "math", "numbers", "operator",
    "os", "random", "re", "string", "sys", "time", "types", "typing",
)  # fmt: skip
_SYSTEM = (
    "/bin", "/lib", "/lib32", "/lib64", "/sbin", "/usr/bin", "/usr/include", "/usr/lib",
    "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/localtime", "/etc/alternatives",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What programs run on.

    Args:
        python: the interpreter; a virtual environment's shows that environment's packages.
        packages: distributions that programs may import; they are visible read-only.
        preload: modules imported once, before any program, so that no program pays for it.
        system_packages: whether every package of the interpreter is visible (for tests that are
            trusted to import what they need).
        extra: further host paths to show read-only (a compiler's folders).
    """

    python: str = sys.executable
    packages: tuple[str, ...] = ()
    preload: tuple[str, ...] = COMMON_MODULES
    system_packages: bool = False
    extra: tuple[str, ...] = ()


@functools.cache
def layout(environment: Environment) -> dict[str, Any]:
    """What the jail and its fork server need to know about an environment.

    Returns:
        `python`, `path`, `readable`, `hidden`, `packages`, `preload`, `version`.

    Raises:
        DataError: the interpreter cannot be run.
        UnknownName: a package is not installed for it.
    """
    found = _describe(environment)
    if found["unknown"]:
        raise UnknownName(
            f"not installed for {environment.python}: {', '.join(found['unknown'])}",
            hint=f"{environment.python} -m pip install {' '.join(found['unknown'])}",
        )
    path, hidden = list(found["path"]), list(found["hidden"])
    readable = [*_SYSTEM, found["prefix"], *found["path"], *environment.extra]
    if environment.system_packages:
        site = [p for p in sys.path if "site-packages" in p or "dist-packages" in p]
        path += site
        readable += site
        hidden = []
    return {
        "python": found["python"],
        "path": path,
        "readable": [p for p in readable if os.path.lexists(p) and p != "/usr"],
        "hidden": hidden,
        "packages": found["packages"],
        "preload": list(environment.preload),
        "version": found["version"],
    }


def _describe(environment: Environment) -> dict[str, Any]:
    if environment.python == sys.executable:
        return describe.describe(list(environment.packages))
    script = str(Path(describe.__file__))
    try:
        done = subprocess.run(
            [environment.python, "-s", "-P", "-B", script, *environment.packages],
            capture_output=True,
            timeout=60,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise DataError(
            f"{environment.python} is not a Python interpreter that can be used: {error}",
            hint="give the path of a Python 3.11 or newer",
        ) from error
    return answer
