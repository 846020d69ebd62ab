"""task_file: a secret or config is in each task of a service.

With its owner, mode and content.
"""

from __future__ import annotations

import hashlib
import secrets
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from clusterlab.model.base import Issue, Model
from clusterlab.model.kinds import Touched
from clusterlab.model.probes import absolute
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of

from ..finding import Finding, finding
from ..inside import INSIDE
from ..kind import CheckKind
from ..manual.line import HERE, Line
from ..manual.where import Where
from ..place import ProbeError
from ..places import Places
from ..service_pairs import from_tasks_of
from ..swarm_task import Task, by_host, run_for, service_of

# The digest covers a number that is used once, so that what is printed reveals nothing about a short secret.
_SCRIPT = """
path=$1 once=$2; shift 2
for pid; do
  [ -e "/proc/$pid/root" ] || { echo "gone $pid"; continue; }
  file=$(INSIDE "/proc/$pid/root" "$path" printf '%s\\n')
  if [ ! -f "$file" ]; then echo "$pid missing"; continue; fi
  digest=$({ printf %s "$once"; cat "$file"; } | sha256sum)
  echo "$pid $(stat -c '%u %g %a' "$file") ${digest%% *}"
done
""".replace("INSIDE", INSIDE)
_HINT = (
    "a secret or config never changes: a task has what was there when it was created, so deploy again under a new name "
    "when the file has changed; `docker service inspect` shows which one it uses"
)


class TaskFileProbe(Model):
    """A regular file in each task of a service.

    Of its content nothing is shown but whether it is that of a file.
    """

    service: str
    path: str
    uid: int | None = None
    gid: int | None = None
    mode: str | None = Field(default=None, pattern=r"^0?[0-7]{3,4}$", description="octal digits", examples=["0444"])
    content: str | None = Field(default=None, description="a file on this computer with the same content")

    def issues(self) -> Iterator[Issue]:
        yield from absolute(self.path)


class TaskFile(CheckKind[TaskFileProbe]):
    name = "task_file"
    model = TaskFileProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: TaskFileProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)

    def touches(self, probe: TaskFileProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def ask(self, probe: TaskFileProbe, places: Places) -> list[Finding]:
        """One finding for each task: one command on each host with a task."""
        once = secrets.token_hex(16)
        digest = _digest(probe.content, once) if probe.content is not None else ""
        tasks = service_of(probe.service, places).tasks
        hosts = by_host(tasks)
        found: dict[Task, str] = {}
        for answer in results_of(parallel(lambda host: _look(probe, hosts[host], once, places), hosts, name="files")):
            found |= answer
        return [_finding(probe, task, found[task].split(), digest) for task in tasks]

    def manual(self, probe: TaskFileProbe, where: Where) -> Iterator[Line]:
        path = shlex.quote(probe.path)
        wanted = [str(value) for value in (probe.uid, probe.gid) if value is not None]
        wanted += [probe.mode.lstrip("0") or "0"] if probe.mode is not None else []
        fields = " ".join(
            sign for sign, value in (("%u", probe.uid), ("%g", probe.gid), ("%a", probe.mode)) if value is not None
        )
        content = ""
        if probe.content is not None:
            command = f"sha256sum < {shlex.quote(probe.content)}"
            content = where.looked_up(HERE, f"digest of {Path(probe.content).name}", command).strip("@")
        lines = []
        for host in where.lab.inventory.swarm_hosts:
            shown = f"ls -ln /proc/$pid/root{path}"
            proof = [f"file=$({INSIDE} /proc/$pid/root {path} printf '%s\\n')", '[ -f "$file" ]']
            if fields:
                proof.append(f'[ "$(stat -c "{fields}" "$file")" = "{" ".join(wanted)}" ]')
            if content:
                proof.append(f'[ "$(sha256sum < "$file")" = "${content}" ]')
            each = from_tasks_of([probe.service], host, " && ".join(proof), where)
            lines.append(Line(host, from_tasks_of([probe.service], host, shown, where), _wanted(probe), each))
        yield from [*where.taken(), *lines]


KIND = TaskFile()


def _digest(file: str, once: str) -> str:
    try:
        return hashlib.sha256(once.encode() + Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise ProbeError(f"{file} cannot be read: {error.strerror}") from error


def _look(probe: TaskFileProbe, tasks: list[Task], once: str, places: Places) -> Mapping[Task, str]:
    printed = run_for(tasks, _SCRIPT, places, probe.path, once).stdout
    lines = dict(line.split(" ", 1) for line in printed.splitlines())
    return {task: lines.get(str(task.pid), "missing") for task in tasks}


def _finding(probe: TaskFileProbe, task: Task, seen: list[str], digest: str) -> Finding:
    problems = []
    if len(seen) != 4:
        problems, shown = [f"there is no file {probe.path}"], ""
    else:
        uid, gid, mode, found = seen
        shown = f"owner {uid}:{gid}, mode {mode.zfill(4)}"
        problems += [f"its owner is {uid}"] if probe.uid is not None and str(probe.uid) != uid else []
        problems += [f"its group is {gid}"] if probe.gid is not None and str(probe.gid) != gid else []
        different = probe.mode is not None and int(probe.mode, 8) != int(mode, 8)
        problems += [f"its mode is {mode.zfill(4)}"] if different else []
        problems += [f"its content is not that of {probe.content}"] if digest and digest != found else []
    same = f", content of {probe.content}" if digest and not problems else ""
    return finding(
        str(task),
        f"ls -ln /proc/{task.pid}/root{probe.path}",
        holds=not problems,
        wanted=_wanted(probe),
        found="; ".join(problems) or shown + same,
        hint=_HINT,
    )


def _wanted(probe: TaskFileProbe) -> str:
    parts = [f"a file {probe.path}"]
    parts += [f"of user {probe.uid}"] if probe.uid is not None else []
    parts += [f"of group {probe.gid}"] if probe.gid is not None else []
    parts += [f"with mode {probe.mode}"] if probe.mode is not None else []
    parts += [f"with the content of {probe.content}"] if probe.content is not None else []
    return ", ".join(parts)
