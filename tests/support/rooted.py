"""A host in a folder of this machine: scripts run here, with that folder for the root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clusterlab.remote import Host, Target
from clusterlab.remote.completed import Completed
from clusterlab.remote.connection import Connections
from clusterlab.resources import record
from clusterlab.resources.observed import Observed


class Rooted(Host):
    """This machine, with a folder in place of the root and programs of the test first in the path."""

    def __init__(self, root: Path) -> None:
        super().__init__(Target("host1", "192.168.98.11"), Connections())
        self.root = root
        for folder in ("proc/sys/vm", "etc/sysctl.d", "etc/exports.d", "etc/iscsi", "bin"):
            (root / folder).mkdir(parents=True)
        self.program("sync", "true")  # a busy disk would make each entry of a record take seconds

    def run(
        self,
        command: str | Sequence[str],
        *,
        stdin: str | bytes = "",
        timeout: float = 60.0,
        check: bool = False,
        **_: Any,
    ) -> Completed:
        assert isinstance(command, str)
        for folder in ("/proc/", "/etc/", "/var/lib/"):
            command = command.replace(folder, f"{self.root}{folder}")
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=check, env=environment)
        return Completed(self.name, command, ended.returncode, ended.stdout, ended.stderr, 0.0)

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        (self.root / path.lstrip("/")).write_bytes(content)

    def program(self, name: str, script: str) -> None:
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.root / "bin" / name).chmod(0o755)

    def observed(self, answers: Mapping[str, str] | None = None, **listings: Any) -> Observed:
        """With what the record says now."""
        recorded = {record.SECTION: self.run(record.question("demo")).stdout}
        return Observed("demo", self, listings, {**recorded, **(answers or {})})
