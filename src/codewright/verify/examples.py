"""The examples that a prompt shows: calls of a function and what they should return.

They are read from interactive sessions, assertions and the forms that people use in prose. A wrong
example is worse than a missing one, so what has two readings, does not fit the function's
parameters, or contradicts another example is left out. Nothing of the prompt is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from codewright.sandbox.values import Packer
from codewright.types.judging import CallPair
from codewright.verify import prose
from codewright.verify.doctests import sessions
from codewright.verify.results import Wanted
from codewright.verify.signature import Signature, description, signature


def examples(prompt: str, entry_point: str) -> tuple[CallPair, ...]:
    """Returns the examples that `prompt` shows of the function `entry_point`, in their order.

    Each is there once. The prompt may be code that ends inside the function, or prose; where it
    defines the function, what does not bind to its parameters is dropped.
    """
    known = signature(prompt, entry_point)
    text = description(prompt, entry_point)
    wanted = Wanted.of(known.returns if known else None, text)
    asked, rest = sessions(text, entry_point, wanted)
    lines = text.split("\n")
    found = [(sum(map(len, lines[: one.line])) + one.line, one.pair) for one in asked]
    asserted, rest = prose.asserted(rest, entry_point)
    found += asserted
    found += prose.calls(rest, entry_point, wanted)
    if known:
        found += prose.assigned(rest, known, wanted)
    found += prose.labelled(rest, entry_point, known, wanted)
    pairs = _of_one_kind(_fitting(found, known), text, entry_point)
    if not pairs:
        names = known.names if known else ()
        pairs = _fitting(prose.unquoted(rest, entry_point, wanted, names), known)
    if not pairs and known:
        pairs = _fitting(prose.misnamed(rest, entry_point, wanted), known)
    return tuple(pairs)


def _fitting(found: Iterable[prose.Placed], known: Signature | None) -> list[CallPair]:
    """The examples by their place, once each, without those that do not bind, or contradict."""
    packer = Packer(lambda _: 0)
    expected: dict[bytes, set[bytes]] = {}
    first: dict[bytes, CallPair] = {}
    for _, pair in sorted(found, key=lambda one: one[0]):
        if known and not known.accepts(pair.args, pair.kwargs):
            continue
        key = packer.text((pair.args, pair.kwargs))
        expected.setdefault(key, set()).add(packer.text(pair.expected))
        first.setdefault(key, pair)
    return [pair for key, pair in first.items() if len(expected[key]) == 1]


def _of_one_kind(pairs: Sequence[CallPair], text: str, entry_point: str) -> list[CallPair]:
    """The examples without those that their author meant otherwise.

    Among tuples, `("a")` is a tuple that was written wrongly. Where a recurrence is given in the
    function's name, f(1) = 3 may be a term of the sequence: it is, if other results are lists.
    """
    kinds = {type(pair.expected) for pair in pairs}
    if kinds == {tuple, str}:
        return [pair for pair in pairs if type(pair.expected) is tuple]
    name = rf"(?<![\w.]){re.escape(entry_point)}"
    if kinds == {list, int} and re.search(rf"{name}\(\w+\) *(?:=|->).*{name}\(\w+ *-", text):
        return [pair for pair in pairs if type(pair.expected) is list]
    return list(pairs)
