"""run: a temporary container that runs to its end, as with `docker run --rm`."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from clusterlab.errors import UsageError
from clusterlab.model.base import Duration, HostsAndRoles, Issue, Model, Strings
from clusterlab.model.compose_forms import Attachments, Environment
from clusterlab.model.compose_keys import CONTAINER_KEYS
from clusterlab.model.container_keys import (
    Command,
    command_faults,
    mount_faults,
    network_faults,
    port_faults,
    tmpfs_faults,
)
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.matcher import Matcher
from clusterlab.model.playbook import Container, Play
from clusterlab.model.problems import Problem
from clusterlab.model.short_syntax import parse_mount
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile, item
from clusterlab.model.validate.networks import container_on
from clusterlab.model.validate.places import image_there, named_docker_hosts
from clusterlab.model.validate.volumes import mounts_there, sources_there
from clusterlab.resources.container_body import WantedContainer, wanted_container
from clusterlab.resources.engine_calls import flags

from ..finding import Finding, ask_each, finding, said
from ..kind import CheckKind
from ..manual.line import Line, ends, variables
from ..manual.shell_matchers import as_wanted
from ..manual.where import Where
from ..matcher import describe, match
from ..place import Place
from ..places import Places
from ..running import Ended, removed, run_to_end
from ..spec import image_on, require_volumes, wanted
from ..volume_paths import mounted

_SPEC = ("command", "entrypoint", "environment", "user", "volumes", "volumes_from", "tmpfs", "ports", "networks",
         "network_mode")  # fmt: skip


class RunProbe(Model):
    """Run a container to its end.

    It is removed with its anonymous volumes, however it ends.

    Keys are those of a play's containers, with the same meaning.
    """

    compose_keys: ClassVar[Mapping[str, str]] = {**CONTAINER_KEYS, "host": "Write on.", "hosts": "Write on."}

    on: HostsAndRoles = Field(default_factory=list, description="Docker hosts: names, roles, or all")
    image: str = Field(description="a name among the inventory's images")
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Environment = Field(default_factory=dict, repr=False)
    user: str | int | None = None
    volumes: list[str] = Field(default_factory=list, description="NAME:/path[:ro] or /host/path:/path[:ro] or /path")
    volumes_from: list[str] = Field(default_factory=list, description="containers of this play, NAME[:ro]")
    tmpfs: Strings = Field(default_factory=list)
    ports: list[str | int] = Field(default_factory=list, description="[[address:]host-port:]port[/protocol]")
    networks: Attachments = Field(default_factory=dict)
    network_mode: Literal["bridge", "host", "none"] | None = None
    exit: int = Field(default=0, ge=0, le=255, description="the expected exit code")
    stdout: Matcher | None = None
    stderr: Matcher | None = None
    fails: Matcher | None = Field(default=None, description="it must not start: what the engine reports instead")
    timeout: Duration = Field(default=60.0, description="how long it may run")

    def issues(self) -> Iterator[Issue]:
        if not self.on:
            yield Issue((), "a probe must say where it runs", "Add on: (Docker hosts or a role).")
        yield from command_faults("command", self.command)
        yield from command_faults("entrypoint", self.entrypoint)
        yield from mount_faults(self.volumes)
        yield from tmpfs_faults(self.tmpfs)
        yield from port_faults("ports", self.ports)
        yield from network_faults(self.network_mode, self.networks, self.ports)
        if self.fails is not None:
            for key in self.given("exit", "stdout", "stderr"):
                yield Issue(
                    (key,), f"'{key}' has no effect on a container that does not start", "Remove it, or remove fails."
                )


class Run(CheckKind[RunProbe]):
    name = "run"
    model = RunProbe
    effort = 3.0

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: RunProbe) -> Iterator[Problem]:
        yield from named_docker_hosts(files, file, (*path, "on"), probe.on)
        yield from image_there(files, file, (*path, "image"), probe.image)
        hosts = files.expand(probe.on)
        yield from mounts_there(files, file, (*path, "volumes"), probe.volumes, hosts)
        yield from sources_there(file, (*path, "volumes_from"), probe.volumes_from, hosts)
        for index, network in enumerate(probe.networks):
            for host in hosts:
                yield from container_on(files, file, item(file.document, (*path, "networks"), index), network, host)

    def touches(self, probe: RunProbe) -> Touched:
        return Touched(
            containers=frozenset(text.partition(":")[0] for text in probe.volumes_from),
            volumes=frozenset(text.partition(":")[0] for text in probe.volumes),
            networks=frozenset(probe.networks),
            images=frozenset({probe.image}),
        )

    def hosts(self, probe: RunProbe, lab: Lab, play: Play) -> frozenset[str]:
        return frozenset(lab.expand(probe.on))

    def asks(self, probe: RunProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "engine"

    def opens(self, probe: RunProbe, play: Play) -> frozenset[str]:
        others = (text.partition(":")[0] for text in probe.volumes_from)
        taken = {volume for name in others if name in play.containers for volume, _ in mounted(play, name)}
        return frozenset(taken | ({parse_mount(text).source for text in probe.volumes} & set(play.volumes)))

    def ask(self, probe: RunProbe, places: Places) -> list[Finding]:
        """It must end with the exit code and output that are wanted.

        With `fails`, the engine must refuse it.
        """
        hosts = [Place(host) for host in places.lab.expand(probe.on)]
        if not hosts:
            raise UsageError(f"the container runs nowhere: on: {probe.on}", remedy="name a host or a role")
        return ask_each(hosts, summary(probe), lambda place: _compare(probe, place, places))

    def manual(self, probe: RunProbe, where: Where) -> Iterator[Line]:
        for host in where.lab.expand(probe.on):
            container = container_of(probe, host)
            spec = wanted_container(where.lab.name, where.play_name, "manual", container, where.images[probe.image])
            command = command_of(spec)
            if probe.fails is not None:
                found = f"found=$({command} 2>&1 > /dev/null)"
                proof = f"if {found}; then false; else {as_wanted(probe.fails)}; fi"
            else:
                proof = ends(command, (probe.exit,), probe.stdout, probe.stderr)
            taken = variables(probe.environment, f"run.environment of a check of the play {where.play_name}")
            yield Line(host, command, summary(probe), proof, environment=taken)


KIND = Run()


def summary(probe: RunProbe) -> str:
    if probe.fails is not None:
        return f"it does not start, and the engine says what {describe(probe.fails)}"
    parts = [f"exit code {probe.exit}"]
    parts += [f"output {describe(probe.stdout)}"] if probe.stdout else []
    parts += [f"error output {describe(probe.stderr)}"] if probe.stderr else []
    return ", ".join(parts)


def _compare(probe: RunProbe, place: Place, places: Places) -> Finding:
    image = image_on(places, place, probe.image)
    container = container_of(probe, place.host)
    require_volumes(places, place, probe.volumes)
    with removed(places, place, wanted(places, f"clusterlab-run-{uuid.uuid4().hex[:8]}", container, image)) as spec:
        ended = run_to_end(places, place, spec, probe.timeout)
    problems, found = _judge(probe, ended)
    return finding(
        place,
        command_of(spec),
        holds=not problems,
        wanted=summary(probe),
        found="; ".join([found, *problems]),
        output="\n".join(filter(None, (ended.refusal, ended.stdout.rstrip(), ended.stderr.rstrip()))),
    )


def container_of(probe: RunProbe, host: str) -> Container:
    """The container that is run, as a play describes one."""
    return Container.model_validate({"host": host, "image": probe.image, **{key: getattr(probe, key) for key in _SPEC}})


def _judge(probe: RunProbe, ended: Ended) -> tuple[list[str], str]:
    """What is wrong, and what was found."""
    if ended.refusal:
        if probe.fails is None:
            return ["it must run"], f"it did not start: {ended.refusal}"
        compared = match(probe.fails, ended.refusal)
        return ([] if compared.holds else ["the engine gives another reason"]), f"it did not start: {compared.found}"
    if ended.exit is None:
        return ["it must end"], f"it was still running after {probe.timeout:g} s"
    if probe.fails is not None:
        return ["it must not start"], f"it started, and ended with exit code {ended.exit}"
    problems = [] if ended.exit == probe.exit else [f"the exit code is not {probe.exit}"]
    found = [f"exit code {ended.exit}"]
    for name, spec, text in (("output", probe.stdout, ended.stdout), ("error output", probe.stderr, ended.stderr)):
        if spec is not None:
            compared = match(spec, text)
            problems += [] if compared.holds else [f"the {name} is not as expected"]
            found.append(f"{name} {compared.found}")
    if problems:
        unseen = [ended.stdout] * (probe.stdout is None) + [ended.stderr] * (probe.stderr is None)
        found += said("\n".join(unseen))
    return problems, ", ".join(found)


def command_of(spec: WantedContainer) -> str:
    """The command as a person types it.

    Without name and labels, removed at its end, and variables without values.
    """
    config, host = spec.config, spec.host_config
    words = ["docker", "run", "--rm"]
    words += ["--user", config["User"]] if "User" in config else []
    words += flags("--env", list(spec.environment))
    words += ["--entrypoint", config["Entrypoint"][0]] if "Entrypoint" in config else []
    words += flags("--volume", [*(host["Binds"] or []), *(config.get("Volumes") or {})])
    words += flags("--volumes-from", host["VolumesFrom"] or [])
    words += flags("--tmpfs", [f"{path}:{o}" if o else path for path, o in (host["Tmpfs"] or {}).items()])
    words += flags("--publish", spec.published)
    words += flags("--network", list(spec.networks) or [host["NetworkMode"]])
    return shlex.join([*words, spec.image, *spec.arguments])
