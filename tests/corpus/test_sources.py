"""Sources: what they yield, in which order, under which licence; and what they refuse."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codewright.corpus import sources
from codewright.corpus.recipe import SourceConfig
from codewright.corpus.unit import Choice, decode, part, pieces, safe
from codewright.errors import DataError, MachineError
from tests.corpus.planting import GPL, MIT, Books, install, program, write


def read(source: SourceConfig) -> tuple[dict[str, tuple[str, str, str]], Books]:
    """Returns (licence, origin, text) by path, and what was refused."""
    books = Books("read")
    found = {}
    for unit in sources.units(0, source):
        for document in sources.documents(unit, source, books.drops):
            assert document.path not in found
            found[document.path] = (document.licence, document.origin, document.text)
    return found, books


def test_installed_distributions_with_their_licences(tmp_path):
    install(tmp_path, "zeta", {"zeta/a.py": "a = 1\n", "zeta/data.txt": "no", "top.py": "t = 1\n"})
    install(tmp_path, "Alpha", {"alpha.py": "x = 1\n"}, metadata="License: BSD\n", licence=GPL)
    install(tmp_path, "beta", {"beta.py": "b = 1\n", "beta.pyi": "b: int\n"}, metadata="")
    write(tmp_path / "loose.py", "not = 'in any RECORD'\n")
    found, books = read(SourceConfig(kind="installed", path=tmp_path))
    assert list(found) == ["alpha.py", "beta.py", "top.py", "zeta/a.py"]
    assert found["alpha.py"] == ("GPL-3.0-or-later AND LicenseRef-BSD", "Alpha==1.0", "x = 1\n")
    assert found["beta.py"][:2] == ("", "beta==1.0")
    assert found["zeta/a.py"][:2] == ("MIT", "zeta==1.0")
    assert not books.told
    stubs, _ = read(SourceConfig(kind="installed", path=tmp_path, stubs=True))
    assert "beta.pyi" in stubs
    some, _ = read(SourceConfig(kind="installed", path=tmp_path, exclude=("zeta/*", "top.py")))
    assert list(some) == ["alpha.py", "beta.py"]
    with pytest.raises(DataError, match="is no folder"):
        sources.units(0, SourceConfig(kind="installed", path=tmp_path / "none"))


def test_a_record_cannot_lead_out_of_its_folder(tmp_path):
    secret = write(tmp_path / "secret.py", "password = 1\n")
    site = tmp_path / "site"
    install(site, "evil", {"ok.py": "ok = 1\n"})
    record = site / "evil-1.0.dist-info" / "RECORD"
    (site / "link.py").symlink_to(secret)
    (site / "pipe.py").mkdir()
    os.mkfifo(site / "fifo.py")
    outside = ["../secret.py", str(secret), "a/../../secret.py", "..\\secret.py"]
    record.write_text(
        "".join(f"{path},,\n" for path in [*outside, "link.py", "pipe.py", "fifo.py", "gone.py"])
        + record.read_text()
    )
    found, books = read(SourceConfig(kind="installed", path=site))
    assert list(found) == ["ok.py"]
    assert set(books.reasons()) == {"link.py", "pipe.py", "fifo.py", "gone.py"}


def test_a_record_that_is_broken_is_named_and_odd_sizes_are_nothing(tmp_path):
    install(tmp_path, "odd", {"odd.py": "x = 1\n"})
    record = tmp_path / "odd-1.0.dist-info" / "RECORD"
    record.write_text(f"odd.py,,²\nodd.py,,{'9' * 5000}\nodd.py\n\n")
    (unit,) = sources.units(0, SourceConfig(kind="installed", path=tmp_path))
    assert unit.files == ("odd.py",)
    record.write_text("x" * 200_000)
    with pytest.raises(DataError, match="RECORD is broken"):
        sources.units(0, SourceConfig(kind="installed", path=tmp_path))


def test_the_standard_library_is_python_s(tmp_path):
    source = SourceConfig(kind="standard-library")
    units = sources.units(3, source)
    assert len(units) > 2
    assert {unit.source for unit in units} == {3}
    assert {unit.licence for unit in units} == {"PSF-2.0"}
    assert {unit.origin for unit in units} == {f"python=={sys.version.split()[0]}"}
    paths = [path for unit in units for path in unit.files]
    assert {"ast.py", "json/decoder.py"} <= set(paths)
    assert len(paths) == len(set(paths))
    assert not any("site-packages" in path or "__pycache__" in path for path in paths)
    first = next(sources.documents(units[0], source, Books().drops))
    assert first.text == (units[0].place / first.path).read_text()


def test_a_folder_and_scripts_without_a_suffix(tmp_path):
    root = tmp_path / "project"
    write(root / "LICENSE", MIT)
    write(root / "b.py", "b = 1\r\nc = 2\r")
    write(root / "a" / "deep.py", b"\xef\xbb\xbfd = '\xc3\xa9'\n")
    write(root / "bin" / "tool", "#!/usr/bin/env python3\nx = 1\n")
    write(root / "bin" / "shell", "#!/bin/sh\nls\n")
    write(root / ".hidden" / "h.py", "h = 1\n")
    write(root / "__pycache__" / "p.py", "p = 1\n")
    write(root / "latin.py", "# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"))
    write(root / "broken.py", "s = 'é'\n".encode("latin-1"))
    write(root / "nul.py", b"s = '\0'\n")
    write(root / "lies.py", b"# -*- coding: no-such -*-\ns = '\xe9'\n")
    (root / "out.py").symlink_to("/etc/passwd")
    found, books = read(SourceConfig(kind="folder", path=root))
    assert {path: text for path, (_, _, text) in found.items()} == {
        "b.py": "b = 1\nc = 2\n",
        "a/deep.py": "d = 'é'\n",
        "bin/tool": "#!/usr/bin/env python3\nx = 1\n",
        "latin.py": "# -*- coding: latin-1 -*-\ns = 'é'\n",
    }
    assert {licence for licence, _, _ in found.values()} == {"MIT"}
    assert books.reasons() == dict.fromkeys(["broken.py", "nul.py", "lies.py"], "encoding")


def test_a_folder_without_a_licence_has_that_of_the_recipe(tmp_path):
    write(tmp_path / "a.py", "a = 1\n")
    found, _ = read(SourceConfig(kind="folder", path=tmp_path, licence="0BSD"))
    assert found["a.py"][0] == "0BSD"
    write(tmp_path / "COPYING", GPL)
    found, _ = read(SourceConfig(kind="folder", path=tmp_path, licence="0BSD"))
    assert found["a.py"][0] == "GPL-3.0-or-later"


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip


def test_a_checkout_gives_its_tracked_files_and_runs_nothing(tmp_path):
    root = tmp_path / "project"
    write(root / "a.py", "a = 1\n")
    write(root / "ä b.py", "b = 1\n")
    write(root / "LICENSE", MIT)
    git(root, "init", "-q")
    git(root, "add", ".")
    (root / "link.py").symlink_to("/etc/passwd")
    write(root / "gone.py", "g = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "x")
    (root / "gone.py").unlink()
    write(root / "untracked.py", "u = 1\n")
    hook = write(root / "hook.sh", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(hook))
    (tmp_path / "ran").unlink(missing_ok=True)
    found, books = read(SourceConfig(kind="git", path=root))
    assert sorted(found) == ["a.py", "ä b.py"]
    assert found["a.py"][0] == "MIT"
    assert found["a.py"][1].startswith("project@")
    assert not books.told
    assert not (tmp_path / "ran").exists()
    with pytest.raises(DataError, match="no git checkout"):
        sources.units(0, SourceConfig(kind="git", path=write(tmp_path / "d/x", "").parent))


def test_git_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="git is not installed"):
        sources.units(0, SourceConfig(kind="git", path=tmp_path))


def test_rows_with_the_names_that_the_recipe_gives(tmp_path):
    rows = [
        {"content": "a = 1\r\n", "repo": "x/y", "license": "MIT", "file": "a.py"},
        {"content": "b = 1\n"},
        {"content": None},
        {"content": "\ud800"},
        {"other": "x"},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    write(tmp_path / "b.jsonl.gz", gzip.compress(lines.encode()))
    write(tmp_path / "a.jsonl", '{"content": "first = 1\\n", "file": "f.py"}\n')
    write(tmp_path / "ignored.txt", "x")
    fields = {"text": "content", "origin": "repo", "licence": "license", "path": "file"}
    source = SourceConfig(kind="jsonl", path=tmp_path, licence="ISC", fields=fields)
    found, books = read(source)
    assert found == {
        "f.py": ("ISC", "a", "first = 1\n"),
        "a.py": ("MIT", "x/y", "a = 1\n"),
        "b.jsonl.gz:2": ("ISC", "b", "b = 1\n"),
    }
    assert list(books.reasons().values()) == ["no-text"] * 3
    with pytest.raises(DataError, match="holds no JSONL"):
        sources.units(0, SourceConfig(kind="jsonl", path=tmp_path / "none"))


def test_notebooks_become_programs(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Words."]},
        {"cell_type": "code", "source": "%matplotlib inline\nx = 1\n!ls\n  !pwd", "outputs": [1]},
        {"cell_type": "code", "source": ["%%bash\n", "rm -rf x"]},
        {"cell_type": "code", "source": "%%time\nfor i in x:\n    print(i % 2)\nlist?"},
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": "  \n"},
        "nonsense",
    ]
    book = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}}
    other = {"cells": cells, "metadata": {"kernelspec": {"language": "R"}}}
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "old = 1"}]}]}
    for name, content in (("a", book), ("r", other), ("old", old), ("empty", {"cells": []})):
        write(tmp_path / f"{name}.ipynb", json.dumps(content))
    write(tmp_path / "broken.ipynb", "{")
    write(tmp_path / "list.ipynb", "[" * 9999)
    found, books = read(SourceConfig(kind="notebooks", path=tmp_path, licence="MIT"))
    assert found["a.ipynb"][2] == (
        "# # Title\n#\n# Words.\n\n# %matplotlib inline\nx = 1\n# !ls\n  # !pwd\n\n"
        "# %%bash\n# rm -rf x\n\n# %%time\nfor i in x:\n    print(i % 2)\n# list?\n"
    )
    compile(found["a.ipynb"][2], "a", "exec")
    assert found["old.ipynb"][2] == "old = 1\n"
    assert set(books.reasons()) == {"r.ipynb", "empty.ipynb", "broken.ipynb", "list.ipynb"}


def test_exercises_are_those_of_their_seed():
    source = SourceConfig(kind="exercises", count=5, seed=7)
    found, _ = read(source)
    assert len(found) == 5
    assert read(source)[0] == found
    assert read(SourceConfig(kind="exercises", count=5, seed=8))[0] != found


def test_units_are_pieces_that_change_their_stamp_with_the_content(tmp_path, monkeypatch):
    monkeypatch.setattr("codewright.corpus.unit.UNIT_BYTES", 1000)
    install(tmp_path, "big", {f"big/m{n:02d}.py": program(n) for n in range(9)})
    source = SourceConfig(kind="installed", path=tmp_path)
    units = sources.units(0, source)
    assert len(units) > 3
    assert [path for unit in units for path in unit.files] == [f"big/m{n:02d}.py" for n in range(9)]
    assert [unit.stamp for unit in sources.units(0, source)] == [unit.stamp for unit in units]
    install(tmp_path, "big", {f"big/m{n:02d}.py": program(n + 1) for n in range(9)})
    assert {u.stamp for u in sources.units(0, source)}.isdisjoint({u.stamp for u in units})
    assert list(pieces([("a", 600), ("b", 600), ("c", 1)])) == [(("a", "b"), 1200), (("c",), 1)]
    assert list(pieces([])) == []


def test_a_share_of_the_files_is_chosen_by_their_names():
    paths = [f"package/module_{n}.py" for n in range(4000)]
    taken = {share: {p for p in paths if Choice(suffixes=(".py",), share=share).takes(p)}
             for share in (0.1, 0.5, 1.0)}  # fmt: skip
    assert taken[0.1] < taken[0.5] < taken[1.0] == set(paths)
    assert abs(len(taken[0.1]) - 400) < 80
    assert abs(len(taken[0.5]) - 2000) < 150
    assert 0 <= part("x") < 1


def test_what_is_a_safe_path_and_what_is_text():
    for path in ("a.py", "a/b.py", "a..py", "..a/b.py"):
        assert safe(path), path
    for path in ("", "/a", "../a", "a/../b", "a\\b", ".."):
        assert not safe(path), path
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"
    assert decode(b"\xff\xfea\0") is None
    assert decode(b"# coding: utf-7\nx = '+ADw-'") == "# coding: utf-7\nx = '+ADw-'"


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"kind": "archives"}, "needs a path"),
        ({"kind": "exercises", "path": Path("x")}, "path means nothing"),
        ({"kind": "git", "path": Path("x"), "count": 3}, "count means nothing"),
        ({"kind": "installed", "share": 0.0}, "share is above 0"),
        ({"kind": "jsonl", "path": Path("x"), "fields": {"txt": "a"}}, "names txt"),
        ({"kind": "standard-library", "fields": {"text": "a"}}, "fields means nothing"),
    ],
)
def test_a_source_says_which_of_its_keys_mean_nothing(keys, complaint):
    with pytest.raises(ValueError, match=complaint):
        SourceConfig(**keys)
