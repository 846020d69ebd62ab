"""task_mount: what is really mounted on a path in each task of a service."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from clusterlab.model.base import Issue, Model, Strings
from clusterlab.model.kinds import Touched
from clusterlab.model.probes import absolute
from clusterlab.model.problems import Problem, suggest
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of

from ..finding import Finding, ask_each, finding
from ..inside import INSIDE
from ..inspected import report_of, shell_command
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..mounts import Mount, mount_of, parse
from ..place import NotUnderstood, Place
from ..places import Places
from ..service_pairs import from_tasks_of, printed_by
from ..swarm_task import Task, by_host, run_for, service_of

_HINT = (
    "an engine keeps the options with which a volume was created on its node, and ignores others silently: compare "
    "`docker volume inspect` there with the file; without a task that uses it, the volume can be removed and recreated"
)
_SECONDS = 10  # for a file server to answer
_SHARED = ("nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.glusterfs", "9p", "virtiofs", "ocfs2", "gfs2")
_SCRIPT = """
target=$1; shift
for pid; do
  echo "pid $pid"
  echo "path $(timeout SECONDS INSIDE "/proc/$pid/root" "$target" printf '%s\\n' 2>/dev/null)"
  if ! cat "/proc/$pid/mounts" 2>/dev/null; then echo "gone $pid"; continue; fi
  echo "inode $(timeout SECONDS INSIDE "/proc/$pid/root" "$target" sh -c 'exec stat -c %i "$1/."' sh 2>&1 || true)"
