"""inspect: a path in what the engines report of one object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from clusterlab.errors import UsageError
from clusterlab.model.base import HostsAndRoles, Issue, Model
from clusterlab.model.groups import GROUPS
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.matcher import Matcher
from clusterlab.model.playbook import Play
from clusterlab.model.problems import Problem, listed, suggest
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.places import named_docker_hosts
from clusterlab.redaction import REDACTED, clean
from clusterlab.results import Outcome

from ..finding import Finding, ask_each, finding
from ..inspected import has_name, report_of, shell_command
from ..kind import CheckKind
from ..manual.inspected import listed as typed
from ..manual.inspected import matched
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..matcher import describe, is_nothing, match, show
from ..place import Place
from ..places import Places
from ..report_path import NoSuchPath, at, steps, template
from ..spec import image_on

_HINT = "`clusterlab plan` shows how it differs from the play"
_EXTERNAL_HINT = "it is external: whoever created it changes it"
_VOLUME_HINT = (
    "an engine keeps the options with which a volume was created, and ignores others silently; "
    "`clusterlab plan` shows the difference and how to fix it"
)
_ONLY_ONE = "Leave the other out, or write two checks."
_PREDEFINED = ("bridge", "host", "none")
_ENVIRONMENT = "Env"  # the key of an environment in what engines report
_OUTPUT = 4000  # characters of what the engine reported that are kept as output


class InspectProbe(Model):
    """A path in what the engine reports of one object.

    `*` in the path takes every item.
    """

    volume: str | None = None
    network: str | None = None
    container: str | None = None
    service: str | None = None
    tasks: str | None = Field(
        default=None,
        description="the running tasks of this service, by host and number; Node is the host that each runs on",
    )
    image: str | None = None
    node: str | None = None
    engine: Literal[True] | None = Field(default=None, description="what `docker info` reports")
    volumes: Literal[True] | None = Field(default=None, description="every volume of the host, by its name")
    on: HostsAndRoles = Field(
        default_factory=list, description="which hosts are inspected; default: every host that should have it"
    )
    path: str | list[str | int] = Field(
        description="keys joined by dots, or a list where a key has a dot itself", examples=["Options.device"]
    )
    value: Matcher | None = None
    same: bool = Field(default=False, description="all hosts must report the same")

    objects: ClassVar[tuple[str, ...]] = (
        "volume",
        "network",
        "container",
        "service",
        "tasks",
        "image",
        "node",
        "engine",
        "volumes",
    )

    def issues(self) -> Iterator[Issue]:
        given = self.given(*self.objects)
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but none is given"
            yield Issue(
                (),
                f"inspect needs exactly one of {listed(self.objects)}, {found}",
                _ONLY_ONE if given else "",
            )
        if self.value is None and not self.same:
            remedy = "Add value: (what it must be) or same: true (all hosts must report the same)."
            yield Issue((), "this inspects but asserts nothing", remedy)
        if not self.path:
            yield Issue(("path",), "the path is empty")


class Inspect(CheckKind[InspectProbe]):
    name = "inspect"
    model = InspectProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: InspectProbe) -> Iterator[Problem]:
        yield from named_docker_hosts(files, file, (*path, "on"), probe.on)
        play = file.play
        known: dict[str, Sequence[str]] = {
            "volume": [*play.volumes, *play.external.volumes],
            "network": [*play.networks, *play.external.networks, *_PREDEFINED],
            "container": play.known_containers,
            "service": play.known_services,
            "tasks": play.known_services,
            "image": list(files.inventory.images),
            "node": files.inventory.swarm_hosts,
        }
        for kind, names in known.items():
            name = getattr(probe, kind)
            if name is not None and name not in names:
                owner = {"image": "the inventory", "node": "the Swarm"}.get(kind, "this play")
                noun = "service" if kind == "tasks" else kind
                yield file.problem(
                    (*path, kind), f"{owner} has no {noun} '{name}'", suggest(name, names, f"{noun.capitalize()}s")
                )
        host = play.host_of(probe.container or "")
        if host is not None and probe.on and files.expand(probe.on) != [host]:
            message = f"the container '{probe.container}' is on {host} alone"
            yield file.problem((*path, "on"), message, "Leave on: out.")
        if probe.same and len(_hosts_in_files(files, file, probe)) < 2:
            yield file.problem((*path, "same"), "only one host is inspected, so 'same' asserts nothing", key=True)

    def touches(self, probe: InspectProbe) -> Touched:
        def named(*names: str | None) -> frozenset[str]:
            return frozenset(name for name in names if name)

        return Touched(
            containers=named(probe.container),
            services=named(probe.service, probe.tasks),
            volumes=named(probe.volume),
            networks=named(probe.network),
        )

    def hosts(self, probe: InspectProbe, lab: Lab, play: Play) -> frozenset[str]:
        return frozenset(asked_hosts(probe, lab, play))

    def asks(self, probe: InspectProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "manager" if of_the_swarm(probe, play) and not (probe.on or probe.same) else "engine"

    def ask(self, probe: InspectProbe, places: Places) -> list[Finding]:
        """The value at `path` must match on every host that is asked.

        With `same`, all must report the same.
        """
        kind, name = subject(probe)
        hosts = asked_hosts(probe, places.lab, places.play)
        if probe.same and len(hosts) < 2:
            raise UsageError(f"`same: true` compares hosts, and only {', '.join(hosts) or 'none'} has {kind} {name}")
        values: dict[str, object] = {}
        hint = places.remedy(kind, name, _VOLUME_HINT if kind == "volume" else _HINT, _EXTERNAL_HINT)

        def judge(place: Place, known_as: str, report: object) -> Finding:
            try:
                values[place.host] = value = at(report, steps(probe.path))
            except NoSuchPath as error:
                found = "there is no such variable" if _ENVIRONMENT in steps(probe.path) else str(error)
                return _found(place, kind, known_as, probe, report, hint, holds=False, found=found)
            if probe.value is None:
                return _found(place, kind, known_as, probe, value, hint, holds=True, found=show(_visible(value, probe)))
            compared = match(probe.value, value, lambda value: _visible(value, probe))
            return _found(place, kind, known_as, probe, value, hint, holds=compared.holds, found=compared.found)

        def at_host(place: Place) -> Finding:
            known_as = image_on(places, place, name) if kind == "image" else name
            return judge(place, known_as, report_of(kind, known_as, place, places))

        def at_any_manager(_: Place) -> Finding:
            manager, report = places.ask_manager(lambda host: report_of(kind, name, Place(host), places))
            return judge(Place(manager), name, report)

        if self.asks(probe, places.play) == "manager":
            findings = ask_each([Place(places.manager)], summary(probe, name), at_any_manager)
        else:
            findings = ask_each([Place(host) for host in hosts], summary(probe, name), at_host)
        if probe.same and all(item.outcome is Outcome.PASS for item in findings):
            findings.append(_same(kind, name, probe, values))
        return findings

    def manual(self, probe: InspectProbe, where: Where) -> Iterator[Line]:
        """The command on every host that is asked.

        With `same`, the first one's answer is what the others must give.
        """
        kind, name = subject(probe)
        hosts = asked_hosts(probe, where.lab, where.play)
        if self.asks(probe, where.play) == "manager":
            hosts = [where.manager]
        known_as = where.images[name] if kind == "image" else name
        wanted = summary(probe, name)
        first = ""
        for host in hosts:
            if probe.value is not None:
                command, proof = matched(kind, known_as, steps(probe.path), probe.value)
                yield Line(host, command, wanted, proof)
            if probe.same:
                command = typed(kind, known_as, template(steps(probe.path), as_json=True))
                if not first:
                    first = where.looked_up(host, f"{probe.path} of {name} on {host}", command)
                    yield from where.taken()
                else:
                    known = with_variables(first)
                    seen = f"[ {known} ] && [ {known} != null ]"  # of nothing, all hosts report the same
                    yield Line(host, command, wanted, f'{seen} && [ "$({command})" = {known} ]')


KIND = Inspect()


def subject(probe: InspectProbe) -> tuple[str, str]:
    """The kind and name of what is inspected.

    The engine and the list of its volumes have no name.
    """
    kind = probe.given(*probe.objects)[0]
    return kind, str(getattr(probe, kind)) if has_name(kind) else ""


def asked_hosts(probe: InspectProbe, lab: Lab, play: Play) -> list[str]:
    """Which hosts are asked.

    Those of `on:`, or every host that should have the object.
    """
    inventory = lab.inventory
    if probe.on:
        unknown = set(probe.on) - set(inventory.hosts) - set(GROUPS)
        if unknown:
            raise UsageError(f"{', '.join(sorted(unknown))}: not a host or role of the inventory")
        return lab.expand(probe.on)
    if probe.volume in play.volumes:
        return lab.expand(play.volumes[probe.volume].hosts)
    if probe.container and (host := play.host_of(probe.container)):
        return [host]
    if probe.volume in play.external.volumes:
        return lab.expand(play.external.volumes[probe.volume].hosts)
    if probe.network in play.external.networks and play.external.networks[probe.network].hosts:
        return lab.expand(play.external.networks[probe.network].hosts)
    if probe.network in play.networks and play.networks[probe.network].driver != "overlay":
        return lab.expand(play.networks[probe.network].hosts)
    if of_the_swarm(probe, play):
        return inventory.with_role("swarm_manager")
    if probe.network in play.networks:
        users = _users(probe.network, play)
        return [host for host in inventory.docker_hosts if host in users]
    return inventory.docker_hosts


def of_the_swarm(probe: InspectProbe, play: Play) -> bool:
    """Whether any manager reports the same of the object.

    An engine knows an attachable overlay network only while a container there uses it; a manager always does.
    """
    if probe.network in play.external.networks:
        return not play.external.networks[probe.network].hosts
    network = play.networks.get(probe.network or "")
    if network is not None:
        return network.driver == "overlay" and not _users(str(probe.network), play)
    return bool(probe.service or probe.tasks or probe.node)


def _users(network: str, play: Play) -> set[str]:
    """The hosts of the play's containers on a network."""
    return {one.host for one in play.containers.values() if network in one.networks}


