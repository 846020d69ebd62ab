"""Machines that are already there.

Reached by SSH as the user reaches them, never made and never destroyed.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from clusterlab.capabilities import Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import MachineStatus
from clusterlab.machines.over_ssh import collect_journals, each, lacking
from clusterlab.model.lab import Lab
from clusterlab.parallel import results_of
from clusterlab.progress import Progress
from clusterlab.remote import Target

from .kind import EXISTING
from .user_ssh import target_of


class ExistingMachines:
    """The hosts of an inventory with `machines: existing`."""

    kind = EXISTING

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Check that each host answers and runs commands as root where it should.

        Nothing is created. All hosts are checked at the same time.

        Raises what went wrong on every host, not only on the first.
        """
        with progress.task(self._lab.name, f"contacting {len(self._targets)} existing hosts"):
            answers = each(self._targets, lambda host: host.run("true", timeout=30.0, check=True))
        results_of(answers.values())

    def down(self, progress: Progress) -> None:
        """Existing machines stay as they are; `EXISTING.down` says so."""

    def status(self) -> list[MachineStatus]:
        answers = each(self._targets, lambda host: host.run("uptime -p", timeout=30.0))
        return [self._status(name, answer) for name, answer in answers.items()]

    def _status(self, name: str, answer: object) -> MachineStatus:
        if isinstance(answer, ClusterlabError):
            return MachineStatus(name, "unreachable", answer.message.removeprefix(f"{name}: "))
        target = self._targets[name]
        return MachineStatus(name, "running", f"{target.user}@{target.address}:{target.port}")

    def targets(self) -> dict[str, Target]:
        return dict(self._targets)

    def collect(self, folder: Path, progress: Progress) -> None:
        """The hosts' journals of Docker and NFS, and their kernels' last messages.

        In a folder per host.

        What could not be collected is named in the progress, and is not an error: this runs when things are broken.
        """
        with progress.task(self._lab.name, "collecting journals"):
            collect_journals(self._targets, folder, progress)

    def unsupported(self) -> Capabilities:
        """What each host's kernel lacks.

        A host that does not answer is left out: the next command reports that.
        """
        return lacking(self._targets)

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return {name: target_of(self._lab, name) for name in self._lab.inventory.hosts}
