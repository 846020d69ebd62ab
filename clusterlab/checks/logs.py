"""What hosts and containers said around the moment at which a check failed."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace

import docker.errors

from clusterlab.errors import ClusterlabError

from .finding import Finding
from .place import Place
from .places import Places
from .subjects import Subjects

_LINES = 40
_JOURNAL = f"command -v journalctl >/dev/null || exit 0; journalctl -n {_LINES} --no-pager --since -3min"
_TIMEOUT = 20.0


def attach(
    findings: tuple[Finding, ...], places: Places, about: Subjects, unreachable: Callable[[str], str]
) -> tuple[Finding, ...]:
    """Put the logs at the first finding that does not hold.

    Once per host and container that the check is about.

    `unreachable` says why a host cannot be asked, if that is known already.
    """
    for index, item in enumerate(findings):
        if not item.evidence.holds:
            logs = collect(places, about.hosts, about.containers, unreachable)
            evidence = replace(item.evidence, logs=logs)
            return (*findings[:index], replace(item, evidence=evidence), *findings[index + 1 :])
    return findings


def collect(
    places: Places, hosts: Set[str], containers: Set[str], unreachable: Callable[[str], str] = lambda host: ""
) -> dict[str, str]:
    """The tails of the hosts' journals and the containers' logs, by what they are called.

    What cannot be read says why.

    A container that serves on a port of a host may be the reason for what the host answers.
    """
    serving = {
        name
        for name, container in places.play.containers.items()
        if container.host in hosts and (container.ports or container.network_mode == "host")
    }
    hosts = hosts | {places.container(name).host for name in containers}
    known = {host: f"could not be read: {why}" for host in hosts if (why := unreachable(host))}
    logs = {f"journal of {host}": known.get(host) or _journal(places, host) for host in sorted(hosts)}
    logs |= {
        f"log of {name}": known.get(places.container(name).host) or _container_log(places, places.container(name))
        for name in sorted(containers | serving)
    }
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
