"""Machines that are already there: reached by SSH as the user reaches them, never made and never destroyed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from clusterlab.errors import ClusterlabError, Several
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts, Target

from .base import MachineStatus
from .user_ssh import target_of

T = TypeVar("T")

_CAPABILITIES = {
    "nfs": "grep -qw nfs /proc/filesystems || modprobe -nq nfs",
    "ipvs": "test -e /proc/net/ip_vs || modprobe -nq ip_vs",
    "iscsi": "test -d /sys/class/iscsi_transport || modprobe -nq iscsi_tcp",
}
"""How a host's kernel is asked for a capability: built in, loaded, or there as a module. Nothing is loaded."""

_ASK_KERNEL = "PATH=$PATH:/usr/sbin:/sbin; uname -r; " + "".join(
    f"({test}) 2>/dev/null || echo {name}; " for name, test in _CAPABILITIES.items()
)
"""Prints the kernel's release, and then what it lacks."""

_LOGS = {
    "docker": "journalctl --no-pager -n 2000 -u docker -u containerd",
    "nfs": "journalctl --no-pager -n 500 -u nfs-server -u nfs-mountd -u rpcbind",
    "kernel": "dmesg | tail -n 500",
}


class ExistingMachines:
    """The hosts of an inventory with `machines: existing`."""

    kind = "existing"

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def up(self, progress: Progress) -> None:
        """Nothing is made: see that each host answers and runs commands as root where it should; all at the same time.

        Raises what went wrong on every host, not only on the first.
        """
        with progress.task(self._lab.name, f"asking {len(self._targets)} existing hosts"):
            answers = self._each(lambda host: host.run("true", timeout=30.0, check=True))
        errors = [answer for answer in answers.values() if isinstance(answer, ClusterlabError)]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise Several(errors)

    def down(self, progress: Progress) -> None:
        """Existing machines stay as they are; this says so."""
        progress.say(
            self._lab.name,
            "its machines were there before clusterlab, and stay; `clusterlab clean` removes what plays made on them",
        )

    def status(self) -> list[MachineStatus]:
        answers = self._each(lambda host: host.run("uptime -p", timeout=30.0))
        return [self._status(name, answer) for name, answer in answers.items()]

    def _status(self, name: str, answer: object) -> MachineStatus:
        if isinstance(answer, ClusterlabError):
            return MachineStatus(name, "unreachable", answer.message.removeprefix(f"{name}: "))
        target = self._targets[name]
        return MachineStatus(name, "running", f"{target.user}@{target.address}:{target.port}")

    def targets(self) -> dict[str, Target]:
        return dict(self._targets)

    def collect(self, folder: Path, progress: Progress) -> None:
        """What the hosts' journals say of Docker and NFS, and their kernels' last messages, in a folder per host.

        What could not be collected is named in the progress, and is no error: this runs when things are broken.
        """
        with progress.task(self._lab.name, "collecting journals"):
            answers = self._each(lambda host: _collect(host, folder / host.name))
        for name, answer in answers.items():
            for problem in [answer.message] if isinstance(answer, ClusterlabError) else answer:
                progress.say(name, f"not collected: {problem}")

    def unsupported(self) -> dict[str, str]:
        """What a host's kernel lacks. A host that does not answer is left out: whatever asks it next will say so."""
        lacking: dict[str, list[str]] = {}
        for name, answer in self._each(lambda host: host.run(_ASK_KERNEL, timeout=30.0, check=True)).items():
            if isinstance(answer, ClusterlabError):
                continue
            release, *missing = answer.stdout.split()
            for capability in missing:
                lacking.setdefault(capability, []).append(f"{name} ({release})")
        return {
            capability: f"the kernel has it neither built in nor as a module: {', '.join(hosts)}"
            for capability, hosts in lacking.items()
        }

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return {name: target_of(self._lab, name) for name in self._lab.inventory.hosts}

    def _each(self, function: Callable[[Host], T]) -> dict[str, T | ClusterlabError]:
        with Hosts(self._targets) as hosts:
            return hosts.each(self._targets, function)


def _collect(host: Host, folder: Path) -> list[str]:
    """Write one host's logs into `folder`; returns what could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for name, command in _LOGS.items():
        said = host.run(command, timeout=30.0)
        if said.ok:
            (folder / f"{name}.log").write_text(said.stdout)
        else:
            problems.append(f"`{command}` ended with exit code {said.exit}: {said.stderr.strip()[-300:]}")
    return problems
