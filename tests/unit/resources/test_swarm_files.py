"""Configs and secrets of plays: when a manager is asked for them, and what keeps one."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from clusterlab.docker_labels import STACK
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Config, Play, Secret
from clusterlab.resources.base import LABEL_LAB, LABEL_PLAY, SWARM, Change, Key
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, SwarmView, Wants
from clusterlab.resources.swarm_files import CONFIG, SECRET, wanted_file

OURS = {LABEL_LAB: "lab", LABEL_PLAY: "play"}
INVENTORY = Inventory.model_validate(
    {
        "lab": "lab",
        "machines": "existing",
        "hosts": {"host1": {"address": "10.0.0.1", "roles": ["docker", "swarm_manager"]}},
        "images": {"shell": {"build": "busybox"}},
    }
)


def service(labels: dict[str, str], *configs: str) -> dict[str, Any]:
    container = {"Configs": [{"ConfigID": one, "ConfigName": one} for one in configs]}
    return {"ID": "s", "Spec": {"Labels": labels, "TaskTemplate": {"ContainerSpec": container}}}


def config(name: str, data: bytes, labels: dict[str, str]) -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    return {"ID": f"id of {name}", "Spec": {"Name": name, "Data": text, "Labels": labels}}


def planned(
    files: dict[str, bytes], services: dict[str, dict[str, Any]], configs: list[dict[str, Any]] | None = None
) -> list[Change]:
    """What is planned of configs; without any, asking for them is an error."""
    host = cast(Any, SimpleNamespace(name="host1"))
    view = SwarmView(Observed("lab", host), services)
    if configs is not None:
        view.__dict__["configs"] = configs  # as if the manager had been asked
    wanted = {name: Config.model_validate({"file": "f"}).holding(data, Path("f")) for name, data in files.items()}
    play = Play.model_validate({"title": "play", "containers": {"box": {"host": "host1", "image": "shell"}}})
    lab = Lab(INVENTORY, {"play": play.model_copy(update={"configs": wanted})})
    return list(CONFIG.changes(Wants(lab), Scope("lab", {}, {SWARM: view}, "--allow-data-loss")))


def test_a_manager_is_not_asked_where_no_play_has_any() -> None:
    assert planned({}, {"web": service(OURS), "other": service({}, "id of theirs")}) == []


def test_a_change_shows_nothing_of_the_content() -> None:
    (change,) = planned({"page": b"two"}, {}, [])
    assert (change.action, change.reason) == ("create", "it does not exist")
    assert base64.b64encode(b"two").decode() not in repr(change)


def test_one_that_no_play_has_any_more_goes_after_the_service_that_used_it() -> None:
    (change,) = planned({}, {"web": service(OURS, "id of page")}, [config("page", b"one", OURS)])
    assert (str(change.key), change.action, change.blocked) == ("Swarm: config page", "remove", "")
    assert Key(SWARM, "service", "web") in change.needs


def test_other_content_is_a_new_config_around_the_services_of_the_lab() -> None:
    found = [config("page", b"one", OURS)]
    assert planned({"page": b"one"}, {"web": service(OURS, "id of page")}, found) == []
    (change,) = planned({"page": b"two"}, {"web": service(OURS, "id of page")}, found)
    assert (change.action, change.reason, change.takes) == (
        "replace",
        "file differs",
        frozenset({Key(SWARM, "service", "web")}),
    )
    assert change.command.startswith("docker service rm web && until ")
    assert " && docker config rm page && docker config create " in change.command


def test_one_that_a_service_of_others_or_of_a_stack_uses_is_kept() -> None:
    for labels in ({}, {**OURS, STACK: "shop"}):
        (change,) = planned({"page": b"two"}, {"api": service(labels, "id of page")}, [config("page", b"one", OURS)])
        assert change.blocked.startswith("service api, which no play of this lab has, uses it")


def test_labels_say_nothing_of_the_content() -> None:
    one, two = (
        wanted_file("lab", "play", "token", Secret.model_validate({"file": "f"}).holding(data, Path("f")))
        for data in (b"a long secret", b"another one")
    )
    assert one.spec["Labels"] == two.spec["Labels"]
    assert one.spec["Data"] != two.spec["Data"]
    assert "Data" not in repr(one)
    assert SECRET.manual(one).endswith(" token secret-token")
