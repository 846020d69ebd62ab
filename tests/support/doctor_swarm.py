"""A Swarm of three managers on real engines, which cases take apart and put together again.

No token or key leaves the bodies of requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.examine import examine
from clusterlab.doctor.finding import Diagnosed
from clusterlab.doctor.gather import Asked, engines, scripts
from clusterlab.doctor.run import of_lab
from clusterlab.remote import Host
from clusterlab.resources import swarm_actions
from clusterlab.waiting import wait_until
from tests.support.doctor_cases import PROPERTIES, told
from tests.support.labs import EngineLab, lab_up, namespaces_lab

MANAGERS = ("host1", "host2", "host3")
_NODES = "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'"
_SECONDS = 60.0


@contextmanager
def three_managers(name: str, subnet: str) -> Iterator[EngineLab]:
    """The lab is up inside the block: gw, and three managers."""
    with lab_up(namespaces_lab(name, subnet, docker_hosts=3, managers=3)) as up:
        step(up, "host1", "init")
        for host in MANAGERS[1:]:
            step(up, host, "join as manager")
        wait_until(lambda: not unsettled(up), "a sound Swarm", _SECONDS, seen=lambda: unsettled(up))
        yield up


def steps(up: EngineLab, given: Sequence[Mapping[str, str]]) -> None:
    """Carry out the steps of a case, each of one host, in order."""
    for one in given:
        for host, what in one.items():
            step(up, host, what)


def step(up: EngineLab, name: str, what: str) -> None:
    """One step: a change of the Swarm, `run COMMAND`, or `until COMMAND` succeeds."""
    host, lab = up.hosts[name], up.lab
    address = str(lab.inventory.hosts[name].address)
    for other, one in lab.inventory.hosts.items():
        what = what.replace(f"<{other}>", str(one.address))
    match what.split(" ", 1):
        case ["init"]:
            swarm_actions.init(swarm_actions.Wanted(host, "manager", address), lab.name, lab.inventory.swarm)
        case ["join", "as manager"]:
            swarm_actions.join(swarm_actions.Wanted(host, "manager", address), lab.name, up.hosts["host1"])
        case ["join", "as worker"]:
            swarm_actions.join(swarm_actions.Wanted(host, "worker", address), lab.name, up.hosts["host1"])
        case ["leave"]:
            swarm_actions.leave(host)
        case ["autolock", word]:
            _autolock(host, word == "on")
        case ["unlock"]:
            host.docker.unlock_swarm(up.hosts["host1"].docker.get_unlock_key()["UnlockKey"])
        case ["run", command]:
            host.run(command, check=True, timeout=60)
        case ["until", command]:
            wait_until(lambda: host.run(command, timeout=30).ok, f"{name}: {command}", _SECONDS)
        case _:
            raise AssertionError(f"unknown step: {what}")


def _autolock(manager: Host, locks: bool) -> None:
    now = manager.docker.inspect_swarm()
    spec = {**now["Spec"], "EncryptionConfig": {"AutoLockManagers": locks}}
    manager.docker.update_swarm(now["Version"]["Index"], swarm_spec=spec)


def examined(up: EngineLab, names: Sequence[str] = ()) -> Diagnosed:
    """What doctor says of the lab, or of some of its hosts."""
    asked: dict[str, Asked] = {one.name: one for one in of_lab(up.lab).asked if not names or one.name in names}
    hosts = {name: up.hosts[name] for name in asked}
    return examine(Cluster(scripts(hosts, engines(hosts, asked))))


def unsettled(up: EngineLab) -> str:
    """What the Swarm lacks, or what doctor finds; "" when it is sound."""
    nodes = sorted(up.hosts["host1"].run(_NODES).stdout.splitlines())
    states = [line.rpartition(" ")[0] for line in nodes if line.endswith((" Reachable", " Leader"))]
    if len(nodes) != len(MANAGERS) or states != [f"{name} Ready" for name in MANAGERS]:
        return f"the nodes are {nodes}"
    diagnosed = examined(up)
    found = [told(one) for one in diagnosed.findings if one.code not in PROPERTIES]
    return "\n".join([*found, *(f"{one.key}: {one.reason}" for one in diagnosed.unknown)])
