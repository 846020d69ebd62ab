"""What a drill does, and where.

Its probers and writers as loops on hosts, its faults with their hosts.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from clusterlab.docker_labels import SERVICE
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model import Lab
from clusterlab.model.drills import ANY, IT, OTHERS, Drill, Expectation, HttpTarget, Prober, Writer, with_host
from clusterlab.model.faults import FaultSpec
from clusterlab.model.short_syntax import parse_port

_CONNECT = 'exec 3<>"/dev/tcp/$0/$1"'


@dataclass(frozen=True)
class Loop:
    """A command that is run every `period` seconds on a host; `name` is unique there.

    With `resumes`, it is started again after its host was rebooted.
    """

    name: str
    command: Sequence[str]
    period: float
    resumes: bool = True


@dataclass(frozen=True)
class Stream:
    """What one host asks of one target, or writes, again and again."""

    subject: str  # the prober or writer
    source: str
    target: str
    label: str  # as timelines name it
    loop: Loop
    writes: bool = False
    pool: str = ""  # what is judged in its place: all streams of this pool together, as a client sees them


@dataclass(frozen=True)
class Judged:
    """An expectation and the streams that it is about.

    With `together`, a client that tries them all.
    """

    expectation: Expectation
    streams: tuple[Stream, ...]
    together: bool = False


@dataclass(frozen=True)
class DrillPlan:
    """One drill, for one host when it is carried out for each of several (`it`)."""

    play: str
    drill: Drill
    it: str
    streams: tuple[Stream, ...]
    faults: tuple[FaultSpec, ...]
    judged: tuple[Judged, ...]

    @property
    def title(self) -> str:
        return _title(self.drill.title, self.it)

    @property
    def lacks(self) -> str:
        """Why the inventory cannot have it; "" when it can."""
        return self.drill.lacks

    @property
    def seconds(self) -> float:
        """How long it takes at most."""
        return self.drill.steady + self.drill.lasts + self.drill.recovers

    def loops(self) -> Mapping[str, Sequence[Loop]]:
        """The loops of each host."""
        return {
            host: [one.loop for one in self.streams if one.source == host]
            for host in dict.fromkeys(one.source for one in self.streams)
        }


def chosen(lab: Lab, words: Sequence[str] = ()) -> dict[str, list[Drill]]:
    """The drills of PLAY or PLAY:TITLE, or all of the lab's plays.

    Raises UsageError for one that does not exist.
    """
    found = {name: list(play.drills) for name, play in lab.plays.items()}
    titles: dict[str, set[str]] = {}
    for word in words:
        play, _, title = word.partition(":")
        known = [drill.title for drill in found.get(play, [])]
        if title and title not in known:
            raise UsageError(f"{play} has no drill '{title}'", remedy=f"Its drills: {'; '.join(known) or 'none'}.")
        titles.setdefault(play, set()).update([title] if title else known)
    if words:
        found = {play: [one for one in found[play] if one.title in wanted] for play, wanted in titles.items()}
    if not any(found.values()):
        those = f"{', '.join(words)}: there is no drill in it" if words else "no play has a drill"
        having = ", ".join(name for name, play in lab.plays.items() if play.drills)
        remedy = f"Plays with drills: {having}." if having else "Name a play that has `drills:`, or write one."
        raise UsageError(those, remedy=remedy)
    return {play: drills for play, drills in found.items() if drills}


def all_plans(lab: Lab, words: Sequence[str] = ()) -> list[DrillPlan]:
    """The plans of the drills that words name; see `chosen`."""
    return [plan for play, drills in chosen(lab, words).items() for drill in drills for plan in plans(lab, play, drill)]


def titles(lab: Lab, play: str) -> list[str]:
    """What the results of a play's drills are called: one for each host of `each`."""
    turns = {drill.title: lab.expand(drill.each) for drill in lab.plays[play].drills}
    return [_title(title, it) for title, hosts in turns.items() for it in hosts or [""]]


def _title(title: str, it: str) -> str:
    return f"{title} ({it})" if it else title


def plans(lab: Lab, play: str, drill: Drill) -> list[DrillPlan]:
    """One plan, or one for each host of `each`."""
    if drill.lacks:
        return [DrillPlan(play, drill, "", (), (), ())]
    turns = lab.expand(drill.each) if drill.each else [""]
    return [_plan(lab, play, drill, it) for it in turns]


def _plan(lab: Lab, play: str, drill: Drill, it: str) -> DrillPlan:
    streams = [
        *(one for name, prober in drill.probers.items() for one in _probes(lab, play, name, prober)),
        *(one for name, writer in drill.writers.items() for one in _writes(lab, name, writer)),
    ]
    others = [host for host in lab.inventory.docker_hosts if host != it]
    faults = [with_host(spec, it, others) for spec in drill.faults]
    judged = [_judged(lab, it, one, [s for s in streams if s.subject == one.subject]) for one in drill.during]
    return DrillPlan(play, drill, it, tuple(streams), tuple(faults), tuple(judged))


