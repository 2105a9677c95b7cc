"""From a request to the tokens that a model reads, and the room that is left for what it writes.

Room: at least half of the context is for what is asked for, if as much is asked for. A prompt that
is longer than the rest loses its beginning. With a suffix, prefix and suffix share what there is:
the suffix has a quarter, of which its beginning stays, the prefix the rest, of which its end stays,
and what one does not need the other has.

What is cut off is cut off in steps of a sixteenth of the context. So while somebody types, what a
model is shown mostly grows at its end, and what was read for the last key stroke need not be read
again.

What is told of other files stands before the prompt and keeps its room: files with marks before
the marks of a gap, text where the open file begins. It may have half of what is read where all is
written that is asked for.

Whatever is shown stands behind END, the border between documents, as every piece of a row did in
training.
"""

from __future__ import annotations

from dataclasses import dataclass

from codewright.errors import UserError
from codewright.generate.healing import Healing
from codewright.generate.settings import Arrangement
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.fim import arrange
from codewright.tokens.special import END, SPECIAL
from codewright.types.generation import Request

SUFFIX_SHARE = 4
"""The suffix has one part in so many of what prefix and suffix may have."""
STEPS = 16
"""What is left out of a prompt is a multiple of one part in so many of the context."""
MARKS = 4
"""Tokens that a prompt with a suffix has besides prefix and suffix: END and three for its parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a model reads.

    prompt: tokens, at least one. held: bytes that what it writes begins with (`healing.py`).
    room: tokens that it may write.
    """

    prompt: list[int]
    held: bytes
    room: int


def lay_out(
    request: Request, tokenizer: Tokenizer, healing: Healing, *, context: int, fim: Arrangement
) -> Layout:
    """Returns the layout of a request that has a prompt, for a model of `context` positions.

    Raises:
        UserError: what is told of other files is more than `most_told` allows.
    """
    told, marked = _told(request, tokenizer)
    _check(len(told), most_told(context, request.max_tokens))
    prefix = tokenizer.encode(request.prompt)
    if request.suffix is not None:
        suffix = tokenizer.encode(request.suffix)
        room = _room(request, context, len(told) + len(prefix) + len(suffix) + MARKS)
        most = context - room - MARKS - len(told)
        least, step = most // SUFFIX_SHARE, max(1, context // STEPS)
        ending = min(len(suffix), max(least, most - len(prefix)))
        if least < ending < len(suffix):
            ending -= (ending - least) % step
        before = _last(prefix, most - ending, step)
        shown = [
            END,
            *(told if marked else ()),
            *arrange(before if marked else told + before, suffix[:ending], (), fim),
        ]
        # Suffix first, the gap follows the prefix as text follows a prompt. But a cut between lines
        # is common in training, and where it shows, a model knows that it is asked for lines.
        kept, held = healing.split(shown) if fim == "spm" else (shown, b"")
        if b"\n" in held:
            kept, held = shown, b""
        return Layout(prompt=kept, held=held, room=room)
    room = _room(request, context, len(told) + len(prefix) + 1)
    before = _last(prefix, context - room - 1 - len(told), max(1, context // STEPS))
    kept, held = healing.split([END, *told, *before])
    return Layout(prompt=kept, held=held, room=room)


def _told(request: Request, tokenizer: Tokenizer) -> tuple[list[int], bool]:
    """Returns the tokens of what is told of other files, and whether these are marked."""
    if request.context is None:
        return [], False
    parts = request.context.parts
    ids = [
        token
        for part in parts
        for token in ([SPECIAL.index(part.text)] if part.mark else tokenizer.encode(part.text))
    ]
    return ids, any(part.mark for part in parts)


def most_told(context: int, max_tokens: int) -> int:
    """Returns how many tokens of other files may be shown: half of what is surely read.

    It is a quarter of `context` at least.
    """
    return (context - min(max_tokens, context // 2)) // 2


def _check(count: int, most: int) -> None:
    """Raises UserError where what is told of other files leaves the open one too little."""
    if count > most:
        raise UserError(
            f"{count} tokens of other files are to be shown, and there is room for {most}",
            hint="show fewer of them: a quarter of what the model can read always fits",
        )


def _room(request: Request, context: int, length: int) -> int:
    """Returns how many tokens may follow a prompt of `length` tokens."""
    return min(request.max_tokens, max(context // 2, context - length))


def _last(ids: list[int], count: int, step: int) -> list[int]:
    """Returns the last of `ids`, `count` at most; what is left out is a multiple of `step`."""
    over = max(0, len(ids) - count)
    return ids[min(len(ids), -(-over // step) * step) :]
