"""Where an interpreter keeps its standard library and its packages.

Runs inside the interpreter in question: imported for the running one, started as a script for
another, when it prints its answer as JSON. It needs nothing but the standard library.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import sys
import sysconfig
from typing import Any


def describe(packages: list[str]) -> dict[str, Any]:
    """What a jail must show of this interpreter.

    Args:
        packages: distribution names; what they require and is installed comes along.

    Returns:
        `python` (the executable behind all links), `prefix`, `path` (the standard library's
        entries of sys.path), `hidden` (folders of installed packages below the prefix),
        `packages` (files and folders of the named distributions), `unknown` (names that are not
        installed), `version`.
    """
    paths = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    library = os.path.realpath(paths["stdlib"])
    platform_library = os.path.realpath(paths["platstdlib"])
    dynamic = os.path.join(platform_library, "lib-dynload")
    found, unknown = _files(packages)
    site = {os.path.realpath(paths["purelib"]), os.path.realpath(paths["platlib"])}
    site.add(os.path.join(os.path.dirname(library), "python3", "dist-packages"))
    return {
        "python": os.path.realpath(sys.executable),
        "prefix": os.path.realpath(sys.base_prefix),
        "path": list(dict.fromkeys([library, platform_library, dynamic])),
        "hidden": sorted(site),
        "packages": found,
        "unknown": unknown,
        "version": "{}.{}.{}".format(*sys.version_info[:3]),
    }


def _files(names: list[str]) -> tuple[list[str], list[str]]:
    tops: dict[str, None] = {}
    unknown = []
    seen: set[str] = set()
    waiting = [(name, True) for name in names]
    while waiting:
        name, asked = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if asked:
                unknown.append(name)
            continue
        for file in distribution.files or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not top.endswith(".pth"):
                tops[os.path.realpath(str(distribution.locate_file(top)))] = None
        for requirement in distribution.requires or []:
            if "extra ==" not in requirement:
                match = re.match(r"[A-Za-z0-9._-]+", requirement)
                if match:
                    waiting.append((match.group(), False))
    return sorted(path for path in tops if os.path.exists(path)), unknown


if __name__ == "__main__":
    json.dump(describe(sys.argv[1:]), sys.stdout)
