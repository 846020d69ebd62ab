"""What is measured while a change is rehearsed.

Every service, every container, and every port that hosts publish.
"""

from __future__ import annotations

from typing import Any

from clusterlab.capabilities import Capabilities
from clusterlab.drills.of_stack import lasting, prober_name
from clusterlab.drills.plan import DrillPlan, plans, running
from clusterlab.errors import UsageError
from clusterlab.model import Lab
from clusterlab.model.drills import Drill, Prober
from clusterlab.model.short_syntax import parse_port

_LONGEST = 3600.0
_TIMES = {"every": "1s", "timeout": "2s"}


def measured(lab: Lab, unsupported: Capabilities, steady: float) -> DrillPlan:
    """The probers of all plays and stacks, as a drill without a fault.

    Raises UsageError when there is nothing.
    """
    probers: dict[str, Any] = {}
    hosts = lab.inventory.docker_hosts
    meshed = not unsupported.without("ipvs", hosts)
    for name, play in lab.plays.items():
        if name in lab.stacks:
            stack = lab.stacks[name].valid()
            for service in lasting(stack):
                probers[prober_name(service.name)] = {"task": stack.scoped(service.name), "from": hosts, **_TIMES}
        for service_name, one in play.services.items():
            if one.deploy.replicas and not one.deploy.is_job:
                probers[prober_name(service_name)] = {"task": service_name, "from": hosts, **_TIMES}
                for port in map(parse_port, one.ports):
                    if meshed and port.host_port and port.protocol == "tcp" and port.mode == "ingress":
                        probers[f"{prober_name(service_name)}-port"] = _port(lab, port.host_port, hosts)
        for container_name, container in play.containers.items():
            runs = ["sh", "-c", running({"name": [f"^/{container_name}$"]}, 2.0)]
            probers[prober_name(container_name)] = {"command": runs, "from": [container.host], **_TIMES}
            for port in map(parse_port, container.ports):
                if port.host_port and port.protocol == "tcp" and port.address is None:
                    probers[f"{prober_name(container_name)}-port"] = _port(lab, port.host_port, [container.host])
    if not probers:
        raise UsageError(
            "nothing would be measured: no play or stack is given that has containers or services",
            remedy="Name a play or a stack file: clusterlab rehearse --to inventory/after.yml PLAY",
        )
    drill = Drill.model_construct(
        title="rehearsal",
        probers={name: Prober.model_validate(one) for name, one in probers.items()},
        faults=[],
        during=[],
        steady=steady,
        recovers=_LONGEST,
    )
    (plan,) = plans(lab, next(iter(lab.plays)), drill)
    return plan


def _port(lab: Lab, port: int, hosts: list[str]) -> dict[str, Any]:
    """A client that tries all of these hosts.

    On one that is no Docker host if there is one.
    """
    source = next((name for name in lab.inventory.hosts if name not in lab.inventory.docker_hosts), hosts[0])
    return {"tcp": {"port": port, "at": hosts}, "from": [source], "anywhere": True, **_TIMES}
