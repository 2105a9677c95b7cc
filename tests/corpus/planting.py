"""Material for tests of the corpus: an ordinary file, and small environments made of such."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

from codewright.corpus.steps import Drop, Drops
from codewright.corpus.unit import Unit
from codewright.types.document import Document

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this "
    "software. The above copyright notice and this permission notice shall be included."
)
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"

_NOUNS = tuple("basket river station pattern window ledger garden engine".split())  # noqa: SIM905
_VERBS = tuple("collect measure arrange compare restore select combine".split())  # noqa: SIM905


def program(seed: int, functions: int = 4) -> str:
    """Returns an ordinary, documented file, unlike those of other seeds."""
    draw = random.Random(seed)
    parts = [f'"""Helpers that deal with one {draw.choice(_NOUNS)} number {seed} at a time."""\n']
    for number in range(functions):
        verb, noun, other = draw.choice(_VERBS), draw.choice(_NOUNS), draw.choice(_NOUNS)
        low, high = draw.randint(2, 900), draw.randint(1000, 9000)
        operator = draw.choice(["+", "-", "*", "//", "%"])
        parts.append(
            f"\ndef {verb}_{noun}_{number}({other}_list: list[int], limit: int = {high}) -> int:\n"
            f'    """{verb.title()} every {other} below the limit of the {noun}."""\n'
            f"    total = {low}\n"
            f"    for {other} in {other}_list:\n"
            f"        if {other} < limit {operator} {low}:\n"
            f"            total = total {operator} ({other} + {draw.randint(1, 99)})\n"
            f"    return total - len({other}_list) * {draw.randint(2, 50)}\n"
        )
    return "\n".join(parts)


def document(text: str, path: str = "package/module.py", licence: str = "MIT") -> Document:
    return Document(text=text, path=path, licence=licence, origin="package==1.0")


class Books:
    """Drops, and each of them as it was told."""

    def __init__(self, step: str = "test") -> None:
        self.told: list[Drop] = []
        self.drops = Drops(step, self.told.append)

    def reasons(self) -> dict[str, str]:
        """Returns the reason of each dropped path."""
        return {drop.path: drop.reason for drop in self.told}


def kept(step, *documents: Document) -> tuple[list[Document], Books]:
    """Runs one step."""
    books = Books(step.name)
    return list(step.apply(documents, books.drops)), books


def install(
    site: Path, name: str, files: dict[str, str | bytes], *, version: str = "1.0",
    metadata: str = "License-Expression: MIT\n", licence: str = "",
) -> None:  # fmt: skip
    """Puts a distribution into a site-packages folder, as pip does."""
    info = f"{name}-{version}.dist-info"
    everything: dict[str, str | bytes] = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}",
    }
    if licence:
        everything[f"{info}/licenses/LICENSE"] = licence
    for path, text in everything.items():
        write(site / path, text)
    rows = [
        f'"{path}",sha256=x,{len(raw(text))}'
        if "," in path
        else f"{path},sha256=x,{len(raw(text))}"
        for path, text in everything.items()
    ]
    write(site / info / "RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")


def wheel(path: Path, files: dict[str, str | bytes], metadata: str, licence: str = "") -> None:
    name, version = path.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, raw(text))
        archive.writestr(f"{info}/METADATA", f"Name: {name}\nVersion: {version}\n{metadata}")
        if licence:
            archive.writestr(f"{info}/licenses/LICENSE", licence)


def sdist(path: Path, files: dict[str, str | bytes], metadata: str = "", licence: str = "") -> None:
    stem = path.name.removesuffix(".tar.gz")
    everything = {**files, "PKG-INFO": f"Name: x\n{metadata}"}
    if licence:
        everything["LICENSE"] = licence
    with tarfile.open(path, "w:gz") as archive:
        for member, text in everything.items():
            add(archive, f"{stem}/{member}", raw(text))


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def unit(place: Path, *files: str, kind: str = "files", licence: str = "MIT") -> Unit:
    return Unit(source=0, kind=kind, origin="x==1", place=place, licence=licence, files=files)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw(text))
    return path


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
