"""What clients send: the bodies of OpenAI's protocol and of llama.cpp's /infill, checked.

Fields that a server may ignore without changing the answer are ignored; those that would change
it and are not known here are refused by name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from codewright.engine.sampling import Sampling

Stop = str | list[str] | None
Prompt = str | list[str] | list[int] | list[list[int]]


class StreamOptions(BaseModel):
    """Whether a stream ends with the number of tokens."""

    include_usage: bool = False


class Drawn(BaseModel):
    """How tokens are drawn; `top_k`, `min_p` and `repetition_penalty` are extensions."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    temperature: Annotated[float, Field(ge=0, le=100)] = 1.0
    top_p: Annotated[float, Field(ge=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0, le=1 << 30)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    repetition_penalty: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    seed: int | None = None
    stop: Stop = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    logit_bias: dict[str, float] | None = None

    @field_validator(
        "temperature",
        *("top_p", "presence_penalty", "frequency_penalty"),
        mode="before",
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

    def stops(self) -> tuple[str, ...]:
        """Returns the stop strings."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


class CompletionBody(Drawn):
    """POST /v1/completions."""

    model: str = ""
    prompt: Prompt = ""
    suffix: str | None = None
    max_tokens: Annotated[int, Field(ge=0)] = 16
    n: Annotated[int, Field(ge=1, le=1024)] = 1
    best_of: Annotated[int, Field(ge=1, le=1024)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool = False

    @field_validator("max_tokens", "n", "echo", "prompt", mode="before")
    @classmethod
    def _own_default(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value


class ChatMessage(BaseModel):
    """One turn; what a template knows of it is looked at, the rest is kept for it."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None


class ChatBody(Drawn):
    """POST /v1/chat/completions."""

    model: str = ""
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Annotated[int, Field(ge=1, le=1024)] = 1
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: dict[str, Any] | None = None

    @field_validator("n", "logprobs", mode="before")
    @classmethod
    def _own_default(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @field_validator("response_format")
    @classmethod
    def _text_only(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and value.get("type") != "text":
            raise ValueError(f"{value.get('type')!r} is not supported")
        return value


class InfillExtra(BaseModel):
    """A file that stands beside the one that is completed."""

    filename: str = ""
    text: str = ""


class InfillBody(BaseModel):
    """POST /infill, in llama.cpp's form."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    input_prefix: str
    input_suffix: str
    input_extra: list[InfillExtra] = []
    prompt: str = ""
    n_predict: int = -1
    temperature: Annotated[float, Field(ge=0, le=100)] = 0.8
    top_k: Annotated[int, Field(ge=0, le=1 << 30)] = 40
    top_p: Annotated[float, Field(ge=0, le=1)] = 0.95
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.05
    repeat_penalty: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    seed: int = -1
    stop: list[str] = []
    stream: bool = False
    n_probs: Annotated[int, Field(ge=0, le=20)] = 0
    t_max_predict_ms: int = 0

    def sampling(self) -> Sampling:
        """Returns how the engine draws."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            repetition=self.repeat_penalty,
            presence=self.presence_penalty,
            frequency=self.frequency_penalty,
        )
