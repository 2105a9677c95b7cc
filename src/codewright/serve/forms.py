"""What clients send: the bodies of OpenAI's protocol and of llama.cpp's /infill, checked.

Fields that a server may ignore without changing the answer are ignored; those that would change
it and are not known here are refused by name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from codewright.engine.sampling import Sampling
from codewright.serve.verify_form import Verified

Stop = str | list[str] | None
Number = TypeVar("Number", int, float)
Prompt = str | list[str] | list[int] | list[list[int]]


class StreamOptions(BaseModel):
    """Whether a stream ends with the number of tokens."""

    include_usage: bool = False


class Drawn(BaseModel):
    """How tokens are drawn; `top_k`, `min_p` and `repetition_penalty` are not OpenAI's."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    temperature: Annotated[float, Field(ge=0, le=100)] = 1.0
    top_p: Annotated[float, Field(ge=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0, le=1 << 30)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    repetition_penalty: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    stream: bool = False

    def sampling(self) -> Sampling:
        """Returns how the engine draws."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            repetition=self.repetition_penalty,
            presence=self.presence_penalty,
            frequency=self.frequency_penalty,
        )


Schema = dict[str, Any] | bool | str
"""A JSON schema, or its JSON."""
Choices = Annotated[list[str], Field(min_length=1, max_length=10_000)]


class StructuredOutputs(BaseModel):
    """What a text has to be, in vLLM's form; one of these."""

    model_config = ConfigDict(extra="forbid")

    json_: Annotated[Schema | None, Field(alias="json")] = None
    regex: str | None = None
    choice: Choices | None = None
    grammar: str | None = None
    json_object: bool | None = None


class OpenAIBody(Drawn):
    """What OpenAI's two bodies have in common; and how vLLM asks for structure."""

    structured_outputs: StructuredOutputs | None = None
    guided_json: Schema | None = None
    guided_regex: str | None = None
    guided_choice: Choices | None = None
    guided_grammar: str | None = None

    model: str = ""
    seed: int | None = None
    stop: Stop = None
    stream_options: StreamOptions | None = None
    logit_bias: dict[str, float] | None = None
    n: Annotated[int, Field(ge=1, le=1024)] = 1
    verify: Verified = None

    @field_validator(
        *("temperature", "top_p", "presence_penalty", "frequency_penalty", "n"),
        *("max_tokens", "echo", "prompt", "logprobs"),
        mode="before",
        check_fields=False,
    )
    @classmethod
    def _default(cls, value: Any, info: Any) -> Any:
        """null is the default, as OpenAI has it."""
        return cls.model_fields[info.field_name].default if value is None else value

    @field_validator("logit_bias")
    @classmethod
    def _no_bias(cls, value: dict[str, float] | None) -> None:
        if value:
            raise ValueError("is not supported")

    @field_validator("stop")
    @classmethod
    def _few_stops(cls, value: Stop) -> Stop:
        if isinstance(value, list) and len(value) > 64:
            raise ValueError("has more than 64 strings")
        return value

    def stops(self) -> tuple[str, ...]:
        """Returns the stop strings."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


class CompletionBody(OpenAIBody):
    """POST /v1/completions."""

    prompt: Prompt = ""
    suffix: str | None = None
    max_tokens: Annotated[int, Field(ge=0)] = 16
    best_of: Annotated[int, Field(ge=1, le=1024)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool = False


class ChatMessage(BaseModel):
    """One turn; what a template knows of it is looked at, the rest is kept for it."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None


class FunctionName(BaseModel):
    """Names a function."""

    name: str


class NamedTool(BaseModel):
    """The tool that is to be called."""

    type: Literal["function"] = "function"
    function: FunctionName


class NamedSchema(BaseModel):
    """A schema that an answer is to fit. Keywords that cannot be held to are refused if `strict`,
    else passed over."""

    name: str = ""
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(BaseModel):
    """What an answer is to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class ChatBody(OpenAIBody):
    """POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None


class InfillExtra(BaseModel):
    """A file that stands beside the one that is completed."""

    filename: str = ""
    text: str = ""


class InfillBody(Drawn):
    """POST /infill, in llama.cpp's form and with its defaults.

    `samplers` names those that draw, the others are off; of its names, `infill` (there: only what
    is likely, or the end) is greedy here. `t_max_predict_ms` ends a text at the next line break.
    `n_predict` 0 reads the prompt and writes nothing, so that what follows finds it read.
    """

    input_prefix: str
    input_suffix: str
    input_extra: list[InfillExtra] = []
    prompt: str = ""
    n_predict: int = -1
    n_indent: Annotated[int, Field(ge=0)] = 0
    t_max_predict_ms: int = -1
    samplers: list[str] | None = None
    response_fields: list[str] = []
    temperature: Annotated[float, Field(ge=0, le=100)] = 0.8
    top_k: Annotated[int, Field(ge=0, le=1 << 30)] = 40
    top_p: Annotated[float, Field(ge=0, le=1)] = 0.95
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.05
    repetition_penalty: Annotated[float, Field(ge=0.01, le=10, alias="repeat_penalty")] = 1.0
    seed: int = -1
    stop: list[str] = []
    json_schema: Schema | None = None
    grammar: str = ""
    # Known, so that they are refused: they would change the answer.
    n_probs: Annotated[int, Field(ge=0, le=0)] = 0
    logit_bias: Annotated[list[Any], Field(max_length=0)] = []
    verify: None = None
    """Its form has no room for a report: /v1/completions verifies a gap."""

    def sampling(self) -> Sampling:
        """Returns how the engine draws."""
        whole = super().sampling()
        if self.samplers is None:
            return whole
        on = set(self.samplers)

        def at(name: str, value: Number, off: Number) -> Number:
            return value if name in on else off

        return Sampling(
            temperature=0.0 if "infill" in on else at("temperature", whole.temperature, 1.0),
            top_p=at("top_p", whole.top_p, 1.0),
            top_k=at("top_k", whole.top_k, 0),
            min_p=at("min_p", whole.min_p, 0.0),
            repetition=at("penalties", whole.repetition, 1.0),
            presence=at("penalties", whole.presence, 0.0),
            frequency=at("penalties", whole.frequency, 0.0),
        )
