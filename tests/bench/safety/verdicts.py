"""Scenarios in which a statement passes although nothing was seen, or its evidence says nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.bench.safety.managers import OVERLAY
from tests.bench.safety.scenario import CLUSTER, Scenario, Seen, add, scenario
from tests.bench.safety.stand import SLEEPS, Stand

GOOD = ("pass", "flaky")
DIES = ["sh", "-c", "test ! -e /started || exit 3; touch /started; sleep infinity"]


def _box(host: str = "host1", **more: Any) -> dict[str, Any]:
    return {"host": host, "image": "shell", "command": SLEEPS, **more}


BODY: dict[str, Any] = {
    "networks": {"yard": {"hosts": "host1"}, "alley": {}, "mesh": OVERLAY},
    "volumes": {"share": {"hosts": "host1"}},
    "containers": {
        "box": _box(networks=["yard"]),
        "loner": _box(),
        "reader": _box(volumes=["share:/data:ro"]),
        "alpha": _box(networks=["mesh"]),
        "beta": _box("host2", networks=["mesh"]),
        "dies": _box(command=DIES),
    },
    "services": {"quiet": {"image": "shell", "command": SLEEPS, "deploy": {"replicas": 0}}},
}
BREAK = (
    "address=$(docker exec alpha nslookup beta | sed -n 's/^Address.*: *\\([0-9.]*\\)$/\\1/p' | tail -n 1); "
    "nsenter --net=/proc/$(docker inspect --format '{{.State.Pid}}' alpha)/ns/net ip address add $address/32 dev lo"
)
"""Alpha has the address of beta too, as after a start that failed in the middle."""
STATEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "file-without-its-folder": (
        "`file exists: false` passes where the folder of the file does not exist",
        {"file": {"in": "box", "path": "/nosuch/file", "exists": False}},
    ),
    "dead-name-server": (
        "`dns resolves: false` passes where no name server answers",
        {"dns": {"in": "loner", "name": "box", "resolves": False, "control": {"in": "box"}}},
    ),
    "lacks-of-nothing": (
        "`lacks` passes on an empty list",
        {"inspect": {"network": "alley", "path": "Containers.*.Name", "on": "host2", "value": {"lacks": "other"}}},
    ),
    "same-of-nothing": (
        "`same: true` passes where nothing exists anywhere",
        {"inspect": {"network": "alley", "path": "Containers.*.Name", "same": True}},
    ),
    "tasks-of-a-dead-service": (
        '"no task on host2" passes for a service that has no task at all',
        {"inspect": {"tasks": "quiet", "path": "*.Node", "value": {"lacks": "host2"}}},
    ),
    "unknown-user": (
        '"this user may not read it: exit code 1" passes for a user who does not exist',
        {"command": {"on": "host1", "user": "nobody-here", "run": ["cat", "/etc/shadow"], "exit": 1}},
    ),
    "restart-that-dies": (
        "restarting a container that ends at once passes",
        {"steps": [{"command": {"on": "host1", "run": "test -d /etc"}}, {"do": {"restart": "dies"}}]},
    ),
    "two-with-one-address-ping": (
        "alpha reaches beta by `ping` passes when alpha has beta's address and asked itself",
        {"ping": {"in": "alpha", "to": "beta", "count": 1}},
    ),
    "two-with-one-address-dns": (
        "alpha finds beta at beta's address (`dns`) passes when alpha has that address too",
        {"dns": {"in": "alpha", "name": "beta", "is": {"container": "beta", "network": "mesh"}}},
    ),
}
READS_ONLY = "the shared folder can be written"


def _checked(stand: Stand) -> dict[str, dict[str, Any]]:
    """The results of all statements, from one run."""
    if "verdicts" not in stand.kept:
        checks = [{"title": name, **check} for name, (_, check) in STATEMENTS.items()]
        checks += [{"title": READS_ONLY, "command": {"in": "reader", "run": "echo x > /data/file"}}]
        stand.ada.play(*checks, **BODY)
        stand.ada.must("apply")
        stand.sh("host1", BREAK)
        stand.kept["verdicts"] = stand.ada.results()[1]
    found: dict[str, dict[str, Any]] = stand.kept["verdicts"]
    return found


def _found(result: dict[str, Any]) -> str:
    """What was found where it fails; all that was found when it passes."""
    evidence = [one for one in result["evidence"] if not one["holds"]][-1:] or result["evidence"]
    return "; ".join(str(one["found"]) for one in evidence) or str(result["hint"])


def _statement(name: str) -> Callable[[Stand], Seen]:
    def show(stand: Stand) -> Seen:
        result = _checked(stand)[name]
        return Seen(result["outcome"] in GOOD, f"{result['outcome']}: {_found(result)[:90]}")

    return show


for _name, (_must_not, _) in STATEMENTS.items():
    add(Scenario(_name, _must_not, CLUSTER, _statement(_name)))


@scenario(CLUSTER, 'evidence says "exit code 1" and hides what the command printed')
def evidence_hides_output(stand: Stand) -> Seen:
    found = _found(_checked(stand)[READS_ONLY])
    return Seen("Read-only file system" not in found, found[:90])


WORKS = {"title": "host1 works", "command": {"on": "host1", "run": "test -d /etc"}}


def _needing_nfs(title: str) -> dict[str, Any]:
    return {"title": title, "command": {"on": "host1", "run": "test -d /etc"}, "needs": ["nfs"]}


@scenario(CLUSTER, "on existing machines a run with unsupported statements ends with exit code 0")
def unsupported_succeeds(stand: Stand) -> Seen:
    stand.ada.play(WORKS, *(_needing_nfs(f"number {number}") for number in range(5)))
    ran, results = stand.ada.results()
    counts = Counter(result["outcome"] for result in results.values())
    return Seen(ran.code == 0, f"{counts['pass']} pass, {counts['unsupported']} unsupported: exit code {ran.code}")


@scenario(CLUSTER, "a run without a single pass ends with exit code 0")
def nothing_proven_succeeds(stand: Stand) -> Seen:
    stand.ada.play(_needing_nfs("number 1"))
    ran, _ = stand.ada.results()
    return Seen(ran.code == 0, f"1 unsupported: exit code {ran.code}")


@scenario(CLUSTER, "what one host lacks hides the statements about the others")
def capability_of_one_host(stand: Stand) -> Seen:
    tool = "/usr/local/bin/modprobe"
    stand.sh("host1", f"printf '#!/bin/sh\\nexit 0\\n' > {tool}; chmod 755 {tool}")  # as if its kernel had the module
    try:
        stand.ada.play(_needing_nfs("about host1 alone"))
        _, results = stand.ada.results()
    finally:
        stand.sh("host1", f"rm {tool}")
    outcome = results["about host1 alone"]["outcome"]
    return Seen(outcome not in GOOD, outcome)


@scenario(CLUSTER, "the name of a host changes other parts of a URL: http://p/ becomes htt192...")
def host_called_p(stand: Stand) -> Seen:
    stand.ada.play({"title": "a page", "http": {"on": "host1", "url": "http://p:9/"}})
    hosts = {("p" if name == "gw" else name): host for name, host in stand.ada.inventory["hosts"].items()}
    with stand.ada.having(hosts=hosts):
        _, results = stand.ada.results()
    command = str(results["a page"]["evidence"][-1]["command"])
    url = next((word for word in command.replace("'", " ").split() if ":9" in word), command)
    return Seen(not url.startswith("http://10."), url)


@scenario(CLUSTER, "a stopped engine is reported by every statement instead of once")
def cause_repeated(stand: Stand) -> Seen:
    ask = [
        {"title": f"number {number}", "command": {"in": "far", "run": f"test {number} -ge 0"}} for number in range(8)
    ]
    stand.ada.play(*ask, containers={"far": _box("host2")})
    stand.ada.must("apply")
    with stand.engine_stopped("host2"):
        began = time.monotonic()
        _, results = stand.ada.results()
        took = time.monotonic() - began
    counts = Counter(result["outcome"] for result in results.values())
    shown = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    return Seen(counts["fail"] + counts["error"] > 1, f"{shown}; {took:.0f} s")
