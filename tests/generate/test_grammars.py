"""Grammars for tokens: what any choice of permitted tokens writes is what was asked for."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from codewright.errors import UserError
from codewright.generate.constrained import Ruled, Tokens
from codewright.generate.grammars import LONGEST, Grammars
from codewright.generate.healing import Healing
from codewright.generate.local import LocalGenerator
from codewright.generate.settings import Local
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS
from codewright.types.generation import Grammar, Request
from tests.generate.tiny import make

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b", 3, None]}, "maxItems": 3},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
    },
    "required": ["name", "age", "tags"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
OPEN = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
DATED = {
    "type": "array",
    "items": {"type": "string", "format": "date"},
    "minItems": 1,
    "maxItems": 2,
}
SCHEMAS = (
    PERSON,
    TREE,
    OPEN,
    DATED,
    {"const": {"x": [1, "é\n"]}},
    {"type": ["boolean", "null"]},
    {},
)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> Tokenizer:
    return Tokenizer.load(tiny / "tokenizer.json")


@pytest.fixture(scope="module")
def tokens(tokenizer: Tokenizer) -> Tokens:
    spelled = [tokenizer.token_bytes(token) for token in range(tokenizer.vocabulary)]
    return Tokens(spelled, set(range(SLOTS)))


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer, tokens: Tokens) -> Grammars:
    return Grammars(tokens, tokenizer.encode)


def schema(of: object, **rest) -> Grammar:
    return Grammar(kind="schema", source=json.dumps(of), **rest)


def written(constraint: Ruled, tokens: Tokens, seed: int, most: int = 400) -> bytes | None:
    """Returns what permitted tokens spell until the end is drawn; None where it does not come.

    Tokens are drawn with a liking for those that close something, so that it comes soon.
    """
    draw, text = random.Random(seed), b""
    for _ in range(most):
        if constraint.over:
            return text
        mask = constraint.mask()
        assert mask is not None
        allowed = np.flatnonzero(mask).tolist()
        assert allowed
        closing = [t for t in allowed if t < SLOTS or tokens.spelled[t] in (b'"', b"}", b"]", b"l")]
        token = draw.choice(closing if closing and draw.random() < 0.3 else allowed)
        assert constraint.permits(token)
        if draw.random() < 0.1:
            constraint = constraint.fork()
        constraint.advance(token)
        if token in tokens.ends:
            return text
        text += tokens.spelled[token]
    return None


@pytest.mark.parametrize("of", SCHEMAS, ids=range(len(SCHEMAS)))
def test_what_a_schema_lets_through_is_valid(grammars, tokens, tokenizer, of):
    checker = jsonschema.Draft202012Validator(
        of, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    ended = 0
    for seed in range(25):
        constraint = Ruled(grammars.rules(schema(of)), tokens, Healing(tokenizer))
        text = written(constraint, tokens, seed)
        if text is not None:
            ended += 1
            value = json.loads(text)
            checker.validate(value)
            json.dumps(value, ensure_ascii=False).encode()  # no half of a character either
            assert constraint.whole(text)
            assert not constraint.whole(text + b"x")
    assert ended > 5


def test_other_kinds(grammars, tokens, tokenizer):
    arithmetic = 'start: term (("+" | "-") term)*\nterm: NUMBER | "(" start ")"\nNUMBER: /[0-9]+/'
    gbnf = 'root ::= term (("+" | "-") term)*\nterm ::= [0-9]+ | "(" root ")"'
    kinds = {
        Grammar(kind="object"): lambda text: isinstance(json.loads(text), dict),
        Grammar(kind="regex", source=r"^[a-f]{2,5}(x|é)?$"): re.compile(
            r"[a-f]{2,5}(x|é)?"
        ).fullmatch,
        Grammar(kind="regex", source="a|b"): re.compile("a|b").fullmatch,
        Grammar(kind="choice", source='["red", "rot", "r\\u00f6t\\n\\"", "red and blue"]'): {
            *("red", "rot", 'röt\n"', "red and blue")
        }.__contains__,
        Grammar(kind="lark", source=arithmetic): lambda text: eval(text) is not None,
        Grammar(kind="lark", source=gbnf): lambda text: eval(text) is not None,
    }
    for grammar, fits in kinds.items():
        said = set()
        for seed in range(20):
            constraint = Ruled(grammars.rules(grammar), tokens, Healing(tokenizer))
            text = written(constraint, tokens, seed, most=60)
            if text is not None and not re.search(rb"\b0\d", text):
                assert fits(text.decode()), (grammar, text)
                said.add(text)
        assert len(said) > 1, grammar
        assert grammars.knows(grammar)


def test_held_bytes_and_a_grammar_at_once(grammars, tokens, tokenizer):
    """The first tokens spell what was taken back, and behind it the grammar begins."""
    grammar = Grammar(kind="regex", source="[a-z(]{3}")
    for held in (b" ", b"\n", b"(", b"  de", b"\xc3"):
        for seed in range(15):
            healing = Healing(tokenizer)
            constraint = Ruled(grammars.rules(grammar), tokens, healing, held)
            mask = constraint.mask()
            assert mask is not None
            assert not mask[:SLOTS].any(), "nothing ends before it begins"
            for token in np.flatnonzero(mask).tolist():
                spelled = tokens.spelled[token]
                assert held.startswith(spelled) or spelled.startswith(held)
            text = written(constraint, tokens, seed)
            assert text is not None
            assert text.startswith(held)
            assert re.fullmatch(rb"[a-z(]{3}", text[len(held) :]), text


def test_what_cannot_be_held_to(grammars):
    bad = (
        *(Grammar(kind="regex", source=each) for each in ("(a", "(?=a)b", r"(a)\1")),
        *(Grammar(kind="lark", source=each) for each in ("start: foo", "nonsense", "", "start: (")),
        *(schema(each) for each in ({"type": "strin"}, False, {"$ref": "#/none"}, 3, [])),
        *(
            schema({"type": "array", "uniqueItems": True}),
            schema({"type": "integer", "minimum": 3, "maximum": 2}),
        ),
        Grammar(kind="schema", source="{"),
        Grammar(kind="regex", source="a" * (LONGEST + 1)),
        Grammar(kind="schema", source='{"items": ' * 5000 + "{}" + "}" * 5000),
    )
    for grammar in bad:
        with pytest.raises(UserError) as refused:
            grammars.rules(grammar)
        assert refused.value.hint
        assert len(refused.value.message) < 400
    assert grammars.rules(schema({"type": "array", "uniqueItems": True}, lenient=True)).mask().any()


def test_a_generator_keeps_to_grammars(tmp_path: Path):
    """With healing, several texts, stops, and no room left: whatever the model wants to say."""
    exact = Local(precision="float32", device="cpu", threads=1)
    model = LocalGenerator(make(tmp_path, context=400), exact)
    wide = {"prompt": "x = 1\nperson = ", "max_tokens": 200, "n": 6, "temperature": 1.0, "seed": 3}
    for stop in ((), ("\n",), ('"',)):
        (said,) = model.generate([Request(**wide, grammar=schema(PERSON), stop=stop)])
        for each in said:
            assert each.finish in ("stop", "length")
            if each.finish == "stop":
                jsonschema.validate(json.loads(each.text), PERSON)
        assert any(each.finish == "stop" for each in said)
    (said,) = model.generate([Request(**wide | {"max_tokens": 5}, grammar=schema(PERSON))])
    assert {each.finish for each in said} == {"length"}
    (said,) = model.generate(
        [Request(**wide | {"max_tokens": 6}, grammar=Grammar(kind="regex", source="[ab]{3}"))]
    )
    assert {each.finish for each in said} == {"stop"}, "complete, and nothing else to say"
    python = Grammar(kind="python")
    for prompt, suffix in (
        ("def f(x):\n    ", None),
        ("y = [\n", "]\nz = 2\n"),
        ("x = (1,\n", ")\n"),
    ):
        asked = wide | {"prompt": prompt, "max_tokens": 40}
        (said,) = model.generate([Request(**asked, suffix=suffix, grammar=python)])
        for each in said:
            if each.finish == "stop":
                compile(prompt + each.text + (suffix or ""), "text", "exec", 0x400)
    with pytest.raises(UserError, match="no beginning of a Python program"):
        model.generate([Request(**wide | {"prompt": "x = = 1"}, grammar=python)])
