"""The logs of hosts and of what runs on them, as one stream of lines in the order of their times.

Whoever follows asks again and again for what is new: that finds tasks that began meanwhile, survives a restarted engine
and a lost connection, and leaves no process on a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import docker.errors

from clusterlab.docker_labels import SERVICE, STACK, TASK
from clusterlab.errors import ClusterlabError
from clusterlab.log_lines import CONTEXT, MOST, Log, Stamped
from clusterlab.redaction import SECRETS, clean
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors

_SECONDS = 30.0
_JOURNAL = (
    "command -v journalctl >/dev/null || exit 0; journalctl --no-pager --quiet -o short-iso -n {most} --since @{since}"
)


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

    `names` are hosts, and containers, tasks, services and stacks that are wanted; without any, everything is. Of each
    log that exists the first time, at most `last` lines are read then, none older than `since`.
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
        """Hosts of which something could not be read the last time, with the reason."""

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
        lines: list[Line] = []
        self.problems = {}
        for name, answer in self._hosts.each({**self._journals, **self._containers}, self._of_host).items():
            found, wrong = ([], [answer]) if isinstance(answer, ClusterlabError) else answer
            lines += found
            if wrong:
                self.problems[name] = "; ".join(dict.fromkeys(error.message for error in wrong))
        return sorted(lines, key=lambda line: line.at)

    def _of_host(self, host: Host) -> tuple[list[Line], list[ClusterlabError]]:
        """What could be read there, and why the rest could not.

        Containers come first: their environments are secrets for the journal too.
        """
        lines: list[Line] = []
        problems = []
        for part in (self._containers.get(host.name), self._journals.get(host.name)):
            try:
                for line in part.new(host) if part else ():
                    lines.append(line)  # one by one, so that those before an error stay
            except ClusterlabError as error:
                problems.append(error)
        return lines, problems


class _Journal:
    """The journal of a host; its times are whole seconds."""

    def __init__(self, since: datetime, last: int) -> None:
        self._log = Log(since)
        self._last: int | None = last

    def new(self, host: Host) -> Iterator[Line]:
        most = max(self._last or 0, MOST) + CONTEXT
        script = _JOURNAL.format(most=most, since=int(self._log.since.timestamp()))
        printed = host.run(script, timeout=_SECONDS, check=True, spare=True).stdout
        lines = self._log.new(_journal_lines(printed, self._log.since), self._last)
        self._last = None
        yield from (Line(at, host.name, "journal", text) for at, text in lines)


def _journal_lines(printed: str, since: datetime) -> list[Stamped]:
    """Times and texts of `journalctl -o short-iso`; further lines of a message have the time of its first."""
    lines, at = [], since
    for line in printed.split("\n"):
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
        self._at_first: set[str] | None = None  # containers of the first time: of others, everything is shown
        self._learnt: set[str] = set()  # whose environments are known
        self._logs: dict[str, Log] = {}
        self._ended: set[str] = set()  # that were read after their end
        self.known: set[str] = set()

    def new(self, host: Host) -> Iterator[Line]:
        with engine_errors(host, "read the containers' logs"):
            items = host.docker.containers(all=True)
            if self._at_first is None:
                self._at_first = {item["Id"] for item in items}
            self.known.update(*map(_names, items))
            shown = [item for item in items if not self._wanted or self._wanted & _names(item)]
            refused = self._learn(host, shown)
            for item in shown:
                running = item["State"] in ("running", "restarting", "paused")
                if item["Id"] not in self._learnt or (item["Id"] in self._ended and not running):
                    continue
                try:
                    lines = self._of(host, item)
                except docker.errors.APIError as error:  # of this container: the others are read all the same
                    refused.append(error)
                    continue
                (self._ended.discard if running else self._ended.add)(item["Id"])
                yield from lines
            if refused:
                raise refused[0]

    def _learn(self, host: Host, items: Sequence[Mapping[str, Any]]) -> list[docker.errors.APIError]:
        """Keep the values of the containers' environments from being shown.

        No play or stack that is loaded need have them. Returns why containers could not be inspected.
        """
        values: list[tuple[str, object]] = []
        learnt, refused = set(), []
        for item in items:
            if item["Id"] in self._learnt:
                continue
            try:
                config = host.docker.inspect_container(item["Id"])["Config"]
            except docker.errors.NotFound:  # it was removed meanwhile
                continue
            except docker.errors.APIError as error:
                refused.append(error)
                continue
            values += [(name, value) for name, _, value in (one.partition("=") for one in config.get("Env") or ())]
            learnt.add(item["Id"])
        if learnt:
            SECRETS.learn(values, public=[host.name, *self.known])
        self._learnt |= learnt
        return refused

    def _of(self, host: Host, item: Mapping[str, Any]) -> list[Line]:
        name, log, last = _shown(item), self._logs.get(item["Id"]), None
        if log is None and item["Id"] in (self._at_first or ()):
            last = self._last
        reading = log or Log(self._since)
        tail: Any = (last or MOST) + CONTEXT
        try:
            printed = host.docker.logs(
                item["Id"], timestamps=True, since=int(reading.since.timestamp()), tail=tail
            ).decode(errors="replace")
        except docker.errors.NotFound:  # it was removed meanwhile
            return []
        except docker.errors.APIError as error:
            if error.status_code not in (400, 501):  # its log driver does not offer reading
                raise
            self._logs[item["Id"]] = reading
            return [] if log else [_unreadable(host, name, error)]
        self._logs[item["Id"]] = reading
        return [Line(at, host.name, name, text) for at, text in reading.new(_log_lines(printed, reading.since), last)]


def _log_lines(printed: str, since: datetime) -> list[Stamped]:
    """Times and texts of a container's log, whose lines end with a line feed and nothing else.

    One without a time has that of the line before.
    """
    lines, at = [], since
    for line in printed.removesuffix("\n").split("\n") if printed else ():
        stamp, _, rest = line.partition(" ")
        time = _time(stamp)
        at, text = (at, line) if time is None else (time, rest)
        lines.append((at, text))
    return lines


def _unreadable(host: Host, name: str, error: docker.errors.APIError) -> Line:
    return Line(datetime.now(UTC), host.name, name, f"(cannot be read: {clean(str(error.explanation))})")


def _names(item: Mapping[str, Any]) -> set[str]:
    """Everything by which a container can be named: its own name, and its task, service and stack."""
    labels = item.get("Labels") or {}
    own = {name.lstrip("/") for name in item.get("Names") or ()}
    return own | {_shown(item)} | {labels[key] for key in (SERVICE, STACK) if key in labels}


def _shown(item: Mapping[str, Any]) -> str:
    """What a container is called in a line: a task as SERVICE.NUMBER, without its id."""
    labels = item.get("Labels") or {}
    task = str(labels.get(TASK, ""))
    names = [name.lstrip("/") for name in item.get("Names") or ()]
    return task.rpartition(".")[0] or next(iter(names), str(item["Id"])[:12])


def _time(word: str) -> datetime | None:
    """A time of a log; None for what is none, or has no local time. Python reads microseconds only."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", word))
    except ValueError:
        return None
    if not 1970 <= at.year < datetime.max.year:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
