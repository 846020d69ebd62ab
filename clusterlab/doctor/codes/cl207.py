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
            consequences=("CL203", "CL218"),
        )
    elif state == "error":
        why = host.info.text("Swarm", "Error", default="")
        yield CODE.finding(
            host.name,
            f"{host.name}: its engine cannot take part in its Swarm: {why}",
            [Seen(host.name, "docker info -f '{{.Swarm.Error}}'", "", why)],
            [Fix(host.name, "journalctl -u docker; systemctl restart docker")],
            hosts=[host.name],
            consequences=("CL203", "CL218"),
        )
    if host.manages and host.info.at("Swarm", "Cluster", "Spec", "EncryptionConfig").flag("AutoLockManagers"):
        yield CODE.finding(
            host.name,
            f"{host.name}: after a restart of its engine it waits for the unlock key",
            [Seen(host.name, "docker info", "autolock off, or the key at hand", "autolock on")],
            [Fix(host.name, "docker swarm unlock-key shows it: keep it where the managers are not")],
            severity=Severity.ADVICE,
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL207",
    title="A node is locked out of its Swarm",
    severity=Severity.ERROR,
    effect="After a restart the manager waits for the key of `--autolock`, or its engine reports an error: it takes "
    "no part in the Swarm.",
    detection="`Swarm.LocalNodeState` of /info; that managers lock themselves (`--autolock`) is advice.",
    remedy="Unlock it, or see its journal.",
    root=4,
    host=_find,
)
