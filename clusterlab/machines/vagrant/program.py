"""Running Vagrant: what it says becomes events, and its errors become ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import Inventory

from .errors import explain
from .events import Event, failure, parse_event
from .kind import VagrantSettings

_CLEANING_UP = 120.0
"""Seconds that an interrupted Vagrant has to end in order."""


class Vagrant:
    """Vagrant on the Vagrantfile in a folder, which reads a lab's inventory."""

    def __init__(self, folder: Path, inventory: Inventory, log: Path) -> None:
        """What Vagrant says is added to `log`, if there is a folder for it."""
        self.folder = folder
        self._inventory = inventory
        self._log = log

    def run(self, *words: str, on_event: Callable[[Event], None] = lambda event: None) -> list[Event]:
        """Run a command to its end and return what it said; `on_event` is told as it goes.

        An interrupt is handed on, and waited for: Vagrant then ends in order. Raises ClusterlabError with the remedy.
        """
        events: list[Event] = []
        with self._start([*words, "--machine-readable"], subprocess.STDOUT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self._write(line)
                events.append(parse_event(line.rstrip("\n")))
                on_event(events[-1])
            process.wait()
        if process.returncode != 0:
            raise explain(f"vagrant {' '.join(words)}", *failure(events))
        return events

    def text(self, *words: str) -> str:
        """What a command prints for people; raises ClusterlabError as `run`."""
        with self._start(words, subprocess.PIPE) as process:
            out, errors = process.communicate()
        if process.returncode != 0:
            raise explain(f"vagrant {' '.join(words)}", "", (errors or out).strip())
        return str(out)

    @contextmanager
    def _start(self, words: Sequence[str], stderr: int) -> Iterator[subprocess.Popen[str]]:
        require_vagrant()
        self._write(f"$ vagrant {' '.join(words)}\n")
        with NamedTemporaryFile("w", prefix="clusterlab-", suffix=".json") as file:
            # The Vagrantfile gets the inventory as it is understood here, also when its file is gone.
            file.write(self._inventory.model_dump_json())
            file.flush()
            with subprocess.Popen(
                ["vagrant", *words],
                cwd=self.folder,
                env={**os.environ, **self._environment(file.name)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                errors="replace",
                start_new_session=True,  # it gets an interrupt from us alone: a second one ends it without cleaning up
            ) as process:
                try:
                    yield process
                finally:
                    if process.poll() is None:  # the block was left before its end
                        _end(process)

    def _environment(self, inventory: str) -> dict[str, str]:
        return {
            "CLUSTERLAB_INVENTORY": inventory,
            "VAGRANT_CWD": str(self.folder),
            "VAGRANT_DEFAULT_PROVIDER": self._inventory.section(VagrantSettings).provider,
            "VAGRANT_CHECKPOINT_DISABLE": "1",  # it would ask the internet for newer versions of itself
            "LC_ALL": "C.UTF-8",
        }

    def _write(self, text: str) -> None:
        if self._log.parent.is_dir():
            with self._log.open("a") as file:
                file.write(text)


def require_vagrant() -> None:
    """Raise ClusterlabError when Vagrant is not installed."""
    if not shutil.which("vagrant"):
        raise ClusterlabError(
            "Vagrant is not installed: this lab's machines cannot be made or reached",
            remedy="install it with libvirt: sh setup/system.sh --vagrant (in clusterlab's repository); or say "
            "machines: qemu, which need no Vagrant",
        )


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt Vagrant and wait until it has ended; one that does not end is killed with all it started."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_CLEANING_UP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
