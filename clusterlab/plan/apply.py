"""What the plays lack on the hosts.

Images, volumes, networks, containers and services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.model.lab import Lab
from clusterlab.plan.held_back import held_back
from clusterlab.plan.observe import observe
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Hosts
from clusterlab.resources import kind as of_kinds
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.deploying import AS_USUAL, Deploying
from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants
from clusterlab.resources.swarm_check import swarm_problems
from clusterlab.resources.swarm_view import swarm_views
from clusterlab.resources.wanted_images import wanted_images

FLAG = "--allow-data-loss"
ASK = "ask"
"""The action of a change that stands for a host which does not answer."""


@dataclass(frozen=True)
class Survey:
    """What the plays want, what is on the hosts, and the changes between the two."""

    wants: Wants
    scope: Scope
    changes: list[Change]

    @property
    def bounds(self) -> Mapping[str, int]:
        """How many changes each host bears at the same time."""
        return {name: at.bears for name, at in self.scope.observed.items()}


def apply(
    lab: Lab,
    hosts: Hosts,
    allow_data_loss: bool = False,
    unsupported: Capabilities = ALL_CAPABILITIES,
    progress: Progress | None = None,
    deploying: Deploying = AS_USUAL,
) -> list[Change]:
    """The changes that converge the plays' objects; see `survey`."""
    return survey(lab, hosts, allow_data_loss, unsupported, progress, deploying).changes


def survey(
    lab: Lab,
    hosts: Hosts,
    allow_data_loss: bool = False,
    unsupported: Capabilities = ALL_CAPABILITIES,
    progress: Progress | None = None,
    deploying: Deploying = AS_USUAL,
) -> Survey:
    """The changes that converge the plays' objects; nothing is changed on a host.

    Images that are built from packages are built on this machine when they are not in the cache. What was
    created for one of these plays and is no longer in it is removed; objects of other plays and of anybody else
    are left alone. Where one of these plays defines an object that another play has, the change names that play. A
    host that does not answer is a blocked change of its own, so the others go on.
    """
    shown = progress or Silent()
    wants = replace(wanted(lab, unsupported, shown), deploying=deploying)
    kinds = of_kinds.of_verb(RESOURCES.values(), "apply")
    sought = {kind.name: {k: w for k, w in kind.wanted(wants).items() if k not in wants.omitted} for kind in kinds}
    answers = hosts.each(lab.inventory.docker_hosts, lambda host: observe(lab.name, host, kinds, sought))
    observed = {name: one for name, one in answers.items() if isinstance(one, Observed)}
    swarms, errors = swarm_views(lab.name, observed.values(), lab.inventory.with_role("swarm_manager"))
    scope = Scope(lab.name, observed, swarms, "" if allow_data_loss else FLAG, shown)
    found = [unreachable(name, error) for name, error in answers.items() if isinstance(error, ClusterlabError)]
    found += swarm_problems(wants, scope, [key for keys in sought.values() for key in keys], errors)
    pending = {change.key: change for change in found}
    return Survey(wants, scope, held_back(of_kinds.converge(kinds, wants, scope.with_pending(pending))))


def wanted(lab: Lab, unsupported: Capabilities, progress: Progress) -> Wants:
    """What the plays want of machines that lack some capabilities.

    Images are built when they are not in the cache.
    """
    omitted = frozenset(one.key for one in left_out(lab, unsupported))
    return Wants(lab, wanted_images(lab, progress), unsupported, omitted)


def left_out(lab: Lab, unsupported: Capabilities = ALL_CAPABILITIES) -> list[Skipped]:
    """What hosts cannot have.

    Without NFS, its volumes; without iSCSI, disks and what is on them; without IPsec, encrypted networks; and what uses
    them there. Also what the inventory has too few hosts for.

    What belongs to the Swarm is left out when no host of it can have it. Services need no IPVS: without it only their
    virtual addresses and published ports do not work.
    """
    kinds = of_kinds.of_verb(RESOURCES.values(), "apply")
    lacking = [
        Skipped(Key(name, thing.section.removesuffix("s"), thing.name), reason)
        for name, play in lab.plays.items()
        for thing, reason in play.left_out.items()
    ]
    return [*lacking, *of_kinds.left_out(kinds, Wants(lab, capabilities=unsupported))]


def unreachable(host: str, error: ClusterlabError) -> Change:
    """A host that could not be asked, as something that a person has to fix first."""

    def raise_it() -> None:
        raise error

    remedy = f" {error.remedy}" if error.remedy else ""
    return Change(
        key=Key(host, "engine", "docker"),
        action=ASK,
        reason="it does not answer",
        command="docker info",
        carry_out=raise_it,
        blocked=f"{error.message}.{remedy}",
    )
