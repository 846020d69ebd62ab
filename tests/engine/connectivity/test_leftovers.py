"""What an interrupted or killed connectivity test leaves: nothing that the next one, or `clean`, does not remove."""

from __future__ import annotations

import random
import signal
import time

import pytest
import yaml

from tests.support.swarm_bench import Bench, kill, wait_for

pytestmark = pytest.mark.engine
MOMENTS = {
    "a-container-runs": "docker ps --format '{{.Names}}' | grep -q clusterlab--",
    "it-removes": "! docker ps --format '{{.Names}}' | grep -q clusterlab--",
}
"""What is seen on host2 when the test is killed: the last, once a container of it was there."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_killed_test_left_is_removed_by_the_next_one(bench: Bench, moment: str) -> None:
    before = bench.objects()
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml", "--only", "ping", "--only", "virtual")
    try:
        if moment == "it-removes":
            wait_for(bench, MOMENTS["a-container-runs"])
        wait_for(bench, MOMENTS[moment])
    finally:
        kill(bench, process)
    assert bench.objects() != before
    code, _, printed = bench.test("-i", "existing.yml", "--only", "gossip")
    assert code == 0, printed
    assert bench.objects() == before


def test_what_a_killed_test_of_another_lab_left_is_named_and_not_touched(bench: Bench) -> None:
    before, folder = bench.objects(), bench.nightly_lab.folder
    inventory = yaml.safe_load((folder / "existing.yml").read_text())
    (folder / "second.yml").write_text(yaml.safe_dump(inventory | {"lab": "second"}))
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml", "--only", "ping")
    try:
        wait_for(bench, MOMENTS["a-container-runs"])
    finally:
        kill(bench, process)
    code, results, printed = bench.test("-i", "second.yml", "--only", "ping")
    assert (code, results["results"]) == (3, []), printed
    assert f"the test of the lab {inventory['lab']} left " in printed
    assert "container clusterlab--host2 on host2" in printed
    assert "nothing was created" in printed
    assert "`clusterlab clean -i INVENTORY` with the inventory of that lab removes it" in printed
    code, _, printed = bench.test("-i", "second.yml", "--only", "gossip")
    assert code == 0, printed
    assert f"by the test of the lab {inventory['lab']}: " in printed
    assert any("clusterlab--host2" in one for one in bench.objects()["host2"])
    code, out, err = bench.nightly_lab.run("clean", "-i", "existing.yml")
    assert code == 0, out + err
    assert bench.objects() == before


@pytest.mark.long
def test_nothing_is_left_after_twenty_kills_at_random_moments(bench: Bench) -> None:
    """After each the next test, or `clean`, removes what the one that was killed left; shown with `pytest -s`."""
    before, began = bench.objects(), time.monotonic()
    bench.test("-i", "existing.yml")
    longest, chance, left_by_kills = time.monotonic() - began, random.Random(20), 0
    for number in range(1, 21):
        moment = chance.uniform(0, longest)
        process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml")
        time.sleep(moment)
        kill(bench, process)
        left = bench.remaining(before)
        left_by_kills += bool(left)
        if number % 2:
            code, _, printed = bench.test("-i", "existing.yml", "--only", "gossip")
        else:
            code, *texts = bench.nightly_lab.run("clean", "-i", "existing.yml")
            printed = "".join(texts)
        then = bench.remaining(before)
        print(f"kill {number:2} after {moment:5.1f} of {longest:.1f} s left {len(left):2} objects; then {len(then)}")
        assert code == 0, printed
        assert then == [], printed
        assert bench.objects() == before
    assert left_by_kills > 5, "hardly any kill came while something stood on the cluster"


def test_an_interrupted_test_removes_what_it_created(bench: Bench) -> None:
    before = bench.objects()
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml")
    wait_for(bench, MOMENTS["a-container-runs"])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert bench.objects() == before