def summary(probe: InspectProbe, name: str) -> str:
    path = ".".join(steps(probe.path))
    parts = [describe(probe.value)] if probe.value is not None else []
    parts += ["is the same on every host"] if probe.same else []
    return f"{path} {', '.join(parts)}"


def _found(
    place: Place, kind: str, name: str, probe: InspectProbe, shown: object, hint: str, *, holds: bool, found: str
) -> Finding:
    return finding(
        place,
        shell_command(kind, name),
        holds=holds,
        wanted=summary(probe, name),
        found=found,
        output=clean(json.dumps(_visible(shown, probe), indent=2, ensure_ascii=False, default=str))[:_OUTPUT],
        hint=hint,
    )


def _visible(value: object, probe: InspectProbe) -> object:
    """A value without those of an environment that the path leads into.

    `clean` finds an environment in a report.
    """
    if _ENVIRONMENT not in steps(probe.path):
        return value
    if isinstance(value, list):
        return [_visible(item, probe) for item in value]
    name, is_set, _ = str(value).partition("=")
    return name + (f"={REDACTED}" if is_set else "")


def _same(kind: str, name: str, probe: InspectProbe, values: dict[str, object]) -> Finding:
    distinct = {json.dumps(value, sort_keys=True) for value in values.values()}
    nothing = probe.value is None and all(value == "" or is_nothing(value) for value in values.values())
    shown = "; ".join(f"{host}: {show(_visible(value, probe))}" for host, value in sorted(values.items()))
    return finding(
        ", ".join(sorted(values)),
        shell_command(kind, name),
        holds=len(distinct) == 1 and not nothing,
        wanted=summary(probe, name),
        found=f"{shown}: it exists nowhere, so nothing is shared" if nothing else shown,
        hint="hosts that report different things do not share the object: are they in the same Swarm?",
    )


def _hosts_in_files(files: Files, file: PlayFile, probe: InspectProbe) -> Sequence[str]:
    """The hosts that are inspected, as far as files show."""
    if probe.on:
        return files.expand(probe.on)
    if probe.container:
        return [""]
    external = file.play.external
    volume = file.play.volumes.get(probe.volume or "") or external.volumes.get(probe.volume or "")
    network = file.play.networks.get(probe.network or "")
    if probe.network in external.networks:
        return files.expand(external.networks[probe.network].hosts) or [""]
    if volume is not None:
        return files.expand(volume.hosts)
    if network is not None and network.driver != "overlay":
        return files.expand(network.hosts)
    return files.inventory.docker_hosts
