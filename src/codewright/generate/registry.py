"""From `--model` to a generator.

recorded/FILE   replays a file of samples
openai/NAME     the model NAME of any OpenAI-compatible server
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codewright.errors import UnknownName
from codewright.generate.recorded import Recorded
from codewright.generate.remote import Remote, Service
from codewright.types import Generator

FORMS = ("recorded/FILE", "openai/NAME")


def open_generator(model: str, *, environment: Mapping[str, str], service: Service) -> Generator:
    """Returns the generator that `model` names.

    `environment` is where the key and the address of a server are read (OPENAI_API_KEY,
    OPENAI_BASE_URL); `service` says how a server is used, and its address there is the default.

    Raises:
        UnknownName: `model` has none of the known forms.
        DataError: the recorded file is missing or broken.
    """
    kind, _, name = model.partition("/")
    if name and kind == "recorded":
        return Recorded(Path(name))
    if name and kind == "openai":
        return Remote(
            name,
            service=service,
            base_url=environment.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
            key=environment.get("OPENAI_API_KEY", ""),
        )
    raise UnknownName(
        f"no model is called {model!r}",
        hint=f"known forms: {', '.join(FORMS)}",
    )
