"""A node is drained by the connectivity test with permission alone, and given back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.support.swarm_bench import NODES, Bench, failed, kill

pytestmark = pytest.mark.engine
STATE = (
    "docker node inspect --format '{{.Spec.Availability}} {{len .Spec.Labels}}' $(docker node ls -q) | sort | uniq -c"
)
SOUND = f"{len(NODES)} active 0"


@pytest.fixture(scope="module")
def allowed(bench: Bench) -> Iterator[str]:
    """An inventory with permission for actions, on a cluster whose host3 runs no task: before, no node is drained."""
    folder = bench.nightly_lab.folder
    inventory = yaml.safe_load((folder / "existing.yml").read_text()) | {"allow_actions": True}
    (folder / "allowed.yml").write_text(yaml.safe_dump(inventory))
    code, out, err = bench.nightly_lab.run("test-cluster", "-i", "allowed.yml", "--only", "drain")
    assert (code, "a worker without any task" in out + err) == (2, True), out + err
    bench.run("host1", "docker service update -q --constraint-add node.hostname!=host3 theirs")
    yield "allowed.yml"
    bench.run("host1", "docker service update -q --detach --constraint-rm node.hostname!=host3 theirs")


def test_a_node_is_drained_and_given_back_with_permission_and_without_it_nothing_is(bench: Bench, allowed: str) -> None:
    code, out, err = bench.nightly_lab.run("test-cluster", "-i", "existing.yml", "--only", "drain")
    assert code == 2, out + err
    assert "it takes `allow_actions: true` in the inventory, and a worker without any task" in out + err
    code, results, printed = bench.test("-i", allowed, "--only", "drain")
    assert (code, failed(results)) == (0, {}), printed
    assert [one["check"] for one in results["results"]] == ["the tasks of host3 move to other nodes when it is drained"]
    assert bench.run("host1", STATE) == SOUND


def test_a_node_that_a_killed_test_drained_is_given_back(bench: Bench, allowed: str) -> None:
    process = bench.nightly_lab.start("test-cluster", "-i", allowed, "--only", "drain")
    try:
        bench.run(
            "host1", f"n=0; until {STATE} | grep -q drain; do sleep 0.1; n=$((n+1)); [ $n -lt 900 ] || exit 1; done"
        )
    finally:
        kill(bench, process)
    code, out, err = bench.nightly_lab.run("clean", "-i", "existing.yml")
    assert code == 0, out + err
    assert bench.run("host1", STATE) == SOUND
