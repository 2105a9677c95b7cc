"""Stages are made once, made again when what they are made from has changed, and resumed."""

import itertools
import json
import shutil

import pytest
import torch

from codewright import config
from codewright.errors import ConfigError, DataError
from codewright.model import checkpoint
from codewright.train.recipe import Recipe
from codewright.train.stages import LENGTHENING, STAGES, Workshop, apart, sample
from codewright.types.document import Document
from tests.corpus.planting import program, write
from tests.test_layers import REPOSITORY

SHORT = tuple(stage for stage in STAGES if stage not in LENGTHENING)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for number in range(30):
        place = "kept" if number % 6 == 0 else "code"
        write(folder / place / f"m{number}.py", program(number))
    return folder


def recipe(source, *overrides):
    return config.load(
        Recipe,
        None,
        [
            f'corpus.sources=[{{kind="folder", path="{source}", licence="MIT"}}]',
            "corpus.quality=0.0",
            'corpus.decontaminate="off"',
            "corpus.workers=1",
            "tokenizer.vocabulary=400",
            "pack.context=64",
            f'pack.held=["{source.name}/kept"]',
            "model.depth=1",
            "model.width=32",
            "model.heads=1",
            "train.batch=4",
            "train.budget.steps=3",
            "train.optimizer.rate=0.01",
            "train.compute.compile=false",
            "train.compute.threads=1",
            "train.watch.tensorboard=false",
            "train.watch.plot=false",
            *overrides,
        ],
    )


def made(folder, given, **options):
    """Returns the stages that were made, and the facts of all."""
    done = list(Workshop(given, folder, **options).run())
    return [each.stage for each in done if each.made], {each.stage: each.facts for each in done}


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, made(folder, recipe(source))


def test_all_stages_are_made_once(source, whole):
    folder, (stages, facts) = whole
    assert tuple(stages) == SHORT
    assert facts["corpus"]["files"] == 30
    assert facts["train"]["step"] == 3
    assert facts["score"] == json.loads((folder / "score.json").read_text())
    assert {group["name"] for group in facts["score"]["groups"]} == {f"{source.name}/kept"}
    held = json.loads((folder / "packed" / "held.json").read_text())
    assert sum(group["documents"] for group in held["groups"]) == 5
    assert made(folder, recipe(source)) == ([], facts)


@pytest.mark.parametrize(
    ("override", "again"),
    [
        ("score.batch=3", ["score"]),
        ("tokenizer.vocabulary=420", ["tokenizer", "pack"]),
        ("pack.fim_rate=0.1", ["pack"]),
    ],
)
def test_what_changes_is_made_again_with_all_behind_it(source, whole, tmp_path, override, again):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    stages, begun = [], Workshop(recipe(source, override), tmp_path).run()
    if "score" in again:
        stages = [each.stage for each in begun if each.made]
    else:
        # The rows are others, and the run that is there was begun with the old ones.
        with pytest.raises(DataError, match="holds a run with data"):
            stages += [each.stage for each in begun if each.made]
        stages = [each for each in ("tokenizer", "pack") if each in again]
        left, _ = made(tmp_path, recipe(source, override), restart="train")
        assert left == ["train", "score"]
    assert stages == again


def test_a_run_or_corpus_of_other_settings_is_refused_until_it_is_thrown_away(
    source, whole, tmp_path
):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    longer = recipe(source, "train.budget.steps=4")
    with pytest.raises(DataError, match=r"train\.budget\.steps = 3, not 4"):
        made(tmp_path, longer)
    assert made(tmp_path, longer, restart="train")[0] == ["train", "score"]
    other = recipe(source, "corpus.quality=0.05")
    with pytest.raises(DataError, match="holds a corpus made from another recipe"):
        made(tmp_path, other)
    assert tuple(made(tmp_path, other, restart="corpus")[0]) == SHORT


def test_a_product_that_is_gone_is_made_again(source, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "score.json").unlink()
    assert made(tmp_path, recipe(source))[0] == ["score"]
    shutil.rmtree(tmp_path / "training" / "checkpoints")
    assert made(tmp_path, recipe(source))[0] == ["train", "score"]


def test_stopped_in_training_the_rest_waits(source, tmp_path):
    done = list(Workshop(recipe(source), tmp_path, stop_after=0.0).run())
    assert [each.stage for each in done] == ["corpus", "tokenizer", "pack", "train"]
    assert not done[-1].finished
    assert made(tmp_path, recipe(source))[0] == ["train", "score"]


