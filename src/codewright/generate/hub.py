"""A checkpoint folder from the Hugging Face hub, kept where that library keeps what it fetched.

What was fetched once is found without a network. HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE
are the library's own. Only weights in safetensors and JSON are fetched, nothing that runs.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from codewright import console
from codewright.errors import DataError, MachineError, UserError
from codewright.model.folder import json_object
from codewright.model.stored import CONFIG, FORMAT

FILES = ["*.safetensors", "*.json", "*.jinja"]


def fetch(name: str) -> Path:
    """Returns the folder of ORG/NAME, or ORG/NAME@REVISION: a branch, a tag or a commit.

    Raises:
        UserError: there is no such name, or not for this user.
        DataError: it is a model, but no checkpoint of Codewright.
        MachineError: the hub cannot be reached, and the model was not fetched before.
    """
    repository, _, revision = name.partition("@")
    console.say(f"{name} from the hub")
    try:
        folder = Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=FILES)
        )
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UserError(
            f"the hub has no model {name!r}: {_first_line(error)}",
            hint="hub/ORG/NAME or hub/ORG/NAME@REVISION; HF_TOKEN for what is not public",
        ) from None
    except LocalEntryNotFoundError as error:
        raise MachineError(
            f"{name} was not fetched before, and the hub cannot be reached: {_first_line(error)}",
            hint="connect, or name a folder or embedded",
        ) from None
    except OSError as error:
        raise MachineError(f"{name} could not be fetched: {_first_line(error)}") from None
    if json_object(folder / CONFIG).get("format") != FORMAT:
        raise DataError(
            f"{name} is no checkpoint of Codewright",
            hint=f"make one of it: codewright export {folder} --to checkpoint --out FOLDER",
        )
    return folder


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
