"""The special tokens: one table, the same in every tokenizer that this package makes.

A special token is an id, never text: encoding text that spells one gives ordinary tokens, and
decoding leaves special tokens out unless it is told to show them. The ids are positions in
`SPECIAL`, so they stay what they are whatever the vocabulary. The names are those of the
ecosystem (StarCoder2 and Qwen2.5-Coder), so that its tools recognise them.

Nothing here knows how tokens are arranged: `fim.py` and `chat.py` do.
"""

from __future__ import annotations

_NAMED = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|im_start|>",
    "<|im_end|>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)

SLOTS = 32
"""How many ids are set aside: a model keeps its embedding when a spare one gets a meaning."""

SPECIAL: tuple[str, ...] = (
    *_NAMED,
    *(f"<|reserved_{slot}|>" for slot in range(len(_NAMED), SLOTS)),
)
"""The name of each special token; its id is its position."""

END = 0
"""The border between documents, and the end of what is generated."""
PREFIX = 1
MIDDLE = 2
SUFFIX = 3
PAD = 4
"""Fills rows; never predicted."""
REPOSITORY = 5
"""Before the name of a repository."""
FILE = 6
"""Before the path of a file."""
TURN = 7
"""Opens a turn of a conversation; the role follows."""
TURN_END = 8
TOOL_CALL = 9
TOOL_CALL_END = 10
TOOL_RESPONSE = 11
TOOL_RESPONSE_END = 12
