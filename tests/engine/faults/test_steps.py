"""Faults as steps of checks, on real hosts.

They are in effect where they stand, and healed however the check ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import yaml

from clusterlab.faults.record import recorded
from clusterlab.model import Lab, load_lab
from clusterlab.pytest_plugin.bench import Bench
from clusterlab.pytest_plugin.fixtures import HostsByRole
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.results import Outcome, Result
from tests.support.fault_cases import REMAINS

pytestmark = pytest.mark.engine

INVENTORY = {
    "lab": f"steps-{os.getpid()}",
    "machines": "namespaces",
    "network": {"subnet": "10.78.0.0/24"},
    "hosts": {"gw": {"address": "10.78.0.1"}, "host1": {"address": "10.78.0.11"}, "host2": {"address": "10.78.0.12"}},
}
PLAY = """\
title: Faults as steps
checks:
  - title: a host that is cut off does not answer, and answers once it is healed
    steps:
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.12}
      - do: {isolate: {host: host2}}
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.12, exit: 1}
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.11}
      - do: heal
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.12}
  - title: what is not healed earlier is healed at the end
    steps:
      - do: {unplug: {host: host1}}
      - do: {no_route: {host: gw, to: host2}}
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.12, exit: 2}
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.11, exit: 1}
  - title: a statement is false while a host is cut off
    steps:
      - do: {isolate: {host: host2}}
      - command: {on: gw, run: ping -c 1 -W 1 10.78.0.12}
  - title: a fault without effect proves nothing
    steps:
      - do: {partition: {between: [gw, gw]}}
      - command: {on: gw, run: test -d /etc}
  - title: all hosts answer
    command: {on: gw, run: ping -c 1 -W 1 10.78.0.11 && ping -c 1 -W 1 10.78.0.12}
"""


@pytest.fixture(scope="module")
def clusterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("steps")
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))
    (folder / "steps.yml").write_text(PLAY)
    with temporary_lab(load_lab(folder / "inventory.yml", ["steps"], folder)) as bench:
        yield bench


@pytest.fixture(scope="module")
def results(clusterlab: Bench) -> dict[str, Result]:
    play = clusterlab.lab.plays["steps"]
    return {check.title: clusterlab.prove("steps", play, check) for check in play.checks}


@pytest.mark.parametrize(
    ("title", "outcome", "found"),
    [
        ("a host that is cut off", Outcome.PASS, "host2 dropped"),
        ("what is not healed", Outcome.PASS, "no carrier"),
        ("a statement is false", Outcome.FAIL, "gw dropped"),
        ("a fault without effect", Outcome.ERROR, "no two different hosts"),
        ("all hosts answer", Outcome.PASS, ""),
    ],
)
def test_outcome(results: dict[str, Result], title: str, outcome: Outcome, found: str) -> None:
    (result,) = [one for name, one in results.items() if name.startswith(title)]
    text = "\n".join(one.found for one in result.evidence)
    assert result.outcome is outcome, text
    assert found in text


@pytest.mark.usefixtures("results")
def test_nothing_is_left(lab: Lab, hosts: HostsByRole) -> None:
    assert recorded(lab.name) == []
    assert {host.run(REMAINS).stdout for host in hosts()} == {""}
