"""How a server is asked to fill a gap: by `suffix`, by the marks of its model, or in words.

Servers of OpenAI's protocol differ in what they make of `suffix`. Some fill the gap; some say that
they do not know the field; the worst pass it over and go on with the prompt. So what a server can
is tried, once, with requests for one token, and by what it counts:

    suffix  a prompt costs more tokens with a suffix than without one
    marks   a family's marks for a gap, many times over, cost one token each: its model knows them
            as tokens, and where they were text each would be several
    chat    none of these, but the server answers a conversation: it is asked in words
    none    not even that

A server that does not count tokens shows neither of the first two. Nothing here sends anything:
whoever asks hands in how.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["suffix", "marks", "chat", "none"]

Try = Callable[[str, Json], Awaitable[Json | None]]
"""Posts a body to a path; None where the server will not have it, and an error where it failed."""

BEFORE, AFTER = "def double(value):\n    return ", "\n\n\nprint(double(4), double(8))\n"
LEAST = 4
"""Tokens that `AFTER` costs at least where it is read."""
TELLING = 4
"""Characters of what stands around a gap, from which it is no chance that an answer has them."""
TIMES = 4
"""How often the marks stand in the prompt that they are tried with: so that nothing else counts."""
SLACK = 2
"""Tokens that it may cost beyond one for each mark: of white space, or of what was one token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How a family of models is shown a gap, as text. `ends`: what it may write when it is done."""

    name: str
    prefix: str
    suffix: str
    middle: str
    ends: tuple[str, ...] = ()
    suffix_first: bool = False

    @property
    def once(self) -> str:
        """All marks, one behind the other."""
        return "".join(mark.strip() for mark in (self.prefix, self.suffix, self.middle))

    @property
    def count(self) -> int:
        """How many marks there are."""
        return sum(bool(mark.strip()) for mark in (self.prefix, self.suffix, self.middle))

    def lay_out(self, before: str, after: str) -> str:
        """Returns the prompt."""
        if self.suffix_first:
            return f"{self.suffix}{after}{self.prefix}{before}{self.middle}"
        return f"{self.prefix}{before}{self.suffix}{after}{self.middle}"


FAMILIES: tuple[Marks, ...] = (
    Marks(
        name="qwen",  # Qwen2.5-Coder, CodeGemma
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        ends=("<|endoftext|>", "<|file_sep|>"),
    ),
    Marks(
        name="starcoder",  # StarCoder, StarCoder2, Granite Code
        prefix="<fim_prefix>",
        suffix="<fim_suffix>",
        middle="<fim_middle>",
        ends=("<|endoftext|>", "<file_sep>"),
    ),
    Marks(
        name="santacoder",
        prefix="<fim-prefix>",
        suffix="<fim-suffix>",
        middle="<fim-middle>",
        ends=("<|endoftext|>",),
    ),
    Marks(
        name="deepseek",
        prefix="<｜fim▁begin｜>",
        suffix="<｜fim▁hole｜>",
        middle="<｜fim▁end｜>",
        ends=("<｜end▁of▁sentence｜>",),
    ),
    Marks(name="codellama", prefix="<PRE> ", suffix=" <SUF>", middle=" <MID>", ends=("<EOT>",)),
    Marks(name="codestral", prefix="[PREFIX]", suffix="[SUFFIX]", middle="", suffix_first=True),
)

LIMITS = {"max_tokens": 1, "max_completion_tokens": 16}
"""How servers limit the length of a turn: the older name and the newer one, with a small value."""

WORDS = """Fill the gap in this file, where <GAP> stands. Reply with exactly the text that belongs \
there, in one code block: nothing of what stands before the gap or behind it, and no explanation.

```
{before}<GAP>{after}
```
"""

_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:\n?```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How gaps are filled by a server, and whether it takes a prompt or a conversation at all.

    `why` says what it was seen to do, `limit` by which name a conversation's length is limited.
    """

    kind: Kind
    why: str
    prompts: bool
    chats: bool
    marks: Marks | None = None
    limit: str = "max_tokens"


