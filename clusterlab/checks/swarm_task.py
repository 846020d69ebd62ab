"""The running tasks of Swarm services, as the managers see them.

Where they are, and how their networks are reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import docker
import docker.errors

from clusterlab.docker_labels import SERVICE
from clusterlab.parallel import parallel, results_of
from clusterlab.remote.completed import Completed
from clusterlab.resources.swarm_tasks import running_tasks

from .place import NoAnswer, NotUnderstood, Place, WrongAnswer
from .places import Places


@dataclass(frozen=True)
class Task:
    """A running task. `addresses` are its own on each network, by the network's id."""

    service: str
    host: str
    name: str  # as the Swarm calls it, such as shop_web.1
    pid: int
    container: str  # its id
    addresses: Mapping[str, str] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.name} on {self.host}"


@dataclass(frozen=True)
class Service:
    """A service and its running tasks.

    `addresses` are its virtual ones, by the id of their network.
    """

    name: str
    report: Mapping[str, Any]  # as `docker service inspect` shows it
    tasks: Sequence[Task]
    addresses: Mapping[str, str]


def service_report(name: str, places: Places) -> Mapping[str, Any]:
    """What a manager reports of a service.

    Raises WrongAnswer when there is none of that name.
    """

    def ask(engine: docker.APIClient) -> Mapping[str, Any]:
        try:
            report: Mapping[str, Any] = engine.inspect_service(name)  # type: ignore[no-untyped-call]
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no service {name}",
                command=f"docker service inspect {name}",
                remedy=places.remedy("service", name),
            ) from error
        return report

    return places.of_swarm(ask)


def service_of(name: str, places: Places) -> Service:
    """A service with its running tasks.

    Raises WrongAnswer when there is no such service, or none of its tasks runs.
    """
    report = service_report(name, places)
    _, running = places.ask_manager(lambda host: running_tasks(places.hosts[host], name, places.lab.inventory))
    if not running:
        raise WrongAnswer(
            f"no task of {name} runs",
            command=f"docker service ps --no-trunc {name}",
            remedy=f"`docker service ps --no-trunc {name}` shows why",
        )
    tasks = list(results_of(parallel(lambda one: _task(name, one, places), running, name="tasks")))
    virtual = report.get("Endpoint", {}).get("VirtualIPs") or []
    addresses = {str(one["NetworkID"]): _bare(one["Addr"]) for one in virtual if one.get("Addr")}
    return Service(name, report, tasks, addresses)


def network_id(name: str, places: Places) -> str:
    """The id of a network of the Swarm.

    Raises WrongAnswer when there is none of that name.
    """

    def ask(engine: docker.APIClient) -> str:
        try:
            return str(engine.inspect_network(name)["Id"])
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no network {name}",
                command=f"docker network inspect {name}",
                remedy=places.remedy("network", name),
            ) from error

    return places.of_swarm(ask)


def run_for(tasks: Sequence[Task], script: str, places: Places, *more: str, timeout: float = 60.0) -> Completed:
    """Run a script on the host of some tasks, with their process ids as arguments.

    All tasks are on one host; the ids follow `more` in `$@`.

    The script prints "gone PID" for a process that has ended. Raises NoAnswer for that, or when the host is not in the
    inventory, and NotUnderstood when the script fails otherwise.
    """
    host = tasks[0].host
    if host not in places.lab.inventory.hosts:
        raise outside(tasks[0].name, host)
    argv = ["bash", "-c", script, "bash", *more, *(str(task.pid) for task in tasks)]
    completed = places.run(Place(host), argv, timeout=timeout)
    gone = [line.split(" ")[1] for line in completed.stdout.splitlines() if line.startswith("gone ")]
    if gone:
        names = ", ".join(task.name for task in tasks if str(task.pid) in gone)
        raise NoAnswer(f"{names} ended while it was probed", command=f"docker service ps {tasks[0].service}")
    if not completed.ok:
        raise NotUnderstood(
            f"the script for {tasks[0].service} failed with exit code {completed.exit}",
            command=Place(host).typed(argv),
            detail=completed.output,
        )
    return completed


_AGES = """
ticks=$(getconf CLK_TCK); read -r up _ < /proc/uptime
for pid; do
  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || { echo "gone $pid"; continue; }
  fields=(${stat##*) }); echo $((${up%.*} - ${fields[19]} / ticks))
done
"""


def youngest(tasks: Sequence[Task], places: Places) -> int:
    """For how many seconds the process of each task has run, of the one that has run least.

    The start of a process is the 22nd field of /proc/PID/stat, proc_pid_stat(5). One command for each host.
    """
    ages = parallel(lambda here: run_for(here, _AGES, places).stdout, list(by_host(tasks).values()), name="ages")
    return min(int(age) for printed in results_of(ages) for age in printed.split())


def outside(task: str, host: str) -> NoAnswer:
    """The error for a task on a node that is not in the inventory.

    Nothing can be probed there.
    """
    return NoAnswer(
        f"{task} runs on {host}, which is not in the inventory",
        command=f"docker node inspect {host}",
        remedy=f"add {host} to its hosts, with the address that `docker node inspect {host}` shows",
    )


def by_host(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Tasks by the host that they are on."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.host, []).append(task)
    return found


def pids_of(service: str) -> str:
    """Shell commands that print the process ids of a service's tasks on a host.

    They fail when Docker does.
    """
    listed = f"docker ps --quiet --filter label={SERVICE}={service}"
    return f"ids=$({listed}) && {{ [ -z \"$ids\" ] || docker inspect --format '{{{{.State.Pid}}}}' $ids; }}"


def _task(service: str, report: Mapping[str, Any], places: Places) -> Task:
    status = report["Status"].get("ContainerStatus") or {}
    slot = report.get("Slot") or report.get("NodeID", "")
    given = {
        str(one["Network"]["ID"]): _bare(next(iter(one.get("Addresses") or ()), ""))
        for one in report.get("NetworksAttachments") or []
        if (one["Network"].get("Spec") or {}).get("Name") != "ingress"
    }
    task = Task(
        service,
        str(report["Node"]),
        f"{service}.{slot}",
        int(status.get("PID") or 0),
        str(status.get("ContainerID") or ""),
        {network: address for network, address in given.items() if address},
    )
    if len(task.addresses) == len(given) or task.host not in places.lab.inventory.hosts:
        return task
    found = _addresses_on_node(task, places)
    return replace(task, addresses={**task.addresses, **{key: found[key] for key in given if found.get(key)}})


def _addresses_on_node(task: Task, places: Places) -> Mapping[str, str]:
    """The addresses of a task as its own engine has them, by the id of their network.

    The managers know none of macvlan and ipvlan networks, of which each node gives out its own. Raises NoAnswer.
    """
    with places.engine(task.host) as engine:
        try:
            attached = engine.inspect_container(task.container)["NetworkSettings"]["Networks"]
        except docker.errors.NotFound as error:
            command = f"docker service ps {task.service}"
            raise NoAnswer(f"{task} ended while it was probed", command=command) from error
    return {str(one["NetworkID"]): str(one["IPAddress"]) for one in attached.values()}


def _bare(address: object) -> str:
    """An address without the length of its prefix."""
    return str(address).partition("/")[0]
