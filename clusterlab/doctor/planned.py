"""The cluster as it would be with a stack, so that the same codes tell what the stack would meet there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clusterlab.stacks import Stack, stack_specs

from .answers import Answers
from .cluster import Cluster
from .codes.cl211 import takes
from .document import Document
from .finding import NotSeen

_LONG_AGO = "2000-01-01T00:00:00Z"


def with_stack(answers: Mapping[str, Answers], stack: Stack) -> dict[str, Answers]:
    """The answers as they would be: services, the volumes where tasks may run, networks, and tasks that no node takes.

    Without a manager, or when an engine's answer has an unexpected form, they stay as they are.
    """
    try:
        return _with_stack(answers, stack)
    except NotSeen:
        return dict(answers)


def _with_stack(answers: Mapping[str, Answers], stack: Stack) -> dict[str, Answers]:
    cluster, specs = Cluster(answers), stack_specs(stack)
    manager, nodes, existing = cluster.manager, cluster.nodes(), cluster.services()
    services = {one.text("Spec", "Name"): one.text("ID") for one in existing}
    changed = {name: dict(one.api) for name, one in answers.items()}
    api = changed[manager.name]
    planned = [_service(services.get(name, f"planned {name}"), name, spec) for name, spec in specs.services.items()]
    kept = [one for one in api["services"] if one["Spec"]["Name"] not in specs.services]
    api["services"] = [*kept, *planned]
    tasks = list(api["tasks"] or [])
    for service in planned:
        task = _pending(service)
        willing = [node for node in nodes if takes(node, Document(task, manager.name, "the stack"))]
        if not willing:
            tasks.append(task)
        for node in willing:
            if (host := cluster.host_of(node.id)) is not None:
                _add_volumes(changed[host.name], service["Spec"])
    api["tasks"] = tasks
    for host in cluster.members():
        _add_networks(changed[host.name], specs.networks)
    return {name: replace(one, api=changed[name]) for name, one in answers.items()}


def _service(identity: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    ports = spec.get("EndpointSpec", {}).get("Ports", [])
    return {"ID": identity, "Spec": {**spec, "Name": name}, "Endpoint": {"Ports": ports}}


def _pending(service: Mapping[str, Any]) -> dict[str, Any]:
    """A task of a service for which no node was found."""
    return {
        "ID": f"{service['ID']} task",
        "ServiceID": service["ID"],
        "DesiredState": "running",
        "Status": {"State": "pending", "Timestamp": _LONG_AGO, "Err": "no suitable node"},
        "Spec": service["Spec"].get("TaskTemplate", {}),
    }


def _add_volumes(api: dict[str, Any], spec: Mapping[str, Any]) -> None:
    """The volumes that a task would make the engine create."""
    known = api.get("volumes") or {}
    volumes = list(known.get("Volumes") or [])
    names = {one["Name"] for one in volumes}
    for mount in spec.get("TaskTemplate", {}).get("ContainerSpec", {}).get("Mounts", []):
        driver = mount.get("VolumeOptions", {}).get("DriverConfig", {})
        if mount.get("Type") == "volume" and driver.get("Options") and mount["Source"] not in names:
            volumes.append(
                {"Name": mount["Source"], "Driver": driver.get("Name", "local"), "Options": driver["Options"]}
            )
            names.add(mount["Source"])
    api["volumes"] = {**known, "Volumes": volumes}


def _add_networks(api: dict[str, Any], specs: Mapping[str, Mapping[str, Any]]) -> None:
    known = list(api.get("networks") or [])
    names = {one["Name"] for one in known}
    new = [
        {**spec, "Name": name, "Id": f"planned {name}", "Scope": "swarm"}
        for name, spec in specs.items()
        if name not in names
    ]
    api["networks"] = [*known, *new]
