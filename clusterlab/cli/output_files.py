"""The files that `--json`, `--junit` and `--html` name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusterlab.errors import UsageError
from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.reports.html import page
from clusterlab.reports.junit import junit
from clusterlab.reports.summary import Run, write_json, write_text


@dataclass(frozen=True)
class OutputFiles:
    """Where results are written.

    A file, `-` for standard output, or empty for nowhere.
    """

    json: str = ""
    junit: str = ""
    html: str = ""

    def __post_init__(self) -> None:
        """Raise UsageError for a file in a folder that does not exist, before anything is done for it."""
        for name in self.named:
            folder = Path(name).parent
            if not folder.is_dir():
                raise UsageError(f"{name}: the folder {folder} does not exist", remedy=f"Create it: mkdir -p {folder}")

    @property
    def to_stdout(self) -> bool:
        return "-" in (self.json, self.junit, self.html)

    @property
    def named(self) -> list[str]:
        """The files, without standard output."""
        return [name for name in (self.json, self.junit, self.html) if name and name != "-"]

    def write(self, document: dict[str, Any], run: Run, report: Callable[[], NightlyRun] | None = None) -> None:
        """Write every form that is named.

        Raises ClusterlabError when one cannot be written.
        """
        if self.json:
            write_json(Path(self.json), document)
        if self.junit:
            write_text(Path(self.junit), junit(run))
        if self.html and report:
            write_text(Path(self.html), page(report()))
