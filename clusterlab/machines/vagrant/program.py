"""Running Vagrant: what it says becomes events, and its errors become ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import Inventory
from clusterlab.programs import follow_program, run_program

from .errors import explain
from .events import Event, failure, parse_event
from .kind import VagrantSettings

_CLEANING_UP = 120.0
"""Seconds that an interrupted Vagrant has to end in order."""
_QUIET = 900.0
"""Seconds without output, beyond the time that a machine may take to boot, after which Vagrant hangs."""
_HANGS = "see its log and the provider: virsh -c qemu:///system list --all; then run the same command again"


class Vagrant:
    """Vagrant on the Vagrantfile in a folder, which reads a lab's inventory.

    `silence` is how many seconds a command may print nothing.
    """

    def __init__(self, folder: Path, inventory: Inventory, log: Path) -> None:
        """What Vagrant prints is added to `log`, if there is a folder for it."""
        self.folder = folder
        self._inventory = inventory
        self._log = log
        self.silence = inventory.section(VagrantSettings).boot_timeout + _QUIET

    def run(self, *words: str, on_event: Callable[[Event], None] = lambda event: None) -> list[Event]:
        """Run a command to its end and return its events.

        `on_event` is called with each as it comes.

        An interrupt is passed on, and waited for: Vagrant then ends in order, and so it does when nothing comes for
        `silence` seconds. Raises ClusterlabError with the remedy.
        """
        events: list[Event] = []

        def on_line(line: str) -> None:
            self._write(f"{line}\n")
            events.append(parse_event(line))
            on_event(events[-1])

        with self._prepared(words) as environment:
            code = follow_program(
                ["vagrant", *words, "--machine-readable"],
                on_line,
                silence=self.silence,
                grace=_CLEANING_UP,
                group=False,  # a second interrupt would end it without cleaning up
                cwd=self.folder,
                env=environment,
                remedy=_HANGS,
            )
        if code != 0:
            raise explain(f"vagrant {' '.join(words)}", *failure(events))
        return events

    def text(self, *words: str) -> str:
        """What a command prints for people; raises ClusterlabError like `run`."""
        with self._prepared(words) as environment:
            done = run_program(["vagrant", *words], self.silence, cwd=self.folder, env=environment, remedy=_HANGS)
        if done.exit != 0:
            raise explain(f"vagrant {' '.join(words)}", "", (done.stderr or done.stdout).strip())
        return done.stdout

    @contextmanager
    def _prepared(self, words: Sequence[str]) -> Iterator[dict[str, str]]:
        """The environment of a command.

        With the inventory as it is understood here, also when its file is gone.
        """
        require_vagrant()
        self._write(f"$ vagrant {' '.join(words)}\n")
        with NamedTemporaryFile("w", prefix="clusterlab-", suffix=".json") as file:
            file.write(self._inventory.model_dump_json())
            file.flush()
            yield {**os.environ, **self._environment(file.name)}

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
            "Vagrant is not installed: this lab's machines cannot be created or reached",
            remedy="install it with libvirt: sh setup/system.sh --vagrant (in clusterlab's repository); or say "
            "machines: qemu, which needs no Vagrant",
        )
