"""Checks that a host which they concern cannot carry out, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

from clusterlab.capabilities import Capabilities
from clusterlab.model import Lab
from clusterlab.model.base import Model
from clusterlab.model.checks import Check
from clusterlab.model.needs import (
    Need,
    container_needs,
    missing,
    network_needs,
    volume_needs,
    why_service_cannot_run,
)
from clusterlab.model.playbook import Play
from clusterlab.results import Cause, Evidence, Outcome, Result
from clusterlab.stacks.needs import why_stack_cannot_run

from .kinds import KINDS
from .subjects import Subjects

_ANY_HOST = ("nfs", "iscsi")  # capabilities that more than engines have


def unmet_need(check: Check, lab: Lab, play: Play, about: Subjects, capabilities: Capabilities) -> Need | None:
    """The need of a check that a host does not meet, or None.

    Only hosts that the check concerns count: those that it names, those of its containers, and those whose engines
    its probes ask for a volume or network. What another host lacks keeps no statement from being proven. A check that
    names none, about a service that others created say, concerns every Docker host. The checks of a play with a stack
    are about that: where it cannot be deployed, none is carried out.
    """
    loaded = next((lab.stacks.get(name) for name, one in lab.plays.items() if one is play), None)
    if loaded and (need := why_stack_cannot_run(lab, loaded.valid(), capabilities)):
        return need
    need = missing(_needs(check, lab, play, about), capabilities)
    if need is None:
        services = (name for name in play.services if f"service {name}" in about.within)
        found = (why_service_cannot_run(lab, play, name, capabilities) for name in sorted(services))
        need = next((one for one in found if one), None)
    return need


def lacking(play: str, check: Check) -> Result:
    """The result of a check for which the inventory has too little."""
    evidence = Evidence("", "", check.title, check.lacks, holds=False)
    cause = Cause("lacks-inventory", "inventory", check.lacks)
    return Result(
        play, check.title, "steps", Outcome.UNSUPPORTED, 0, evidence=(evidence,), hint=check.lacks, cause=cause
    )


def unsupported(need: Need, play: str, check: Check, capabilities: Capabilities) -> Result:
    """The result of a check whose need is not met."""
    reason = capabilities.reason(need.host, need.capability)
    subject = f"{need.subject} needs" if need.subject else "needs"
    text = f"{subject} {need.capability}, which {need.host} lacks: {reason}"
    evidence = Evidence(need.host, "", check.title, text, holds=False)
    cause = Cause(f"lacks-{need.capability}", need.host, f"{need.capability}: {reason}")
    kind = check.kind or "steps"
    return Result(play, check.title, kind, Outcome.UNSUPPORTED, 0, evidence=(evidence,), hint=text, cause=cause)


def _needs(check: Check, lab: Lab, play: Play, about: Subjects) -> Iterator[Need]:
    containers = sorted(about.containers)
    hosts = about.hosts | {str(play.host_of(name)) for name in containers}
    hosts = hosts or frozenset(lab.inventory.docker_hosts)  # a service that others created may run on any of them
    for capability in check.needs:
        for host in lab.inventory.hosts if capability in _ANY_HOST else lab.inventory.docker_hosts:
            if host in hosts:
                yield Need(host, capability, "")
    for name in sorted(about.containers & set(play.containers)):
        for need in container_needs(lab, play, name):
            yield need._replace(subject=f"{need.subject} of container {name}")
    for _, kind, probe in check.probes():
        yield from _probe_needs(kind, probe, lab, play, hosts)


def _probe_needs(kind: str, probe: Model, lab: Lab, play: Play, concerned: frozenset[str]) -> Iterator[Need]:
    """What a kind needs, and the volumes and networks that a probe itself uses.

    Those that it inspects, mounts or joins.
    """
    for capability in sorted(KINDS[kind].needs):
        for host in sorted(concerned):
            yield Need(host, capability, kind)
    touched = KINDS[kind].touches(probe)
    for host in sorted(KINDS[kind].hosts(probe, lab, play)):
        for name in sorted(touched.volumes & set(play.volumes)):
            yield from volume_needs(lab, play, name, host)
        for name in sorted(touched.networks & set(play.networks)):
            yield from network_needs(play, name, host)
