"""Programs of other languages: how each is built and run inside the jail.

A toolchain that is not installed makes the verdict `refused`, with the reason.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

from codewright.types.judging import Limits

_PROCESSES = 64
_BUILD_LIMITS = Limits(
    cpu_seconds=60.0, wall_seconds=60.0, memory_bytes=4 << 30, processes=_PROCESSES,
    threads=256, file_bytes=256 << 20, output_bytes=1 << 20, open_files=1024,
)  # fmt: skip
_ENVIRON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8",
    "GOCACHE": "/build/.go", "GOFLAGS": "-mod=mod", "GO111MODULE": "off", "GOTOOLCHAIN": "local",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language.

    Args:
        tools: executables that must be there.
        file: the name that the program's text gets; `{name}` stands for the main class.
        build: the command that builds it; empty where there is nothing to build.
        run: the command that runs it.
        extra: finds host folders that the tools need beyond the system's own.
        libraries: finds folders of shared libraries that the tools look for beside themselves;
            the jail has no /proc, in which they would learn where they are.
    """

    name: str
    tools: tuple[str, ...]
    file: str
    build: tuple[str, ...]
    run: tuple[str, ...]
    extra: Callable[[], tuple[str, ...]] = tuple
    libraries: Callable[[], tuple[str, ...]] = tuple
    build_limits: Limits = _BUILD_LIMITS

    def missing(self) -> str:
        """Why programs of this language cannot be run here; empty where they can."""
        absent = [tool for tool in self.tools if find_tool(tool) is None]
        return f"{self.name} needs {', '.join(absent)}, not installed here" if absent else ""

    def limits(self, limits: Limits) -> Limits:
        """The limits of a run: runtimes such as these have helper threads and processes."""
        return replace(limits, processes=max(limits.processes, _PROCESSES), threads=256)

    def order(self, program: str, *, building: bool) -> bytes:
        """The order for `script.run_command`."""
        name = _main_class(program)
        command = [part.format(name=name) for part in (self.build if building else self.run)]
        command[0] = find_tool(command[0]) or command[0]
        fresh = building or not self.build
        environ = {**_ENVIRON, "LD_LIBRARY_PATH": ":".join(self.libraries())}
        order = {
            "files": {self.file.format(name=name): program} if fresh else {},
            "command": command,
            "environ": environ,
            "building": building,
        }
        return json.dumps(order).encode()


@functools.cache
def find_tool(tool: str) -> str | None:
    """The executable behind a tool's name; for Rust, past the version switch of rustup."""
    if tool.startswith("/build"):
        return tool
    if tool == "rustc":
        root = _rust_root()
        return f"{root}/bin/rustc" if root else None
    found = shutil.which(tool, path="/usr/local/bin:/usr/bin:/bin:/usr/local/go/bin")
    return os.path.realpath(found) if found and tool in ("java", "javac") else found


@functools.cache
def _rust_root() -> str:
    rustc = shutil.which("rustc")
    if rustc is None:
        return ""
    try:
        done = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _rust_extra() -> tuple[str, ...]:
    root = _rust_root()
    return (root,) if root else ()


def _rust_libraries() -> tuple[str, ...]:
    return tuple(f"{root}/lib" for root in _rust_extra())


def _java_libraries() -> tuple[str, ...]:
    """The folders of the Java installation that `java` stands for."""
    java = find_tool("java")
    if java is None:
        return ()
    home = os.path.dirname(os.path.dirname(os.path.realpath(java)))
    return (f"{home}/lib", f"{home}/lib/server")


def _java_extra() -> tuple[str, ...]:
    if not os.path.isdir("/etc"):
        return ()
    return tuple(f"/etc/{name}" for name in os.listdir("/etc") if name.startswith("java"))


def _go_extra() -> tuple[str, ...]:
    return tuple(p for p in ("/usr/local/go", "/usr/share/go", "/usr/lib/go") if os.path.exists(p))


def _main_class(program: str) -> str:
    match = re.search(r"public\s+(?:final\s+)?class\s+([A-Za-z_]\w*)", program)
    return match.group(1) if match else "Main"


_BUILT = ("/build/program",)
LANGUAGES = MappingProxyType({
    language.name: language
    for language in (
        Language(
            name="c", tools=("gcc",), file="program.c", run=_BUILT,
            build=("gcc", "-O2", "-std=gnu17", "-o", "program", "program.c", "-lm"),
        ),
        Language(
            name="cpp", tools=("g++",), file="program.cpp", run=_BUILT,
            build=("g++", "-O2", "-std=gnu++20", "-o", "program", "program.cpp"),
        ),
        Language(
            name="javascript", tools=("node",), file="program.js", build=(),
            run=("node", "program.js"),
        ),
        Language(
            name="go", tools=("go",), file="program.go", run=_BUILT, extra=_go_extra,
            build=("go", "build", "-o", "program", "program.go"),
        ),
        Language(
            name="rust", tools=("rustc",), file="program.rs", run=_BUILT, extra=_rust_extra,
            libraries=_rust_libraries,
            # The system's linker: the one that comes along asks /proc where it is.
            build=(
                "rustc", "-O", "--edition", "2021", "-Clink-arg=-fuse-ld=bfd",
                "-o", "program", "program.rs",
            ),
        ),
        Language(
            name="java", tools=("javac", "java"), file="{name}.java", extra=_java_extra,
            libraries=_java_libraries,
            build=("javac", "-J-Xmx512m", "{name}.java"),
            run=("java", "-Xmx512m", "-Xss64m", "-XX:+UseSerialGC", "-cp", "/build", "{name}"),
        ),
    )
})  # fmt: skip
