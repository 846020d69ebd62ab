"""CL109: Docker's firewall rules are gone, or are in two backends."""

from __future__ import annotations

from ipaddress import IPv4Network

from clusterlab.doctor.cluster import Cluster, once
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import BACKEND, DAEMON, FIREWALL
from clusterlab.doctor.sections.firewall import jumps

_FORWARD = ("DOCKER-FORWARD", "DOCKER-USER", "DOCKER", "DOCKER-ISOLATION-STAGE-1")
_RESTART = "systemctl restart docker"
_OPTION = "com.docker.network.bridge"


def _find(host: HostView, cluster: Cluster) -> Found:
    settings = host.read(DAEMON)
    if settings.get("iptables") is False or settings.get("firewall-backend") == "nftables":
        return
    host.api("info")  # without an engine that runs there need be no rules
    firewall = host.read(FIREWALL)
    nat, rules = firewall.rules("nat"), firewall.rules("filter")
    missing = []
    if not jumps(nat, "PREROUTING", ("DOCKER",)):
        missing.append("nat PREROUTING does not lead to DOCKER")
    if not jumps(rules, "FORWARD", _FORWARD):
        missing.append("filter FORWARD does not lead to Docker's chains")
    missing += [*_unpublished(host), *_unmasqueraded(host)]
    if missing:
        yield CODE.finding(
            host.name,
            f"{host.name}: Docker's firewall rules are gone",
            [Seen(host.name, "iptables-save", "Docker's rules", one) for one in missing],
            [Fix(host.name, _RESTART)],
            hosts=[host.name],
            consequences=("CL309",),
        )
    elif elsewhere := _not_in_mesh(host, cluster):
        yield elsewhere
    backend = host.read(BACKEND)
    if backend.nftables and backend.legacy_rules:
        yield CODE.finding(
            f"{host.name} backends",
            f"{host.name}: both iptables backends have rules: packets pass both",
            [Seen(host.name, "iptables-legacy-save", "no rules", f"{len(backend.legacy_rules)} rules")],
            [Fix(host.name, f"keep one backend (update-alternatives --config iptables), then: {_RESTART}")],
            severity=Severity.WARNING,
            hosts=[host.name],
        )


def _unpublished(host: HostView) -> list[str]:
    """Published ports of containers that no rule leads to them."""
    ports = {
        int(rule.value("--dport"))
        for rule in host.read(FIREWALL).rules("nat")
        if rule.target == "DNAT" and rule.value("--dport").isdecimal()
    }
    missing = []
    for container in host.running():
        for port in container.items("Ports"):
            public = int(port.number("PublicPort", default=0))
            if public and public not in ports:
                missing.append(f"no DNAT for port {public} of {container_name(container)}")
    return list(dict.fromkeys(missing))


def _unmasqueraded(host: HostView) -> list[str]:
    """Bridge networks whose packets leave the host with addresses that nobody answers."""
    translated = [
        rule.value("-s")
        for rule in host.read(FIREWALL).rules("nat")
        if rule.target in ("MASQUERADE", "SNAT") and not rule.value("--src-type")
    ]
    missing = []
    for network in host.networks():
        options = network.texts("Options")
        masquerades = options.get(f"{_OPTION}.enable_ip_masquerade", "true").lower() not in ("false", "f", "0")
        routed = options.get(f"{_OPTION}.gateway_mode_ipv4", "nat") not in ("nat", "nat-unprotected")
        if network.text("Driver", default="") != "bridge" or network.flag("Internal") or not masquerades or routed:
            continue
        for config in network.items("IPAM", "Config"):
            subnet = config.text("Subnet", default="")
            if ":" not in subnet and not any(_covers(one, subnet) for one in translated):
                missing.append(f"no MASQUERADE for {network.text('Name')} ({subnet})")
    return missing


def _covers(sources: str, subnet: str) -> bool:
    """Whether a rule for these sources, "" for all, is one for a subnet; also when that cannot be judged."""
    try:
        return not sources or IPv4Network(subnet, strict=False).subnet_of(IPv4Network(sources, strict=False))
    except ValueError:
        return True


def _not_in_mesh(host: HostView, cluster: Cluster) -> Finding | None:
    """A service's port that other nodes forward and this one does not."""
    if not host.active:
        return None
    lacking = _published(cluster) - _forwarded(host)
    if not lacking:
        return None
    for peer in cluster.peers(host):
        try:
            here_only = sorted(lacking & _forwarded(peer))
        except NotSeen:
            continue
        if here_only:
            shown = ", ".join(map(str, here_only))
            return CODE.finding(
                host.name,
                f"{host.name}: Docker's firewall rules are gone for published ports of services ({shown})",
                [
                    Seen(host.name, "iptables-save -t nat", f"DNAT for {shown} in DOCKER-INGRESS", "none"),
                    Seen(peer.name, "iptables-save -t nat", "", "it has them"),
                ],
                [Fix(host.name, _RESTART)],
                hosts=[host.name],
                consequences=("CL309",),
            )
    return None


@once
def _published(cluster: Cluster) -> set[int]:
    return {
        int(port.number("PublishedPort", default=0))
        for service in cluster.services()
        for port in service.items("Endpoint", "Ports")
        if port.text("PublishMode", default="ingress") == "ingress"
    }


def _forwarded(host: HostView) -> set[int]:
    rules = host.read(FIREWALL).rules("nat")
    inside = [rule.value("--dport") for rule in rules if rule.chain == "DOCKER-INGRESS" and rule.target == "DNAT"]
    return {int(one) for one in inside if one.isdecimal()}


CODE = Diagnosis(
    code="CL109",
    title="Docker's firewall rules are gone, or are in two backends",
    severity=Severity.ERROR,
    effect="Published ports time out and containers do not reach the outside: a firewall's reload (`iptables -F`, "
    "firewalld, ufw) removed the rules that the engine enters when it starts.",
    detection="`iptables-save`: the jumps to Docker's chains, a DNAT rule for each published port, a MASQUERADE "
    "rule for each bridge network, and the rules for services' ports that other nodes have; `iptables -V` and rules in "
    "the legacy tables.",
    guard="`iptables: false` and `firewall-backend: nftables` in daemon.json: then other rules do the work. Networks "
    "that are internal, routed, or not to be masqueraded.",
    remedy="Restart the engine, which enters its rules again. Keep one iptables backend.",
    references=("https://github.com/moby/moby/issues/46636", "https://github.com/moby/moby/issues/50443"),
    root=3,
    passing=True,
    host=_find,
)
