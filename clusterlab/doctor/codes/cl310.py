"""CL310: a published port that something else holds."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import LISTENERS

_ENGINE = ("dockerd", "docker-proxy", "rootlesskit")


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    published = {
        (port.text("Protocol", default="tcp"), int(port.number("PublishedPort", default=0))): service.text(
            "Spec", "Name"
        )
        for service in cluster.services()
        for port in service.items("Endpoint", "Ports")
        if port.text("PublishMode", default="ingress") == "ingress"
    }
    for listener in host.read(LISTENERS):
        service = published.get((listener.protocol, listener.port))
        if service and listener.program and not listener.program.startswith(_ENGINE):
            where = f"{listener.port}/{listener.protocol}"
            yield CODE.finding(
                f"{host.name} {where}",
                f"{host.name}: {listener.program} listens on {where}, which service {service} publishes",
                [Seen(host.name, f"ss -lntup sport = :{listener.port}", "dockerd", listener.program)],
                [Fix("", f"publish {service} on another port, or stop {listener.program} on {host.name}")],
                hosts=[host.name],
            )


CODE = Diagnosis(
    code="CL310",
    title="A published port is held by something else",
    severity=Severity.ERROR,
    effect="From outside the service answers, on the host the other program, or the other way round: the rules of "
    "the mesh come before the program.",
    detection="Listening sockets on ports that services publish, whose program is not the engine.",
    remedy="Use another port for one of the two.",
    references=("https://github.com/moby/moby/issues/39089",),
    needs_swarm=True,
    host=_find,
)
