"""The truth about calls, how they are masked, and what counts as shown."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="BM25 is SQLite's, from the repo extra")
pytest.importorskip("psutil", reason="the bench extra")

from bench.remembering import calls, masks, sites
from bench.remembering.contenders import Ask, Passage, Pieces, Shown, holds, open_file, words
from bench.remembering.sites import Truth, found_at

CORE = '''\
"""Core."""
import functools


def wrap(f):
    @functools.wraps(f)
    def inner(*a):
        return f(*a)
    return inner


@wrap
def load(path,
         mode="r"):
    """Loads."""
    return open(path, mode)


class Base:
    def __init__(self, name):
        self.name = name

    def greet(self):
        return self.name

    @classmethod
    def made(cls):
        return cls("x")


if True:
    def twice(): return 1
else:
    def twice(): return 2
'''
USER = """\
import made_here.core, os
import made_here.core as kern
from made_here.core import (Base,
                            load as fetch, twice)
from made_here import core; SHARED = 1


class Child(Base):
    def run(self):
        ä = "ü"; value = self.greet()
        return super().greet()

    def own(self):
        return self.run()


def task(path, load):
    data = fetch(
        path,
        "r",
    )  # stays
    other = kern.Base("n")
    load(path)
    made_here.core.load(path)
    print(Base.made())
    twice()
    return os.path.join(path)


def lazy():
    from made_here.core import load
    return load("p")


def rebound():
    fetch = str
    return fetch(1)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "made_here"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "core.py").write_text(CORE)
    (folder / "user.py").write_text(USER, encoding="utf-8")
    return tmp_path


def at(text: str, start: str) -> int:
    """Returns the first line that begins so."""
    return next(n for n, line in enumerate(text.split("\n"), 1) if line.startswith(start))


def found(package: Path) -> dict[tuple[str, int], sites.Site]:
    """Finds the calls in a child, as the bench does, so that no module stays imported here."""
    script = (
        "import sys, json; from pathlib import Path; from dataclasses import asdict\n"
        "from bench.remembering.sites import Truth, found_at\n"
        "root = Path(sys.argv[1]); sys.path.insert(0, str(root))\n"
        "truth = Truth(root, ['made_here'])\n"
        "print(json.dumps([asdict(s) for s in found_at(truth, root / 'made_here/user.py')]))"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script, str(package)],
        capture_output=True, text=True, check=True, cwd=root,
    )  # fmt: skip
    kept = package / "sites.json"
    kept.write_text(done.stdout)
    return {(each.name, each.start[0]): each for each in sites.read(kept)}


def test_the_truth_is_what_python_finds(package: Path) -> None:
    every = found(package)
    told = {name: (site.how, site.line, site.first) for (name, _), site in every.items()}
    greet, load = at(CORE, "    def greet"), at(CORE, "def load")
    assert told == {
        "self.greet": ("inherited", greet, greet),
        "super().greet": ("inherited", greet, greet),
        "fetch": ("name", load, load - 1),
        "kern.Base": ("dotted", at(CORE, "class Base"), at(CORE, "class Base")),
        "made_here.core.load": ("dotted", load, load - 1),
        "Base.made": ("dotted", at(CORE, "    def made"), at(CORE, "    @classmethod")),
        "load": ("name", load, load - 1),
        # Of two definitions the one that runs. Not: a parameter, a rebound name, a method of its
        # own class, another package.
        "twice": ("name", at(CORE, "    def twice(): return 1"), at(CORE, "    def twice()")),
    }
    lines = CORE.split("\n")
    for site in every.values():
        name = site.name.rpartition(".")[2]
        definition = lines[site.line - 1]
        assert name == "fetch" or name in definition
        assert definition.lstrip().startswith(("def ", "class "))
        assert site.target == "made_here/core.py"
    assert every["kern.Base", at(USER, "    other")].constructor == at(CORE, "    def __init__")
    lazy = every["load", 32]
    assert (lazy.within, USER.split("\n")[lazy.within - 1]) == (30, "def lazy():")


def test_a_mask_takes_the_call_to_the_end_of_its_statement(package: Path) -> None:
    data, every = USER.encode(), found(package)
    site = every["fetch", 18]
    gap = masks.masked(data, site.start, site.end)
    assert gap.data.decode() == USER.replace('fetch(\n        path,\n        "r",\n    )', "")
    assert (gap.line, gap.column) == (18, len("    data = "))
    site = every["self.greet", 10]  # behind letters of two bytes
    gap = masks.masked(data, site.start, site.end)
    assert gap.data.decode() == USER.replace("self.greet()", "")
    offset = masks.place(gap.data, gap.line, gap.column)
    assert gap.data[:offset].decode().endswith('ä = "ü"; value = ')


def test_without_its_import_a_name_is_bound_by_nothing(package: Path) -> None:
    data, every = USER.encode(), found(package)
    site = every["fetch", 18]
    gap = masks.without_import(data, site.start, site.end, "fetch", 0)
    text = gap.data.decode()
    assert "from made_here.core import Base, twice\n" in text
    assert "load as fetch" not in text
    assert text.split("\n")[gap.line - 1] == "    data =   # stays"
    assert gap.column == len("    data = ")
    whole = text.replace("data = ", "data = 0")
    assert "fetch" not in masks_names(whole)
    site = every["kern.Base", 22]
    gap = masks.without_import(data, site.start, site.end, "kern", 0)
    assert gap.data.decode().startswith("import made_here.core, os\nfrom")
    assert gap.data.decode().split("\n")[gap.line - 1] == "    other = "
    site = every["load", 32]
    gap = masks.without_import(data, site.start, site.end, "load", site.within)
    assert "def lazy():\n    return \n" in gap.data.decode()
    assert "load as fetch" in gap.data.decode()


