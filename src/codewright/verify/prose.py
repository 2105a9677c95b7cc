"""Examples from prose: `f(x) ➞ y`, "For x = 3 the output should be 5", `Input: … Output: …`.

Each reader goes through a description for one of these forms and gives what it is sure of, with
the place where it stands.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from codewright.types.behaviour import Call
from codewright.types.judging import CallPair
from codewright.verify.asserts import call_of, parse_test
from codewright.verify.operations import Refused
from codewright.verify.results import Wanted, result, segment, value
from codewright.verify.signature import Signature, closing

Placed = tuple[int, CallPair]
"""Where in the text an example begins, and the example."""

_SIGN: Final = re.compile(
    r"[ ]*(?:#|//)?[ ]*(?:={1,3}>|-{1,2}>|→|➞|➡|➔|⇒|⟹|⟶|↦|:=|={1,3}|≡|:)(?![=>])[ ]*"
)
_COMMENT: Final = re.compile(r"[ ]+(?:#|//)[ ]*")
_MODAL: Final = r"(?:(?:should|will|would|must|shall|can)[ \n]+)?"
_PHRASE: Final = re.compile(
    r"\s*,?[ ]*(?:(?:#|//)[ ]*)?"
    r"(?:(?:it|this|which|the[ ]function|the[ ](?:output|result|answer|return[ ]value))[ ]+)?"
    + _MODAL
    + r"(?:evaluates?[ ]to|results?[ ]in|is[ ]equal[ ]to|be[ ]equal[ ]to|returns?|returning|equals?"
    r"|gives?|outputs?|yields?|produces?|be|is)\b\s*:?\s*"
    r"(?:the[ ](?:value|string|number|list)[ ])?",
    re.IGNORECASE,
)
_ARROW: Final = re.compile(r"[ ,]*\s*(?:={1,2}>|-{1,2}>|→|➞|⇒)[ ]*")
_OUTCOME: Final = re.compile(
    r"\b(?:outputs?|results?|answer|return(?:ed)?[ ]value)\b[^\n.]{0,20}?"
    r"(?:\b(?:should[ ]be|will[ ]be|would[ ]be|must[ ]be|is|equals?|be)\b|[=:])\s*:?\s*"
    r"|\b(?:returns?|gives?|outputs?|yields?|returned)\b\s*[:=]?\s*",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*(?:=(?![=>])|:)\s*")
_BETWEEN: Final = re.compile(r"[ ]*(?:[,;&]|\band\b|\n)?[ ]*(?:and\b)?\s*")
_INPUT: Final = re.compile(r"\binputs?[ ]*\d*[ ]*[:=]\s*", re.IGNORECASE)
_OUTPUT: Final = re.compile(
    r"\b(?:expected[ ]+)?outputs?[ ]*\d*[ ]*[:=]\s*|[ ]*(?:={1,2}>|-{1,2}>|→|➞|⇒)[ ]*",
    re.IGNORECASE,
)
_ASSERT: Final = re.compile(r"^ *assert\b.*$", re.MULTILINE)
_BEFORE: Final = re.compile(r"(?:\bdef|\bnot|\blambda|[-+*/%!~,\[{]|[\w)\]]\()\s*$")
_BULLET: Final = re.compile(r"^\s*[-+*•]\s*$")
_MOST_MENTIONS: Final = 300
_REACH: Final = 400
"""Characters in which a result has to follow what it is the result of."""


def calls(text: str, entry_point: str, wanted: Wanted) -> Iterator[Placed]:
    """Yields the examples that are written as a call, a sign or a verb, and a value."""
    for start, end, source in _mentions(text, entry_point):
        call = call_of(source, entry_point)
        if call is None:
            continue
        try:
            yield start, _pair(call, _outcome(text, end, wanted))
        except Refused:
            continue


def asserted(text: str, entry_point: str) -> tuple[list[Placed], str]:
    """Returns the examples in assertions that Python can read, and the text without them."""
    found = []
    for match in _ASSERT.finditer(text):
        lines = text[match.start() :].split("\n")
        for count in range(1, min(len(lines), 20) + 1):
            source = "\n".join(lines[:count])
            test = parse_test(source.strip(), entry_point)
            if test is not None:
                if test.expected is not None:
                    found.append((match.start(), test.expected))
                    blank = " " * len(source)
                    text = text[: match.start()] + blank + text[match.start() + len(source) :]
                break
    return found, text


def unquoted(text: str, entry_point: str, wanted: Wanted, known: Sequence[str]) -> list[Placed]:
    """Returns examples whose arguments are words without quotes, as in is_happy(abcd) => True.

    There have to be two different ones, none of them the name of a parameter.
    """
    found = []
    # In an assertion, a bare word is a variable.
    text = _ASSERT.sub(lambda line: " " * len(line.group()), text)
    for start, end, source in _mentions(text, entry_point):
        words = source[source.index("(") + 1 : -1].split(",")
        args = tuple(word.strip() for word in words)
        if not all(arg.isidentifier() and arg not in known for arg in args):
            continue
        try:
            outcome = _outcome(text, end, wanted)
        except Refused:
            continue
        if type(outcome) is not str:
            found.append((start, CallPair(args=args, expected=outcome)))
    return found if len({pair.args for _, pair in found}) > 1 else []


def misnamed(text: str, entry_point: str, wanted: Wanted) -> list[Placed]:
    """Returns examples that call the function by another name; all of them by the same one."""
    names = set(re.findall(r"(?<![\w.'\"])([A-Za-z_]\w+)\(", text))
    names -= {entry_point, *vars(builtins)}
    found = {name: list(calls(text, name, wanted)) for name in sorted(names)}
    named = [examples for examples in found.values() if examples]
    return named[0] if len(named) == 1 else []


def assigned(text: str, signature: Signature, wanted: Wanted) -> Iterator[Placed]:
    """Yields the examples that name the parameters: For lst = [1, 2], k = 3 the result is 5."""
    place = 0
    while found := _NAMED.search(text, place):
        place = found.end()
        if found[1] not in signature.names:
            continue
        given, end = _assignments(text, found.start())
        if not given:
            continue
        place = end
        if not set(given) >= set(signature.names[: signature.required]):
            continue
        if not set(given) <= set(signature.names):
            continue
        try:
            yield (
                found.start(),
                _pair(_by_name(given, signature), _distant(text, end, found[1], wanted)),
            )
        except Refused:
            continue


def labelled(
    text: str, entry_point: str, signature: Signature | None, wanted: Wanted
) -> Iterator[Placed]:
    """Yields the examples that are marked as Input and Output."""
    for found in _INPUT.finditer(text):
        stop = _INPUT.search(text, found.end())
        limit = min(found.end() + 4 * _REACH, stop.start() if stop else len(text))
        output = _OUTPUT.search(text, found.end(), limit)
        if output is None:
            continue
        given = text[found.end() : output.start()].strip().rstrip(",;").strip()
        try:
            call = call_of(given, entry_point) or _given(given, signature)
            yield found.start(), _pair(call, result(text, output.end(), wanted)[0])
        except Refused:
            continue


def _mentions(text: str, name: str) -> Iterator[tuple[int, int, str]]:
    """Yields (start, end, source) of the calls of a name that stand for themselves."""
    mentions = re.finditer(rf"(?<![\w.]){re.escape(name)}[ ]*\(", text)
    for found in islice(mentions, _MOST_MENTIONS):
        end = closing(text, found.end() - 1)
        if end is None:
            continue
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        source = text[found.start() : end + 1]
        if line.rstrip().endswith("print(") and text[end + 1 : end + 2] == ")":
            yield found.start(), end + 2, source
        elif _BULLET.match(line) or not _BEFORE.search(line):
            yield found.start(), end + 1, source


def _outcome(text: str, end: int, wanted: Wanted) -> Any:
    """The value that a sign, a verb or a comment right after a call leads to."""
    if sign := _SIGN.match(text, end):
        strict = sign.group().strip() == ":"
        return result(text, _wrapped(text, sign.end()), wanted, strict=strict)[0]
    if phrase := _PHRASE.match(text, end):
        return result(text, phrase.end(), wanted)[0]
    if comment := _COMMENT.match(text, end):
        return result(text, comment.end(), wanted, strict=True)[0]
    raise Refused("nothing follows")


def _wrapped(text: str, place: int) -> int:
    """Where a value begins that may stand on the next line."""
    if text[place : place + 1] != "\n":
        return place
    found = re.compile(r"\n *(?=[-\d\[({'\"])").match(text, place)
    return found.end() if found else place


def _assignments(text: str, start: int) -> tuple[dict[str, Any], int]:
    """The values of names that are given one after the other, and where that ends."""
    given: dict[str, Any] = {}
    end = start
    place = start
    while found := _NAMED.match(text, place):
        try:
            shown, after = segment(text, found.end())
            given[found[1]] = value(shown)
        except Refused:
            break
        end = after
        between = _BETWEEN.match(text, end)
        place = between.end() if between else end
    return given, end


def _distant(text: str, start: int, first: str, wanted: Wanted) -> Any:
    """The result that a sentence or paragraph after assignments comes to."""
    if arrow := _ARROW.match(text, start):
        try:
            return result(text, arrow.end(), wanted)[0]
        except Refused:
            pass
    again = re.compile(rf"\n\s*\n|(?<![\w.]){re.escape(first)}\s*=").search(text, start)
    limit = min(start + _REACH, again.start() if again else len(text))
    for found in _OUTCOME.finditer(text, start, limit):
        try:
            return result(text, found.end(), wanted)[0]
        except Refused:
            continue
    raise Refused("no result follows")


def _by_name(given: dict[str, Any], signature: Signature) -> Call:
    """A call with what is given by position, as far as that goes."""
    args = []
    for name in signature.names:
        if name not in given:
            break
        args.append(given[name])
    rest = {name: given[name] for name in given if name not in signature.names[: len(args)]}
    return Call(args=tuple(args), kwargs=rest)


def _given(text: str, signature: Signature | None) -> Call:
    """The call that an Input describes: by names, or by values in the order of the parameters."""
    named, end = _assignments(text, 0)
    if named and not text[end:].strip(" .,;\n"):
        if signature and set(named) <= set(signature.names):
            return _by_name(named, signature)
        return Call(args=tuple(named.values()))
    values = []
    place = 0
    while place < len(text):
        shown, place = segment(text, place)
        values.append(value(shown))
        between = re.compile(r"\s*[,;\n]\s*|\s*$").match(text, place)
        if between is None:
            raise Refused("values that nothing parts")
        place = between.end()
    if not values:
        raise Refused("no input")
    return Call(args=tuple(values))


def _pair(call: Call, expected: Any) -> CallPair:
    return CallPair(args=call.args, kwargs=call.kwargs, expected=expected)
