"""What can be inspected is what the kinds of resources say that engines report of them."""

from __future__ import annotations

from typing import Any

import docker.errors
import pytest

from clusterlab.checks.inspected import has_name, report_of, reports, shell_command
from clusterlab.checks.kinds.inspect import InspectProbe
from clusterlab.checks.place import Place, WrongAnswer
from clusterlab.checks.places import Places
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts
from clusterlab.resources.kinds import RESOURCES


def test_every_word_of_inspect_is_of_one_kind() -> None:
    words = [report.kind for kind in RESOURCES.values() for report in kind.reports]
    assert sorted(words) == sorted({*InspectProbe.objects} - {"tasks"})  # tasks are those of a service, with their host


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("engine", "docker info"),
        ("volumes", "docker volume ls"),
        ("volume", "docker volume inspect data"),
        ("node", "docker node inspect data"),
    ],
)
def test_what_shows_a_person_the_same(kind: str, command: str) -> None:
    assert shell_command(kind, "data") == command
    assert has_name(kind) is command.endswith("data")


@pytest.mark.parametrize("kind", [name for name, report in reports().items() if not report.command])
def test_what_does_not_exist_is_a_wrong_answer_with_a_remedy(kind: str) -> None:
    class Engine:
        def __getattr__(self, name: str) -> Any:
            def missing(_: str) -> None:
                raise docker.errors.NotFound("no such thing")

            assert name == f"inspect_{kind}"
            return missing

    class Host:
        name, docker = "host1", Engine()

    hosts: Any = {"host1": Host()}
    lab = Lab(Inventory.model_validate({"lab": "demo", "hosts": {"host1": {"address": "192.168.98.11"}}}))
    places = Places(lab, Play.model_construct(title="t"), Hosts({}))
    places.hosts = hosts
    with pytest.raises(WrongAnswer, match=f"there is no {kind} data on host1") as raised:
        report_of(kind, "data", Place("host1"), places)
    assert raised.value.remedy.startswith("`clusterlab apply` creates it")
