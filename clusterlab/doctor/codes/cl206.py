"""CL206: a node's certificate has expired, or its renewal is overdue."""

from __future__ import annotations

from datetime import UTC, datetime

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import CERTIFICATE, CLOCK

_OVERDUE = 0.8
"""The engine renews a certificate when between 50 and 80 % of its life have passed."""


def _find(host: HostView, cluster: Cluster) -> Found:
    certificate = host.read(CERTIFICATE)
    if certificate is None:
        return
    now = datetime.fromtimestamp(host.read(CLOCK), UTC)
    life = certificate.not_after - certificate.not_before
    overdue = certificate.not_before + _OVERDUE * life
    if now < overdue:
        return
    expired = now >= certificate.not_after
    when = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    yield CODE.finding(
        host.name,
        f"{host.name}: its node certificate expired on {when}"
        if expired
        else f"{host.name}: its node certificate expires on {when} and was not renewed",
        [Seen(host.name, "openssl x509 -noout -dates -in swarm-node.crt", f"renewed before {overdue:%Y-%m-%d %H:%M}",
              f"valid from {certificate.not_before:%Y-%m-%d %H:%M} to {when}")],
        [Fix(host.name, "docker swarm leave, then docker swarm join with a new token (docker swarm join-token worker)")
         if expired else Fix(host.name, "systemctl start docker while a manager answers: it renews the certificate")],
        severity=Severity.ERROR if expired else Severity.WARNING,
        hosts=[host.name],
        consequences=("CL203", "CL218"),
    )  # fmt: skip


CODE = Diagnosis(
    code="CL206",
    title="A node's certificate has expired, or was not renewed",
    severity=Severity.ERROR,
    effect="A node with an expired certificate cannot come back to the Swarm: it was off, or without a manager, "
    "while the "
    "certificate should have been renewed.",
    detection="The validity in swarm-node.crt, by the host's own clock. Renewal is due between 50 and 80 % of its "
    "life.",
    guard="Clocks that differ are a code of their own (CL104).",
    remedy="Start the engine in time; a node whose certificate has expired leaves and joins again.",
    needs_swarm=True,
    host=_find,
)
