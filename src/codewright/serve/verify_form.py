"""`verify`: the field by which a client asks for candidates that were run. Not OpenAI's.

`true` takes the defaults; an object changes them. An unknown key is an error: a wish that is passed
over would be believed to have been heard.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Verify(BaseModel):
    """How an answer is sought among candidates.

    candidates: at most. temperature: of each; as the body says where it is not here. seconds: for
    all of it. entry_point: the function's name, where nothing else says it. examples: rows with
    args, kwargs and expected, or lines like `f(1) == 2`. tests: asserting code that the answer has
    to pass. written_tests: texts of tests that the model is asked for. inputs: calls at most.
    method: how the choice is made. early_stop: stop when more candidates change nothing. detail:
    tell every input and outcome.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    candidates: Annotated[int, Field(ge=1)] = 20
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    entry_point: str = ""
    examples: Annotated[str, Field(max_length=1_000_000)] | list[dict[str, Any]] = ""
    tests: Annotated[str, Field(max_length=1_000_000)] = ""
    written_tests: Annotated[int, Field(ge=0, le=100)] = 0
    inputs: Annotated[int, Field(ge=1, le=1000)] = 100
    method: str = "best"
    early_stop: bool = True
    detail: bool = False


def _switch(value: Any) -> Any:
    """true and false stand for an object and none."""
    if isinstance(value, bool):
        return {} if value else None
    return value


Verified = Annotated[Verify | None, BeforeValidator(_switch)]
