"""The longest chain of checks: those that had to wait for one another, whatever ran beside them."""

from __future__ import annotations

from typing import Any

from clusterlab.checks.chain import longest_chain
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result

INVENTORY = Inventory.model_validate(
    {"lab": "demo", "hosts": {"host1": {"address": "192.168.98.11", "roles": ["docker"]}}}
)


def chain(seconds: dict[str, float], **checks: dict[str, Any]) -> list[str]:
    """The titles of the longest chain of one play's checks, given how long each took."""
    box = {"host": "host1", "image": "shell"}
    play = {
        "title": "chain",
        "containers": {"one": box, "two": box},
        "checks": [{"title": title, **check} for title, check in checks.items()],
    }
    lab = Lab(INVENTORY, {"play": Play.model_validate(play)})
    results = [Result("play", title, "steps", Outcome.PASS, seconds=seconds[title]) for title in checks]
    found = longest_chain(lab, Hosts({}), results)
    assert found.seconds == sum(seconds[result.check] for result in found.results)
    return [result.check for result in found.results]


def asks(container: str) -> dict[str, Any]:
    return {"command": {"in": container, "run": "id"}}


def stops(container: str) -> dict[str, Any]:
    return {"steps": [{"do": {"stop": container}}, {"do": {"start": container}}, asks(container)]}


def test_checks_that_wait_for_one_another_are_added_up() -> None:
    took = {"a": 2.0, "b": 3.0, "c": 4.0, "long": 8.0}
    assert chain(took, a=stops("one"), b=asks("one"), c=stops("one"), long=asks("two")) == ["a", "b", "c"]


def test_checks_that_run_side_by_side_are_not() -> None:
    took = {"a": 2.0, "b": 3.0, "long": 4.0}
    assert chain(took, a=stops("one"), b=asks("two"), long=asks("two")) == ["long"]


def test_of_several_ways_the_longest_counts() -> None:
    took = {"a": 9.0, "b": 1.0, "c": 1.0}
    assert chain(took, a=asks("one"), b=asks("one"), c=stops("one")) == ["a", "c"]