def _judged(lab: Lab, it: str, expectation: Expectation, streams: Sequence[Stream]) -> Judged:
    at = _hosts(lab, it, [name for name in expectation.at if name != ANY], [one.target for one in streams])
    sources = _hosts(lab, it, expectation.from_, [one.source for one in streams])
    meant = tuple(one for one in streams if one.target in at and one.source in sources)
    if not meant:
        raise UsageError(f"'{expectation.subject}' has none of the hosts that the expectation is about")
    return Judged(expectation, meant, ANY in expectation.at)


def _hosts(lab: Lab, it: str, names: Sequence[str], known: Sequence[str]) -> list[str]:
    """The hosts that names mean; without any, all that are known."""
    if not names:
        return list(known)
    found = lab.expand(names)
    found += [it] if IT in names else []
    found += [host for host in known if host != it] if OTHERS in names else []
    return found


def _probes(lab: Lab, play: str, name: str, prober: Prober) -> Iterator[Stream]:
    for source in lab.expand(prober.from_):
        if prober.command is not None:
            command = ["timeout", "-s", "KILL", f"{prober.timeout:g}", *prober.command]
            stream = _stream(name, source, source, f"{name} on {source}", alone(command), prober)
            yield replace(stream, pool=f"{name} anywhere") if prober.anywhere else stream
            continue
        if prober.task is not None:
            command = ["sh", "-c", _runs_task(prober.task, prober.timeout)]
            yield replace(
                _stream(name, source, source, f"{name} on {source}", command, prober), pool=f"{name} anywhere"
            )
            continue
        port = _port(lab, play, prober)
        for target in lab.expand(prober.at):
            address = str(lab.inventory.hosts[target].address)
            if prober.http is not None:
                url = f"http://{address}:{port}{prober.http.path}"
                limit = f"{prober.timeout:g}"
                command = ["curl", "-sf", "-o", "/dev/null", "--noproxy", "*", "--max-time", limit, url]
            else:
                command = ["timeout", f"{prober.timeout:g}", "bash", "-c", _CONNECT, address, str(port)]
            stream = _stream(name, source, target, f"{source} -> {target}:{port}", alone(command), prober)
            yield replace(stream, pool=f"{source} -> any:{port}") if prober.anywhere else stream


def _runs_task(service: str, timeout: float) -> str:
    """The script that succeeds when a container of a service runs on the host.

    Healthy if it has a health check.
    """
    return running({"label": [f"{SERVICE}={service}"], "health": ["healthy", "none"]}, timeout)


def running(filters: Mapping[str, Sequence[str]], timeout: float) -> str:
    """The script that succeeds when a container selected by the filters runs."""
    text = json.dumps({**filters, "status": ["running"]})
    ask = ["curl", "-sf", "--max-time", f"{timeout:g}", "--unix-socket", "/var/run/docker.sock", "-G"]
    ask += ["--data-urlencode", f"filters={text}", "http://engine/containers/json"]
    return f"{shlex.join(ask)} | grep -q '\"Id\"'"


def alone(command: Sequence[str]) -> list[str]:
    """The command without the tick that every loop gives it."""
    return ["sh", "-c", f"exec {shlex.join(command)}"]


def _stream(name: str, source: str, target: str, label: str, command: Sequence[str], timed: Prober | Writer) -> Stream:
    return Stream(name, source, target, label, Loop(f"{name}-{target}", command, timed.every))


def _writes(lab: Lab, name: str, writer: Writer) -> Iterator[Stream]:
    """The loops of writers.

    Where their file is, only a host knows: `writing.prepared` adds it.
    """
    for source in lab.expand(writer.from_):
        command = ["sh", "append.sh", f"{name}-{source}"]
        stream = _stream(name, source, source, f"{name} on {source}", command, writer)
        yield replace(stream, loop=replace(stream.loop, resumes=False), writes=True)


def _port(lab: Lab, play: str, prober: Prober) -> int:
    if prober.tcp is not None:
        return prober.tcp.port
    assert prober.http is not None
    if prober.http.port is not None:
        return prober.http.port
    found = published_port(lab, play, prober.http)
    if not found:
        raise ClusterlabError(f"the service {prober.http.service} publishes no TCP port")
    return found


def published_port(lab: Lab, play: str, target: HttpTarget) -> int:
    """The first TCP port that a service publishes, in the play or in its stack.

    0 when there is none.
    """
    name = target.service or ""
    services = lab.plays[play].services
    if name in services:
        ports = [parse_port(text) for text in services[name].ports]
        return next((one.host_port for one in ports if one.host_port and one.protocol == "tcp"), 0)
    stack = lab.stacks[play].valid() if play in lab.stacks else None
    if stack is not None and name in stack.services:
        return next((one.published for one in stack.services[name].ports if one.published and one.protocol == "tcp"), 0)
    return 0
