"""Patches in releases, what a search has to find of them, and how the rest is counted."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="BM25 is SQLite's, from the repo extra")
pytest.importorskip("pyarrow", reason="SWE-bench is Parquet")
pytest.importorskip("psutil", reason="the bench extra")

from bench.remembering import (
    commits,
    completion,
    contenders,
    patches,
    releases,
    speed,
    trees,
    weighed,
)

OLD = """\
import os


def one(x):
    y = x
    return y


class Two:
    def one(self):
        y = x
        return y

    def three(self):
        return 3
"""
PATCH = """\
diff --git a/src/pack/mod.py b/src/pack/mod.py
--- a/src/pack/mod.py
+++ b/src/pack/mod.py
@@ -12,3 +12,4 @@ class Two:
         y = x
-        return y
+        y += 1
+        return -y

@@ -15,2 +16,3 @@
     def three(self):
+        # more
         return 3
diff --git a/tests/test_mod.py b/tests/test_mod.py
--- a/tests/test_mod.py
+++ b/tests/test_mod.py
@@ -1,1 +1,1 @@
-nowhere
+here
diff --git a/src/pack/new.py b/src/pack/new.py
new file mode 100644
--- /dev/null
+++ b/src/pack/new.py
@@ -0,0 +1 @@
+x = 1
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mod.py").write_text(OLD)
    (tmp_path / "pack" / "other.py").write_text("def three():\n    return 'three of them'\n")
    return tmp_path


def test_a_patch_is_found_where_its_lines_stand(release: Path) -> None:
    gold = patches.fitted(PATCH, release)
    lines = OLD.split("\n")
    # "        return y" of the method, and the line after which a line came.
    assert gold == {"pack/mod.py": [12, 14]}
    assert [lines[number - 1] for number in gold["pack/mod.py"]] == [
        "        return y",
        "    def three(self):",
    ]
    mod = release / "pack" / "mod.py"
    mod.write_text("# one line more\n" + OLD)
    assert patches.fitted(PATCH, release) == {"pack/mod.py": [13, 15]}
    mod.write_text(OLD.replace("        return 3", "        # more\n        return 3"))
    assert patches.fitted(PATCH, release) is None, "a release that has the fix"
    mod.write_text(OLD.replace("return 3", "return 4"))
    assert patches.fitted(PATCH, release) is None, "a hunk that is nowhere"
    mod.unlink()
    assert patches.fitted(PATCH, release) is None
    assert [patches.is_test(path) for path in ("a/tests/b.py", "a/test_b.py", "a/b_test.py",
                                               "a/testable.py", "a/contest/b.py")] == [
        True, True, True, False, False]  # fmt: skip


def test_rankings_are_measured_as_by_hand(release: Path) -> None:
    gold = {"pack/mod.py": [12, 14], "pack/other.py": [1]}
    ranked = [
        ("pack/tests/test_mod.py", 1, 9),  # no test counts, for nobody
        ("pack/else.py", 1, 400),
        ("pack/mod.py", 4, 6),
        ("pack/mod.py", 14, 15),
        ("pack/other.py", 1, 2),
        ("pack/mod.py", 9, 12),
    ]
    told = commits.judged(gold, release, ranked)
    assert (told["file@1"], told["file@5"], told["file@10"]) == (0, 1, 1)
    # Three functions are changed: Two.one, Two.three, three.
    assert told["function@1"] == 0
    assert told["function@5"] == 1
    assert commits.judged(gold, release, ranked[:5])["function@5"] == pytest.approx(2 / 3)
    assert told["lines"] == 1
    long = [("pack/else.py", 1, 499), ("pack/mod.py", 12, 15)]
    assert commits.judged(gold, release, long)["lines"] == pytest.approx(1 / 3)
    assert commits.judged(gold, release, [])["lines"] == 0
    assert commits.functions(OLD.encode(), [1, 5, 6, 15]) == [(1, 1), (4, 6), (14, 15)]
    for localiser in commits.baselines():
        ranked = list(localiser.open(release)("three of them"))
        assert ranked[0][0] == "pack/other.py"


