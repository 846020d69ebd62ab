"""The statements of the connectivity test about exports, on folders that are shared and that are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.connectivity.names import IMAGE, PLAY, PORT, SHARED_AT, share, shared
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.connectivity.subject import Subject
from clusterlab.model.inventory import Inventory
from clusterlab.model.playbook import Play
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.results import Outcome
from tests.support.check_cases import told
from tests.support.swarm_bench import NODES, Bench

pytestmark = pytest.mark.engine


def on_exports(bench: Bench, names: tuple[str, ...], second: str) -> dict[str, Outcome]:
    """What becomes of statements about an export where the second of two containers is on a host of choice."""
    hosts: dict[str, dict[str, object]] = {
        name: {"address": str(host.address), "roles": ["docker" if name in NODES else "nfs_server"]}
        for name, host in bench.up.lab.inventory.hosts.items()
    }
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    inventory = Inventory.model_validate({"lab": "exports", "machines": "namespaces", "hosts": hosts, "nfs": exports})
    subject = Subject(inventory, ("host1", "host2"), PORT)
    waiting = {"image": IMAGE, "command": ["sleep", "infinity"], "volumes": [f"{share(0)}:{SHARED_AT}"]}
    play = {
        "title": "Two containers with a folder",
        "volumes": {share(0): {"hosts": ["host1", second]}},
        "containers": {
            shared(0, "host1"): {**waiting, "host": "host1", "environment": {"NODE": "host1"}},
            shared(0, "host2"): {**waiting, "host": second, "environment": {"NODE": "host2"}},
        },
        "checks": [one for name in names for one in PROPERTIES[name].of(subject)],
    }
    lab = with_test(bench.up.lab, Options(properties=["gossip"]))
    lab = replace(lab, plays={PLAY: Play.model_validate(play)})
    made = carry_out(apply(lab, bench.up.hosts, unsupported=bench.up.machines.unsupported()), Silent())
    assert made.ok, made.failed
    results = run_checks(lab, bench.up.hosts, ALL_CAPABILITIES, lambda result: None, Silent())
    print(*map(told, results), sep="\n")
    carry_out(clean(bench.up.lab.name, bench.up.hosts, delete_data=True), Silent())
    return {name: one.outcome for name, one in zip(names, results, strict=True)}


def test_statements_about_exports_pass_on_a_folder_that_is_shared_and_fail_on_two_of_the_same_name(
    bench: Bench,
) -> None:
    """What they ask is the same on any file system; NFS itself is asked on virtual machines."""
    names = ("shares", "renames", "locks", "listings", "permissions")
    assert on_exports(bench, names, "host1") == dict.fromkeys(names, Outcome.PASS)
    assert on_exports(bench, ("shares", "locks"), "host2") == {"shares": Outcome.FAIL, "locks": Outcome.FAIL}
