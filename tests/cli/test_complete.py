"""`codewright complete` from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.generate.server import KEY, running
from tests.generate.tiny import make

SOURCE = "def half(x):\n    \n    return y\n"
PLACE = ("half.py", 2, 5)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "half.py").write_text(SOURCE)
    return tmp_path


def run(folder: Path, *words: object, code: int = 0, **env: str) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-m", "codewright", "complete", *map(str, words)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder, timeout=200,
        check=False, env=os.environ | {"OMP_NUM_THREADS": "1"} | env,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def script(folder: Path, *texts: str) -> str:
    (folder / "said.json").write_text(json.dumps({"*": list(texts)}))
    return f"scripted/{folder / 'said.json'}"


def place(path: str = "half.py", line: int = 2, column: int = 5) -> str:
    return f"{path}:{line}:{column}"


def told(folder: Path, *words: object, code: int = 0) -> dict[str, Any]:
    found = json.loads(run(folder, *words, "--json", code=code).stdout)
    assert isinstance(found, dict)
    return found


def test_the_completion_and_nothing_else_is_on_stdout(folder: Path):
    model = script(folder, "y = x / 2\n    return y\n\n\ndef other():\n    pass")
    done = run(folder, place(), "--model", model)
    assert (done.stdout, done.stderr) == ("y = x / 2\n", "")
    assert (folder / "half.py").read_text() == SOURCE


def test_candidates_that_agree_make_confidence(folder: Path):
    model = script(folder, "y = x / 2", "y = (", "y = x / 2\n", "y = x // 2")
    found = told(folder, place(), "--model", model, "-n", 8)
    assert (found["completion"], found["confidence"], found["candidates"]) == ("y = x / 2", 0.5, 8)
    assert [(each["text"], each["votes"], each["parses"]) for each in found["offers"]] == [
        ("y = x / 2", 4, True),
        ("y = x // 2", 2, True),
        ("y = (", 2, False),
    ]
    assert (found["path"], found["line"], found["column"]) == PLACE
    done = run(folder, place(), "--model", model, "-n", 8, "--show-confidence")
    assert done.stdout == "y = x / 2\n"
    assert "4 of 8 candidates, parses: y = x / 2" in done.stderr
    assert "2 of 8 candidates, does not parse: y = (" in done.stderr


def test_it_abstains_where_too_few_agree(folder: Path):
    model = script(folder, "a", "b", "c", "c")
    done = run(folder, place(), "--model", model, "-n", 4, "--least", 0.75, "--write", code=1)
    assert done.stdout == ""
    assert "nothing to offer: 2 of 4 candidates agree, which is less than 75%" in done.stderr
    found = told(folder, place(), "--model", model, "-n", 4, "--least", 0.75, code=1)
    assert found["completion"] is None
    assert len(found["offers"]) == 3
    assert (folder / "half.py").read_text() == SOURCE
    empty = run(folder, place(), "--model", script(folder, " \n"), "-n", 2, code=1)
    assert "nothing to offer: no text in 2 candidates" in empty.stderr


def test_the_line_alone(folder: Path):
    model = script(folder, "y = x\n    y = y / 2")
    assert run(folder, place(), "--model", model).stdout == "y = x\n    y = y / 2\n"
    assert run(folder, place(), "--model", model, "--line").stdout == "y = x\n"


@pytest.mark.parametrize(
    ("raw", "at", "wanted"),
    [
        (b"a = \nb = 1\n", (1, 5), b"a = x / 2\nb = 1\n"),
        (b"a = \r\nb = 1\r\n", (1, 5), b"a = x / 2\r\nb = 1\r\n"),
        (b"\xef\xbb\xbfa = \n", (1, 5), b"\xef\xbb\xbfa = x / 2\n"),
        ("ä = \n# é\r\n".encode(), (1, 5), "ä = x / 2\n# é\r\n".encode()),
        (b"a = ", (1, 5), b"a = x / 2"),
        (b"", (1, 1), b"x / 2"),
    ],
)
def test_it_is_written_into_the_file_and_nothing_else_changes(
    tmp_path: Path, raw: bytes, at: tuple[int, int], wanted: bytes
):
    path = tmp_path / "odd:name.py"
    path.write_bytes(raw)
    path.chmod(0o751)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    done = run(tmp_path, place("link.py", *at), "--model", script(tmp_path, "x / 2"), "--write")
    assert "wrote link.py" in done.stderr
    assert path.read_bytes() == wanted
    assert path.stat().st_mode & 0o777 == 0o751
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "link.py", "odd:name.py", "said.json",
    ]  # fmt: skip
    again = run(tmp_path, place("odd:name.py", 1, 1), "--model", script(tmp_path, "y"), "--line")
    assert again.stdout == "y\n"


def test_a_model_on_this_machine(folder: Path, tiny: Path):
    words = (place(), "--model", tiny, "-n", 6, "--temperature", 1, "--max-tokens", 12)
    found = told(folder, *words)
    assert found["model"] == "local/model"
    assert found["completion"]
    assert all(each["log_probability"] < 0 for each in found["offers"])
    assert told(folder, *words) == found
    assert told(folder, *words, "--fim", "spm") != found


def test_a_server_is_given_both_sides(folder: Path):
    with running() as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        run(folder, place(), "--model", "openai/good", "-n", 2, **env)
        (body,) = server.bodies
        assert (body["prompt"], body["suffix"]) == ("def half(x):\n    ", "\n    return y\n")
        assert body["stop"][0] == "\n    return y"
        run(folder, place("half.py", 4, 1), "--model", "openai/good", **env)
        assert "suffix" not in server.bodies[1]


def test_mistakes_are_the_users(folder: Path):
    (folder / "latin.py").write_bytes(b"a = '\xe9'\n")
    model = script(folder, "x")
    for words, said in {
        ("half.py",): "'half.py' names no place in a file",
        ("half.py:2",): "names no place in a file",
        ("half.py:a:b",): "names no place in a file",
        (":1:1",): "names no place in a file",
        (place(line=9),): "there is no line 9: the file has 4",
        (place(column=6),): "there is no column 6 in line 2: it ends at 5",
        (place(line=0),): "there is no line 0",
        (place("none.py"),): "none.py does not exist",
        (place("."),): ". is a folder",
        (place("latin.py"),): "latin.py is not UTF-8 at byte 5",
        (place(), "--fim", "x"): "--fim 'x' is unknown",
        (place(), "-n", "0"): "",
        (place(), "--model", "gpt"): "no model is called 'gpt'",
        (place(), "--model", "."): "is no checkpoint",
    }.items():
        done = run(folder, *words, *(() if "--model" in words else ("--model", model)), code=2)
        assert said in done.stderr, done.stderr
        assert "error: " in done.stderr
        assert "hint: " in done.stderr
        assert done.stdout == ""
