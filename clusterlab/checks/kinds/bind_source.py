"""bind_source: a directory of the nodes that tasks mount.

It exists, and is on the file system that it should be on.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from clusterlab.model.base import Issue, Model
from clusterlab.model.kinds import Touched
from clusterlab.model.probes import absolute
from clusterlab.model.problems import Problem, listed
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of

from ..finding import Finding, finding
from ..inside import INSIDE
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..place import NotUnderstood
from ..places import Places
from ..service_pairs import from_tasks_of
from ..swarm_task import Task, by_host, run_for, service_of

_SECONDS = 10
_SCRIPT = """
source=$1 target=$2; shift 2
echo "above $(timeout SECONDS findmnt -n -o TARGET --target "$source" 2>/dev/null | tail -n 1)"
echo "file $(timeout SECONDS stat -L -c %d:%i "$source" 2>/dev/null)"
awk '$1 !~ /^#/ && $2 ~ /^[/]./ { print "wanted " $2 }' /etc/fstab 2>/dev/null || true
for pid; do
  [ -e "/proc/$pid/root" ] || { echo "gone $pid"; continue; }
  echo "task $pid $(timeout SECONDS INSIDE "/proc/$pid/root" "$target" stat -c %d:%i 2>/dev/null)"
done
""".replace("SECONDS", str(_SECONDS)).replace("INSIDE", INSIDE)
_HINT = (
    "a task that started before the file system was mounted sees the empty directory under it: mount it "
    "(`mount SOURCE`), then replace the task: docker service update --force {}"
)


class BindSourceProbe(Model):
    """A path of the nodes that each task of a service mounts.

    It must exist on each node with a task, and the task must see it as it is there now. Where /etc/fstab has a mount
    for it, or another node has one, it must be mounted.
    """

    service: str
    source: str = Field(description="the path on the nodes")
    path: str = Field(description="the path in the tasks")

    def issues(self) -> Iterator[Issue]:
        yield from absolute(self.path)


@dataclass(frozen=True)
class _Node:
    """A node with tasks: mount above the source, the source, mounts of /etc/fstab.

    The last are those that /etc/fstab wants.
    """

    above: str
    file: str
    wanted: frozenset[str]
    tasks: Mapping[Task, str]

    def own_mount(self, source: str) -> str:
        """The mount that /etc/fstab has for the source or a directory above it.

        That of / does not count; "" for none.
        """
        holding = [one for one in self.wanted if source == one or source.startswith(f"{one}/")]
        return max(holding, key=len, default="")


class BindSource(CheckKind[BindSourceProbe]):
    name = "bind_source"
    model = BindSourceProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: BindSourceProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)

    def touches(self, probe: BindSourceProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def ask(self, probe: BindSourceProbe, places: Places) -> list[Finding]:
        """One finding for each node with a task: one command there."""
        hosts = by_host(service_of(probe.service, places).tasks)
        answers = results_of(parallel(lambda host: _look(probe, hosts[host], places), hosts, name="binds"))
        nodes = dict(zip(hosts, answers, strict=True))
        source = posixpath.normpath(probe.source)
        elsewhere = {host: node.above for host, node in nodes.items() if node.above not in ("", "/")}
        return [_finding(probe, source, host, node, elsewhere) for host, node in nodes.items()]

    def manual(self, probe: BindSourceProbe, where: Where) -> Iterator[Line]:
        source, path = shlex.quote(probe.source), shlex.quote(probe.path)
        lines = []
        for host in where.lab.inventory.swarm_hosts:
            shown = f"stat -L -c %d:%i {source}"
            same = f'file=$({shown}) && [ "$file" = "$({INSIDE} /proc/$pid/root {path} stat -c %d:%i)" ]'
            proof = from_tasks_of([probe.service], host, same, where)
            lines.append(Line(host, shown, f"the same file as {probe.path} in the tasks", proof))
            fstab = f"findmnt --fstab --noheadings --output TARGET --target {source}"
            mounted = (
                "command -v findmnt > /dev/null || exit 1\n"
                f'wanted=$({fstab} | tail -n 1); [ -z "$wanted" ] || mountpoint --quiet "$wanted"'
            )
            lines.append(Line(host, fstab, "nothing, or what is mounted", mounted))
        yield from [*where.taken(), *lines]


KIND = BindSource()


def _look(probe: BindSourceProbe, tasks: list[Task], places: Places) -> _Node:
    printed = run_for(tasks, _SCRIPT, places, probe.source, probe.path, timeout=30.0 + _SECONDS * len(tasks)).stdout
    lines = [line.partition(" ") for line in printed.splitlines()]
    values = {key: value.strip() for key, _, value in lines if key in ("above", "file")}
    if set(values) != {"above", "file"} or (values["file"] and not values["above"]):
        raise NotUnderstood(f"{tasks[0].host} does not report what is mounted above {probe.source}", detail=printed)
    inside = {value.partition(" ")[0]: value.partition(" ")[2] for key, _, value in lines if key == "task"}
    return _Node(
        values["above"],
        values["file"],
        frozenset(value for key, _, value in lines if key == "wanted"),
        {task: inside.get(str(task.pid), "") for task in tasks},
    )


def _finding(probe: BindSourceProbe, source: str, host: str, node: _Node, elsewhere: Mapping[str, str]) -> Finding:
    problems, mount = [], node.own_mount(source)
    others = sorted(other for other, above in elsewhere.items() if other != host)
    if not node.file:
        problems.append(f"{source} does not exist")
    elif mount and node.above != mount and not node.above.startswith(f"{mount}/"):
        problems.append(f"{source} is on {node.above}: {mount} of /etc/fstab is not mounted")
    elif node.above == "/" and others:
        problems.append(f"{source} is on /, and on a mount of its own on {listed(others)}")
    for task, file in node.tasks.items():
        if file != node.file:
            problems.append(f"{task.name} sees {'another directory' if file else 'nothing'} on {probe.path}")
    return finding(
        host,
        f"findmnt --target {shlex.quote(source)}",
        holds=not problems,
        wanted=f"{source} exists, is mounted where it should be, and is what tasks see on {probe.path}",
        found="; ".join(problems) or f"{source} is on the mount {node.above}, for {listed(t.name for t in node.tasks)}",
        hint=_HINT.format(probe.service),
    )
