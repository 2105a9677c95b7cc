"""`codewright train`: what it prints, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from codewright.cli import train as command
from codewright.cli.main import COMMANDS, run
from tests.corpus.planting import program, write


@pytest.fixture
def recipe(tmp_path):
    for number in range(12):
        write(tmp_path / "source" / ("held" if number < 2 else "code") / f"m{number}.py",
              program(number))  # fmt: skip
    path = tmp_path / "small.toml"
    path.write_text(
        f"""
        [corpus]
        quality = 0.0
        decontaminate = "off"
        workers = 1
        [[corpus.sources]]
        kind = "folder"
        path = "{tmp_path / "source"}"
        licence = "MIT"
        [tokenizer]
        vocabulary = 320
        [pack]
        context = 64
        held = ["source/held"]
        [model]
        depth = 1
        width = 32
        heads = 1
        [train]
        batch = 4
        budget.steps = 2
        [train.optimizer]
        rate = 0.01
        [train.compute]
        compile = false
        threads = 1
        [train.watch]
        tensorboard = false
        plot = false
        """
    )
    return path


def done(capsys, *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["train", *map(str, words)], COMMANDS) == code
    return capsys.readouterr()


def test_it_goes_from_text_to_a_score_and_says_so(recipe, tmp_path, capsys):
    out, said = done(capsys, recipe, "--out", tmp_path / "run")
    lines = out.splitlines()
    assert lines[0].startswith("corpus      12 files, 0.0 MB; 0 files dropped")
    assert lines[1] == "tokenizer   320 tokens"
    assert "step 2 of 2" in lines[3]
    assert "bits per byte" in lines[4]
    assert lines[5].endswith("kB)")
    assert "source/held" in lines[5]
    for stage in ("corpus", "tokenizer", "pack", "train", "score"):
        assert f"{stage}: done after" in said
    assert "parameters" in said  # what the dial derived
    again, said = done(capsys, recipe, "--out", tmp_path / "run")
    assert again == out
    assert said.count("there already") == 5


def test_json_is_one_object_with_the_facts_of_each_stage(recipe, tmp_path, capsys):
    out, _ = done(capsys, recipe, "--out", tmp_path / "run", "--json", "train.budget.steps=1")
    told = json.loads(out)
    assert list(told["stages"]) == ["corpus", "tokenizer", "pack", "train", "score"]
    assert told["stages"]["train"]["steps"] == 1
    assert told["stages"]["score"]["held_out"]["bits_per_byte"] > 0
    assert all(stage["made"] for stage in told["stages"].values())


def test_a_stage_a_stop_and_a_restart(recipe, tmp_path, capsys):
    run_folder = tmp_path / "run"
    out, _ = done(capsys, recipe, "--out", run_folder, "--stage", "pack", "--json")
    assert list(json.loads(out)["stages"]) == ["corpus", "tokenizer", "pack"]
    out, said = done(capsys, recipe, "--out", run_folder, "--stop-after", "0", "--json", code=1)
    assert json.loads(out)["stages"]["train"]["step"] == 1
    assert "train: stopped after" in said
    out, _ = done(capsys, recipe, "--out", run_folder, "--json")
    assert json.loads(out)["stages"]["train"]["step"] == 2
    out, _ = done(capsys, recipe, "--out", run_folder, "--restart", "train", "--json")
    told = json.loads(out)["stages"]
    assert [stage["made"] for stage in told.values()] == [False, False, False, True, True]


def test_by_default_it_is_made_under_runs(recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done(capsys, recipe, "--stage", "tokenizer")
    assert (tmp_path / "runs" / "small" / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--stage", "bake"], "error: no stage is called bake"),
        (["--restart", "all"], "error: no stage is called all"),
        (["train.batsh=3"], "error: unknown key train.batsh"),
        (["model.width=33", "model.heads=2"], "error: model: 2 heads do not divide a width of 33"),
        (["train.optimizer.name=adamm"], "error: train.optimizer: no optimiser is called adamm"),
        (["train.budget.tokens=5"], "set one of steps, tokens, epochs, minutes and flops"),
    ],
)
def test_mistakes_are_told(recipe, tmp_path, capsys, words, complaint):
    _, said = done(capsys, recipe, "--out", tmp_path / "run", *words, code=2)
    assert complaint in said


def test_a_recipe_that_is_not_there_is_told(tmp_path, capsys):
    _, said = done(capsys, tmp_path / "no.toml", code=2)
    assert "error: cannot read" in said


@pytest.mark.parametrize("module", ["torch", "safetensors"])
def test_without_the_extra_it_says_which(recipe, capsys, monkeypatch, module):
    find = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == module else find(name))
    _, said = done(capsys, recipe, code=3)
    assert f"error: {module} is not installed" in said
    assert "pip install 'codewright[local]'" in said


def test_where_there_is_no_command_the_module_trains(recipe, tmp_path, capsys):
    done(capsys, recipe, "--out", tmp_path / "run", "--stage", "pack")
    words = [recipe, "train.budget.steps=3", "--packed", tmp_path / "run" / "packed"]
    # A machine that only trains: nothing but torch, numpy and safetensors can be imported.
    bare = tmp_path / "bare.py"
    bare.write_text(
        "import json, sys\n"
        "for name in ('typer', 'rich', 'httpx', 'tokenizers', 'matplotlib', 'tensorboard',\n"
        "             'datasketch', 'detect_secrets', 'jinja2', 'transformers'):\n"
        "    sys.modules[name] = None\n"
        "from codewright.train.__main__ import run\n"
        "print([run([*json.loads(sys.argv[1]), *more]) for more in json.loads(sys.argv[2])])\n"
    )
    out = ["--out", tmp_path / "alone"]
    runs = [
        [*out, "--stop-after", "0"],
        out,
        [*out, "model.width=40"],
        ["--out", tmp_path / "plotted", "train.watch.plot=true"],
    ]
    arguments = [json.dumps(each, default=str) for each in (words, runs)]
    result = subprocess.run(
        [sys.executable, str(bare), *arguments], capture_output=True, text=True, check=False
    )
    stopped, finished, codes = result.stdout.splitlines()
    assert json.loads(stopped)["step"] == 1
    assert json.loads(finished)["finished"]
    assert codes == "[4, 0, 2, 3]"
    assert "holds a run with model." in result.stderr
    assert "matplotlib is not installed" in result.stderr
