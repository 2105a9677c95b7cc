"""Answers whose candidates were run, at every door, and what they are worth."""

from __future__ import annotations

import json

import httpx
import pytest

from codewright.serve import upstream as upstreams
from codewright.serve.forwarded import Forwarded
from tests.serve.running import serving
from tests.serve.upstream import KEY, upstream
from tests.serve.verifying import (
    ONE,
    OTHER,
    RIGHT,
    SPEC,
    ask,
    client,
    nothing_left,
    scripted,
    wait,
)


def test_an_answer_with_what_it_is_worth_at_both_doors_and_streamed():
    with nothing_left(), serving(scripted(RIGHT, RIGHT, OTHER, RIGHT), trials=ONE) as door:
        told = client(door).completions.create(
            model="x", prompt=SPEC, seed=0, extra_body={"verify": {"candidates": 8}}
        )
        (choice,) = told.choices
        assert (choice.text, choice.finish_reason) == (RIGHT, "stop")
        report = told.codewright
        assert report["program"] == SPEC + RIGHT
        assert (report["continues"], report["abstained"], report["why"]) == (True, False, None)
        assert report["entry_point"] == "double"
        first, second = report["classes"]
        assert (first["share"], first["size"], first["chosen"]) == (0.75, 6, True)
        assert (second["share"], second["representative"]) == (0.25, SPEC + OTHER)
        assert report["entropy"] == pytest.approx(0.811, abs=1e-3)
        assert 0 < report["confidence"] <= 1
        call = report["separating"]["call"]
        given = int(call.removeprefix("double(").removesuffix(")"))
        assert [each["does"] for each in report["separating"]["outcomes"]] == [
            str(given * 2), str(given),
        ]  # fmt: skip
        assert {"seccomp", "landlock"} <= set(report["isolation"])
        assert any("inputs" in finding for finding in report["findings"])
        assert told.usage.completion_tokens > 0

        answer = ask(door, {"candidates": 4, "detail": True, "early_stop": False}, stream=True)
        lines = answer.text.split("\n\n")
        assert lines[0].startswith(": ")
        assert any(line.startswith(": running") for line in lines)
        pieces = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        assert "".join(piece["choices"][0]["text"] for piece in pieces) == RIGHT
        assert len(pieces[-1]["codewright"]["report"]["calls"]) > 5
        assert lines[-2] == "data: [DONE]"

        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
        turns += [{"role": "user", "content": SPEC}]
        asked = {"model": "x", "messages": turns, "seed": 1, "extra_body": {"verify": True}}
        (choice,) = client(door).chat.completions.create(**asked).choices
        assert choice.message.content == f"```python\n{SPEC}{RIGHT}```\n"
        said, report = "", {}
        for piece in client(door).chat.completions.create(**asked, stream=True):
            said += piece.choices[0].delta.content or ""
            report = (piece.model_extra or {}).get("codewright") or report
        assert (said, report["abstained"]) == (choice.message.content, False)
        page = httpx.get(f"{door.url}/metrics").text
        assert "codewright_verifications_total 4.0" in page
        assert "codewright_verifications_running 0.0" in page
        (card,) = client(door).models.list().data
        assert (card.verify["offered"], card.verify["at_once"]) == (True, 1)


def test_what_the_user_knows_decides():
    """Examples and tests turn the majority down; where nothing passes, there is no answer."""
    with serving(scripted(OTHER, OTHER, RIGHT), trials=ONE) as door:
        few = {"candidates": 6}
        assert ask(door, few).json()["choices"][0]["text"] == OTHER
        rows = [{"args": [-3], "expected": -6}]
        for more in (
            {"examples": "double(-3) == -6"},
            {"examples": rows},
            {"tests": "assert double(-3) == -6"},
        ):
            assert ask(door, few | more).json()["choices"][0]["text"] == RIGHT, more
        told = ask(door, few | {"tests": "assert double(3) == 7"}).json()
        (choice,) = told["choices"]
        assert (choice["text"], choice["finish_reason"]) == ("", "content_filter")
        assert "no candidate" in told["codewright"]["why"]
        assert told["codewright"]["program"].startswith(SPEC), "it can be read, with the doubt"
        turns = [{"role": "user", "content": SPEC}]
        (choice,) = client(door).chat.completions.create(
            model="x", messages=turns,
            extra_body={"verify": few | {"tests": "assert double(3) == 7"}},
        ).choices  # fmt: skip
        assert (choice.message.content, choice.finish_reason) == (None, "content_filter")
        assert "abstains" in choice.message.refusal


