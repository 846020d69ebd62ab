"""What hosts and containers said around the moment at which a check failed."""

from __future__ import annotations

from dataclasses import replace

import docker.errors

from clusterlab.errors import ClusterlabError

from .finding import Finding
from .place import Place, Places

_LINES = 40
_JOURNAL = f"command -v journalctl >/dev/null || exit 0; journalctl -n {_LINES} --no-pager --since -3min"
_TIMEOUT = 20.0


def attach(
    findings: tuple[Finding, ...], places: Places, hosts: frozenset[str], containers: frozenset[str]
) -> tuple[Finding, ...]:
    """Put the logs at the first finding that does not hold: once per host and container."""
    for index, item in enumerate(findings):
        if not item.evidence.holds:
            evidence = replace(item.evidence, logs=collect(places, hosts, containers))
            return (*findings[:index], replace(item, evidence=evidence), *findings[index + 1 :])
    return findings


def collect(places: Places, hosts: frozenset[str], containers: frozenset[str]) -> dict[str, str]:
    """The tails of the hosts' journals and the containers' logs; what cannot be read says why."""
    logs = {}
    for host in sorted(hosts):
        logs[f"journal of {host}"] = _journal(places, host)
    for name in sorted(containers):
        logs[f"log of {name}"] = _container_log(places, places.container(name))
    return {name: text for name, text in logs.items() if text}


def _journal(places: Places, host: str) -> str:
    try:
        return places.hosts[host].run(_JOURNAL, timeout=_TIMEOUT).output
    except ClusterlabError as error:
        return f"could not be read: {error.message}"


def _container_log(places: Places, place: Place) -> str:
    try:
        with places.engine(place.host) as engine:
            try:
                text: bytes = engine.logs(place.container, tail=_LINES, timestamps=True)
            except docker.errors.NotFound:
                return f"there is no container {place}"
    except ClusterlabError as error:
        return f"could not be read: {error.message}"
    return text.decode(errors="replace").rstrip()