def masks_names(text: str) -> set[str]:
    """Returns the names that the imports of a file bind."""
    return {
        masks.binds(alias, node)
        for node, _ in masks.imports(ast.parse(text).body)
        for alias in node.names
    }


def test_an_import_alone_in_its_block_becomes_pass() -> None:
    data = b"try:\n    from a import b\nexcept ImportError:\n    b = None\nb()\n"
    gap = masks.without_import(data, (5, 0), (5, 3), "b", 0)
    assert gap.data == b"try:\n    pass\nexcept ImportError:\n    b = None\n\n"
    assert (gap.line, gap.column) == (5, 0)


def test_measures_are_those_of_the_hand() -> None:
    source = ["class A:", "    def __init__(self, x):", "        self.x = x", "", "    y = 1"]
    wanted = sites.Site(
        path="u.py", start=(1, 4), end=(1, 7), name="A", how="name", imported="A", within=0,
        target="a.py", first=1, line=1, last=5, constructor=2,
    )  # fmt: skip

    def judge(text: str, *passages: Passage) -> dict[str, float]:
        return calls.judged(wanted, Shown(text, passages), source, len)

    all_of_it = Passage("a.py", 1, 5, "\n".join(source))
    other = Passage("b.py", 1, 4, "x\ny\n\nz")
    told = judge("12345", all_of_it, other)
    assert told == {
        "signature": 1, "constructor": 1, "whole": 1, "lines": 1, "precision": 4 / 7, "tokens": 5,
    }  # fmt: skip
    outline = Passage("a.py", 1, 5, "class A:\n    def __init__(self,   x): ...")
    told = judge("", outline)
    assert (told["signature"], told["constructor"], told["whole"]) == (1, 1, 0)
    assert (told["lines"], told["precision"]) == (0.5, 1)
    head = Passage("a.py", 1, 5, "class A:")
    assert (judge("", head)["signature"], judge("", head)["constructor"]) == (1, 0)
    # Lines that are claimed and not there, and the same text from elsewhere, count for nothing.
    for liar in (Passage("a.py", 1, 5, "class B:"), Passage("b.py", 1, 5, "\n".join(source)),
                 Passage("a.py", 2, 3, "class A:")):  # fmt: skip
        assert judge("", liar)["signature"] == 0
    assert judge("")["precision"] == 0
    rows = [{"measures": {str(b): judge("1" * 600, head) for b in calls.BUDGETS}}] * 3
    rows += [{"measures": {str(b): judge("", other) for b in calls.BUDGETS}}]
    told = calls.summary(rows)["512"]
    assert (told["signature"], told["over"], told["most"]) == (0.75, 0.75, 600)
    assert told["interval"] == pytest.approx(1.96 * (0.75 * 0.25 / 4) ** 0.5)


def test_contenders_keep_the_budget_and_tell_the_truth(package: Path) -> None:
    pieces = Pieces(package)
    ask = Ask(path="made_here/user.py", before="def f():\n    greet name load path\n    ", after="")
    sizes = []
    for budget in (1, 20, 60, 100, 400):
        for shown in (pieces.shown(ask, budget, len), open_file(ask, budget, len)):
            assert len(shown.text) <= max(budget, len("    "))
            for each in shown.passages:
                text = (package / each.path).read_text().split("\n")
                if each.path != ask.path:
                    for number in range(each.first, each.last + 1):
                        assert holds([each], each.path, number, text[number - 1])
        sizes.append(len(pieces.shown(ask, budget, len).text))
    assert sizes == sorted(sizes)
    assert sizes[-1] > 100
    assert all(path != ask.path for path, *_ in pieces.search("Base load", 10, but=ask.path))
    assert pieces.search("greet", 1)[0] in {
        ("made_here/core.py", 23, 25),
        ("made_here/user.py", 9, 11),
    }
    assert words("readFile HTTPServer2 x_y") == [
        "readfile", "read", "file", "httpserver2", "http", "server", "2", "x_y", "x", "y",
    ]  # fmt: skip


def test_no_masked_file_is_needed_by_another(tmp_path: Path) -> None:
    assert Truth(tmp_path, []).module(tmp_path / "none.py") is None
    assert list(found_at(Truth(tmp_path, []), tmp_path / "none.py")) == []
    out = tmp_path / "sites.json"
    child = Path(sites.__file__)
    source = Path(ast.__file__).parent
    command = [sys.executable, "-W", "ignore", str(child), "--root", str(source), "--count", "20"]
    command += ["--names", "json,email,argparse.py,zipfile.py,configparser.py,logging,asyncio"]
    subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    every = json.loads(out.read_text())
    assert len(every) == 20
    masked = [each["path"] for each in every]
    assert len(set(masked)) == len(masked)
    assert not set(masked) & {each["target"] for each in every}
