"""The files that writers write to.

Created on their volumes before, read from every host and removed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import docker.errors

from clusterlab.errors import HostError
from clusterlab.model.drills import Writer
from clusterlab.parallel import results_of
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors

from .history import Judgement, combined, judge
from .plan import Stream
from .record import Record

_READ_SECONDS = 60.0


def prepared(hosts: Hosts, writer: Writer, stream: Stream, id: str) -> Stream:
    """The stream with its file, which then exists.

    Raises HostError when nothing mounts the volume there.
    """
    path = _path(hosts[stream.source], writer.volume, stream.loop.name, id)
    made = hosts[stream.source].run(["sh", "-c", ': >"$1"', "sh", path], timeout=writer.timeout + 30)
    if not made.ok:
        raise HostError(stream.source, f"volume {writer.volume} cannot be written to", detail=made.output)
    command = [*stream.loop.command, path, f"{writer.timeout:g}"]
    return replace(stream, loop=replace(stream.loop, command=command))


def final(hosts: Hosts, writer: Writer, streams: Sequence[Stream], records: Mapping[str, Record], id: str) -> Judgement:
    """Read every writer's file from every host that writes, and judge the result.

    Each time with a fresh open.

    `records` are by the host that wrote. Raises ClusterlabError when a host cannot be asked: what it would read is
    then unknown.
    """
    sources = [stream.source for stream in streams]
    judgements = []
    for stream in streams:
        readings = hosts.each(sources, partial(_read, volume=writer.volume, name=stream.loop.name, id=id))
        texts = dict(zip(readings, results_of(readings.values()), strict=True))
        judgements.append(judge([records[stream.source]], texts))
    return combined(judgements)


def remove(hosts: Hosts, writer: Writer, streams: Sequence[Stream], id: str) -> None:
    """Remove the writers' files. Raises ClusterlabError for what remains."""

    def removed(host: Host) -> None:
        for stream in streams:
            path = _path(host, writer.volume, stream.loop.name, id)
            host.run(["rm", "-f", "--", path], timeout=_READ_SECONDS, check=True)

    results_of(hosts.each([stream.source for stream in streams], removed).values())


def _read(host: Host, volume: str, name: str, id: str) -> str:
    """The file's content there; nothing when it does not exist.

    Raises HostError when it cannot be read.
    """
    path = _path(host, volume, name, id)
    done = host.run(["sh", "-c", 'if [ -e "$1" ]; then cat -- "$1"; fi', "sh", path], timeout=_READ_SECONDS)
    if not done.ok:
        raise HostError(host.name, f"{path} cannot be read", detail=done.stderr)
    return done.stdout


def _path(host: Host, volume: str, name: str, id: str) -> str:
    """Where the host itself sees a writer's file.

    The engine mounts the volume there while a container uses it.
    """
    with engine_errors(host, f"inspect volume {volume}"):
        try:
            mountpoint = str(host.docker.inspect_volume(volume)["Mountpoint"])
        except docker.errors.NotFound:
            raise HostError(host.name, f"there is no volume {volume}", remedy="Run `clusterlab apply`.") from None
        users = host.docker.containers(filters={"volume": volume, "status": "running"})
    if not users:
        raise HostError(
            host.name,
            f"no running container mounts the volume {volume}",
            remedy="Writers write where a container of the play mounts their volume.",
        )
    return f"{mountpoint}/.clusterlab-{id}-{name}"
