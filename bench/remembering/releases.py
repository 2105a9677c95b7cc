"""Sources of the releases that SWE-bench's instances lie near: wheels, unpacked, nothing run.

An instance was made at a commit between two releases, and the index of packages has releases. For
a version as the instance states it, these are tried: the first release of that version or later,
the one before it, and the last one of that version. Which of them fits is for `patches.py` to say.
Only wheels are taken, because asking pip for a source archive runs its `setup.py`; what has no
wheel is not covered, and counted. Only the Python files of a wheel are kept.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from bench.pages import say
from packaging.version import InvalidVersion, Version

PROJECTS = {
    "astropy/astropy": "astropy",
    "django/django": "django",
    "matplotlib/matplotlib": "matplotlib",
    "mwaskom/seaborn": "seaborn",
    "pallets/flask": "flask",
    "psf/requests": "requests",
    "pydata/xarray": "xarray",
    "pylint-dev/pylint": "pylint",
    "pytest-dev/pytest": "pytest",
    "scikit-learn/scikit-learn": "scikit-learn",
    "sphinx-doc/sphinx": "sphinx",
    "sympy/sympy": "sympy",
}
COMPILED = {"astropy", "matplotlib", "scikit-learn"}
PYTHONS = ("3.11", "3.9", "3.7", "3.6", "3.5")
"""Wheels with compiled parts are for one Python: these are asked for, the newest first."""
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def wanted(version: str, released: Sequence[str]) -> list[str]:
    """Returns the releases to try for a version, the likeliest first."""
    final = sorted({Version(name) for name in released if not Version(name).is_prerelease})
    asked = Version(version)
    later = [each for each in final if each >= asked]
    before = [each for each in final if each < asked]
    same = [each for each in final if each.release[: len(asked.release)] == asked.release]
    found = later[:1] + before[-1:] + same[-1:]
    names = {Version(name): name for name in released}
    return list(dict.fromkeys(names[each] for each in found))


def released(project: str) -> dict[str, str]:
    """Returns all releases with a wheel, each with the Python to ask for ("" for any).

    Raises:
        SystemExit: pip lists none.
    """
    found: dict[str, str] = {}
    for python in PYTHONS if project in COMPILED else ("",):
        command = [*_PIP, "index", "versions", project, "--only-binary", ":all:"]
        command += ["--python-version", python] if python else ["--ignore-requires-python"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # Older pips have no --json.
        listed = re.search(r"^Available versions: (.+)$", done.stdout, re.MULTILINE)
        for name in listed[1].split(", ") if listed else ():
            if _is_version(name):
                found.setdefault(name, python)
    if not found:
        raise SystemExit(f"pip lists no releases of {project}:\n{done.stderr[-2000:]}")
    return found


def _is_version(name: str) -> bool:
    try:
        Version(name)
    except InvalidVersion:
        return False
    return True


def fetch(project: str, version: str, python: str, folder: Path) -> Path | None:
    """Returns the folder with a release's Python files; None where there is no wheel for us."""
    place = folder / f"{project}-{version}"
    if place.is_dir():
        return place
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [*_PIP, "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", scratch]
        command += ["--python-version", python] if python else ["--ignore-requires-python"]
        done = subprocess.run(
            [*command, f"{project}=={version}"], capture_output=True, text=True, check=False
        )
        wheels = sorted(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            say(f"{project} {version}: no wheel")
            return None
        fresh = Path(scratch) / "files"
        unpack(wheels[0], fresh)
        shutil.move(fresh, place)
    return place


def unpack(wheel: Path, folder: Path) -> None:
    """Writes the Python files of a wheel, none of them outside the folder."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            inside = PurePosixPath(info.filename)
            if inside.is_absolute() or ".." in inside.parts or inside.suffix != ".py":
                continue
            if inside.parts[0].endswith((".data", ".dist-info")):
                continue
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(info))


def gather(pairs: Iterable[tuple[str, str]], folder: Path) -> dict[tuple[str, str], list[Path]]:
    """Returns, for pairs of repository and version, the folders of the releases to try."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, str], list[Path]] = {}
    lists: dict[str, dict[str, str]] = {}
    for repository, version in sorted(set(pairs)):
        project = PROJECTS[repository]
        if project not in lists:
            lists[project] = _listed(project, folder)
        names = wanted(version, list(lists[project])) if lists[project] else []
        places = [fetch(project, name, lists[project][name], folder) for name in names]
        found[repository, version] = [place for place in places if place is not None]
        say(f"{project} {version}: {', '.join(p.name for p in found[repository, version])}")
    return found


def _listed(project: str, folder: Path) -> dict[str, str]:
    """Asks once, and keeps the answer, so that a second run needs no network."""
    kept = folder / f"{re.sub('[^a-z-]', '', project)}.json"
    if not kept.is_file():
        kept.write_text(json.dumps(released(project)))
    told: dict[str, str] = json.loads(kept.read_text())
    return told
