"""Beginnings of programs: all that real files begin with, and none that nothing makes a program."""

from __future__ import annotations

import ast
import random
import sysconfig
from pathlib import Path

import pytest

from codewright.errors import UserError
from codewright.generate.python_program import Program
from codewright.generate.python_rules import LONGEST, PythonRules
from tests.reference.python_endings import ending, parses

# Old escapes and numbers are warned of, and warnings are errors here.
pytestmark = pytest.mark.filterwarnings("ignore")

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
EVERY_CHARACTER = ("bisect.py", "textwrap.py", "keyword.py", "reprlib.py", "graphlib.py")
IN_PIECES = (
    *("argparse.py", "ast.py", "asyncio/base_events.py", "asyncio/tasks.py", "codecs.py"),
    *("contextlib.py", "copy.py", "csv.py", "difflib.py", "doctest.py", "enum.py", "fractions.py"),
    *("functools.py", "http/cookies.py", "inspect.py", "json/decoder.py", "locale.py"),
    *("pathlib.py", "pprint.py", "random.py", "shlex.py", "string.py", "types.py", "zipfile.py"),
)
PIECES = (
    *("x", "if ", "else", "elif ", "for ", "in ", "def ", "f", "(", ")", "[", "]", "{", "}", ":"),
    *("\n", "\n ", " ", "    ", "=", "==", ",", "'", '"', '"""', "\\", "#", "1", "1.", "e", "0x"),
    *(".", "...", "lambda ", "not ", "import ", "from ", "as ", "class ", "with ", "try:", "r"),
    *("except ", "finally:", "match ", "case ", "f'", "!r", ":=", "@", "async ", "await ", "_"),
    *("yield ", "return", "*", "**", "->", "b'", "rb", "\\x4", "é", "global ", "del ", "and ", "J"),
    *("is ", "-", "~", "\t", "pass\n", ";", "\\\n", "0_", "\r"),
)


def fed(text: str, *, part: bool = False) -> Program | None:
    return Program(part=part).feed(text)


@pytest.mark.parametrize("name", EVERY_CHARACTER + IN_PIECES)
def test_every_beginning_of_real_files(name: str):
    text = (LIBRARY / name).read_text(encoding="utf-8")
    draw = random.Random(name)
    program, place, count = Program(), 0, 0
    while place < len(text):
        size = 1 if name in EVERY_CHARACTER else draw.randint(1, 40)
        after = program.feed(text[place : place + size])
        assert after is not None, text[max(0, place - 80) : place + size]
        program, place, count = after, place + size, count + 1
        if count % 97 == 0:
            assert program.complete() == parses(text[:place])
    assert program.complete()
    assert fed(text) is not None, "and all of it at once"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_accepted_has_an_end(seed: int):
    """Texts of random pieces, all of them accepted: each is made a program by some ending."""
    draw = random.Random(seed)
    without, count = [], 250
    for _ in range(count):
        program, text = Program(), ""
        for _ in range(draw.randint(1, 10)):
            more = draw.choice(PIECES)
            after = program.feed(more)
            if after is not None:
                program, text = after, text + more
        whole = fed(text)
        assert whole is not None, f"read at once: {text!r}"
        assert program.complete() == whole.complete() == parses(text), text
        if ending(text) is None:
            without.append(text)
    # The search has an ending for nearly all of them; what it knows no ending for may have one.
    assert len(without) <= count // 80, without


