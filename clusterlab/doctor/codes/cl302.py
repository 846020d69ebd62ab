"""CL302: an overlay that a node has not set up."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import CLOCK
from clusterlab.doctor.tasks import unsolved

_TEXTS = ("vxlan interface", "error creating vxlan", "subnet sandbox join failed", "network sandbox join failed")
_YOUNG = 30.0


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    overlays = {one.text("Id"): one.text("Name") for one in host.networks() if one.text("Driver") == "overlay"}
    now = host.read(CLOCK)
    reported = set()
    for container in host.running():
        for at in container.mapping("NetworkSettings", "Networks").values():
            network = at.text("NetworkID", default="")
            young = now - container.number("Created") < _YOUNG
            if network in overlays and not young and network not in reported and host.overlay(network) is None:
                reported.add(network)
                yield _broken(
                    host, overlays[network], f"{container_name(container)} is on it; there is no namespace of it"
                )
    for service, failures in unsolved(cluster, *_TEXTS):
        here = [one for one in failures if one.host == host.name]
        if here:
            yield _broken(host, f"of service {service}", here[0].error)


def _broken(host: HostView, network: str, found: str) -> Finding:
    return CODE.finding(
        f"{host.name} {network}",
        f"{host.name}: the overlay {network} could not be set up there",
        [Seen(host.name, "ls /run/docker/netns; docker service ps", "a namespace of the overlay", found)],
        [Fix(host.name, "systemctl restart docker; if that does not help, reboot")],
        hosts=[host.name],
        consequences=("CL303", "CL213", "CL214"),
    )


CODE = Diagnosis(
    code="CL302",
    title="An overlay could not be set up on a node",
    severity=Severity.ERROR,
    effect="Containers there start without a connection, or do not start: a stale VXLAN device is in "
    "the way, or the kernel has none.",
    detection="Containers on an overlay that has no namespace on their host; errors of tasks that name the VXLAN "
    "device.",
    guard="Overlays that nothing on the node uses; containers younger than 30 s.",
    remedy="Restart the engine, else reboot.",
    root=5,
    passing=True,
    needs_swarm=True,
    host=_find,
)