def test_a_gap_is_filled_by_what_was_run():
    before = "import math\n\n\ndef area(radius: float) -> float:\n    return "
    after = "\n\n\nclass Other:\n    def area(self):\n        return 0\n"
    texts = ("math.pi * radius ** 2", "radius ** 2 * math.pi", "radius *", "radius * radius")
    gap = {"prompt": before, "suffix": after}
    with serving(scripted(*texts), trials=ONE) as door:
        told = ask(door, {"candidates": 8}, **gap).json()
        report = told["codewright"]
        assert told["choices"][0]["text"] in texts[:2]
        assert report["entry_point"] == "area"
        assert (report["classes"][0]["size"], report["continues"]) == (4, True)
        assert report["program"] == before + told["choices"][0]["text"] + after
        example = ask(door, {"candidates": 8, "examples": "area(3) == 9"}, **gap).json()
        assert example["choices"][0]["text"] == "radius * radius"
    with serving(scripted("1 + 1"), trials=ONE) as door:
        nowhere = ask(door, {"candidates": 2}, prompt="x = ", suffix="\nprint(x)\n")
        assert (nowhere.status_code, "entry_point" in nowhere.text) == (400, True)
        method = ask(door, {"candidates": 2}, prompt="class A:\n  def f(self):\n    return ",
                     suffix="\n\ndef g(): ...\n")  # fmt: skip
        assert (method.status_code, "no function" in method.text) == (400, True)
    with serving(scripted("(((", ")"), trials=ONE) as door:
        broken = ask(door, {"candidates": 4}, **gap)
        assert (broken.status_code, "Python" in broken.text) == (400, True)


def test_candidates_of_a_server_elsewhere_are_verified():
    """With `n` that it does not know, gaps that it cannot fill, and errors in the middle."""
    answer = f"```python\n{SPEC}{RIGHT}```"
    with upstream() as machine:
        told = upstreams.Upstream(machine.url, key=KEY, silence=5.0)
        with nothing_left(), serving(Forwarded("name", told), trials=ONE) as door:
            machine.set(n="ignores", programs=(answer, answer, "no program"))
            turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": SPEC}]
            said = client(door).chat.completions.create(
                model="x", messages=turns, seed=0, extra_body={"verify": {"candidates": 6}}
            )
            assert said.choices[0].message.content == f"```python\n{SPEC}{RIGHT}```\n"
            assert said.codewright["classes"][0]["size"] == 4
            assert said.usage.total_tokens > said.usage.completion_tokens > 0
            assert all(body["messages"][0] == turns[0] for body in machine.bodies)
            machine.set(suffix="ignores", prompts=True)
            gap = {
                "prompt": "def double(value):\n    return ",
                "suffix": "\n\n\nprint(double(2))\n",
            }
            filled = ask(door, {"candidates": 4}, **gap).json()
            assert filled["choices"][0]["text"] == "value * 2"
            for fails, status in ((429, 429), (500, 502), (401, 401)):
                machine.set(fails=fails)
                assert ask(door, {"candidates": 4}).status_code == status
            machine.set(pause=30.0)
            body = {"prompt": SPEC, "verify": {"candidates": 4}}
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{door.url}/v1/completions", json=body, timeout=1.0)
            wait(lambda: machine.left >= 1)
