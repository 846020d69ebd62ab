"""The logs of hosts and of what runs on them, as one stream of lines in the order of their times.

Whoever follows asks again and again for what is new: that finds tasks that began meanwhile, survives a restarted engine
and a lost connection, and leaves no process on a host.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError
from clusterlab.redaction import clean
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors

_SECONDS = 30.0
_MOST = 2000  # lines of a journal at once
_JOURNAL = (
    "command -v journalctl >/dev/null || exit 0; journalctl --no-pager --quiet -o short-iso -n {most} --since @{since}"
)
_SERVICE = "com.docker.swarm.service.name"
_STACK = "com.docker.stack.namespace"
_TASK = "com.docker.swarm.task.name"


@dataclass(frozen=True)
class Line:
    """One line of a log, without secrets and control characters."""

    at: datetime
    host: str
    source: str
    """`journal`, or a container or task."""
    text: str


class Follower:
    """Reads what is new on hosts since it last did.

    `names` are hosts, and containers, tasks, services and stacks that are wanted; without any, everything is. The first
    time, that is at most `last` lines of each log, none older than `since`.
    """

    def __init__(
        self, hosts: Hosts, docker_hosts: Iterable[str], names: Sequence[str], since: datetime, last: int
    ) -> None:
        self._hosts = hosts
        things = {name for name in names if name not in hosts}
        chosen = [name for name in hosts if name in names]
        docker = set(docker_hosts)
        self._journals = {name: _Journal(since, last) for name in (chosen if names else hosts)}
        self._containers = {
            name: _Containers(things if name not in chosen else set(), since, last)
            for name in hosts
            if name in docker and (things or not names or name in chosen)
        }
        self._things = things
        self.problems: dict[str, str] = {}
        """Hosts that could not be asked the last time, with the reason."""

    @property
    def known(self) -> list[str]:
        """What runs or ran on the hosts, by the names that can be followed."""
        return sorted({name for one in self._containers.values() for name in one.known})

    @property
    def unknown(self) -> list[str]:
        """Wanted names that nothing on the hosts has."""
        return sorted(self._things - set(self.known))

    def new(self) -> list[Line]:
        """The lines that came since the last time, in the order of their times."""
        answers = self._hosts.each({**self._journals, **self._containers}, self._of_host)
        self.problems = {name: one.message for name, one in answers.items() if isinstance(one, ClusterlabError)}
        found = [line for one in answers.values() if not isinstance(one, ClusterlabError) for line in one]
        return sorted(found, key=lambda line: line.at)

    def _of_host(self, host: Host) -> list[Line]:
        journal, containers = self._journals.get(host.name), self._containers.get(host.name)
        return [*(journal.new(host) if journal else ()), *(containers.new(host) if containers else ())]


class _Journal:
    """The journal of a host; its times are whole seconds, so the lines of the last one are read once more."""

    def __init__(self, since: datetime, last: int) -> None:
        self._since = since
        self._last = last
        self._seen: Counter[str] = Counter()
        self._begun = False

    def new(self, host: Host) -> list[Line]:
        script = _JOURNAL.format(most=_MOST, since=int(self._since.timestamp()))
        read = _journal_lines(host.run(script, timeout=_SECONDS, check=True, spare=True).stdout, self._since)
        seen, fresh = Counter(self._seen), []
        for at, text in read:
            if seen[text]:
                seen[text] -= 1
            else:
                fresh.append(Line(at, host.name, "journal", clean(text)))
        if read:
            self._since = max(at for at, _ in read)
            self._seen = Counter(text for at, text in read if at == self._since)
        first, self._begun = not self._begun, True
        return fresh[-self._last :] if first else fresh


def _journal_lines(printed: str, since: datetime) -> list[tuple[datetime, str]]:
    """Times and texts of `journalctl -o short-iso`; further lines of a message have the time of its first."""
    lines, at = [], since
    for line in printed.splitlines():
        word, _, rest = line.partition(" ")
        time = _time(word)
        if time is not None:
            at, line = time, rest.partition(" ")[2]  # without the host's name
        if line and not line.startswith("-- "):
            lines.append((at, line.strip()))
    return lines


class _Containers:
    """The logs of the containers of a host, those of tasks included."""

    def __init__(self, wanted: set[str], since: datetime, last: int) -> None:
        self._wanted = wanted
        self._since = since
        self._last = last
        self._newest: dict[str, str] = {}  # the time of the last line of each container, as the engine writes it
        self._ended: set[str] = set()  # that were read after their end
        self.known: set[str] = set()

    def new(self, host: Host) -> list[Line]:
        lines: list[Line] = []
        with engine_errors(host, "read the containers' logs"):
            for item in host.docker.containers(all=True):
                names = _names(item)
                self.known |= names
                if self._wanted and not self._wanted & names:
                    continue
                running = item["State"] in ("running", "restarting", "paused")
                if running or item["Id"] not in self._ended:
                    lines += self._of(host, item)
                (self._ended.discard if running else self._ended.add)(item["Id"])
        return lines

    def _of(self, host: Host, item: Mapping[str, Any]) -> list[Line]:
        name, newest = _shown(item), self._newest.get(item["Id"], "")
        since = _time(newest) or self._since
        tail: Any = _MOST if newest else self._last
        try:
            text = host.docker.logs(item["Id"], timestamps=True, since=int(since.timestamp()), tail=tail)
        except docker.errors.NotFound:  # it was removed meanwhile
            return []
        except docker.errors.APIError as error:
            if error.status_code not in (400, 501):  # its log driver does not offer reading
                raise
            self._ended.add(item["Id"])
            return [] if newest else [self._unreadable(host, item, error)]
        lines = []
        for stamp, _, rest in (line.partition(" ") for line in text.decode(errors="replace").splitlines()):
            at = _time(stamp)
            if at is not None and stamp > newest:
                self._newest[item["Id"]] = stamp
                lines.append(Line(at, host.name, name, clean(rest)))
        return lines

    def _unreadable(self, host: Host, item: Mapping[str, Any], error: docker.errors.APIError) -> Line:
        self._newest[item["Id"]] = datetime.now(UTC).isoformat()
        return Line(datetime.now(UTC), host.name, _shown(item), f"(cannot be read: {clean(str(error.explanation))})")


def _names(item: Mapping[str, Any]) -> set[str]:
    """Everything by which a container can be named: its own name, and its task, service and stack."""
    labels = item.get("Labels") or {}
    own = {name.lstrip("/") for name in item.get("Names") or ()}
    return own | {_shown(item)} | {labels[key] for key in (_SERVICE, _STACK) if key in labels}


def _shown(item: Mapping[str, Any]) -> str:
    """What a container is called in a line: a task as SERVICE.NUMBER, without its id."""
    labels = item.get("Labels") or {}
    task = str(labels.get(_TASK, ""))
    names = [name.lstrip("/") for name in item.get("Names") or ()]
    return task.rpartition(".")[0] or next(iter(names), str(item["Id"])[:12])


def _time(word: str) -> datetime | None:
    """A time of a log; None for what is none. Python reads microseconds only."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", word))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