done
""".replace("SECONDS", str(_SECONDS)).replace("INSIDE", INSIDE)


class TaskMountProbe(Model):
    """What each task of a service has mounted on a path, as the kernel reports it."""

    service: str
    path: str
    type: Strings = Field(default_factory=list, description="one of these", examples=[["nfs", "nfs4"]])
    source: str | None = Field(default=None, examples=["192.168.98.1:/shares"])
    options: Strings = Field(default_factory=list, description="each must be among the options that the kernel reports")
    volume: str | None = Field(default=None, description="a volume that each host with a task must have")
    driver_opts: dict[str, str] = Field(
        default_factory=dict,
        description='options with which the volume was created on each of these hosts; "" for one that it lacks',
        examples=[{"type": "nfs", "device": ":/shares", "o": "addr=192.168.98.1,rw"}],
    )
    same: bool = Field(default=False, description="all tasks must see the same directory, on whatever node they are")

    def issues(self) -> Iterator[Issue]:
        yield from absolute(self.path)
        if self.driver_opts and self.volume is None:
            yield Issue(("driver_opts",), "these are the options of a volume", "Add volume: and its name.")


@dataclass(frozen=True)
class _Seen:
    """The mount on the path, and the directory's inode, or why it has none.

    The mount is None where the path is not a mount point.
    """

    mount: Mount | None
    inode: str

    @property
    def server(self) -> str:
        """From where the directory comes.

        For NFS, the kernel has the server's address among the options.
        """
        options = [one for one in self.mount.options if one.startswith("addr=")] if self.mount else []
        return " ".join([self.mount.source if self.mount else "", *options])


class TaskMount(CheckKind[TaskMountProbe]):
    name = "task_mount"
    model = TaskMountProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: TaskMountProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)
        volumes = [*file.play.volumes, *file.play.external.volumes]
        if probe.volume is not None and probe.volume not in volumes:
            message = f"this play has no volume '{probe.volume}'"
            yield file.problem((*path, "volume"), message, suggest(probe.volume, volumes, "Volumes"))

    def touches(self, probe: TaskMountProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def ask(self, probe: TaskMountProbe, places: Places) -> list[Finding]:
        """One finding for each task, with `volume` one for each host with a task, and with `same` one for all.

        One command on each host with a task.
        """
        tasks = service_of(probe.service, places).tasks
        hosts = by_host(tasks)
        seen: dict[Task, _Seen] = {}
        for found in results_of(parallel(lambda host: _look(probe, hosts[host], places), hosts, name="mounts")):
            seen |= found
        findings = [_finding(probe, task, seen[task]) for task in tasks]
        if probe.volume is not None:
            wanted = _wanted_options(probe)
            findings += ask_each([Place(host) for host in hosts], wanted, lambda place: _options(probe, place, places))
        return [*findings, _same(probe, seen)] if probe.same else findings

    def manual(self, probe: TaskMountProbe, where: Where) -> Iterator[Line]:
        path = posixpath.normpath(probe.path)
        last = shlex.quote(f'$2 == "{path}" {{ line = $0 }} END {{ print line }}')
        first = ""
        lines = []
        for host in where.lab.inventory.swarm_hosts:
            shown = f"awk {last} /proc/$pid/mounts"
            tests = [f"found=$({shown})", '[ -n "$found" ]']
            types = "|".join(probe.type)
            tests += [_has(f"^[^ ]+ [^ ]+ ({types}) ")] if types else []
            tests += [_has(f"^{_escaped(probe.source)} ")] if probe.source else []
            tests += [_has(rf" ([^ ]*,)?{_escaped(option)}(,[^ ]*)? [0-9]+ [0-9]+$") for option in probe.options]
            proof = from_tasks_of([probe.service], host, " && ".join(tests), where)
            lines.append(Line(host, from_tasks_of([probe.service], host, shown, where), _wanted(probe), proof))
            if probe.volume is not None:
                shown = f"docker volume inspect --format '{{{{json .Options}}}}' {shlex.quote(probe.volume)}"
                tests = [_option_test(probe.volume, *option) for option in probe.driver_opts.items()]
                proof = from_tasks_of([probe.service], host, " && ".join([f"{shown} > /dev/null", *tests]), where)
                typed = from_tasks_of([probe.service], host, shown, where)
                lines.append(Line(host, typed, _wanted_options(probe), proof))
            if not probe.same:
                continue
            inode = f"stat -c %i /proc/$pid/root{shlex.quote(path)}/."
            shown = printed_by(from_tasks_of([probe.service], host, inode, where), "sort -u")
            inode = f"{INSIDE} /proc/$pid/root {shlex.quote(path)} stat -c %i"
            inodes = printed_by(from_tasks_of([probe.service], host, inode, where), "sort -u")
            if first:
                proof = f'found=$({inodes}) && {{ [ -z "$found" ] || [ "$found" = "${first}" ]; }}'
                lines.append(Line(host, shown, "the same directory as on the first host", proof))
            else:
                first = where.looked_up(host, f"directory of {probe.service} on {host}", inodes).strip("@")
        yield from [*where.taken(), *lines]


KIND = TaskMount()


def _look(probe: TaskMountProbe, tasks: list[Task], places: Places) -> Mapping[Task, _Seen]:
    printed = run_for(tasks, _SCRIPT, places, probe.path, timeout=30.0 + _SECONDS * len(tasks)).stdout
    found: dict[Task, _Seen] = {}
    parts = re.split(r"^pid (\d+)$\n?", printed, flags=re.MULTILINE)[1:]
    for pid, part in zip(parts[::2], parts[1::2], strict=True):
        path, _, text = part.partition("\n")
        mounts, _, inode = text.rpartition("\ninode ")
        path = posixpath.normpath(path.removeprefix("path ").removeprefix(f"/proc/{pid}/root") or probe.path)
        try:
            mount = mount_of(path, parse(mounts))
        except ValueError as error:
            raise NotUnderstood(str(error), detail=text) from error
        own = mount if mount and mount.path == path else None
        found |= {task: _Seen(own, inode.strip()) for task in tasks if str(task.pid) == pid}
    return found


def _finding(probe: TaskMountProbe, task: Task, seen: _Seen) -> Finding:
    mount = seen.mount
    line = f"{mount.source} on {mount.path} type {mount.type} ({','.join(mount.options)})" if mount else ""
    problems = _problems(probe, mount) if mount else [f"nothing is mounted on {probe.path}"]
    if mount and not seen.inode.isdigit():
        problems.append(f"the directory cannot be opened: {seen.inode or f'no answer within {_SECONDS} s'}")
    return finding(
        str(task),
        f"cat /proc/{task.pid}/mounts",
        holds=not problems,
        wanted=_wanted(probe),
        found=": ".join(filter(None, [line, "; ".join(problems)])),
        output=line,
        hint=_HINT,
    )


def _problems(probe: TaskMountProbe, mount: Mount) -> list[str]:
    problems = []
    if probe.type and mount.type not in probe.type:
        problems.append(f"type is {mount.type}, not {' or '.join(probe.type)}")
    if probe.source is not None and mount.source != probe.source:
        problems.append(f"source is {mount.source}, not {probe.source}")
    return problems + [f"option {option} is missing" for option in probe.options if option not in mount.options]


def _options(probe: TaskMountProbe, place: Place, places: Places) -> Finding:
    """The options with which the engine of a host created the volume, however it was mounted."""
    name = str(probe.volume)
    reported = report_of("volume", name, place, places).get("Options") or {}
    found = {key: reported.get(key, "") for key in probe.driver_opts}  # others may have the password of a share
    differing = [
        f"{key} is {found[key] or 'not set'}, wanted {wanted or 'none'}"
        for key, wanted in probe.driver_opts.items()
        if found[key] != wanted
    ]
    return finding(
        place,
        shell_command("volume", name),
        holds=not differing,
        wanted=_wanted_options(probe),
        found="; ".join(differing) or f"volume {name} {_of_options(found)}",
        hint=_HINT,
    )


def _wanted_options(probe: TaskMountProbe) -> str:
    return f"volume {probe.volume} {_of_options(probe.driver_opts)}"


def _of_options(options: Mapping[str, str]) -> str:
    given = [f"{key} {value}" for key, value in options.items() if value]
    return f"with {', '.join(given)}" if given else "exists"


def _option_test(volume: str, key: str, wanted: str) -> str:
    shown = shlex.join(["docker", "volume", "inspect", "--format", f"{{{{index .Options {json.dumps(key)}}}}}", volume])
    return f'[ "$({shown})" = {shlex.quote(wanted)} ]'


def _same(probe: TaskMountProbe, seen: Mapping[Task, _Seen]) -> Finding:
    directories = {(one.server, one.inode) for one in seen.values()}
    hosts = sorted({task.host for task in seen})
    local = sorted({one.mount.type for one in seen.values() if one.mount and one.mount.type not in _SHARED})
    apart = f": {' and '.join(local)} is a file system of each node alone" if local and len(hosts) > 1 else ""
    each = "; ".join(
        f"{task}: inode {one.inode} of {one.server or 'the image'}"
        for task, one in sorted(seen.items(), key=lambda item: str(item[0]))
    )
    return finding(
        ", ".join(hosts),
        f"stat -c %i /proc/PID/root{probe.path}",
        holds=len(directories) == 1 and not apart and all(one.inode.isdigit() for one in seen.values()),
        wanted=f"all tasks see the same directory on {probe.path}",
        found=each + apart + (": the only task, with which no other can be compared" if len(seen) == 1 else ""),
        hint="another server, another export, or a directory of the node itself is mounted on one of them",
    )


def _wanted(probe: TaskMountProbe) -> str:
    parts = [f"a mount on {probe.path}"]
    parts += [f"of type {' or '.join(probe.type)}"] if probe.type else []
    parts += [f"source {probe.source}"] if probe.source else []
    parts += [f"with options {', '.join(probe.options)}"] if probe.options else []
    return ", ".join(parts)


def _escaped(text: str) -> str:
    return text.replace(".", r"\.").replace("[", r"\[").replace("]", r"\]")


def _has(pattern: str) -> str:
    return f"printf '%s\\n' \"$found\" | grep -qE {shlex.quote(pattern)}"
