"""How many tokens a text is: by a model's own tokenizer, or at most.

A model behind a server seldom says how it cuts text. But byte-level BPE, by which nearly all of
them do, never makes more tokens than there are bytes; so bytes are a bound that holds, three to
four times too careful. Nothing here knows what the text is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from codewright.errors import DataError, MissingExtra
from codewright.files import read_bytes
from codewright.types.context import Part

if TYPE_CHECKING:
    from codewright.tokens.bpe import Tokenizer

REMEMBERED = 1 << 16
"""Lines whose counts are remembered before remembering begins anew."""


class Counter(Protocol):
    """Counts tokens."""

    @property
    def exact(self) -> bool:
        """Whether it is a count; else it is a bound that is never too low."""
        ...

    @property
    def specials(self) -> Sequence[str]:
        """Special tokens of the model that a text must not spell, besides those known anyway."""
        ...

    def count(self, text: str) -> int:
        """Returns how many tokens a text is."""
        ...

    def laid(self, parts: Sequence[Part]) -> int:
        """Returns how many tokens a layout is, marks included."""
        ...


class Bytes:
    """The bound for a model of which nothing is known."""

    exact = False
    specials = ()

    def count(self, text: str) -> int:
        """Returns the bytes of `text`; a lone surrogate counts as three."""
        return len(text.encode("utf-8", "surrogatepass"))

    def laid(self, parts: Sequence[Part]) -> int:
        """Returns the bytes of all of it."""
        return sum(self.count(part.text) for part in parts)


class Own:
    """By a tokenizer of this package, to which text never spells a special token."""

    exact = True
    specials = ()

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._line = remembered(self._counted)

    def count(self, text: str) -> int:
        """Returns how many ids the text is encoded as.

        No token goes over the beginning of a line (`tokens/pretokenise.py`), so lines are counted
        one by one and remembered. Line breaks in a row belong to the line behind them.
        """
        first, *lines = text.split("\n")
        if not lines or "\r" in text:
            return self._counted(text)
        line, breaks = self._line, "\n"
        total = line(first) if first else 0
        for each in lines:
            if each:
                total += line(breaks + each)
                breaks = "\n"
            else:
                breaks += "\n"
        # After a line break at the end there is an empty line, which is none.
        return total + (line(breaks[1:]) if len(breaks) > 1 else 0)

    def _counted(self, text: str) -> int:
        return len(self._tokenizer.encode(text))

    def laid(self, parts: Sequence[Part]) -> int:
        """Returns the ids of all of it: one for each mark, and each text by itself."""
        return sum(1 if part.mark else self.count(part.text) for part in parts)


class Other:
    """By the tokenizer.json of another model, as a server counts a prompt that is one text.

    What the tokenizer puts before and behind a text is counted too.
    """

    exact = True

    def __init__(self, path: Path) -> None:
        """Reads a tokenizer.json.

        Raises:
            DataError: it is missing or none.
            MissingExtra: the library that reads it is not installed.
        """
        try:
            import tokenizers
        except ModuleNotFoundError:
            raise MissingExtra("tokenizers", "local") from None
        text = read_bytes(path).decode("utf-8", "replace")
        try:
            self._inner = tokenizers.Tokenizer.from_str(text)
        # The library raises bare Exception for whatever it cannot parse.
        except Exception as error:  # boundary: another library's parser
            raise DataError(
                f"{path} is no tokenizer.json: {error}", hint="name the folder of a model"
            ) from None
        self._inner.no_padding()
        self._inner.no_truncation()
        added = self._inner.get_added_tokens_decoder().values()
        self.specials = tuple(
            each.content for each in added if each.special and len(each.content.strip()) > 1
        )

    def count(self, text: str) -> int:
        """Returns how many ids; a lone surrogate is counted as a question mark."""
        return len(self._inner.encode(text.encode("utf-8", "replace").decode("utf-8")).ids)

    def laid(self, parts: Sequence[Part]) -> int:
        """Returns the ids of the text that all of it makes."""
        return self.count("".join(part.text for part in parts))


def remembered(count: Callable[[str], int]) -> Callable[[str], int]:
    """Returns `count` with a memory: a repository says the same lines again and again."""
    known: dict[str, int] = {}

    def counted(text: str) -> int:
        found = known.get(text)
        if found is None:
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[text] = count(text)
        return found

    return counted
