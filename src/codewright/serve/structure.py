"""What a body asks an answer to be: one grammar, whichever field says so.

OpenAI's `response_format`, `tools` and `tool_choice`; vLLM's `structured_outputs` and its older
`guided_…` fields; llama.cpp's `json_schema` and `grammar`. A grammar that is the word "python" is
Python.

Calls are held to their tools where the client insists on one (`tool_choice`), or where a tool is
`strict`: then an answer is text, and once it begins a call, that is a call of a tool there is, with
arguments that its schema lets be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from codewright.errors import UserError
from codewright.generate.grammars import spaced
from codewright.serve.forms import ChatBody, InfillBody, NamedTool, OpenAIBody
from codewright.tokens.special import TOOL_CALL, TOOL_CALL_END
from codewright.types.generation import Grammar

PYTHON = "python"

Json = dict[str, Any]


def of_completion(body: OpenAIBody) -> Grammar | None:
    """Returns what the text has to be; None: anything.

    Raises:
        UserError: more than one field says so.
    """
    return _one(_vllm(body))


def of_infill(body: InfillBody) -> Grammar | None:
    """Returns the same for llama.cpp's form."""
    found = [] if body.json_schema is None else [_schema(body.json_schema)]
    return _one([*found, *([_grammar(body.grammar)] if body.grammar else [])])


def of_chat(body: ChatBody, tools: Sequence[Json]) -> Grammar | None:
    """Returns the same for a conversation; `tools` are those that may be called.

    Raises:
        UserError: more than one field says so, or a tool is named that there is not.
    """
    answer = _one([*_vllm(body), *_response(body)])
    functions = [_function(tool) for tool in tools]
    choice = body.tool_choice
    if isinstance(choice, NamedTool):
        named = [each for each in functions if each["name"] == choice.function.name]
        if not named:
            raise UserError(
                f"tool_choice names {choice.function.name!r}, which is no tool",
                hint="name one of tools",
            )
        return _calls(named, several=False)
    if choice == "required":
        if not functions:
            raise UserError("tool_choice is required, and there are no tools", hint="send tools")
        return _calls(functions, several=body.parallel_tool_calls is not False)
    if any(each.get("strict") for each in functions):
        return _calls(
            functions, several=body.parallel_tool_calls is not False, instead=_written(answer)
        )
    return answer


def _one(found: Sequence[Grammar]) -> Grammar | None:
    if len(found) > 1:
        raise UserError("more than one field says what to write", hint="leave all but one out")
    return found[0] if found else None


def _vllm(body: OpenAIBody) -> list[Grammar]:
    given = body.structured_outputs
    pairs: list[tuple[Any, Any]] = [
        (body.guided_json, _schema),
        (body.guided_regex, _regex),
        (body.guided_choice, _choice),
        (body.guided_grammar, _grammar),
    ]
    if given is not None:
        pairs += [
            (given.json_, _schema),
            (given.regex, _regex),
            (given.choice, _choice),
            (given.grammar, _grammar),
            (given.json_object or None, lambda _: Grammar(kind="object")),
        ]
    return [made(value) for value, made in pairs if value is not None]


def _response(body: ChatBody) -> list[Grammar]:
    asked = body.response_format
    if asked is None or asked.type == "text":
        return []
    if asked.type == "json_object":
        return [Grammar(kind="object")]
    if asked.json_schema is None:
        raise UserError("response_format has no json_schema", hint="send one, with its schema")
    schema = asked.json_schema.schema_
    if schema is None:
        return [Grammar(kind="object")]
    return [_schema(schema, lenient=not asked.json_schema.strict)]


def _schema(schema: Json | bool | str, *, lenient: bool = False) -> Grammar:
    source = schema if isinstance(schema, str) else json.dumps(schema)
    return Grammar(kind="schema", source=source, lenient=lenient)


def _regex(source: str) -> Grammar:
    return Grammar(kind="regex", source=source)


def _choice(texts: list[str]) -> Grammar:
    return Grammar(kind="choice", source=json.dumps(texts))


def _grammar(source: str) -> Grammar:
    if source.strip() == PYTHON:
        return Grammar(kind="python")
    return Grammar(kind="lark", source=source)


def _function(tool: Mapping[str, Any]) -> Json:
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise UserError("a tool is no function with a name", hint='{"type": "function", …}')
    return function


def _calls(functions: Sequence[Json], *, several: bool, instead: str = "") -> Grammar:
    """Returns the grammar of calls in the template's form.

    `instead`: what may be written in their place, as the rest of a rule.
    """
    lines = ['calls: call ("\\n" call)*' if several else "calls: call"]
    lines.append(f"start: calls | {instead}" if instead else "start: calls")
    names = []
    for number, function in enumerate(functions):
        head = json.dumps(f'{{"name": {json.dumps(function["name"])}, "arguments": ')
        schema = function.get("parameters") or {"type": "object"}
        if not isinstance(schema, dict):
            raise UserError(f"the parameters of {function['name']} are no schema", hint="an object")
        body = spaced(schema, lenient=not function.get("strict"))
        lines.append(f'tool_{number}: {head} %json {body} "}}"')
        names.append(f"tool_{number}")
    lines.append(f'call: <[{TOOL_CALL}]> "\\n" ({" | ".join(names)}) "\\n" <[{TOOL_CALL_END}]>')
    if "TEXT" in instead:
        lines.append("TEXT: /(?s:.*)/ & ~/(?s:.*)<tool_call>(?s:.*)/")
    return Grammar(kind="lark", source="\n".join(lines))


def _written(answer: Grammar | None) -> str:
    """Returns what stands in a rule for an answer beside calls."""
    if answer is None:
        return "TEXT calls?"
    if answer.kind == "object":
        return f"%json {spaced({'type': 'object'})}"
    if answer.kind == "schema":
        schema = json.loads(answer.source)
        if isinstance(schema, dict):
            return f"%json {spaced(schema, lenient=answer.lenient)}"
    raise UserError(
        "strict tools and a grammar do not go together", hint="tool_choice none, or no grammar"
    )
