"""Grammars for the tokens of one tokenizer: JSON schemas, regular expressions, Lark, choices.

llguidance does the work: it says for each state which tokens may follow, in microseconds, without
having laid out states beforehand. What it takes to compile a grammar, and to take a step in one, is
bounded by `LIMITS`, but by its own counts and not by time: who compiles what strangers send does so
where it can be ended (`serve/trial.py`).

JSON is written as people write it: no space or one behind a comma and a colon, or a new line that
is indented; nowhere more, so that no text ends in white space without end.

How JSON is spaced inside a grammar (`%json`) is said by `spaced`.

Whether a program is one is not asked here (`python_rules.py`).
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer, TokenizerWrapper
from llguidance.gbnf_to_lark import any_to_lark
from numpy.typing import NDArray

from codewright.errors import UserError
from codewright.generate.constrained import Tokens
from codewright.tokens.special import SLOTS, SPECIAL
from codewright.types.generation import Grammar

KEPT = 64
"""Grammars that are remembered, the last ones used."""
LONGEST = 200_000
"""Characters of a grammar."""
SPACES = r"( |\n[ ]{0,24})?"
"""White space in JSON, wherever some may stand."""
LIMITS = LLParserLimits(
    max_items_in_row=4_000,
    initial_lexer_fuel=500_000,
    step_lexer_fuel=30_000,
    step_max_items=20_000,
    max_lexer_states=20_000,
    max_grammar_size=100_000,
    verbose_errors=False,
)
NAMES = {
    "schema": "JSON schema",
    "object": "JSON schema",
    "regex": "regular expression",
    "choice": "list of choices",
    "lark": "grammar",
}


class Grammars:
    """Compiles grammars. May be used by several threads."""

    def __init__(self, tokens: Tokens, encode: Callable[[bytes], list[int]]) -> None:
        """`encode` is the tokenizer's own, for what a grammar dictates."""
        self._tokens = tokens
        self._tokenizer = LLTokenizer(
            TokenizerWrapper(_Vocabulary(tokens.spelled, encode)), n_vocab=len(tokens.spelled)
        )
        self._known: OrderedDict[Grammar, LLMatcher] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, grammar: Grammar) -> bool:
        """Tells whether it was compiled before, and is remembered."""
        with self._lock:
            return grammar in self._known

    def rules(self, grammar: Grammar) -> Compiled:
        """Returns the rules of a grammar in their first state.

        Raises:
            UserError: it is none, or too much.
        """
        with self._lock:
            first = self._known.get(grammar)
            if first is not None:
                self._known.move_to_end(grammar)
        if first is None:
            first = self._compiled(grammar)
            with self._lock:
                self._known[grammar] = first
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return Compiled(first, first.deep_copy(), self._tokens)

    def _compiled(self, grammar: Grammar) -> LLMatcher:
        name = NAMES[grammar.kind]
        if len(grammar.source) > LONGEST:
            raise UserError(
                f"the {name} has {len(grammar.source)} characters",
                hint=f"{LONGEST} at most; make a simpler one",
            )
        matcher = LLMatcher(self._tokenizer, _internal(grammar), log_level=0, limits=LIMITS)
        if matcher.is_error():
            raise _refused(name, matcher.get_error())
        return matcher


class Compiled:
    """The `Rules` of a grammar."""

    def __init__(self, first: LLMatcher, matcher: LLMatcher, tokens: Tokens) -> None:
        self._first = first
        self._matcher = matcher
        self._tokens = tokens

    @property
    def complete(self) -> bool:
        return self._matcher.is_accepting()

    @property
    def over(self) -> bool:
        return self._matcher.is_stopped() and not self._matcher.is_error()

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns which tokens may follow; see `Rules`."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._check()
        count = len(self._tokens.spelled)
        return np.unpackbits(packed, bitorder="little")[:count].astype(np.bool_)

    def takes(self, data: bytes) -> bool:
        """Tells whether bytes may follow."""
        ids = each_byte(data)
        return self._matcher.validate_tokens(ids) == len(ids)

    def push(self, token: int, data: bytes) -> None:
        """Takes a token, or what is left of it."""
        if len(data) == len(self._tokens.spelled[token]):
            self._matcher.consume_token(token)
        else:
            self._matcher.consume_tokens(each_byte(data))
        self._check()

    def whole(self, text: bytes) -> bool:
        """Tells whether all of a text could be `text`."""
        fresh = self._first.deep_copy()
        ids = each_byte(text)
        return fresh.try_consume_tokens(ids) == len(ids) and fresh.is_accepting()

    def forced(self) -> Sequence[int]:
        """Returns the tokenizer's own tokens for what the grammar dictates."""
        return self._matcher.compute_ff_tokens()

    def fork(self) -> Compiled:
        """Returns others in the same state."""
        return Compiled(self._first, self._matcher.deep_copy(), self._tokens)

    def _check(self) -> None:
        if self._matcher.is_error():
            raise _refused("grammar", self._matcher.get_error())


class _Vocabulary:
    """What llguidance asks of a tokenizer."""

    def __init__(self, spelled: Sequence[bytes], encode: Callable[[bytes], list[int]]) -> None:
        self.eos_token_id = 0
        self.bos_token_id = None
        self.special_token_ids = list(range(SLOTS))
        self.tokens = [name.encode() for name in SPECIAL] + list(spelled[SLOTS:])
        self._encode = encode

    def __call__(self, text: bytes) -> list[int]:
        return self._encode(text)


def spaced(schema: Mapping[str, Any], *, lenient: bool = False) -> str:
    """Returns a schema for `%json` in a grammar, to be written as every JSON is."""
    said = {"whitespace_pattern": SPACES, "lenient": lenient}
    return json.dumps({**schema, "x-guidance": said})


def each_byte(data: bytes) -> list[int]:
    """Returns bytes as the tokens that stand for one each."""
    return [SLOTS + byte for byte in data]


def _internal(grammar: Grammar) -> str:
    """Returns a grammar in llguidance's form."""
    source = grammar.source
    if grammar.kind == "regex":
        return LLMatcher.grammar_from_regex(source)
    if grammar.kind == "choice":
        texts = json.loads(source)
        return LLMatcher.grammar_from_lark(f"start: {' | '.join(map(json.dumps, texts))}")
    if grammar.kind == "lark":
        try:
            return LLMatcher.grammar_from_lark(any_to_lark(source))
        # It raises bare Exception for a grammar of llama.cpp without a first rule.
        except Exception as error:  # boundary: another library's parser
            raise _refused(NAMES["lark"], str(error)) from None
    try:
        return LLMatcher.grammar_from_json_schema(
            _object(source) if grammar.kind == "schema" else '{"type": "object"}',
            overrides={"whitespace_pattern": SPACES, "lenient": grammar.lenient},
        )
    except ValueError as error:
        raise _refused(NAMES["schema"], str(error)) from None


def _object(source: str) -> str:
    """Returns a schema with `true`, which lets anything be, as the object that says the same."""
    return "{}" if source.strip() == "true" else source


def _refused(name: str, why: str) -> UserError:
    said = " ".join(why.split())[:300] or "no reason is known"
    return UserError(f"the {name} cannot be held to: {said}", hint="simplify it, or mend it")
