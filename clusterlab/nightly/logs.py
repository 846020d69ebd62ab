"""Logs of a nightly run.

Of every machine from outside, of every host, and of every container of the lab.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from clusterlab.collecting import Collected, collecting
from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines import Machines
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_LAB

_LINES = 5000
_SECONDS = 60.0
_JOURNAL = """\
if command -v journalctl >/dev/null; then journalctl --no-pager -n {lines} --since "@{since}"
else for log in /var/log/*.log; do [ -f "$log" ] && echo "==> $log" && tail -n {lines} "$log"; done; fi
"""


def collect_logs(
    lab: Lab, machines: Machines, hosts: Hosts | None, since: datetime, target: Path, progress: Progress
) -> Collected:
    """Write all logs into `target`.

    What is missing of one host hides no other, and is raised at the end.
    """
    with collecting(target) as collected:
        _collect(lab, machines, hosts, since, collected.folder, progress)
    return collected


def _collect(
    lab: Lab, machines: Machines, hosts: Hosts | None, since: datetime, folder: Path, progress: Progress
) -> None:
    failed: list[ClusterlabError] = []
    try:
        machines.collect(folder / "machines", progress)
    except ClusterlabError as error:
        failed.append(error)
    except OSError as error:
        failed.append(ClusterlabError(f"logs cannot be written: {error.filename}: {error.strerror}"))
    if hosts is not None:
        answers = hosts.each(lab.inventory.hosts, lambda host: _of_host(lab, host, since, folder))
        failed += [answer for answer in answers.values() if isinstance(answer, ClusterlabError)]
    if failed:
        raise Several(failed)


def _of_host(lab: Lab, host: Host, since: datetime, folder: Path) -> None:
    script = _JOURNAL.format(lines=_LINES, since=int(since.timestamp()))
    journal = host.run(script, timeout=_SECONDS)
    _write(folder / "hosts" / f"{host.name}.log", journal.output.encode())
    if "docker" in lab.inventory.hosts[host.name].roles:
        for name, text in _of_containers(lab, host):
            _write(folder / "containers" / host.name / f"{quote(name, safe='')}.log", text)


def _of_containers(lab: Lab, host: Host) -> list[tuple[str, bytes]]:
    with engine_errors(host, "read the containers' logs"):
        client = host.docker
        listed = client.containers(all=True, filters={"label": f"{LABEL_LAB}={lab.name}"})
        return [
            (item["Names"][0].lstrip("/"), client.logs(item["Id"], tail=_LINES, timestamps=True))
            for item in listed
            if item.get("Names")
        ]


def _write(path: Path, text: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise ClusterlabError(f"cannot write {path}: {error.strerror}") from error
