"""`codewright corpus`: the report as text, JSON and a page; mistakes end in a hint."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from codewright import config
from codewright.cli.corpus import Recipe
from codewright.cli.main import COMMANDS, run
from codewright.corpus import shards
from tests.corpus.planting import install, program, write


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe over a small environment, with tables of other commands in it."""
    monkeypatch.delenv("CODEWRIGHT_DATA", raising=False)
    site = tmp_path / "site"
    files = {f"some/m{n:02d}.py": program(n) for n in range(9)}
    install(site, "some", {**files, "some/short.py": "x = 1\n"})
    return write(
        tmp_path / "recipe.toml",
        f'[corpus]\nworkers = 1\nsources = [{{kind = "installed", path = "{site}"}}]\n'
        "[train]\nsteps = 3\n",
    )


def corpus(*words) -> int:
    return run(["corpus", *map(str, words)], COMMANDS)


def test_every_recipe_is_read():
    """The tables of other commands are passed over, whichever there are."""
    from codewright.train.recipe import Recipe as Whole

    known, whole = ({field.name for field in dataclasses.fields(r)} for r in (Recipe, Whole))
    assert known == whole
    recipes = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
    assert recipes
    for path in recipes:
        assert config.load(Recipe, path, ()).corpus == config.load(Whole, path, ()).corpus


def test_build_and_stats_tell_the_same(tmp_path, recipe, capsys):
    out = tmp_path / "out"
    assert corpus("build", "--recipe", recipe, "--out", out) == 0
    told = capsys.readouterr()
    assert told.out.startswith("9 files of 10 and ")
    assert "- too-short" in told.out
    assert "some==1.0" in told.out
    assert "not kept clean of benchmarks" in told.err
    assert len(list(shards.read(out))) == 9

    assert corpus("stats", out) == 0
    assert capsys.readouterr().out == told.out
    page = tmp_path / "page.html"
    assert corpus("stats", out, "--json", "--html", page) == 0
    made = json.loads(capsys.readouterr().out)
    assert made == json.loads((out / "report.json").read_text())
    assert made["files"] == 9
    assert "too-short" in page.read_text()
    assert corpus("build", "--recipe", recipe, "--out", out, "--json") == 0  # it is all there
    assert json.loads(capsys.readouterr().out) == made


def test_overrides_win(tmp_path, recipe, capsys):
    words = ("build", "--recipe", recipe, "--out", tmp_path / "out")
    assert corpus(*words, "corpus.filters.least_bytes=1", "corpus.near=0", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["files"] == 10
    assert "near-duplicates" not in [step["step"] for step in made["steps"]]
    assert corpus(*words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "error:" in told.err
    assert "hint:" in told.err
    assert "--restart" in told.err
    assert corpus(*words, "--restart") == 0
    assert "9 files of 10 and " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["corpus.no_such=1"], "unknown key corpus.no_such"),
        (["corpus.quality=2.0"], "quality and near are shares"),
        (["corpus.workers=many"], "corpus.workers is 'many'"),
        (['corpus.sources=[{kind="folder"}]'], "needs a path"),
        (['corpus.sources=[{kind="installed", list="x"}]'], "list means nothing"),
        (['corpus.sources=[{kind="zip"}]'], "takes one of installed"),
        (['corpus.sources=[{kind="folder", path="no/such"}]'], "no/such is no folder"),
        (['corpus.decontaminate="required"'], "cannot be kept clean of benchmarks"),
        (["nonsense"], "is not an override"),
        (["--recipe", "no-such.toml"], "cannot read no-such.toml"),
    ],
)
def test_mistakes_are_named(tmp_path, recipe, capsys, words, complaint):
    assert corpus("build", "--recipe", recipe, "--out", tmp_path / "out", *words) == 2
    told = capsys.readouterr()
    assert complaint in told.err
    assert "error: " in told.err
    assert told.out == ""
    assert not (tmp_path / "out" / "report.json").exists()


def test_stats_of_nothing(tmp_path, capsys):
    assert corpus("stats", tmp_path) == 2
    assert "holds no finished corpus" in capsys.readouterr().err


def test_without_the_extra_the_error_names_it(tmp_path, recipe, capsys, monkeypatch):
    monkeypatch.setattr("codewright.cli.corpus.find_spec", lambda name: None)
    assert corpus("build", "--recipe", recipe, "--out", tmp_path / "out") == 3
    told = capsys.readouterr()
    assert "detect-secrets is not installed" in told.err
    assert "codewright[train]" in told.err


def test_help_and_stats_import_no_heavy_library():
    code = (
        "import sys; from codewright.cli.main import COMMANDS, run;"
        "run(['corpus', 'stats', 'no-such'], COMMANDS); run(['corpus', '--help'], COMMANDS);"
        "heavy = {'detect_secrets', 'torch', 'numpy', 'datasketch', 'requests', 'tokenizers'};"
        "sys.exit(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
