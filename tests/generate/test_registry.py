"""What `--model` may say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codewright.engine import library
from codewright.errors import DataError, UnknownName
from codewright.generate import registry
from codewright.generate.registry import FORMS, is_local, open_generator
from codewright.generate.remote import Service
from codewright.generate.settings import Local
from codewright.types.generation import Request
from tests.generate.server import KEY, running


@pytest.mark.parametrize("model", ["", "gpt", "openai", "openai/", "recorded/", "other/x", "/x"])
def test_an_unknown_model_lists_the_known_forms(model: str):
    with pytest.raises(UnknownName) as caught:
        open_generator(model, environment={}, service=Service())
    assert all(form in caught.value.hint for form in FORMS)


def test_a_recording_is_opened_by_its_path(tmp_path: Path):
    path = tmp_path / "deep" / "s.jsonl"
    path.parent.mkdir()
    path.write_text('{"prompt": "p", "samples": ["x"]}\n')
    model = open_generator(f"recorded/{path}", environment={}, service=Service())
    assert model.generate([Request(prompt="p")])[0][0].text == "x"
    with pytest.raises(DataError, match="does not exist"):
        open_generator("recorded/none", environment={}, service=Service())


def test_a_server_is_found_through_the_environment_alone():
    with running() as server:
        model = open_generator(
            "openai/org/good",
            environment={"OPENAI_BASE_URL": server.url + "/", "OPENAI_API_KEY": KEY},
            service=Service(),
        )
        assert model.name == "openai/org/good"
        assert model.generate([Request(prompt="p")])[0][0].text == "p!None.0"
        assert server.bodies[0]["model"] == "org/good"
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_script_is_opened_by_its_path(tmp_path: Path):
    path = tmp_path / "s.json"
    path.write_text('{"*": ["x"]}')
    model = open_generator(f"scripted/{path}", environment={}, service=Service())
    assert model.generate([Request(prompt="p")])[0][0].text == "x"
    bundled = open_generator("scripted/demo", environment={}, service=Service())
    assert "def " in bundled.generate([Request(prompt="three distinct elements")])[0][0].text


def test_a_folder_is_a_model_on_this_machine(tiny: Path, monkeypatch):
    assert is_local(str(tiny))
    assert is_local("embedded")
    assert not any(is_local(model) for model in ("", "gpt", "openai/x", "scripted/demo"))
    settings = Local(precision="float32", device="cpu", fim="spm")
    model = open_generator(str(tiny), environment={}, service=Service(), local=settings)
    assert model.name == "local/model"
    assert model.generate([Request(prompt="p", max_tokens=3, seed=1)])[0][0].tokens == 3
    # A folder whose name is also a kind of model is one all the same; its path says so.
    monkeypatch.chdir(tiny.parent)
    with pytest.raises(DataError, match="is no checkpoint"):
        open_generator(".", environment={}, service=Service())


def test_an_installation_without_the_embedded_model_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(registry, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match="not part of this installation") as caught:
        open_generator("embedded", environment={}, service=Service())
    assert "FOLDER" in caught.value.hint


@pytest.mark.parametrize("missing", ["torch", "tokenizers", "safetensors"])
def test_a_missing_library_is_named_with_what_brings_it(tiny: Path, missing: str):
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from codewright.cli import main\n"
        f"sys.argv = ['codewright', 'write', 'x', '--model', {str(tiny)!r}]\n"
        "main.main()\n"
    )
    # Without torch the kernels run the model: here they cannot.
    environment = {**os.environ, library.BUILD: "none"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 3, done.stderr
    assert f"error: {missing} is not installed" in done.stderr
    assert "hint: pip install 'codewright[local]'" in done.stderr
