"""From `--model` to a generator.

recorded/FILE   replays a file of samples
openai/NAME     the model NAME of any OpenAI-compatible server
scripted/FILE   says what a JSON file tells it to; scripted/demo is one that comes along
embedded        the model that comes along, on this machine
FOLDER          a checkpoint folder, on this machine
hub/ORG/NAME    one that the Hugging Face hub has, fetched once; @REVISION may follow
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from codewright.errors import DataError, MissingExtra, UnknownName, UserError
from codewright.files import read_bytes
from codewright.generate.recorded import Recorded
from codewright.generate.remote import Remote, Service
from codewright.generate.script_file import ScriptFile
from codewright.generate.settings import Local
from codewright.types.generation import Generator

if TYPE_CHECKING:
    from codewright.generate.local_model import LocalModel

FORMS = ("recorded/FILE", "openai/NAME", "scripted/FILE", "embedded", "FOLDER", "hub/ORG/NAME")

EMBEDDED = "embedded"
"""The model that is part of the package."""

HUB = "hub/"
"""What a name on the hub begins with."""

DEMO = "demo"
"""The script that is part of the package."""


def is_local(model: str) -> bool:
    """Tells whether `model` runs on this machine: such a model continues text."""
    if any(model.startswith(f"{kind}/") for kind in ("recorded", "openai", "scripted")):
        return False
    return model == EMBEDDED or _on_hub(model) or (bool(model) and Path(model).is_dir())


def content(model: str) -> str:
    """Returns a hash of a local model's files: a folder may hold another model tomorrow.

    Raises:
        DataError: `model` is embedded, and this installation has none; or a file is unreadable.
    """
    folder = folder_of(model)
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


def open_model(model: str, settings: Local) -> LocalModel:
    """Returns the model on this machine that `model` names, for whoever drives its engine.

    Raises:
        UserError: `model` is none on this machine.
        DataError: the checkpoint is missing or broken.
        MissingExtra: as `open_generator`.
    """
    if not is_local(model):
        raise UserError(
            f"{model!r} is no model on this machine", hint="embedded, or a checkpoint folder"
        )
    try:
        from codewright.generate.local_model import LocalModel

        return LocalModel(
            folder_of(model), settings, name=_name(model), draft=_draft(settings.draft)
        )
    except ModuleNotFoundError as error:
        raise _missing(error) from None


def _local(model: str, settings: Local) -> Generator:
    try:
        from codewright.generate.local import LocalGenerator

        return LocalGenerator(
            folder_of(model), settings, name=_name(model), draft=_draft(settings.draft)
        )
    except ModuleNotFoundError as error:
        raise _missing(error) from None


def folder_of(model: str) -> Path:
    """Returns the folder of a model on this machine; one of the hub is fetched.

    Raises:
        DataError: this installation has no embedded model.
    """
    if model == EMBEDDED:
        return embedded()
    if not _on_hub(model):
        return Path(model)
    try:
        from codewright.generate.hub import fetch
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return fetch(model.removeprefix(HUB))


def _on_hub(model: str) -> bool:
    return model.startswith(HUB) and model != HUB


def _draft(model: str) -> Path | None:
    if model and not is_local(model):
        raise UserError(
            f"the draft model {model!r} is none on this machine",
            hint="embedded, or a checkpoint folder",
        )
    return folder_of(model) if model else None


def _name(model: str) -> str:
    """Returns what a model calls itself; empty where that is made from its folder."""
    return model if model == EMBEDDED or _on_hub(model) else ""


def _missing(error: ModuleNotFoundError) -> MissingExtra:
    """Returns what is told of a library that models on this machine need; others are a defect."""
    if error.name not in ("torch", "tokenizers", "safetensors", "huggingface_hub"):
        raise error
    return MissingExtra(error.name, "local")


def _script(path: Path) -> ScriptFile:
    """The script in a file; by the name of `DEMO` the package's own, where no file is called so."""
    if str(path) != DEMO or path.exists():
        return ScriptFile(path)
    with as_file(files("codewright") / "data" / "write" / "model.json") as bundled:
        return ScriptFile(bundled)