def test_bm25_is_that_of_sqlite_also_for_the_second_release(release: Path) -> None:
    apsw = pytest.importorskip("apsw", reason="BM25 is SQLite's, from the repo extra")
    known = weighed.Words()
    chance = random.Random(3)
    for turn in range(2):
        base = apsw.Connection(":memory:")
        base.execute("create virtual table t using fts5(words, tokenize='ascii')")
        for number in range(60):
            body = " ".join(f"w{chance.randrange(40)}" for _ in range(chance.randrange(1, 50)))
            (release / f"m{number:02}.py").write_text(f"x{turn} = '{body}'\n")
        for number, path in enumerate(sorted(release.rglob("*.py"))):
            row = (number, " ".join(contenders.words(path.read_text())).replace("_", "q"))
            base.execute("insert into t(rowid, words) values (?, ?)", row)
        files = sorted(release.rglob("*.py"))
        made = weighed.Weighed(release, known, whole=True)
        for text in ("w1 w2 w3 nothing", "return w39 w7", "nothing"):
            asked = " OR ".join(dict.fromkeys(contenders.words(text)))
            sql = "select rowid from t where t match ? order by bm25(t), rowid limit 9"
            found = [files[row].relative_to(release).as_posix()
                     for (row,) in base.execute(sql, (asked,))]  # fmt: skip
            assert [path for path, _, _ in made.ranked(text, 9)] == found


def test_releases_near_a_version() -> None:
    every = ["3.0", "3.0.1", "2.2.9", "2.2.10", "3.1rc1", "3.1.2", "3.1", "4.0a1"]
    assert releases.wanted("3.0", every) == ["3.0", "2.2.10", "3.0.1"]
    assert releases.wanted("3.1", every) == ["3.1", "3.0.1", "3.1.2"]
    assert releases.wanted("3.5", every) == ["3.1.2"]
    assert releases.wanted("1.0", every) == ["2.2.9"]


def test_only_python_files_leave_a_wheel_and_none_of_them_its_folder(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("a/b.py", "../out.py", "/abs.py", "a/c.so", "a-1.dist-info/x.py",
                     "a-1.data/scripts/y.py"):  # fmt: skip
            archive.writestr(name, "x")
    releases.unpack(wheel, tmp_path / "to")
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.py")] == ["to/a/b.py"]


def test_the_monorepo_renames_what_it_defines_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "helper.py").write_text(
        "import collections\ndef compute(value): return helper_of(value)\n"
        "def helper_of(v): print(v)\n"
        "class __Odd__: pass\ndef print(v): 'compute and recompute'\ndef ab(): pass\n"
    )
    ((path, text),) = trees.renamed(folder, "_a")
    assert path == "tool_a/helper_a.py"
    assert text == (
        "import collections\ndef compute_a(value): return helper_of_a(value)\n"
        "def helper_of_a(v): print(v)\nclass __Odd__: pass\n"
        "def print(v): 'compute_a and recompute'\ndef ab(): pass\n"
    )


def test_next_lines_are_scored_and_drawn_as_said() -> None:
    assert completion.score("  return x  \nmore", "return x") == (1, 1)
    assert completion.score("return y", "return x") == (0, 1 - 1 / 8)
    assert completion.score("", "abc") == (0, 0)
    for one, other, least in (
        ("kitten", "sitting", 3),
        ("", "ab", 2),
        ("ab", "ba", 2),
        ("a", "a", 0),
    ):
        assert completion.distance(one, other) == completion.distance(other, one) == least
    text = (
        "import os\nfrom .core import load\nfrom pack.more import find as seek\n"
        'TEXT = """\nload load load\n"""\n\ndef f(path):\n    value = load(path)\n'
        "    return value + 1\n"
    )
    assert completion.own_names(text, "pack") == {"load", "seek"}
    found = completion._places("pack==1", "pack/m.py", text)
    assert [place.line for place in found["any"]] == ["value = load(path)", "return value + 1"]
    (cross,) = found["cross"]
    assert cross.ask.before.endswith("def f(path):\n    ")
    assert cross.ask.before + cross.line + cross.ask.after == text
    told = completion.summary([(1.0, 1.0), (0.0, 0.5)])
    assert (told["exact"], told["similarity"], told["places"]) == (0.5, 0.75, 2)


def test_quantiles_are_values_that_were_seen() -> None:
    assert speed.quantile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert speed.quantile(list(map(float, range(100))), 0.99) == 99.0
    assert speed.quantile([1.0], 0.99) == 1.0
