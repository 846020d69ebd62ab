"""Running commands at places, and asking engines there."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Semaphore
from typing import Any, Protocol, TypeVar

import docker
import docker.errors

from clusterlab.errors import DeadlineExceeded, HostError, UsageError
from clusterlab.model import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Host, Hosts
from clusterlab.remote.completed import Completed
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.managers import first_answer

from .place import MissingTool, NoAnswer, Place, WrongAnswer

T = TypeVar("T")
_EXECS_AT_ONCE = 3  # per host: each holds a channel to the engine, and asks through another


def turns_for(lab: Lab, known: Known | None = None) -> dict[str, Semaphore]:
    """A bound for each host on commands that run at the same time.

    So no command waits in vain for one of the few channels of its connection.

    A host with one processor gets fewer at a time: the limits of commands are those of commands that run, not wait.
    """
    processors = {name: known.processors(name) if known else 0 for name in lab.inventory.hosts}
    return {name: Semaphore(min(_EXECS_AT_ONCE, 2 * (found or _EXECS_AT_ONCE))) for name, found in processors.items()}


class Known(Protocol):
    """What is known of the hosts already."""

    def silent(self, host: str) -> str:
        """Why the engine of a host would not answer in time.

        "" when nothing is known to be in the way.
        """

    def processors(self, host: str) -> int:
        """How many a host has; 0 when that is not known."""

    def managers(self) -> list[str]:
        """The managers of the Swarm that were found at work, the leader first."""


@contextmanager
def unanswered(command: str) -> Iterator[None]:
    """Turn the error of a host or engine into that of a probe.

    `command` is what was run.
    """
    try:
        yield
    except (HostError, DeadlineExceeded) as error:
        raise NoAnswer(error.message, command=command, detail=error.detail, remedy=error.remedy) from error


class Asking:
    """A play on the hosts of a lab. Safe to use from several threads."""

    def __init__(
        self,
        lab: Lab,
        play: Play,
        hosts: Hosts,
        interrupted: threading.Event | None = None,
        turns: Mapping[str, Semaphore] | None = None,
        known: Known | None = None,
    ) -> None:
        """`turns` bounds how many commands run in the containers of each host.

        Plays share it.

        `known` says which engines would not answer in time, so that they are not asked, and which managers do.
        """
        self.lab = lab
        self.play = play
        self.hosts = hosts
        self.interrupted = interrupted or threading.Event()  # set when the person has stopped the checks
        self._turns = turns or turns_for(lab)
        self._known = known
        self._tools: dict[Place, frozenset[str]] = {}
        self._lock = threading.Lock()

    @property
    def play_name(self) -> str:
        return next((name for name, play in self.lab.plays.items() if play is self.play), "")

    def container(self, name: str) -> Place:
        """The place of a container of the play."""
        host = self.play.host_of(name)
        if host is None:
            raise UsageError(f"{name}: the play has no such container")
        return Place(host, name)

    def remedy(
        self,
        kind: str,
        name: str,
        own: str = "`clusterlab apply` creates it",
        external: str = "create it, or correct its name under external",
    ) -> str:
        """What to do about an object that is not as it should be.

        One of the two, depending on who created it.
        """
        section = "services" if kind == "tasks" else f"{kind}s"
        return external if (section, name) in self.play.external.names() else own

    def run(self, place: Place, argv: Sequence[str], *, timeout: float = 60.0, user: str = "") -> Completed:
        """Run a command there, whatever its exit code.

        Raises WrongAnswer when the container is missing or does not run, NoAnswer when it could not be asked.
        """
        host = self.hosts[place.host]
        with unanswered(place.typed(argv)):
            if not place.container:
                completed = host.run(["runuser", "-u", user, "--", *argv] if user else list(argv), timeout=timeout)
                if user and not completed.ok:
                    _require_user(host, place, user)
                return completed
            self._require_answers(place.host)
            with self._turns[place.host]:
                try:
                    completed = host.exec(place.container, list(argv), user=user, timeout=timeout)
                except HostError:
                    self.inspect(place)  # says so when the container is missing or does not run
                    raise
                if user and not completed.ok:
                    self._require_user_inside(place, user)
                return completed

    def inspect(self, place: Place) -> dict[str, Any]:
        """What the engine reports of a running container.

        Raises WrongAnswer when it is missing or does not run.
        """
        with self.engine(place.host) as client:
            try:
                report: dict[str, Any] = client.inspect_container(place.container)
            except docker.errors.NotFound as error:
                raise WrongAnswer(
                    f"there is no container {place.container} on {place.host}",
                    command=f"docker inspect {place.container}",
                    remedy=self.remedy("container", place.container),
                ) from error
        state = report["State"]
        if not state["Running"] or state.get("Paused") or state.get("Restarting"):
            starts = (
                f"docker start {place.container}"
                if place.container in self.play.external.containers
                else "clusterlab apply"
            )
            raise WrongAnswer(
                f"container {place.container} on {place.host} is not running: {_state(state)}",
                command=f"docker inspect {place.container}",
                remedy=f"container {place.container} is not running: {_state(state)}; `{starts}` starts it",
            )
        return report

    def _require_user_inside(self, place: Place, user: str) -> None:
        """Distinguish a failed command from a user who cannot be used; raises NoAnswer.

        The engine looks names up in the container's own files and takes any number. What it says of an unknown name
        does not reach whoever runs a command through its API: there is exit code 126 and nothing else.
        """
        name, _, group = user.partition(":")
        for file, what, word in (("/etc/passwd", "user", name), ("/etc/group", "group", group)):
            if word and not word.isdigit() and word not in self._names_in(place, file):
                raise NoAnswer(
                    f"{place} has no {what} {word}",
                    command=place.typed(["cat", file]),
                    remedy=f"name a {what} that exists in its image",
                )

    def _names_in(self, place: Place, file: str) -> frozenset[str]:
        """The first column of a file of a container, read through the engine.

        The image needs no tool for it.
        """
        with self.engine(place.host) as client:
            try:
                chunks, _ = client.get_archive(place.container, file)
                content = io.BytesIO(b"".join(chunks))
            except docker.errors.NotFound:
                return frozenset()
        with tarfile.open(fileobj=content) as archive:
            member = archive.extractfile(archive.next() or file)
            lines = member.read().decode(errors="replace").splitlines() if member else []
        return frozenset(line.partition(":")[0] for line in lines)

    @contextmanager
    def engine(self, host: str) -> Iterator[docker.APIClient]:
        """The engine's API on a host; what goes wrong with it becomes a HostError."""
        self._require_answers(host)
        with engine_errors(self.hosts[host], "use the Docker engine"):
            yield self.hosts[host].docker

    def _require_answers(self, host: str) -> None:
        """Raise HostError when the engine of a host is known not to answer in time."""
        if self._known and (why := self._known.silent(host)):
            raise HostError(host, why, remedy=f"clusterlab ssh {host}")

    @property
    def managers(self) -> list[str]:
        """The hosts that can be asked about the Swarm.

        Those known to be at work first, and of these the leader.
        """
        managers = self.lab.inventory.with_role("swarm_manager")
        if not managers:
            raise UsageError("no host of the inventory is a swarm_manager")
        return list(dict.fromkeys([*(self._known.managers() if self._known else ()), *managers]))

    @property
    def manager(self) -> str:
        """The first of `managers`, as the place of findings about the Swarm.

        See `ask_manager` for asking.
        """
        return self.managers[0]

    def ask_manager(self, ask: Callable[[str], T]) -> tuple[str, T]:
        """The first of `managers` that answers, and what `ask` returns of it."""

        def known(host: str) -> T:
            self._require_answers(host)
            return ask(host)

        return first_answer(self.managers, known)

    def of_swarm(self, ask: Callable[[docker.APIClient], T]) -> T:
        """What `ask` returns of the engine of the first of `managers` that answers."""

        def at(host: str) -> T:
            with self.engine(host) as engine:
                return ask(engine)

        return self.ask_manager(at)[1]


def _require_user(host: Host, place: Place, user: str) -> None:
    """Distinguish the failure of a command from that of becoming its user.

    Raises NoAnswer or MissingTool.
    """
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
