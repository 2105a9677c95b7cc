"""From `--model` to a generator.

recorded/FILE   replays a file of samples
openai/NAME     the model NAME of any OpenAI-compatible server
scripted/FILE   says what a JSON file tells it to; scripted/demo is one that comes along
embedded        the model that comes along, on this machine
FOLDER          a checkpoint folder, on this machine
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from codewright.errors import DataError, MissingExtra, UnknownName
from codewright.files import read_bytes
from codewright.generate.recorded import Recorded
from codewright.generate.remote import Remote, Service
from codewright.generate.script_file import ScriptFile
from codewright.generate.settings import Local
from codewright.types.generation import Generator

FORMS = ("recorded/FILE", "openai/NAME", "scripted/FILE", "embedded", "FOLDER")

EMBEDDED = "embedded"
"""The model that is part of the package."""

DEMO = "demo"
"""The script that is part of the package."""


def is_local(model: str) -> bool:
    """Tells whether `model` runs on this machine: such a model continues text."""
    remote = any(model.startswith(f"{kind}/") for kind in ("recorded", "openai", "scripted"))
    return model == EMBEDDED or (bool(model) and not remote and Path(model).is_dir())


def content(model: str) -> str:
    """Returns a hash of a local model's files: a folder may hold another model tomorrow.

    Raises:
        DataError: `model` is embedded, and this installation has none; or a file is unreadable.
    """
    folder = embedded() if model == EMBEDDED else Path(model)
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")) + sorted(folder.glob("*.json")):
        digest.update(hashlib.sha256(path.name.encode()).digest())
        digest.update(hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()[:12]


def open_generator(
    model: str, *, environment: Mapping[str, str], service: Service, local: Local | None = None
) -> Generator:
    """Returns the generator that `model` names.

    Args:
        model: one of `FORMS`.
        environment: where the key and the address of a server are read (OPENAI_API_KEY,
            OPENAI_BASE_URL).
        service: how a server is used.
        local: how a model on this machine is run.

    Raises:
        UnknownName: `model` has none of the known forms.
        DataError: the recorded file, the script, or the checkpoint is missing or broken.
        MissingExtra: a model on this machine needs tokenizers and safetensors, and torch where the
            C kernels cannot run it.
    """
    if is_local(model):
        return _local(model, local or Local())
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


def embedded() -> Path:
    """Returns the folder of the model that is part of the package.

    Raises:
        DataError: this installation has none.
    """
    with as_file(files("codewright") / "data" / "embedded") as folder:
        if (folder / "config.json").is_file():
            return folder
    raise DataError(
        "the embedded model is not part of this installation",
        hint="make one with codewright train recipes/embedded.toml, or name another --model: "
        f"{', '.join(form for form in FORMS if form != EMBEDDED)}",
    )


def _local(model: str, settings: Local) -> Generator:
    folder = embedded() if model == EMBEDDED else Path(model)
    try:
        from codewright.generate.local import LocalGenerator

        return LocalGenerator(folder, settings, name=model if model == EMBEDDED else "")
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "tokenizers", "safetensors"):
            raise
        raise MissingExtra(error.name, "local") from None


def _script(path: Path) -> ScriptFile:
    """The script in a file; by the name of `DEMO` the package's own, where no file is called so."""
    if str(path) != DEMO or path.exists():
        return ScriptFile(path)
    with as_file(files("codewright") / "data" / "write" / "model.json") as bundled:
        return ScriptFile(bundled)