async def find(attempt: Try, model: str) -> Way:
    """Returns how a server is best asked to fill a gap.

    Raises:
        CodewrightError: as `attempt` raises; nothing is known then.
    """
    plain = await attempt("/completions", _one(model, BEFORE))
    turns = [{"role": "user", "content": "Say yes."}]
    limit = ""
    for name, count in LIMITS.items():
        body = {"model": model, "messages": turns, name: count}
        if not limit and await attempt("/chat/completions", body) is not None:
            limit = name
    chats = bool(limit)
    limit = limit or "max_tokens"
    if plain is None:
        if chats:
            return Way(kind="chat", why="it only converses", prompts=False, chats=True, limit=limit)
        return Way(kind="none", why="it takes no prompt", prompts=False, chats=False)
    base = _read(plain)
    with_suffix = await attempt("/completions", {**_one(model, BEFORE), "suffix": AFTER})
    if with_suffix is not None and base and _read(with_suffix) >= base + LEAST:
        return Way(kind="suffix", why="it reads a suffix", prompts=True, chats=chats)
    why = "it refuses a suffix" if with_suffix is None else "it passes a suffix over"
    if not base:
        why = "it counts no tokens, so nothing shows that it reads a suffix"
    found = await _marks(attempt, model) if base else None
    if found is not None:
        why = f"{why}, and its model knows the marks of {found.name}"
        return Way(kind="marks", why=why, prompts=True, chats=chats, marks=found)
    return Way(kind="chat" if chats else "none", why=why, prompts=True, chats=chats, limit=limit)


async def _marks(attempt: Try, model: str) -> Marks | None:
    """The family whose marks cost one token each; as text, each would cost two at least."""
    bare = await attempt("/completions", _one(model, "x"))
    if bare is None:
        return None
    costs: dict[str, int] = {}
    for family in FAMILIES:
        marked = await attempt("/completions", _one(model, "x" + family.once * TIMES))
        most = family.count * TIMES
        cost = _read(marked or {}) - _read(bare)
        if 0 < cost <= most + SLACK:
            costs[family.name] = abs(cost - most)
    return min(
        (family for family in FAMILIES if family.name in costs),
        key=lambda family: costs[family.name],
        default=None,
    )


def in_words(before: str, after: str) -> str:
    """Returns the question to a model that only converses."""
    return WORDS.format(before=before, after=after)


def from_words(said: str, before: str, after: str) -> str:
    """Returns what belongs in the gap: an answer without its fence, and without what stands around.

    A model that was asked for the middle often says the line again in which it begins, and the one
    in which it ends.
    """
    found = _FENCE.search(said)
    text = (found[1] if found else said).replace("<GAP>", "")
    text = _without_end(_without_begin(text, before), after)
    rest = after.partition("\n")[0]
    if rest.strip() and not before.rpartition("\n")[2].strip() and not text.endswith("\n"):
        text += "\n"  # the line that follows has to begin on a line of its own
    return text


def _without_begin(text: str, before: str) -> str:
    """A text that begins with what stands before its gap, all of it or its last line, without."""
    line = before.rpartition("\n")[2]
    word = line.strip()
    if before.strip() and text.startswith(before):
        return text[len(before) :]
    again = text.lstrip()
    if not word or not again.startswith(word):
        return text
    again = again[len(word) :]
    spaces = len(line) - len(line.rstrip())
    if spaces:
        # Else it is another word that begins like this one.
        return again[spaces:] if again.startswith(line[-spaces:]) else text
    return again if len(word) >= TELLING else text


def _without_end(text: str, after: str) -> str:
    """A text that ends with what stands behind its gap, or the beginning of it, without."""
    for size in range(min(len(after), len(text)), 0, -1):
        if len(after[:size].strip()) < TELLING:
            break
        if text.endswith(after[:size]):
            return text[: len(text) - size]
    return text


def _one(model: str, prompt: str) -> Json:
    return {"model": model, "prompt": prompt, "max_tokens": 1}


def count(answer: Mapping[str, Any], name: str) -> int:
    """Returns a count of tokens out of an answer; 0 where it does not say."""
    usage = answer.get("usage")
    told = usage.get(name) if isinstance(usage, dict) else None
    return told if isinstance(told, int) and not isinstance(told, bool) else 0


def _read(answer: Mapping[str, Any]) -> int:
    return count(answer, "prompt_tokens")
