"""Text to token ids and back, without loss: byte-level BPE.

Ids: the special tokens (0 to 31), the 256 bytes (32 + byte), then the merges in the order in
which they were learned. Any bytes can be encoded, also such as are no UTF-8, and
`decode_bytes(encode(x)) == x`. Text that spells a special token is ordinary text here; nothing
but an id can mean one.

V in a name is the vocabulary. A tokenizer is its `tokenizer.json`, the file of the `tokenizers`
library, which other tools load unchanged; two are the same where `sha256` is. Only files laid out
as above are loaded.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from codewright.errors import DataError
from codewright.files import read_bytes, write_whole
from codewright.tokens.layout import FIRST_MERGE, assemble, table
from codewright.tokens.pretokenise import ASCII, LINES, pre_tokenizer
from codewright.tokens.special import SLOTS, SPECIAL

MOST_KEPT = 1 << 17
"""Pieces that are remembered, some 30 MB, before remembering begins anew."""
LONGEST_KEPT = 32
CORES_THAT_PAY = 5
"""From so many cores on the library's threads beat looking pieces up on one core."""

_BREAKS = (b"\n", b"\r")


class Tokenizer:
    """Encodes and decodes. Made by `train` or `load`; never changes afterwards."""

    def __init__(self, text: str, *, origin: str = "the tokenizer") -> None:
        """Builds the tokenizer that `text`, the content of a tokenizer.json, describes.

        Raises:
            DataError: it is no tokenizer, or laid out otherwise; `origin` opens the message.
        """
        try:
            self._inner = tokenizers.Tokenizer.from_str(text)
        # The library raises bare Exception for whatever it cannot parse.
        except Exception as error:  # boundary: another library's parser
            raise DataError(
                f"{origin} is no tokenizer.json: {error}",
                hint="make one with codewright tokenizer train",
            ) from None
        self._text = text
        self._bytes = table(self._inner, origin)
        # Without this the library would make special tokens of text that spells them.
        self._inner.encode_special_tokens = True
        # Other tools save these with the file as they were last used.
        self._inner.no_padding()
        self._inner.no_truncation()
        self._pieces: dict[str, list[int]] = {}
        self.vocabulary = len(self._bytes)
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.lengths_V = np.array([len(each) for each in self._bytes], dtype=np.int64)
        """How many bytes each token stands for."""
        self.opens_V = np.array([each[:1] in _BREAKS for each in self._bytes])
        """Whether a token begins with a line break."""
        self.closes_V = np.array([each[-1:] in _BREAKS for each in self._bytes])
        """Whether it ends with one."""

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        vocabulary: int,
        advance: Callable[[int], None] = lambda characters: None,
    ) -> Tokenizer:
        """Learns the merges from `texts`; the same texts in the same order give the same file.

        Args:
            texts: read once, never held together in memory.
            vocabulary: how many ids there are at most, special tokens and bytes included.
            advance: told the number of characters of each text as it is taken.

        Raises:
            DataError: `vocabulary` is too small to hold the special tokens and the bytes.
        """
        if vocabulary < FIRST_MERGE:
            raise DataError(
                f"a vocabulary of {vocabulary} is too small",
                hint=f"{FIRST_MERGE} ids are taken by the special tokens and the bytes",
            )
        raw = tokenizers.Tokenizer(BPE())
        raw.pre_tokenizer = pre_tokenizer()
        trainer = BpeTrainer(
            vocab_size=vocabulary - SLOTS,
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        raw.train_from_iterator(_told(texts, advance), trainer)
        return cls(assemble(raw))

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Reads a tokenizer.json.

        Raises:
            DataError: it is missing, no tokenizer, or one with other special tokens.
        """
        return cls(read_bytes(path).decode("utf-8", "replace"), origin=str(path))

    def save(self, path: Path) -> None:
        """Writes the tokenizer.json, whole or not at all.

        Raises:
            MachineError: it cannot be written.
        """
        write_whole(path, self._text)

    def encode(self, text: str | bytes) -> list[int]:
        """Returns the ids of `text`; a lone surrogate counts as the three bytes it would be."""
        try:
            known = _unicode(text)
        except UnicodeError:
            ids: list[int] = []
            for part in _valid_and_not(_as_bytes(text)):
                ids += self.encode(part) if isinstance(part, str) else [SLOTS + b for b in part]
            return ids
        if known.isascii():
            return self._encode_ascii(known)
        return [
            token
            for line in LINES.split(known)
            for token in (self._encode_ascii(line) if line.isascii() else self._encode(line))
        ]

    def encode_batch(self, texts: Sequence[str | bytes]) -> list[list[int]]:
        """Returns the ids of each text, the same as `encode` of each; on all cores if they pay."""
        if len(os.sched_getaffinity(0)) < CORES_THAT_PAY:
            return [self.encode(text) for text in texts]
        known: list[str] = []
        odd: set[int] = set()
        for place, text in enumerate(texts):
            try:
                known.append(_unicode(text))
            except UnicodeError:
                known.append("")
                odd.add(place)
        found = self._inner.encode_batch_fast(known, add_special_tokens=False)
        return [
            self.encode(texts[place]) if place in odd else encoding.ids
            for place, encoding in enumerate(found)
        ]

    def _encode(self, text: str) -> list[int]:
        return self._inner.encode(text, add_special_tokens=False).ids

    def _encode_ascii(self, text: str) -> list[int]:
        """Looks each piece up: source code says the same few thousand again and again."""
        ids: list[int] = []
        known = self._pieces
        for piece in ASCII.findall(text):
            found = known.get(piece)
            if found is None:
                found = self._encode(piece)
                if len(piece) <= LONGEST_KEPT:
                    if len(known) >= MOST_KEPT:
                        known.clear()
                    known[piece] = found
            ids += found
        return ids

    def token_bytes(self, token: int) -> bytes:
        """Returns the bytes that a token stands for; a special token stands for none."""
        return self._bytes[token]

    def decode_bytes(self, ids: Iterable[int], *, special: bool = False) -> bytes:
        """Returns the bytes of `ids`; special tokens are left out, or named where `special`."""
        if special:
            return b"".join(SPECIAL[i].encode() if i < SLOTS else self._bytes[i] for i in ids)
        table = self._bytes
        return b"".join([table[i] for i in ids])

    def decode(self, ids: Iterable[int], *, special: bool = False) -> str:
        """Returns the text of `ids`; what is no UTF-8 becomes U+FFFD."""
        return self.decode_bytes(ids, special=special).decode("utf-8", "replace")


class Stream:
    """Decodes token by token.

    What `push` and `finish` return, joined, is `decode` of all the ids, and no call returns half
    a character: bytes wait until their character is complete, or until it is plain that it never
    will be.
    """

    def __init__(self, tokenizer: Tokenizer, *, special: bool = False) -> None:
        """Begins a text; with `special`, special tokens are named in it, else left out."""
        self._tokenizer = tokenizer
        self._special = special
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Takes the next id and returns the text that is complete now, which may be none."""
        return self._decoder.decode(self._tokenizer.decode_bytes((token,), special=self._special))

    def finish(self) -> str:
        """Returns what is left: U+FFFD for a character that was begun and not completed."""
        return self._decoder.decode(b"", final=True)


def _told(texts: Iterable[str], advance: Callable[[int], None]) -> Iterator[str]:
    for text in texts:
        advance(len(text))
        # A lone surrogate has no bytes to learn from.
        yield text if text.isascii() else text.encode("utf-8", "ignore").decode("utf-8")


def _unicode(text: str | bytes) -> str:
    """Returns `text` where all of it is Unicode. Raises UnicodeError where it is not."""
    if isinstance(text, bytes):
        return text.decode("utf-8")
    if not text.isascii():
        text.encode("utf-8")  # the library has another error for a lone surrogate
    return text


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def _valid_and_not(data: bytes) -> Iterator[str | bytes]:
    """Yields the runs of `data` that are UTF-8, as text, and what stands between them."""
    # An escaped byte b is U+DC00 + b; valid UTF-8 never decodes to a surrogate.
    text = data.decode("utf-8", "surrogateescape")
    start = 0
    for place in range(1, len(text) + 1):
        odd = "\udc80" <= text[place - 1] <= "\udcff"
        if place == len(text) or odd != ("\udc80" <= text[place] <= "\udcff"):
            run = text[start:place]
            yield run.encode("utf-8", "surrogateescape") if odd else run
            start = place
