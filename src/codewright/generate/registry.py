"""From `--model` to a generator.

recorded/FILE   replays a file of samples
openai/NAME     the model NAME of any OpenAI-compatible server
scripted/FILE   says what a JSON file tells it to; scripted/demo is one that comes along
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from codewright.errors import UnknownName
from codewright.generate.recorded import Recorded
from codewright.generate.remote import Remote, Service
from codewright.generate.script_file import ScriptFile
from codewright.types.generation import Generator

FORMS = ("recorded/FILE", "openai/NAME", "scripted/FILE")

DEMO = "demo"
"""The script that is part of the package."""


def open_generator(model: str, *, environment: Mapping[str, str], service: Service) -> Generator:
    """Returns the generator that `model` names.

    `environment` is where the key and the address of a server are read (OPENAI_API_KEY,
    OPENAI_BASE_URL); `service` says how a server is used, and its address there is the default.

    Raises:
        UnknownName: `model` has none of the known forms.
        DataError: the recorded file, or the script, is missing or broken.
    """
    kind, _, name = model.partition("/")
    if name and kind == "recorded":
        return Recorded(Path(name))
    if name and kind == "scripted":
        return _script(Path(name))
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


def _script(path: Path) -> ScriptFile:
    """The script in a file; by the name of `DEMO` the package's own, where no file is called so."""
    if str(path) != DEMO or path.exists():
        return ScriptFile(path)
    with as_file(files("codewright") / "data" / "write" / "model.json") as bundled:
        return ScriptFile(bundled)