def test_longer_rows_come_last(source, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    longer = ("lengthen.context=128", "lengthen.tokens=1024")
    stages, facts = made(tmp_path, recipe(source, *longer))
    assert stages == ["repack", "lengthen", "score"]
    run = json.loads((tmp_path / "training-long" / "run.json").read_text())
    # As many tokens a step as before, so half as many rows.
    assert run["settings"]["train"]["batch"] == 2
    assert run["settings"]["model"]["context"] == 128
    assert facts["lengthen"]["steps"] == 1024 // (4 * 64)
    assert run["settings"]["train"]["start"].endswith("step-00000003")
    assert json.loads((tmp_path / "packed-long" / "pack.json").read_text())["context"] == 128
    assert facts["score"]["checkpoint"].startswith("training-long/")
    assert made(tmp_path, recipe(source, *longer))[0] == []
    # The first run's weights are where the second began: with no rate, where it ends too.
    frozen = recipe(source, *longer, "lengthen.schedule.warmup=1000000000")
    made(tmp_path, frozen, restart="lengthen")
    ends = [tmp_path / facts[stage]["checkpoint"] for stage in ("train", "lengthen")]
    first, last = (checkpoint.load(end)[0].state_dict() for end in ends)
    assert all(torch.allclose(first[name], last[name], atol=1e-6) for name in first)
    assert made(tmp_path, frozen, restart="train")[0] == ["train", "lengthen", "score"]


def test_lengthening_is_asked_for_whole_or_not_at_all(source, tmp_path):
    with pytest.raises(ConfigError, match="context and tokens go together"):
        recipe(source, "lengthen.context=128")
    with pytest.raises(ConfigError, match="no stage lengthen"):
        list(Workshop(recipe(source), tmp_path).run("lengthen"))


def test_a_tokenizer_may_be_brought_along(source, whole, tmp_path):
    path = whole[0] / "tokenizer.json"
    given = recipe(source, f'tokenizer.file="{path}"')
    done = list(Workshop(given, tmp_path).run("tokenizer"))
    assert [each.stage for each in done] == ["corpus", "tokenizer"]
    assert (tmp_path / "tokenizer.json").read_bytes() == path.read_bytes()


def test_nothing_held_out_is_nothing_scored(source, tmp_path):
    _, facts = made(tmp_path, recipe(source, "pack.held=0.0"))
    assert facts["score"].keys() == {"checkpoint"}


def test_two_people_in_one_folder_are_refused(source, tmp_path):
    first = Workshop(recipe(source), tmp_path).run()
    next(first)
    with pytest.raises(DataError, match="another run is writing"):
        made(tmp_path, recipe(source))
    first.close()


@pytest.mark.parametrize("name", ["tiny", "embedded"])
def test_the_recipes_that_ship_can_be_read(name):
    path = REPOSITORY / "recipes" / f"{name}.toml"
    if not path.is_file():
        pytest.skip("the recipe is not there yet")
    assert config.load(Recipe, path).pack.fim_rate == 0.5
    with pytest.raises(ConfigError, match=r"unknown key model\.dept"):
        config.load(Recipe, path, ["model.dept=3"])


def test_a_sample_is_spread_over_all():
    documents = [Document(text="x" * 100, path=str(n), licence="", origin="o") for n in range(100)]
    taken = [int(document.path) for document in sample(documents, 10_000, 2_000)]
    assert len(taken) == 20
    assert max(b - a for a, b in itertools.pairwise(taken)) <= 6
    assert len(list(sample(documents, 10_000, None))) == 100


def test_a_directory_becomes_a_distribution_of_its_own():
    documents = [
        Document(text="x", path=path, licence="", origin="python==3.11")
        for path in ("json/decoder.py", "json/tool/a.py", "jsonx/b.py", "ast.py")
    ]
    found = [(d.origin, d.path) for d in apart(documents, ("python/json", "other"))]
    assert found == [
        ("python/json==3.11", "decoder.py"),
        ("python/json==3.11", "tool/a.py"),
        ("python==3.11", "jsonx/b.py"),
        ("python==3.11", "ast.py"),
    ]
    assert list(apart(documents, 0.5)) == documents
