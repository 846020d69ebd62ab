"""Where probes run: on a host, or in a container on a host."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Semaphore
from typing import Any, get_args
from urllib.parse import urlsplit

import docker
import docker.errors

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError, UsageError
from clusterlab.model import Lab
from clusterlab.model.checks import Address, Probe, PublishedPort, Target
from clusterlab.model.inventory import Role
from clusterlab.model.kinds import kinds
from clusterlab.model.playbook import Play
from clusterlab.remote import Host, Hosts
from clusterlab.remote.completed import Completed
from clusterlab.remote.engine_errors import engine_errors

_NO_USER = re.compile(r"unable to find user .*: no matching entries in passwd file")
_EXECS_AT_ONCE = 3  # per host: each holds a channel to the engine, and asks through another
# Not `command -v`: busybox's shell also names its own applets, which cannot be executed without a file of that name.
_WHICH = (
    'IFS=:; for tool in "$@"; do for dir in $PATH; do [ -x "$dir/$tool" ] && echo "$tool" && break; done; done; echo .'
)


@dataclass(frozen=True)
class Place:
    """A host, or a container on it."""

    host: str
    container: str = ""

    def __str__(self) -> str:
        return f"{self.container} on {self.host}" if self.container else self.host

    def typed(self, argv: Sequence[str]) -> str:
        """The command as a person would type it on the host."""
        if self.container:
            return shlex.join(["docker", "exec", self.container, *argv])
        return shlex.join(argv)


class ProbeError(ClusterlabError):
    """A probe got no answer that counts; `command` is what was asked, as a person would type it."""

    def __init__(self, message: str, *, command: str = "", detail: str = "", remedy: str = "") -> None:
        super().__init__(message, detail=detail, remedy=remedy)
        self.command = command


class NoAnswer(ProbeError):
    """The place could not be asked."""


class NotUnderstood(ProbeError):
    """A tool answered something that proves neither the one nor the other."""


class MissingTool(ProbeError):
    """A probe needs a tool that is not at its place, so nothing could be asked."""


class WrongAnswer(ProbeError):
    """The lab answered, and not as the play wants it: a container is missing, a write is refused. The check fails."""


def turns_for(lab: Lab) -> dict[str, Semaphore]:
    """A bound for each host, so that no command waits in vain for one of its connection's few channels."""
    return {name: Semaphore(_EXECS_AT_ONCE) for name in lab.inventory.hosts}


