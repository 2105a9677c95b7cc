"""Where the ids of a tokenizer.json stand: special tokens, then the 256 bytes, then the merges.

`assemble` lays out what the trainer has learned, `table` reads a tokenizer and refuses any other
layout. The `tokenizers` library writes each byte as one visible character, as GPT-2 did; nobody
outside this module needs to know.
"""

from __future__ import annotations

import json

import tokenizers
from tokenizers import AddedToken
from tokenizers.decoders import ByteLevel
from tokenizers.models import BPE

from codewright.errors import DataError
from codewright.tokens.pretokenise import pre_tokenizer
from codewright.tokens.special import SLOTS, SPECIAL

FIRST_MERGE = SLOTS + 256
"""The id of the first merge, and the smallest vocabulary there is."""


def assemble(raw: tokenizers.Tokenizer) -> str:
    """Returns the tokenizer.json, with this package's ids, for the merges that `raw` learned."""
    model = json.loads(raw.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    # Two merges can spell the same token; it has the id of the first.
    spelled = (left + right for left, right in merges)
    tokens = dict.fromkeys((*SPECIAL, *_characters(), *spelled))
    assert len(tokens) == len(model["vocab"]) + SLOTS, "a merge spells a special token"
    laid = tokenizers.Tokenizer(
        BPE(vocab={token: place for place, token in enumerate(tokens)}, merges=merges)
    )
    laid.pre_tokenizer = pre_tokenizer()
    laid.decoder = ByteLevel()
    laid.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return laid.to_str(pretty=True) + "\n"


def table(inner: tokenizers.Tokenizer, origin: str) -> list[bytes]:
    """Returns the bytes of each id, none for special tokens.

    Raises:
        DataError: something is not where it belongs; `origin` opens the message.
    """
    byte_of = {character: byte for byte, character in enumerate(_characters())}
    by_id = {place: token for token, place in inner.get_vocab(with_added_tokens=True).items()}
    names = [by_id.get(place, "") for place in range(len(by_id))]
    laid = (*SPECIAL, *byte_of)
    spelled = names[SLOTS:]
    added = {place: token.content for place, token in inner.get_added_tokens_decoder().items()}
    marked = added == dict(enumerate(SPECIAL))
    fits = marked and tuple(names[: len(laid)]) == laid and _cuts_as_here(inner)
    if not fits or not all(spelled) or not byte_of.keys() >= set("".join(spelled)):
        raise DataError(
            f"{origin} is laid out otherwise than the tokenizers of this package",
            hint="make one with codewright tokenizer train",
        )
    return [b""] * SLOTS + [bytes(byte_of[each] for each in name) for name in spelled]


def _cuts_as_here(inner: tokenizers.Tokenizer) -> bool:
    """True where text reaches the merges as it does here: cut the same way and not rewritten."""
    cut = inner.pre_tokenizer
    same = cut is not None and cut.__getstate__() == pre_tokenizer().__getstate__()
    return same and inner.normalizer is None


def _characters() -> list[str]:
    """Returns the visible character that stands for each byte.

    A byte that is printable in Latin-1 stands for itself, the others for the characters from
    U+0100 on, in order (Radford et al. 2019, the encoder of GPT-2).
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]
