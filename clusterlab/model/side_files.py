"""Files next to an inventory that a person writes, such as waivers and mutes."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from .base import FROM_FILE, Model
from .error_text import explain
from .problems import InvalidFiles
from .source import read

M = TypeVar("M", bound=Model)


def beside(inventory: Path, what: str) -> Path:
    """The path of such a file: default.yml has default.WHAT.yml."""
    return inventory.with_name(f"{inventory.stem}.{what}.yml")


def load_beside(path: Path, model: type[M]) -> M:
    """The content of such a file, the model's defaults when it does not exist.

    Raises InvalidFiles with all that is wrong in it.
    """
    if not path.exists():
        return model()
    document = read(path)
    try:
        return model.model_validate(document.value, context=FROM_FILE)
    except ValidationError as error:
        raise InvalidFiles(explain(error, model, document)) from None
