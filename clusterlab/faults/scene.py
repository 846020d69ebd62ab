"""What faults work on.

A lab, its hosts over SSH, its machines from outside, and which hosts a target means.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from clusterlab.errors import ClusterlabError, HostError, UsageError
from clusterlab.machines import Machines, open_machines
from clusterlab.machines.outside import Outside
from clusterlab.model import Lab
from clusterlab.model.faults import Running, Target
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Completed, Host, Hosts
from clusterlab.resources import swarm_tasks
from clusterlab.resources.swarm_nodes import address, list_nodes


@dataclass(frozen=True)
class Scene:
    """The lab that faults are injected into. Safe to use from several threads."""

    lab: Lab
    hosts: Hosts
    progress: Progress = field(default_factory=Silent)
    seed: int | None = None
    """What fixes the draws of `one of ROLE`."""

    @cached_property
    def machines(self) -> Machines:
        return open_machines(self.lab)

    @property
    def outside(self) -> Outside:
        """The machines from outside; only for kinds of machines that have such abilities."""
        return cast(Outside, getattr(self.machines, "outside"))  # noqa: B009

    @cached_property
    def _draws(self) -> random.Random:
        return random.Random(self.seed)

    def address(self, host: str) -> str:
        """The host's address on the LAN."""
        return str(self.lab.inventory.hosts[host].address)

    def resolve(self, targets: Iterable[Target]) -> list[str]:
        """The hosts that targets mean at this moment, each once.

        Raises UsageError for one that means none.
        """
        return list(dict.fromkeys(host for target in targets for host in self._resolve(target)))

    def one(self, target: Target) -> str:
        """The host that a target means; raises UsageError when it means several, or none."""
        found = self.resolve([target])
        if len(found) != 1:
            raise UsageError(
                f"{target} means {', '.join(found)}: this fault is for one host",
                remedy=f"Name one of them, or write 'one of {target}'.",
            )
        return found[0]

    def _resolve(self, target: Target) -> list[str]:
        inventory = self.lab.inventory
        if isinstance(target, Running):
            found = self._running(target.runs)[:1]
        elif target in inventory.hosts:
            found = [target]
        elif target in ("leader", "followers"):
            found = [name for name, leads in self._managers().items() if leads is (target == "leader")]
        elif target == "majority":
            managers = self._managers()
            found = sorted(managers, key=lambda name: not managers[name])[: len(managers) // 2 + 1]
        elif target.startswith("one of "):
            drawn = inventory.expand([target.removeprefix("one of ")])
            found = [self._draws.choice(drawn)] if drawn else []
        else:
            found = inventory.expand([target])
        if not found:
            raise UsageError(f"no host is {target}", remedy=f"The hosts are {', '.join(inventory.hosts)}.")
        return found

    def _running(self, service: str) -> list[str]:
        tasks = swarm_tasks.running_tasks(self.manager, service, self.lab.inventory)
        return [task["Node"] for task in tasks if task["Node"] in self.lab.inventory.hosts]

    def _managers(self) -> dict[str, bool]:
        """The managers of the Swarm, and which of them leads."""
        names = {self.address(name): name for name in self.lab.inventory.hosts}
        nodes = {address(node): node.get("ManagerStatus") or {} for node in list_nodes(self.manager)}
        return {names[at]: bool(one.get("Leader")) for at, one in nodes.items() if one and at in names}

    @property
    def manager(self) -> Host:
        """A manager of the Swarm that answers; raises ClusterlabError when none does."""
        names = self.lab.inventory.with_role("swarm_manager")
        for name in names:
            try:
                list_nodes(self.hosts[name])
            except ClusterlabError:
                continue  # it may be the one that is broken
            return self.hosts[name]
        raise ClusterlabError(f"no manager of the Swarm answers: {', '.join(names) or 'the inventory has none'}")

    def run(self, scripts: Mapping[str, str], timeout: float = 30.0) -> dict[str, Completed]:
        """Run a script on each of these hosts at the same time.

        Raises the first error that is not an exit code.
        """
        answers = self.hosts.each(scripts, lambda host: host.run(scripts[host.name], timeout=timeout))
        for answer in answers.values():
            if isinstance(answer, ClusterlabError):
                raise answer
        return {name: answer for name, answer in answers.items() if not isinstance(answer, ClusterlabError)}

    def answers(self, host: str, timeout: float = 5.0) -> bool:
        """Whether a command runs on a host, over management."""
        try:
            return self.hosts[host].run("true", timeout=timeout, spare=True).ok
        except ClusterlabError:
            return False

    def said(self, host: str, script: str, timeout: float = 10.0) -> str:
        """What a script prints on a host; raises HostError when it fails."""
        done = self.hosts[host].run(script, timeout=timeout, spare=True)
        if not done.ok:
            raise HostError(
                host, f"`{script.splitlines()[0][:80]}` ended with exit code {done.exit}", detail=done.output
            )
        return done.stdout.strip()
