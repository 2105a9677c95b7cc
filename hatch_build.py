"""Builds the C kernels of the engine and the C scanner into the package, where there is a compiler.

Without one the package is whole all the same: models on this machine then run on torch, files are
read by Python, and `codewright doctor` says so. CODEWRIGHT_KERNELS=require makes a missing compiler
an error, CODEWRIGHT_KERNELS=skip leaves both out.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src/codewright/engine/kernels")
LIBRARY = "kernels.so"

FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-Wall",
    "-Wno-psabi",
)
_AVX512 = "-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mprefer-vector-width=512"
BUILDS = {
    "portable": "",
    "avx2": "-mavx2 -mfma",
    "avx512vnni": f"-mavx2 -mfma {_AVX512}",
    "avx512bf16": f"-mavx2 -mfma {_AVX512} -mavx512bf16",
}
"""The instructions that each build may use. Which one runs is decided where it runs."""


SCANNER = Path("src/codewright/repo/scan")
SCANNER_LIBRARY = "scan.so"
SCANNER_FLAGS = (
    "-std=gnu11",
    "-O3",
    "-ffp-contract=off",  # sums are the same numbers as without it
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
)


def digest(folder: Path) -> str:
    """Returns what tells a library apart from one of other sources."""
    names = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()[:16]


def build(folder: Path) -> None:
    """Compiles the library into `folder`, whole or not at all.

    Raises:
        OSError, subprocess.CalledProcessError: there is no compiler, or it fails.
    """
    compiler = shlex.split(os.environ.get("CC", "cc"))
    x86 = platform.machine() in ("x86_64", "AMD64")
    builds = BUILDS if x86 else {"portable": ""}
    with tempfile.TemporaryDirectory() as scratch:
        objects = [f"{scratch}/library.o"]
        works = [["library.c", f'-DSOURCES="{digest(folder)}"', "-o", objects[0]]]
        for name, instructions in builds.items():
            objects.append(f"{scratch}/{name}.o")
            works.append(["kernels.c", f"-DBUILD={name}", *instructions.split(), "-o", objects[-1]])
        running = [
            subprocess.Popen([*compiler, *FLAGS, "-c", *words], cwd=folder) for words in works
        ]
        for process, words in zip(running, works, strict=True):
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, words)
        made = f"{scratch}/{LIBRARY}"
        subprocess.run([*compiler, "-shared", "-o", made, *objects, "-lpthread", "-lm"], check=True)
        fresh = folder / f"{LIBRARY}.new"
        shutil.copyfile(made, fresh)
        os.replace(fresh, folder / LIBRARY)


def build_scanner(folder: Path) -> None:
    """Compiles the scanner of Python files into `folder`, whole or not at all.

    Raises:
        OSError, subprocess.CalledProcessError: there is no compiler, or it fails.
    """
    compiler = shlex.split(os.environ.get("CC", "cc"))
    names = sorted(path.name for path in folder.glob("*.c"))
    with tempfile.TemporaryDirectory() as scratch:
        made = f"{scratch}/{SCANNER_LIBRARY}"
        words = [
            *SCANNER_FLAGS,
            f'-DSOURCES="{digest(folder)}"',
            "-shared",
            "-o",
            made,
            *names,
            "-lm",
        ]
        subprocess.run([*compiler, *words], cwd=folder, check=True)
        fresh = folder / f"{SCANNER_LIBRARY}.new"
        shutil.copyfile(made, fresh)
        os.replace(fresh, folder / SCANNER_LIBRARY)


class KernelsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for wheels and for editable installations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles, and marks the wheel as one for this platform."""
        wanted = os.environ.get("CODEWRIGHT_KERNELS", "")
        if wanted == "skip":
            return
        folder = Path(self.root) / FOLDER
        try:
            build(folder)
            build_scanner(Path(self.root) / SCANNER)
        except (OSError, subprocess.CalledProcessError) as error:
            if wanted == "require":
                raise
            sys.stderr.write(f"codewright: built without its C kernels ({error})\n")
            return
        place = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"] += [str(FOLDER / LIBRARY), str(SCANNER / SCANNER_LIBRARY)]
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{place}"


if __name__ == "__main__":
    build(Path(__file__).resolve().parent / FOLDER)
    build_scanner(Path(__file__).resolve().parent / SCANNER)
