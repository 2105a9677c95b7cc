"""What a model is shown of a repository: the question, the passages, and what was left out.

Text out of a repository is data. Whoever shows it to a model marks it as such, and lets nothing in
it be an instruction or a special token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

Detail = Literal["signature", "head", "whole"]
"""How much of a definition is shown.

signature  its head on one line
head       that and the first line of its documentation
whole      its lines as they are
"""

Reason = Literal["over budget", "duplicate", "already visible", "unresolved", "low confidence"]
"""Why something is not shown.

over budget      what was shown was worth more for its tokens
duplicate        much the same is shown
already visible  the open file says it
unresolved       nobody knows where it is defined
low confidence   it is hardly ever needed in such a place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What context is wanted for: a cursor in a file, a task in words, or both.

    path: of the file, relative to the repository's root. before, after: what the file says before
    the cursor and behind it, as the editor has it, which need not be what was indexed.
    """

    task: str = ""
    path: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One piece that is shown.

    source: `path:first-last`, or a distribution with its version and a name in it. path, first,
    last: the lines that it stands for, whatever of them is shown; 0 where it has none. kind:
    import, call, base, sibling, usage, test, library, guideline, readme or search. tokens: of its
    text by itself. why: in a few words, for a person. confidence: the chance that it is needed, as
    far as is known.
    """

    source: str
    path: str
    first: int
    last: int
    kind: str
    detail: Detail
    text: str
    tokens: int
    why: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One piece that is not shown. tokens: what it would have cost; 0 where nobody counted."""

    source: str
    kind: str
    reason: Reason
    tokens: int = 0


class Part(NamedTuple):
    """A part of what is shown: text, or a mark, which is one token to a model that knows it."""

    text: str
    mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a model is shown, at most `budget` tokens of it.

    text: all of it, laid out. parts: the same, cut at the marks. tokens: of all of it, marks and
    separators included. exact: counted by the model's own tokenizer,
    not bounded. left_out: the biggest of what is not shown. counts: of all that is not, by reason.
    """

    text: str
    parts: tuple[Part, ...]
    tokens: int
    budget: int
    exact: bool
    passages: tuple[Passage, ...]
    left_out: tuple[LeftOut, ...] = ()
    counts: Mapping[Reason, int] = field(default_factory=dict)


class Retriever(Protocol):
    """Anything that knows what a model should be shown."""

    def retrieve(self, query: Query, budget: int) -> Context:
        """Returns passages worth showing, never more than `budget` tokens of them."""
        ...
