"""stderr is talk, stdout is data, and no program's text can steer the terminal."""

from __future__ import annotations

import io
import json
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.console import (
    LINE_EVERY,
    SHOW_AFTER,
    listening,
    print_error,
    print_json,
    print_text,
    printable,
    progress,
    say,
)
from codewright.errors import DataError, MissingExtra

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(ANY_TEXT)
def test_printable_leaves_nothing_that_steers(text):
    shown = printable(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cs") or c in "\n\t" for c in shown)
    assert not set(shown) & set("\u202e\u2066\u200f\u2028")
    assert printable(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])))
def test_printable_leaves_ordinary_text_alone(text):
    assert printable(text + "\n\t") == text + "\n\t"


def test_printable_shows_what_was_hidden():
    assert printable("\x1b[2Jgone\r\x07") == r"\x1b[2Jgone\r\x07"
    assert printable("a\u202eb\ud800\u2028") == r"a\u202eb\ud800\u2028"
    assert printable("naïve 漢字 🙂 …\n") == "naïve 漢字 🙂 …\n"


def test_talk_and_data_keep_to_their_streams(capsys):
    say("to a person\x1b[1m")
    print_text("to a pipe\x1b[1m")
    print_json({"status": "passed"})
    out, err = capsys.readouterr()
    assert out == 'to a pipe\\x1b[1m\n{"status": "passed"}\n'
    assert err == "to a person\\x1b[1m\n"


@given(JSON_VALUES)
def test_json_is_one_ascii_line_that_reads_back(value):
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        print_json(value)
    line = stream.getvalue()
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == value


def test_json_on_a_terminal_is_indented_and_never_invalid(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    print_json({"a": [1]})
    assert terminal.getvalue() == '{\n  "a": [\n    1\n  ]\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        print_json(float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        print_json({"deep": [float("inf")]})
    with pytest.raises(TypeError):
        print_json({"a": object()})


def test_an_error_is_said_with_its_hint(capsys):
    print_error(DataError("x.jsonl, line 3: not JSON", hint="mend the line"))
    print_error(DataError("nothing\x1b[8m helps"))
    print_error(MissingExtra("ray", "ray"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: x.jsonl, line 3: not JSON\nhint: mend the line\n"
        "error: nothing\\x1b[8m helps\n"
        "error: ray is not installed\nhint: pip install 'codewright[ray]'\n"
    )


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    print_error(DataError("broken"))
    assert ("\x1b[" in terminal.getvalue()) is coloured
    assert "broken\n" in terminal.getvalue()


def test_short_work_shows_nothing():
    stream, clock = io.StringIO(), Clock()
    with progress("judging", total=10, unit="programs", stream=stream, clock=clock) as counter:
        for _ in range(10):
            clock.now += SHOW_AFTER / 11
            counter.advance()
    assert counter.done == 10
    assert stream.getvalue() == ""


def test_long_work_without_a_terminal_says_a_line_now_and_then():
    stream, clock = io.StringIO(), Clock()
    with progress("judging", total=40, unit="programs", stream=stream, clock=clock) as counter:
        for _ in range(40):
            clock.now += 0.5
            counter.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "judging: 4 of 40 programs (10%), 2.0/s, 18 s left"
    assert lines[-1] == "judging: 40 programs in 20.0 s"
    assert len(lines) == 2 + int((20 - SHOW_AFTER) / LINE_EVERY)
    assert "\x1b" not in stream.getvalue()


def test_unknown_totals_and_work_that_has_not_begun_are_said_honestly():
    stream, clock = io.StringIO(), Clock()
    with progress("reading\x1b[8m", stream=stream, clock=clock) as counter:
        clock.now += 3
        counter.advance(0)
        clock.now += 5
        counter.advance(4)
    with progress("starting", total=0, stream=stream, clock=clock) as counter:
        clock.now += 3
        counter.advance(0)
    with progress("waiting", total=5, stream=stream, clock=clock) as counter:
        clock.now += 3
        counter.advance(0)
    assert stream.getvalue().splitlines() == [
        "reading\\x1b[8m: 0 items, 0.0/s",
        "reading\\x1b[8m: 4 items, 0.5/s",
        "reading\\x1b[8m: 4 items in 8.0 s",
        "starting: 0 items, 0.0/s",
        "starting: 0 items in 3.0 s",
        "waiting: 0 of 5 items (0%), 0.0/s",
        "waiting: 0 items in 3.0 s",
    ]


def test_somebody_else_may_listen_and_end_the_work():
    heard = []

    def listener(what, done, total):
        heard.append((what, done, total))
        if done == 5:
            raise KeyboardInterrupt

    def work():
        with progress("reading", total=9) as bar:
            bar.advance(2)
            with progress("inside") as inner:
                inner.advance(0)
            bar.advance(3)

    with listening(listener), pytest.raises(KeyboardInterrupt):
        work()
    assert heard == [("reading", 2, 9), ("inside", 0, None), ("reading", 5, 9)]
    with progress("reading", total=9) as bar:
        bar.advance(5)
    assert len(heard) == 3, "nobody listens any more"


def test_a_terminal_gets_a_bar_without_a_thread_and_gets_it_removed(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    threads = threading.active_count()
    stream, clock = Terminal(), Clock()

    def interrupted_work():
        with progress("judging [b]", total=9, unit="programs", stream=stream, clock=clock) as bar:
            clock.now += SHOW_AFTER
            bar.advance(3)
            assert threading.active_count() == threads
            assert "judging [b]" in stream.getvalue()
            assert "3/9" in stream.getvalue()
            drawn = len(stream.getvalue())
            bar.advance(1)
            assert len(stream.getvalue()) == drawn, "redrawn too soon"
            clock.now += 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_work()
    shown = stream.getvalue()
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1, "the cursor was left hidden"
    assert shown.endswith("judging [b]: 4 programs in 3.0 s\n")