class Places:
    """The places of one play, and how to ask there. Safe to use from several threads."""

    def __init__(
        self,
        lab: Lab,
        play: Play,
        hosts: Hosts,
        interrupted: threading.Event | None = None,
        turns: Mapping[str, Semaphore] | None = None,
        silent: Callable[[str], str] | None = None,
    ) -> None:
        """`turns` bounds how many commands run in the containers of each host at the same time; plays share it.

        `silent` says why the engine of a host would not answer in time, if that is known: then it is not asked.
        """
        self.lab = lab
        self.play = play
        self.hosts = hosts
        self.interrupted = interrupted or threading.Event()  # set when the person has stopped the checks
        self._turns = turns or turns_for(lab)
        self._silent = silent or (lambda host: "")
        self._tools: dict[Place, frozenset[str]] = {}
        self._lock = threading.Lock()

    @property
    def play_name(self) -> str:
        return next((name for name, play in self.lab.plays.items() if play is self.play), "")

    def of(self, probe: Probe) -> list[Place]:
        """Every place of a probe, in order. Raises UsageError for a name that is no place, or when there is none."""
        hosts = self.lab.expand(probe.on)
        unknown = set(probe.on) - set(self.lab.inventory.hosts) - {"all", *get_args(Role)}
        if unknown:
            raise UsageError(f"{', '.join(sorted(unknown))}: no host and no role of the inventory")
        places = [Place(host) for host in hosts] + [self.container(name) for name in probe.in_]
        if not places:
            raise UsageError(
                f"the probe runs nowhere: on: {probe.on}, in: {probe.in_}", remedy="name a host, a role or a container"
            )
        return places

    def container(self, name: str) -> Place:
        """The place of a container of the play."""
        if name not in self.play.containers:
            raise UsageError(f"{name}: the play has no such container")
        return Place(self.play.containers[name].host, name)

    def run(self, place: Place, argv: Sequence[str], *, timeout: float = 60.0, user: str = "") -> Completed:
        """Run a command there, whatever its exit code.

        Raises WrongAnswer when the container is missing or does not run, NoAnswer when it could not be asked.
        """
        host = self.hosts[place.host]
        try:
            if not place.container:
                completed = host.run(["runuser", "-u", user, "--", *argv] if user else list(argv), timeout=timeout)
                if user and not completed.ok:
                    _require_user(host, place, user)
                return completed
            with self._turns[place.host]:
                self.inspect(place)
                completed = host.exec(place.container, list(argv), user=user, timeout=timeout)
                if user and not completed.ok and _NO_USER.search(completed.stderr):
                    raise NoAnswer(
                        f"{place} has no user {user}", command=place.typed(argv), detail=completed.stderr.strip()
                    )
                return completed
        except (HostError, DeadlineExceeded) as error:
            raise NoAnswer(
                error.message, command=place.typed(argv), detail=error.detail, remedy=error.remedy
            ) from error

    def inspect(self, place: Place) -> dict[str, Any]:
        """What the engine reports of a running container; raises WrongAnswer when it is missing or does not run."""
        with self.engine(place.host) as client:
            try:
                report: dict[str, Any] = client.inspect_container(place.container)
            except docker.errors.NotFound as error:
                raise WrongAnswer(
                    f"there is no container {place.container} on {place.host}",
                    command=f"docker inspect {place.container}",
                    remedy="`clusterlab apply` makes it",
                ) from error
        state = report["State"]
        if not state["Running"] or state.get("Paused") or state.get("Restarting"):
            raise WrongAnswer(
                f"container {place.container} on {place.host} is not running: {_state(state)}",
                command=f"docker inspect {place.container}",
                remedy=f"container {place.container} is not running: {_state(state)}; `clusterlab apply` starts it",
            )
        return report

    @contextmanager
    def engine(self, host: str) -> Iterator[docker.APIClient]:
        """The engine's API on a host; what goes wrong with it becomes a HostError."""
        if why := self._silent(host):
            raise HostError(host, why, remedy=f"clusterlab ssh {host}")
        with engine_errors(self.hosts[host], "use the Docker engine"):
            yield self.hosts[host].docker

    def tool(self, place: Place, *wanted: str) -> str:
        """The first of `wanted` that is there; all that probes may use are looked up at once, and remembered."""
        there = self._tools_of(place)
        for name in wanted:
            if name in there:
                return name
        image = self.play.containers[place.container].image if place.container else ""
        raise MissingTool(
            f"{place} has none of: {', '.join(wanted)}" if len(wanted) > 1 else f"{place} has no {wanted[0]}",
            remedy=f"use an image that has {' or '.join(wanted)} instead of {image}"
            if image
            else f"install {' or '.join(wanted)} on {place.host}",
        )

    def has(self, place: Place, tool: str) -> bool:
        """Whether a tool is there, for a probe that knows another way."""
        return tool in self._tools_of(place)

    def address(self, wanted: Address) -> str:
        """The address that a container or service has on a network now, whatever the network's driver."""
        if wanted.service is not None:
            return self._virtual_address(wanted.service, wanted.network)
        place = self.container(str(wanted.container))
        networks = self.inspect(place)["NetworkSettings"]["Networks"]
        if wanted.network not in networks:
            raise WrongAnswer(
                f"{place} is not on network {wanted.network}, but on {', '.join(sorted(networks)) or 'none'}",
                remedy="`clusterlab plan` shows how it differs from the play",
            )
        address = str(networks[wanted.network].get("IPAddress") or "")
        if not address:
            raise WrongAnswer(f"{place} has no address on network {wanted.network}")
        return address

    def _virtual_address(self, service: str, network: str) -> str:
        with self.engine(self.manager) as engine:
            try:
                report = engine.inspect_service(service)  # type: ignore[no-untyped-call]
                network_id = engine.inspect_network(network)["Id"]
            except docker.errors.NotFound as error:
                raise WrongAnswer(
                    f"there is no service {service} on a network {network}", remedy="`clusterlab apply` makes both"
                ) from error
        for one in report["Endpoint"].get("VirtualIPs") or []:
            if one["NetworkID"] == network_id and one.get("Addr"):
                return str(one["Addr"]).partition("/")[0]
        raise WrongAnswer(f"service {service} has no virtual address on network {network}")

    def port(self, wanted: int | PublishedPort) -> int:
        """A port as it stands, or the one of the host by which a container's port is published now."""
        if isinstance(wanted, int):
            return wanted
        place = self.container(wanted.container)
        published = self.inspect(place)["NetworkSettings"]["Ports"].get(f"{wanted.published}/tcp") or []
        if not published:
            raise WrongAnswer(
                f"port {wanted.published} of {place} is not published",
                command=f"docker port {wanted.container}",
                remedy="`clusterlab plan` shows how it differs from the play",
            )
        return int(published[0]["HostPort"])

    @property
    def manager(self) -> str:
        """The host that is asked about the Swarm."""
        managers = self.lab.inventory.with_role("swarm_manager")
        if not managers:
            raise UsageError("no host of the inventory is a swarm_manager")
        return managers[0]

    def target(self, place: Place, target: Target) -> str:
        """What to write for a target at a place: the LAN address of a host, an address that is looked up, or itself.

        A container's name goes before a host's inside containers, where Docker's DNS knows it.
        """
        if isinstance(target, Address):
            return self.address(target)
        if target in self.lab.inventory.hosts and not (place.container and target in self.play.containers):
            return str(self.lab.inventory.hosts[target].address)
        return target

    def url(self, place: Place, url: str) -> str:
        """A URL whose host is written as `target` would write it."""
        name = urlsplit(url).hostname or ""
        return with_host(url, self.target(place, name)) if name in self.lab.inventory.hosts else url

    def _tools_of(self, place: Place) -> frozenset[str]:
        with self._lock:
            there = self._tools.get(place)
        if there is None:
            there = self._look_up_tools(place)
            with self._lock:
                self._tools[place] = there
        return there

    def _look_up_tools(self, place: Place) -> frozenset[str]:
        wanted = {tool for kind in kinds().values() for tool in kind.tools}
        result = self.run(place, ["sh", "-c", _WHICH, "sh", *sorted(wanted)])
        lines = result.stdout.split()
        if not result.ok or lines[-1:] != ["."]:
            raise MissingTool(
                f"{place} could not be asked for its tools: {result.output or f'exit code {result.exit}'}",
                remedy="probes need an image with a shell (sh)",
                detail=result.output,
            )
        return frozenset(lines[:-1])


def with_host(url: str, host: str) -> str:
    """A URL with another host, and all else as it is."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port is not None else ""
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()


def _require_user(host: Host, place: Place, user: str) -> None:
    """Tell the failure of a command from that of becoming its user; raises NoAnswer or MissingTool."""
    script = 'command -v runuser >/dev/null || exit 2; id -u -- "$1" >/dev/null 2>&1'
    found = host.run(["sh", "-c", script, "sh", user], timeout=30.0)
    if found.exit == 2:
        raise MissingTool(f"{place} has no runuser", remedy=f"install util-linux on {place.host}")
    if not found.ok:
        raise NoAnswer(f"{place} has no user {user}", command=f"id {user}", remedy="name a user that exists there")


def _state(state: dict[str, Any]) -> str:
    """A container's state as `docker ps` words it: "exited (137)", with when."""
    status = str(state.get("Status", "not running"))
    if status == "exited":
        finished = str(state.get("FinishedAt", "")).partition(".")[0].replace("T", " ")
        return f"exited ({state.get('ExitCode')})" + (f" at {finished} UTC" if finished else "")
    return status
