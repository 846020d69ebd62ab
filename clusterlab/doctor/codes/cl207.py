"""CL207: a manager that is locked."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView


def _find(host: HostView, cluster: Cluster) -> Found:
    state = host.info.text("Swarm", "LocalNodeState", default="inactive")
    if state == "locked":
        yield CODE.finding(
            host.name,
            f"{host.name}: its Swarm is locked; it takes no part in it",
            [Seen(host.name, "docker info -f '{{.Swarm.LocalNodeState}}'", "active", state)],
            [Fix(host.name, "docker swarm unlock; docker swarm unlock-key on another manager shows the key")],
            hosts=[host.name],
            consequences=("CL203",),
        )
    elif state == "error":
        why = host.info.text("Swarm", "Error", default="")
        yield CODE.finding(
            host.name,
            f"{host.name}: its engine cannot take part in its Swarm: {why}",
            [Seen(host.name, "docker info -f '{{.Swarm.Error}}'", "", why)],
            [Fix(host.name, "journalctl -u docker; systemctl restart docker")],
            hosts=[host.name],
            consequences=("CL203",),
        )


CODE = Diagnosis(
    code="CL207",
    title="A node is locked out of its Swarm",
    severity=Severity.ERROR,
    effect="After a restart the manager waits for the key of `--autolock`, or its engine reports an error: it takes "
    "no part in the Swarm.",
    detection="`Swarm.LocalNodeState` of /info.",
    remedy="Unlock it, or see its journal.",
    host=_find,
)
