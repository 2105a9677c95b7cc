"""What `--model` may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from codewright.errors import DataError, UnknownName
from codewright.generate.registry import FORMS, open_generator
from codewright.generate.remote import Service
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