@pytest.mark.parametrize(
    "text",
    [
        *("x = 1 y", "1 = ", "if x:\ny", "def f(\n)", "x\n y", "try:\n pass\ny", "f(x for x in y,"),
        *("else", "print 'x'", "del f() ", "a + b = ", "  x\n y", "for f() in", "f(**a, *b"),
        *(
            "'\\x4g",
            '"\n',
            "b'é",
            "b'' ''",
            "'' b''",
            "'\\N{no such}'",
            "'\\U0011",
            "0b2",
            "1__",
            "01 ",
        ),
        *("$", "x = ?", "(]", ")", "x!", "\0", "'\0", "# \0", "if x:\n\ty\n  z", "match x:\n foo "),
        *(
            "f'{}'",
            "f'{a b}'",
            "f'{a!q",
            "f'}'",
            "f'{a:{b:{c",
            "f'{a\\",
            "f'{x",
        )[:7],
        *(
            "@x\ny = ",
            "while x:\n  y\n z",
            "import a.b as c.",
            "x = \\ y",
            "case 1.5.6 ",
            "lambda x:\n",
        ),
        *("with a as 1:", "[x for x in y z", "{1: 2, 3, ", "async x", "return = ", "None = "),
        "x = 12abc",
    ],
)
def test_what_no_program_begins_with(text: str):
    assert fed(text) is None or fed(text + "\n") is None, text
    assert not parses(text)


def test_tokens_that_may_go_on():
    for text in (
        "whil",
        "x = 1 i",
        "1if x els",
        "0x",
        "1_",
        "1e",
        "1e-",
        "x.",
        "..",
        "r",
        "rb",
        "''",
    ):
        assert fed(text) is not None, text
    for text in (
        "x = y n",
        "import x a",
        "from . imp",
        "x !",
        "'''",
        "f'{x",
        "f'{x!",
        "f'{x=",
        "x -",
    ):
        assert fed(text) is not None, text
    for text in ("x = y k", "import x b", "x ! ", "f'{x!r "):
        assert fed(text) is None, text
    assert fed("    return x\n  ", part=True) is not None, "the end of a longer one"
    assert fed("    return x\n  y = 1\nz", part=True) is not None
    assert fed("    return x") is None


def test_bytes_and_halves_of_characters():
    def rules(prompt: str, suffix: str = "") -> PythonRules:
        return PythonRules.after(prompt, suffix)

    name, quoted = "é".encode(), "'é".encode()
    for half in (name[:1], name, "蟒".encode()[:2], "x\u0301".encode()[:2], quoted[:2]):
        assert rules("x = ").takes(half), half
    euro = "€".encode()
    for half in (b"\xff", b"\xc3(", b"\xed\xa0", b"1\xcc", b"b'\xc3", euro):
        assert not rules("x = ").takes(half), half
    assert rules("x = '").takes(euro[:1])
    assert rules("x = 1 # ").takes(euro[:2])
    for half in (b"\xed\xb9", b"\xe0\x9f", b"\xf0\x8f", b"\xf4\x90", b"\xc1"):
        assert not rules("x = 1 # ").takes(half), "nothing makes a character of it"
    assert rules("x = 1 # ").takes(b"\xf4\x8f")
    one = rules("x = '")
    one.push(0, euro[:1])
    assert not one.complete
    assert not one.takes(b"'")
    other = one.fork()
    other.push(0, euro[1:] + b"'")
    assert other.complete
    assert not one.complete


def test_suffixes_and_prompts():
    rules = PythonRules.after("def f(x):\n    return x[", "]\n\n\ndef g():\n    pass\n")
    assert not rules.complete
    assert rules.whole(b"x")
    assert rules.whole(b"x, (y)")
    assert not rules.whole(b"x]")
    assert not rules.whole(b"'x")
    assert not rules.whole(b"x + ")
    cut = PythonRules.after("x = [", "1, 2, {3: 4, 5", cut=True)
    assert cut.whole(b"0, "), "a suffix that was cut off, inside of brackets"
    assert not PythonRules.after("x = [", "1, 2, {3: 4, 5").whole(b"0, ")
    with pytest.raises(UserError, match="line 3"):
        PythonRules.after("x = 1\n\ny = = 2\nz = 3\n", "")
    with pytest.raises(UserError, match="too long"):
        PythonRules.after("x\n" * LONGEST, "")


def test_a_look_is_short_however_long_the_program_is():
    """What the parser is shown does not grow with what is complete."""
    text = "class A:\n" + "".join(f"    def f{i}(self):\n        return {i}\n" for i in range(3000))
    program = fed(text)
    assert program is not None
    assert len(program._shown()) < 100
    assert ast.parse(text)
