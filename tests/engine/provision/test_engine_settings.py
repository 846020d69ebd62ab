"""daemon.json on a real host: merged, validated, restored where the engine does not start, and given back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
FILE = "/etc/docker/daemon.json"


def test_keys_of_daemon_json_are_set_and_given_back(fresh: Fresh) -> None:
    bench = fresh(1)
    bench.provisioned()
    bench.run("host1", f"mkdir -p /etc/docker; echo '{{\"max-concurrent-downloads\": 2}}' > {FILE}")
    labelled = with_inventory(bench, engine={"labels": ["disk=ssd"], "max-concurrent-downloads": 4})
    [change] = labelled.plan()
    assert [str(one) for one in change.differences] == [
        "labels: wanted ['disk=ssd'], found None",
        "max-concurrent-downloads: wanted 4, found 2",
    ]
    labelled.provisioned()
    assert bench.hosts["host1"].docker.info()["Labels"] == ["disk=ssd"]
    assert labelled.plan() == []

    unknown = with_inventory(bench, engine={"labels": ["disk=ssd"], "no-such-key": True})
    report = unknown.provision()
    [failed] = report.failed
    assert "dockerd refuses the options of the inventory" in failed.error.message
    assert "no-such-key" in failed.error.message
    # It is valid, and no engine starts with it.
    broken = with_inventory(bench, engine={"labels": ["disk=ssd"], "bridge": "absent0"})
    report = broken.provision()
    [failed] = report.failed
    assert "it runs with those from before again" in failed.error.message
    assert bench.hosts["host1"].docker.info()["Labels"] == ["disk=ssd"]
    now = json.loads(bench.run("host1", f"cat {FILE}"))
    assert now == {"labels": ["disk=ssd"], "max-concurrent-downloads": 4}

    assert brief(bench.plan()) == {"restore host1: engine settings daemon.json"}
    bench.provisioned()
    assert json.loads(bench.run("host1", f"cat {FILE}")) == {"max-concurrent-downloads": 2}
    assert bench.plan() == []
