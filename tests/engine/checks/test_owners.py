"""A probe that another container than its target may have answered fails, and names both."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.checks import run_checks
from clusterlab.progress import Silent
from clusterlab.results import Outcome, Result
from tests.support.check_cases import Rig, load_case, told

pytestmark = pytest.mark.engine

BETA = {"container": "beta", "network": "mesh"}
CHECKS: dict[str, dict[str, object]] = {
    "ping by name": {"ping": {"in": "alpha", "to": "beta", "count": 1}},
    "ping by alias": {"ping": {"in": "alpha", "to": "second", "count": 1}},
    "ping by address": {"ping": {"in": "alpha", "to": BETA, "count": 1}},
    "long ping": {"ping": {"in": "alpha", "to": "beta", "count": 1, "size": 1400}},
    "port": {"port": {"in": "alpha", "to": "beta", "port": 80}},
    "page": {"http": {"in": "alpha", "url": "http://beta/"}},
    "mesh by ping": {"mesh": {"in": "alpha", "to": ["beta"], "by": "ping", "network": "mesh"}},
    "mesh by tcp": {"mesh": {"in": "alpha", "to": ["beta"], "by": "tcp", "port": 80, "network": "mesh"}},
    "name": {"dns": {"in": "alpha", "name": "beta"}},
    "name and address": {"dns": {"in": "alpha", "name": "beta", "is": BETA}},
}
PLAY = {
    "title": "Two containers with one address",
    "networks": {"mesh": {"driver": "overlay", "attachable": True}},
    "containers": {
        "alpha": {"host": "host1", "image": "web", "networks": ["mesh"]},
        "beta": {"host": "host2", "image": "web", "networks": {"mesh": {"aliases": ["second"]}}},
    },
    "checks": [{"title": title, **check} for title, check in CHECKS.items()],
}
KNOWN = (
    "n=0; until docker exec alpha nslookup {} | grep -qwF {}; do sleep 0.1; n=$((n+1)); [ $n -lt 300 ] || exit 1; done"
)
"""Until the host of alpha has heard of a name: another host may run what is called so."""
ADD = "nsenter --net=/proc/$(docker inspect --format '{{{{.State.Pid}}}}' alpha)/ns/net ip address {} {}/32 dev lo"


def ask(rig: Rig, tmp_path: Path, *, doubled: bool) -> list[Result]:
    """With `doubled`, alpha has the address of beta too, as after a start that failed in the middle."""
    lab = load_case({"play": PLAY}, rig.inventory, tmp_path)
    with rig.made(lab):
        if doubled:
            report = rig.hosts["host2"].docker.inspect_container("beta")
            address = report["NetworkSettings"]["Networks"]["mesh"]["IPAddress"]
            rig.hosts["host1"].run(ADD.format("add", address), check=True)
        return run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())


def test_an_address_that_the_asking_container_has_too(rig: Rig, tmp_path: Path) -> None:
    results = ask(rig, tmp_path, doubled=True)
    assert {one.outcome for one in results} == {Outcome.FAIL}, "\n".join(map(told, results))
    for one in results:
        owners = "alpha and beta" if one.kind == "mesh" else "alpha on host1 and beta on host2"
        assert f"belongs to {owners}" in one.evidence[-1].found
        assert "`clusterlab apply` creates it again" in one.hint
        assert not any(link.seen for item in one.evidence for link in item.links)


def test_addresses_of_their_own(rig: Rig, tmp_path: Path) -> None:
    results = ask(rig, tmp_path, doubled=False)
    assert {one.outcome for one in results} <= {Outcome.PASS, Outcome.FLAKY}, "\n".join(map(told, results))


def test_an_address_of_a_host_that_the_asking_host_has_too(rig: Rig, tmp_path: Path) -> None:
    probes: dict[str, dict[str, object]] = {
        "ping": {"ping": {"on": "host1", "to": "host2", "count": 1}},
        "port": {"port": {"on": "host1", "to": "host2", "port": 22}},
        "mesh": {"mesh": {"on": "host1", "to": ["host2"], "by": "ping"}},
        "ping of itself": {"ping": {"on": "host1", "to": "host1", "count": 1}},
    }
    play = {"title": "Two hosts", "checks": [{"title": title, **check} for title, check in probes.items()]}
    lab = load_case({"play": play}, rig.inventory, tmp_path)
    address = lab.inventory.hosts["host2"].address

    def outcomes() -> dict[str, Result]:
        found = run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
        return {one.check: one for one in found}

    assert {one.outcome for one in outcomes().values()} == {Outcome.PASS}
    rig.hosts["host1"].run(f"ip address add {address}/32 dev lo", check=True)
    try:
        results = outcomes()
    finally:
        rig.hosts["host1"].run(f"ip address del {address}/32 dev lo", check=True)
    assert results["ping of itself"].outcome is Outcome.PASS
    for title in ("ping", "port", "mesh"):
        assert results[title].outcome is Outcome.FAIL
        assert f"{address} belongs to host1 and host2" in results[title].evidence[-1].found


def test_the_address_of_a_service_that_the_asking_container_has_too(rig: Rig, tmp_path: Path) -> None:
    """And one that is written as it is, which no file gives to anybody."""
    service = {"service": "gamma", "network": "mesh"}
    probes: dict[str, dict[str, object]] = {
        "ping by name": {"ping": {"in": "alpha", "to": "gamma", "count": 1}},
        "port": {"port": {"in": "alpha", "to": service, "port": 80}},
        "page": {"http": {"in": "alpha", "url": "http://gamma/"}},
        "name": {"dns": {"in": "alpha", "name": "gamma"}},
        "refused": {"port": {"in": "alpha", "to": service, "port": 81, "open": False, "control": {"port": 80}}},
        "written": {"ping": {"in": "alpha", "to": "10.99.99.9", "count": 1}},
        "itself": {"ping": {"in": "alpha", "to": "127.0.0.1", "count": 1}},
    }
    play = {
        **PLAY,
        "containers": {"alpha": {"host": "host1", "image": "web", "networks": ["mesh"]}},
        "services": {"gamma": {"image": "web", "networks": ["mesh"]}},
        "checks": [{"title": title, **check} for title, check in probes.items()],
    }
    lab = load_case({"play": play}, rig.inventory, tmp_path)
    with rig.made(lab):
        report = rig.hosts["host1"].docker.inspect_service("gamma")  # type: ignore[no-untyped-call]
        network = rig.hosts["host1"].docker.inspect_network("mesh")["Id"]
        [virtual] = [one["Addr"] for one in report["Endpoint"]["VirtualIPs"] if one["NetworkID"] == network]
        address = virtual.partition("/")[0]
        rig.hosts["host1"].run(KNOWN.format("gamma", address), check=True)
        for one in (address, "10.99.99.9"):
            rig.hosts["host1"].run(ADD.format("add", one), check=True)
        results = {one.check: one for one in run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())}
    assert results.pop("itself").outcome is Outcome.PASS
    assert "10.99.99.9 belongs to alpha on host1 itself" in results.pop("written").evidence[-1].found
    for title, one in results.items():
        assert one.outcome is Outcome.FAIL, title
        found = [item.found for item in one.evidence]
        assert any(f"{address} of service gamma belongs to alpha on host1 itself" in item for item in found), found


def test_a_name_that_leads_to_another_container(rig: Rig, tmp_path: Path) -> None:
    """As when /etc/hosts says so: the name is beta's, the address and the page are alpha's."""
    lab = load_case({"play": PLAY}, rig.inventory, tmp_path)
    with rig.made(lab):
        report = rig.hosts["host1"].docker.inspect_container("alpha")
        address = report["NetworkSettings"]["Networks"]["mesh"]["IPAddress"]
        rig.hosts["host1"].run(f"docker exec alpha sh -c 'echo {address} beta >> /etc/hosts'", check=True)
        results = {one.check: one for one in run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())}
    for title in ("ping by name", "page"):
        assert results[title].outcome is Outcome.FAIL
        assert f"{address} belongs to alpha on host1, not to beta on host2" in results[title].evidence[-1].found
