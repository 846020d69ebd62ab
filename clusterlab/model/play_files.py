"""Which files below the playbooks are plays, and which are stack files.

Light on purpose: each key press in a completing shell imports it.
"""

from __future__ import annotations

import re
from pathlib import Path

_SERVICES, _TITLE = (re.compile(rf"^([\"']?){key}\1\s*:", re.MULTILINE) for key in ("services", "title"))


def is_stack_file(path: Path) -> bool:
    """Whether a file is a stack file: it has `services:` at its top, and no `title:`, as plays have."""
    if not path.is_file():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    return _SERVICES.search(text) is not None and _TITLE.search(text) is None


def play_names(playbooks: Path) -> list[str]:
    """The names of all plays in a folder, as the command line knows them; stack files may be among them."""
    return [
        path.relative_to(playbooks).with_suffix("").as_posix()
        for path in sorted(playbooks.rglob("*.yml"))
        if not is_stack_file(path)
    ]
