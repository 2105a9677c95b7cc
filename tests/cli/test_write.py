"""`codewright write` from the command line: every way to ask, every form of output."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.generate.server import KEY, Server, running
from tests.pages import check_page
from tests.write.models import block

DATA = Path(str(files("codewright") / "data" / "write"))
SCRIPT = "scripted/demo"
TRIPLE, RUNS = DATA / "zero_triple.md", DATA / "run_lengths.py"

DOWN = "def half(x):\n    return x // 2\n"
UP = "def half(x):\n    return -(-x // 2)\n"


def run(*words: object, code: int = 0, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | settings.pop("env", {})
    done = subprocess.run(
        [sys.executable, "-m", "codewright", "write", *map(str, words), "--workers", "1"],
        capture_output=True, text=True, env=environment, timeout=250, check=False,
        **{"stdin": subprocess.DEVNULL} | settings,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def told(*words: object, **settings: Any) -> dict[str, Any]:
    found = json.loads(run(*words, "--json", **settings).stdout)
    assert isinstance(found, dict)
    return found


def script(folder: Path, *texts: str, **more: list[str]) -> str:
    path = folder / "script.json"
    path.write_text(json.dumps({"*": [block(text) for text in texts], **more}))
    return f"scripted/{path}"


def works(program: str, name: str, *args: Any) -> Any:
    names: dict[str, Any] = {}
    exec(program, names)
    return names[name](*args)


def test_the_bundled_question_is_asked_and_the_program_stands_alone_on_stdout():
    done = run(TRIPLE, "--model", SCRIPT)
    compile(done.stdout, "program", "exec")
    for words in (
        "20 candidates", "classes of behaviour", "9 candidates, chosen", "does not load: Syn",
        "Inputs that separate them:", "Question: what should", "  A  return True",
        "  B  return False", "Checked:", "isolation user", "Reply with --answer A, --answer B",
    ):  # fmt: skip
        assert words in done.stderr, words
        assert words not in done.stdout


def test_a_reply_turns_the_reading():
    first = told(TRIPLE, "--model", SCRIPT, "--answer", "A")
    second = told(TRIPLE, "--model", SCRIPT, "--answer", "False")
    assert works(first["program"], first["entry_point"], [1, 1, -2]) is True
    assert works(second["program"], second["entry_point"], [1, 1, -2]) is False
    assert second["examples"] == 1
    assert any("you said: " in finding for finding in second["findings"])
    done = run(TRIPLE, "--model", SCRIPT, "--answer", "maybe", code=2)
    assert "error: 'maybe' is neither A nor B nor a value" in done.stderr
    assert "hint: " in done.stderr


def test_json_says_all_of_it():
    said = told(TRIPLE, "--model", SCRIPT)
    assert said["candidates"] == 20 == sum(len(each["members"]) for each in said["classes"])
    assert sum(each["mass"] for each in said["classes"]) == pytest.approx(1)
    assert said["question"]["choices"][0]["name"] == "A"
    assert said["separating"]
    assert len(said["calls"]) == len(said["classes"][0]["outcomes"])
    assert said["specification"].startswith("A function that takes a list")
    assert said["facts"]["model"] == SCRIPT
    assert said["state"] in ("confident", "uncertain")


def test_an_unambiguous_specification_is_answered_early(tmp_path: Path):
    page = tmp_path / "deep" / "page.html"
    done = run(RUNS, "--model", SCRIPT, "--html", page, "--select", "majority")
    assert works(done.stdout, "run_lengths", "aab") == [("a", 2), ("b", 1)]
    assert "could not have changed the choice" in done.stderr
    reader = check_page(page.read_text())
    assert "run_lengths" in reader.text
    assert "Return the runs of equal characters" in reader.text


def test_the_model_may_think_review_and_write_tests():
    said = told(
        RUNS, "--model", SCRIPT, "-n", 8, "--cot", "--critique", "--written-tests", 2,
        "--no-early-stop",
    )  # fmt: skip
    assert said["candidates"] == 8
    assert said["facts"]["tests by the model"] == "10"
    assert "chain of thought, reviewed by the model" in said["facts"]["sampling"]
    assert any(call["source"] == "test" for call in said["calls"])


def test_tests_and_examples_of_the_users_decide(tmp_path: Path):
    model = script(tmp_path, DOWN, DOWN, DOWN, UP)
    spec = "Half of an integer, rounded"
    assert told(spec, "--model", model, "-n", 4)["program"] == DOWN
    tests, examples = tmp_path / "t.py", tmp_path / "e.py"
    tests.write_text("assert half(3) == 2\n")
    examples.write_text("half(3) == 2\n")
    said = told(spec, "--model", model, "-n", 4, "--tests", tests)
    assert (said["program"], said["candidates"]) == (UP, 1)
    said = told(spec, "--model", model, "-n", 4, "--examples", examples)
    assert (said["program"], said["examples"], said["entry_point"]) == (UP, 1, "half")
    tests.write_text("assert half(3) == 5\n")
    done = run(spec, "--model", model, "-n", 4, "--tests", tests, code=1)
    assert done.stdout == ""
    assert "abstains: no candidate can be offered" in done.stderr
    assert "4 of 4 candidates fail your tests" in done.stderr
    assert "Not printed as the answer" in done.stderr
    assert "    def half(x):" in done.stderr
    said = told(spec, "--model", model, "-n", 4, "--tests", tests, code=1)
    assert (said["chosen"], said["state"]) == (None, "abstain")


def test_a_folder_keeps_everything_and_goes_on(tmp_path: Path):
    out = tmp_path / "out"
    with running() as server:
        words = ("Half of an integer", "--model", "openai/good", "--out", out, "--no-early-stop")
        env = speak(server, DOWN, UP, DOWN)
        run(*words, "-n", 4, env=env)
        asked = sum(body["n"] for body in server.bodies)
        assert asked == 4
        run(*words, "-n", 4, env=env)
        assert sum(body["n"] for body in server.bodies) == 4
        done = run(*words, "-n", 6, env=env)
        assert sum(body["n"] for body in server.bodies) == 6
    assert f"going on in {out}" in done.stderr
    assert (out / "program.py").read_text() == done.stdout
    assert json.loads((out / "answer.json").read_text())["candidates"] == 6
    check_page((out / "report.html").read_text())
    rows = [json.loads(line) for line in (out / "completions.jsonl").read_text().splitlines()]
    assert [row["task_id"] for row in rows] == ["program"] * 6
    # A run that was kept is replayed whole where nobody says how much of it.
    for more in ((), ("-n", 6)):
        replayed = told(
            "Half of an integer", "--model", f"recorded/{out / 'completions.jsonl'}", *more
        )
        assert replayed["program"] == done.stdout
        assert replayed["candidates"] == 6


def speak(server: Server, *programs: str) -> dict[str, str]:
    """Lets the server answer with programs, and returns how to reach it."""

    def texts(body: dict[str, Any], count: int) -> list[str]:
        start = body["seed"]
        said = [programs[(start + i) % len(programs)] for i in range(count)]
        return [block(text) for text in said] if "messages" in body else said

    server.texts = texts  # type: ignore[method-assign]
    return {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}


def test_a_server_is_asked_in_words_or_to_continue(tmp_path: Path):
    shots = tmp_path / "shots.jsonl"
    shots.write_text('{"spec": "Add one.", "program": "def g(x):\\n    return x + 1\\n"}\n')
    with running() as server:
        env = speak(server, DOWN, UP, DOWN)
        words = ("Half of an integer", "--model", "openai/good", "-n", 3, "--temperature", 0.4)
        said = told(*words, "--few-shot", shots, "--max-tokens", 77, env=env)
        body = server.bodies[-1]
        assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
        assert (body["temperature"], body["max_tokens"], body["n"]) == (0.4, 77, 3)
        assert said["program"] == DOWN
        # Log-probabilities are there, so that the entropy by probability is too.
        assert said["probability_entropy"] is not None
        said = told(*words, "--complete", env=env)
        assert server.bodies[-1]["prompt"] == '"""\nHalf of an integer\n"""\n'
        assert said["program"].endswith(DOWN)
        broke = run(*words, "--budget", 10, env=env, code=2)
        assert "error: the budget of 10 tokens is used up" in broke.stderr
    lost = run(*words, env=env | {"OPENAI_BASE_URL": "ftp://nowhere"}, code=2)
    assert "hint: OPENAI_BASE_URL begins with" in lost.stderr


def test_standard_input_is_a_specification(tmp_path: Path):
    model = script(tmp_path, DOWN)
    done = subprocess.run(
        [sys.executable, "-m", "codewright", "write", "-", "-n", "2", "--model", model],
        input='def half(x: int) -> int:\n    """Half of x, rounded down."""\n',
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, DOWN)


def test_a_person_at_a_terminal_is_asked(tmp_path: Path):
    model = script(tmp_path, DOWN, UP, DOWN)
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "codewright", "write", "Half of an integer, rounded",
               "-n", "3", "--model", model, "--workers", "1"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True
    ) as process:
        os.close(terminal)
        os.write(controller, b"what?\nB\n")
        said = b""
        try:
            while chunk := os.read(controller, 65536):
                said += chunk
        except OSError:  # the other end is closed
            pass
        assert process.stdout is not None
        program = process.stdout.read()
        assert process.wait(timeout=60) == 0
    os.close(controller)
    text = said.decode()
    assert "Your answer (a letter, a value, or nothing to skip):" in text
    assert "is neither A nor B nor a value" in text
    assert "you said: " in text
    assert program == UP


def test_mistakes_are_the_users(tmp_path: Path):
    model = script(tmp_path, DOWN)
    for words, said in {
        ("x", "--model", ""): "error: which model should write?",
        ("x", "--model", "gpt"): "error: no model is called 'gpt'",
        ("x", "--model", "scripted/none.json"): "error: none.json does not exist",
        ("", "--model", model): "error: the specification is empty",
        ("no.py", "--model", model): "error: no.py does not exist",
        ("x", "--model", model, "--select", "luck"): "error: no method of selection is called",
        ("x", "--model", model, "--complete", "--cot"): "error: --cot and --critique are asked",
        ("x", "--model", model, "--tests", "no.py"): "error: no.py does not exist",
        ("x", "--model", model, "--examples", "no.py"): "error: no.py does not exist",
        ("x", "--model", model, "--few-shot", "no.md"): "error: no.md does not exist",
        ("x", "--model", model, "--isolation", "hope"): "error: ",
        ("x", "--model", model, "--entry-point", "a b"): "error: 'a b' cannot be the name",
        ("x", "--model", model, "-n", "0"): "error: ",
    }.items():
        done = run(*words, code=2, cwd=tmp_path)
        assert said in done.stderr, done.stderr
        assert "hint: " in done.stderr
        assert done.stdout == ""


def test_an_answer_without_a_question_is_said_to_be_superfluous(tmp_path: Path):
    done = run("Half of x", "--model", script(tmp_path, DOWN), "-n", 2, "--answer", "A")
    assert "--answer A: there was no question left to answer" in done.stderr
    assert done.stdout == DOWN


def test_texts_without_any_program_are_no_answer(tmp_path: Path):
    path = tmp_path / "script.json"
    path.write_text('{"*": ["I cannot help with that."]}')
    done = run("Half of x", "--model", f"scripted/{path}", "-n", 3, code=1)
    assert done.stdout == ""
    assert "abstains: no candidate can be offered" in done.stderr


def test_hostile_programs_change_nothing_for_the_others(tmp_path: Path):
    hostile = [
        "import os\nos._exit(0)\n\ndef half(x):\n    return 0\n",
        "def half(x):\n    while True: pass\n",
        "import random\n\ndef half(x):\n    return random.random()\n",
        "def half(x):\n    print('\\x1b[2J' * 10**6)\n    return '\\x1b[2J'\n",
    ]
    model = script(tmp_path, DOWN, *hostile, DOWN, DOWN, DOWN)
    said = told("Half of an integer", "--model", model, "-n", 8)
    assert said["program"] == DOWN
    assert sorted(len(each["members"]) for each in said["classes"]) == [1, 1, 1, 1, 4]


def test_the_demo_shows_the_question_and_the_verdicts():
    done = subprocess.run(
        [sys.executable, "-m", "codewright", "demo", "--json"],
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["write"]["question"] is not None
    assert told["write"]["program"] != told["replied"]["program"]
    kinds = {name.split("_")[0]: each["status"] for name, each in told["programs"].items()}
    assert (kinds["right"], kinds["wrong"]) == ("passed", "failed")
