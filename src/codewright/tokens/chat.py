"""Conversations to ids: one Jinja template for training, for serving, and for other tools.

The form is ChatML, with tools as Qwen2.5 has them: a turn is TURN, the role, a line break, the
content, TURN_END and a line break. `Chat.render` gives the ids of a conversation and, beside them,
which of them a model should learn to write: the assistant's turns, TURN_END included, and nothing
else.

Nobody can forge a turn: what messages and tools contain is text, and stays text where it spells a
special token. The ids are those of `transformers.apply_chat_template` as long as no content spells
one and no answer begins with white space (there the ids are those that a model writes after the
header of its turn, which it is shown by itself).

`ecosystem_files` writes what `transformers.AutoTokenizer` loads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from codewright.errors import UserError
from codewright.files import json_text, write_whole
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import END, PAD, SPECIAL, TURN, TURN_END

TEMPLATE = """\
{%- macro text(content) -%}
  {%- if content is string -%}
    {{- content -}}
  {%- elif content -%}
    {%- for part in content -%}
      {{- part['text'] -}}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
{%- set opening = messages and messages[0]['role'] == 'system' -%}
{%- if opening or tools -%}
  {{- '<|im_start|>system\\n' -}}
  {%- if opening -%}
    {{- text(messages[0]['content']) -}}
  {%- endif -%}
  {%- if tools -%}
    {%- if opening -%}
      {{- '\\n\\n' -}}
    {%- endif -%}
    {{- 'You may call these functions:\\n<tools>' -}}
    {%- for tool in tools -%}
      {{- '\\n' + (tool | tojson) -}}
    {%- endfor -%}
    {{- '\\n</tools>\\nWrite each call as JSON:\\n' -}}
    {{- '<tool_call>\\n{"name": ..., "arguments": {...}}\\n</tool_call>' -}}
  {%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
  {%- set role = message['role'] -%}
  {%- if role == 'system' and loop.first -%}
  {%- elif role == 'system' or role == 'user' -%}
    {{- '<|im_start|>' + role + '\\n' + text(message['content']) + '<|im_end|>\\n' -}}
  {%- elif role == 'assistant' -%}
    {{- '<|im_start|>assistant\\n' + text(message['content']) -}}
    {%- for call in message['tool_calls'] or [] -%}
      {%- if message['content'] or not loop.first -%}
        {{- '\\n' -}}
      {%- endif -%}
      {%- set function = call['function'] or call -%}
      {{- '<tool_call>\\n{"name": ' + (function['name'] | tojson) + ', "arguments": ' -}}
      {%- if function['arguments'] is string -%}
        {{- function['arguments'] -}}
      {%- else -%}
        {{- function['arguments'] | tojson -}}
      {%- endif -%}
      {{- '}\\n</tool_call>' -}}
    {%- endfor -%}
    {{- '<|im_end|>\\n' -}}
  {%- elif role == 'tool' -%}
    {%- if loop.first or messages[loop.index0 - 1]['role'] != 'tool' -%}
      {{- '<|im_start|>user' -}}
    {%- endif -%}
    {{- '\\n<tool_response>\\n' + text(message['content']) + '\\n</tool_response>' -}}
    {%- if loop.last or messages[loop.index0 + 1]['role'] != 'tool' -%}
      {{- '<|im_end|>\\n' -}}
    {%- endif -%}
  {%- else -%}
    {{- raise_exception('a message has the role ' + (role | tojson)) -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
"""Takes messages, tools and add_generation_prompt, as such templates do everywhere."""

_ANSWER = "assistant\n"
_SPLIT = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")
_ID_OF: Mapping[str, int] = {name: place for place, name in enumerate(SPECIAL)}

# Content cannot spell a special token while its < is written in other characters. The first is a
# noncharacter, and is written in two itself, so that nothing is lost where content has it.
_GUARD = "\ufdd0"
_AS_GUARD, _AS_LESS = _GUARD + "0", _GUARD + "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A conversation as ids; `learn` tells of each whether a loss should count it."""

    ids: list[int]
    learn: list[bool]


class Chat:
    """The template, compiled, and the tokenizer that it is for."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.filters["tojson"] = _json
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string(TEMPLATE)

    def text(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        answer: bool = False,
    ) -> str:
        """Returns the conversation as text, special tokens by name.

        Args:
            messages: mappings with role and content, an assistant's also with tool_calls.
            tools: the functions that may be called, as JSON schemas.
            answer: end with the header of the assistant's next turn.

        Raises:
            UserError: a message has no role, or an unknown one, or no fitting content.
        """
        try:
            return self._template.render(
                messages=list(messages), tools=list(tools), add_generation_prompt=answer
            )
        except (TemplateError, TypeError) as error:
            raise UserError(
                f"the conversation does not fit the template: {error}",
                hint="each message has a role (system, user, assistant, tool) and a content",
            ) from None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        answer: bool = False,
    ) -> Rendered:
        """Returns the conversation as ids; arguments and errors as `text`."""
        text = self.text(_guarded(messages), tools=_guarded(tools), answer=answer)
        ids: list[int] = []
        learn: list[bool] = []
        answering = False
        for part in _SPLIT.split(text):
            token = _ID_OF.get(part)
            if token is not None:
                ids.append(token)
                learn.append(answering)
                answering = answering and token != TURN_END
                continue
            if ids and ids[-1] == TURN and part.startswith(_ANSWER):
                answering = True
                header = self._tokenizer.encode(_ANSWER)
                ids += header
                learn += [False] * len(header)
                part = part.removeprefix(_ANSWER)
            written = self._tokenizer.encode(_unguarded(part))
            ids += written
            learn += [answering] * len(written)
        return Rendered(ids=ids, learn=learn)


def ecosystem_files(tokenizer: Tokenizer, folder: Path, *, context: int | None = None) -> None:
    """Writes the files from which `transformers.AutoTokenizer` makes the same tokenizer.

    They are tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja.
    There text that spells a special token becomes one, as that library's users expect.

    Args:
        tokenizer: what is written.
        folder: made where it is missing; other files in it stay.
        context: the most tokens that the model takes, where it is known.

    Raises:
        MachineError: a file cannot be written.
    """
    named = {
        "bos_token": SPECIAL[END],
        "eos_token": SPECIAL[END],
        "unk_token": SPECIAL[END],
        "pad_token": SPECIAL[PAD],
    }
    config = {
        **named,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "chat_template": TEMPLATE,
        **({"model_max_length": context} if context else {}),
    }
    tokenizer.save(folder / "tokenizer.json")
    write_whole(folder / "tokenizer_config.json", json_text(config))
    write_whole(folder / "special_tokens_map.json", json_text(named))
    write_whole(folder / "chat_template.jinja", TEMPLATE)


def _json(value: Any) -> str:
    # As transformers does: Jinja's own filter would escape < and & for HTML.
    return json.dumps(value, ensure_ascii=False)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _guarded(value: Any) -> Any:
    """Returns `value` with every string in it unable to spell a special token."""
    if isinstance(value, str):
        return value.replace(_GUARD, _AS_GUARD).replace("<", _AS_LESS)
    if isinstance(value, Mapping):
        return {_guarded(key): _guarded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_guarded(item) for item in value]
    return value


def _unguarded(text: str) -> str:
    return text.replace(_AS_LESS, "<").replace(_AS_GUARD, _GUARD)
