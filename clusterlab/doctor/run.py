"""One run of doctor on the hosts of a lab, or on those that SSH reaches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from clusterlab.machines import open_machines
from clusterlab.machines.existing.user_ssh import destination_target, is_configured
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts, Target
from clusterlab.stacks import Stack

from .answers import Answers
from .cluster import Cluster, Plan
from .examination import Examination
from .examine import PAUSE, added, examine
from .finding import NotSeen
from .gather import Asked, engines, images, names, probes_between, scripts
from .mutes import apply_mutes, load_mutes, mute_file
from .node import Node
from .planned import with_stack

_SWARM = {"swarm_manager", "swarm_worker"}


@dataclass(frozen=True)
class Scope:
    """Which hosts are asked, and how they are reached."""

    name: str  # of the lab; "" for hosts that were named
    asked: tuple[Asked, ...]
    targets: Callable[[], Mapping[str, Target]]
    mutes: Path | None = None
    discover: bool = False  # whether other nodes of the Swarm are asked, too
    probe: bool = False  # whether nodes may send each other packets, and mount volumes
    stack: Stack | None = None  # what is to be deployed there


def of_lab(lab: Lab) -> Scope:
    """The hosts of an inventory."""
    hosts = lab.inventory.hosts
    asked = tuple(
        Asked(name, "docker" in host.roles, str(host.address), bool(_SWARM & set(host.roles)))
        for name, host in hosts.items()
    )
    mutes = mute_file(lab.file) if lab.file else None
    return Scope(lab.name, asked, lambda: open_machines(lab).targets(), mutes)


def of_hosts(destinations: Sequence[str]) -> Scope:
    """Hosts as people write them for ssh, and the other nodes of their Swarm."""
    found = [destination_target(one) for one in dict.fromkeys(destinations)]
    targets = {one.name: one for one in found}
    return Scope("", tuple(Asked(name) for name in targets), lambda: targets, discover=True)


@dataclass
class _Reader:
    """Reads the cluster, as often as it is asked to, through the same connections."""

    scope: Scope
    progress: Progress
    hosts: dict[str, Host] = field(default_factory=dict)
    planned: Cluster | None = None  # the cluster as it would be with the stack
    closing: ExitStack = field(default_factory=ExitStack)
    _others: dict[str, Asked] | None = None

    def read(self) -> Cluster:
        if not self.hosts:
            self._connect(self.scope.targets())
        with self.progress.task("doctor", "asking engines"):
            answers = engines(self.hosts, {one.name: one for one in self.scope.asked})
            if self.scope.discover:
                answers |= engines(self.hosts, self._discovered(answers))
            answers = images(self.hosts, answers)
            if self.scope.stack:
                answers = names(self.hosts, answers)
        asked = with_stack(answers, self.scope.stack) if self.scope.stack else answers
        with self.progress.task("doctor", f"reading {len(answers)} hosts"):
            asked = scripts(self.hosts, asked)
        if self.scope.probe:
            with self.progress.task("doctor", "sending probes between the nodes"):
                asked = probes_between(self.hosts, asked)
        now = Cluster({name: replace(one, api=answers[name].api) for name, one in asked.items()})
        if self.scope.stack:
            self.planned = Cluster(asked, Plan(self.scope.stack, now))
        return now

    def _connect(self, targets: Mapping[str, Target]) -> None:
        opened = self.closing.enter_context(Hosts(targets))
        self.hosts |= {name: opened[name] for name in opened}

    def _discovered(self, answers: Mapping[str, Answers]) -> dict[str, Asked]:
        """The nodes of the Swarm that were not named.

        As far as the user's SSH configuration reaches them.
        """
        if self._others is None:
            cluster = Cluster(answers)
            try:
                nodes = [node for node in cluster.nodes() if cluster.host_of(node.id) is None and node.state == "ready"]
            except NotSeen:
                return {}
            self._connect(_targets(nodes))
            self._others = {node.hostname: Asked(node.hostname, True, node.address) for node in nodes}
        return self._others


def _targets(nodes: Sequence[Node]) -> dict[str, Target]:
    found = {}
    for node in nodes:
        destination = node.hostname if is_configured(node.hostname) else node.address
        found[node.hostname] = destination_target(destination, node.hostname)
    return found


def examined(
    scope: Scope, progress: Progress, today: date | None = None, hosts: Mapping[str, Host] | None = None
) -> Examination:
    """Ask all hosts, and diagnose what they answer; through connections that exist, when `hosts` are given.

    Raises ClusterlabError when the lab's machines are not up, InvalidFiles for mutes that are not valid.
    """
    began = time.monotonic()
    mutes = load_mutes(scope.mutes) if scope.mutes else []
    reader = _Reader(scope, progress, dict(hosts or {}))
    earlier = {name: Counter(host.counts) for name, host in reader.hosts.items()}
    with reader.closing:
        cluster = reader.read()

        def again() -> Cluster:
            with progress.task("doctor", "reading what may pass by itself again"):
                time.sleep(PAUSE)
            return reader.read()

        diagnosed = examine(cluster, again)
        if (planned := reader.planned) is not None and planned.plan is not None:
            more = added(planned, planned.plan)
            findings, unknown = (*diagnosed.findings, *more.findings), (*diagnosed.unknown, *more.unknown)
            diagnosed = replace(diagnosed, findings=findings, unknown=unknown)
        counts = {
            name: dict(Counter(host.counts) - earlier.get(name, Counter())) for name, host in reader.hosts.items()
        }
    muted = apply_mutes(diagnosed.findings, mutes, today or date.today())
    return Examination(tuple(cluster.hosts), diagnosed, muted, time.monotonic() - began, counts)
