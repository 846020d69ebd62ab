"""registry: the engine of each host gets an image's manifest from its registry.

No image changes.

Every pull begins with that: names, routes, proxies, certificates and mirrors are those of the engine, as for the pull
itself. Source: `GET /distribution/NAME/json` of the engine's API.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Literal

import docker.errors
from pydantic import Field

from clusterlab.errors import UsageError
from clusterlab.model.base import HostsAndRoles, Issue, Model
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.places import named_docker_hosts
from clusterlab.results import Link

from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..place import Place
from ..places import Places

_SOCKET = "/var/run/docker.sock"
_REFERENCE = re.compile(r"[a-z0-9][\w.\-/:]*(@sha256:[0-9a-f]{64})?")
_LOGIN = (401, 403)
_HINT = "the engine's own name servers, proxy, `insecure-registries` and certificates count: `docker pull` on that host"


class RegistryProbe(Model):
    """The engine of each host must get an image's manifest from the registry.

    That is what happens at the beginning of a pull.

    No login is sent: a registry that asks for one has answered, and what is found says so.
    """

    on: HostsAndRoles = Field(default_factory=list, description="Docker hosts: names, roles, or all")
    image: str = Field(description="as for docker pull", examples=["registry.example.org/shop/web:1.4"])

    def issues(self) -> Iterator[Issue]:
        if not self.on:
            yield Issue((), "a probe must say where it runs", "Add on: (Docker hosts or a role).")
        if not _REFERENCE.fullmatch(self.image):
            yield Issue(("image",), f"'{self.image}' is not the name of an image in a registry")


class RegistryKind(CheckKind[RegistryProbe]):
    name = "registry"
    model = RegistryProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: RegistryProbe) -> Iterator[Problem]:
        yield from named_docker_hosts(files, file, (*path, "on"), probe.on)

    def hosts(self, probe: RegistryProbe, lab: Lab, play: Play) -> frozenset[str]:
        return frozenset(lab.expand(probe.on))

    def asks(self, probe: RegistryProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "engine"

    def ask(self, probe: RegistryProbe, places: Places) -> list[Finding]:
        """One finding for each host."""
        hosts = [Place(host) for host in places.lab.expand(probe.on)]
        if not hosts:
            raise UsageError(f"no engine is selected: on: {probe.on}", remedy="name a host or a role")
        return ask_each(
            hosts, _wanted(probe), lambda place: _asked(probe, place, places), lambda place: [_link(probe, place, None)]
        )

    def manual(self, probe: RegistryProbe, where: Where) -> Iterator[Line]:
        for host in where.lab.expand(probe.on):
            command = _command(probe)
            printed = command.replace("--silent", "--silent --output /dev/null --write-out '%{http_code}'")
            accepted = " || ".join(f"[ $code = {code} ]" for code in (200, *_LOGIN))
            yield Line(host, command, _wanted(probe), f"code=$({printed}); {accepted}")


KIND = RegistryKind()


def registry_of(image: str) -> str:
    """The registry of a reference, as it is reached: Docker Hub where none is named."""
    first, slash, _ = image.partition("/")
    return first if slash and (first == "localhost" or "." in first or ":" in first) else "docker.io"


def _asked(probe: RegistryProbe, place: Place, places: Places) -> Finding:
    output = ""
    with places.engine(place.host) as engine:
        try:
            found = engine.inspect_distribution(probe.image, auth_config={})  # type: ignore[no-untyped-call]
            reached, said = True, f"its manifest has the digest {found['Descriptor']['digest']}"
        except docker.errors.APIError as error:
            output = str(error.explanation or error).strip()
            reached = error.status_code in _LOGIN
            said = "the registry answers, and requires a login" if reached else output
    return finding(
        place,
        _command(probe),
        holds=reached,
        wanted=_wanted(probe),
        found=said,
        output=output,
        hint=_HINT,
        links=[_link(probe, place, reached, said)],
    )


def _link(probe: RegistryProbe, place: Place, reached: bool | None, found: str = "") -> Link:
    return Link(place.host, registry_of(probe.image), "registry", True, reached, found)


def _wanted(probe: RegistryProbe) -> str:
    return f"the registry answers for {probe.image}"


def _command(probe: RegistryProbe) -> str:
    url = shlex.quote(f"http://localhost/distribution/{probe.image}/json")
    return f"curl --silent --max-time 60 --unix-socket {_SOCKET} {url}"
