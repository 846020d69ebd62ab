"""Updates of a stack's services: which end tasks, and are held back where these keep data in unnamed volumes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources.base import LABEL_LAB, SWARM, Change
from clusterlab.resources.deploying import AS_USUAL, Deploying
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, SwarmView, Wants
from clusterlab.resources.stack_services import wanted_spec
from clusterlab.resources.stacks import StackKind
from clusterlab.resources.wanted_images import WantedImage
from clusterlab.stacks import load_stack
from clusterlab.stacks.service_specs import IMAGE

TEXT = """
services:
  web:
    image: a:1
    volumes: [/data]
    deploy: {replicas: 2, placement: {constraints: [node.role == worker]}}
"""
VOLUME = {"Type": "volume", "Name": "0" * 64, "Destination": "/data"}
TASK = {"Names": ["/st_web.1.x"], "Labels": {"com.docker.swarm.service.name": "st_web"}, "State": "running"}


def plan(
    folder: Path,
    before: str,
    after: str,
    mounts: list[dict[str, Any]],
    how: Deploying = AS_USUAL,
    images: Mapping[str, WantedImage] | None = None,
    written: str = "",
) -> list[Change]:
    """The changes from one stack file to another, when the first is deployed, its image as `written`."""
    file = folder / "stack.yml"
    file.write_text(before)
    one = load_stack([str(file)], "st", {}).valid()
    spec = wanted_spec(one, one.services["web"])
    spec["Labels"] = {**spec["Labels"], LABEL_LAB: "shop", **({IMAGE: written} if written else {})}
    spec["TaskTemplate"]["Networks"] = [{"Target": "n1", "Aliases": ["web"]}]
    file.write_text(after)
    network = {"Id": "n1", "Name": "st_default", "Scope": "swarm", "Driver": "overlay"}
    at = Observed(
        "shop",
        Host(Target("host1", "192.168.98.11"), Connections()),
        {"containers": [{**TASK, "Mounts": mounts}], "networks": [network]},
    )
    view = SwarmView(at, {"st_web": {"ID": "s1", "Spec": {**spec, "Name": "st_web"}}})
    vars(view).update(configs=[], secrets=[], nodes=[], tasks=[], network_names={"n1": "st_default"})
    inventory = Inventory.model_validate({"lab": "shop", "hosts": {"host1": {"address": "192.168.98.11"}}})
    lab = Lab(inventory, {}, Path(), stacks={"st": load_stack([str(file)], "st", {})})
    scope = Scope("shop", {"host1": at}, {SWARM: view}, "--allow-data-loss")
    return list(StackKind().changes(Wants(lab, images or {}, deploying=how), scope))


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("replicas: 2", "replicas: 1", "1 task fewer, which ends"),
        ("replicas: 2", "replicas: 0", "2 tasks fewer, which end"),
        ("role == worker", "role == manager", "tasks stay where their node is still allowed, others are replaced"),
        ("a:1", "a:2", "its tasks are replaced"),
    ],
)
def test_an_update_that_ends_tasks_waits_where_they_keep_data(
    before: str, after: str, effect: str, tmp_path: Path
) -> None:
    (change,) = plan(tmp_path, TEXT, TEXT.replace(before, after), [VOLUME])
    assert change.flag == "--allow-data-loss"
    assert "keep data in anonymous volumes" in change.blocked
    assert change.reason.endswith(f"; {effect}")
    (change,) = plan(tmp_path, TEXT, TEXT.replace(before, after), [])
    assert (change.flag, change.blocked) == ("", "")


def test_an_image_that_was_written_otherwise_gets_a_new_digest(tmp_path: Path) -> None:
    (change,) = plan(tmp_path, TEXT, TEXT, [VOLUME], written="docker.io/library/a:1")
    assert "keep data in anonymous volumes" in change.blocked
    assert change.reason.endswith("; its tasks are replaced unless the image stays the same to the digest")


def test_a_job_runs_again_with_each_update(tmp_path: Path) -> None:
    job = TEXT.replace("replicas: 2", "mode: replicated-job")
    (change,) = plan(tmp_path, job, job.replace("mode:", "labels: {a: b}, mode:"), [VOLUME])
    assert "keep data in anonymous volumes" in change.blocked
    assert change.reason.endswith("; the job runs again, with new tasks")


@pytest.mark.parametrize(
    "more", ["labels: {a: b}, replicas: 2", "update_config: {delay: 1s}, replicas: 2", "replicas: 3"]
)
def test_an_update_that_ends_no_task_is_made(more: str, tmp_path: Path) -> None:
    (change,) = plan(tmp_path, TEXT, TEXT.replace("replicas: 2", more), [VOLUME])
    assert change.blocked == ""
    assert change.reason.endswith("; no task restarts")


def test_without_a_change_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert plan(tmp_path, TEXT, TEXT, [VOLUME]) == []


MORE = TEXT.replace("replicas: 2", "replicas: 3")
NEW = "  other: {image: a:1}\n"


def test_the_command_of_a_change_has_the_options(tmp_path: Path) -> None:
    (change,) = plan(tmp_path, TEXT, MORE, [])
    assert " --resolve-image never " in change.command
    assert "--with-registry-auth" not in change.command
    (change,) = plan(tmp_path, TEXT, MORE, [], Deploying(resolve_image="changed", registry_auth=True))
    assert " --resolve-image changed --with-registry-auth " in change.command


def test_no_command_is_shown_that_makes_a_blocked_change_too(tmp_path: Path) -> None:
    fewer = TEXT.replace("replicas: 2", "replicas: 1") + NEW
    assert [bool(one.command) for one in plan(tmp_path, TEXT, fewer, [])] == [True, True]
    changes = plan(tmp_path, TEXT, fewer, [VOLUME])
    assert [bool(one.blocked) for one in changes] == [True, False]
    assert [one.command for one in changes] == ["", ""]


def test_no_command_is_shown_that_runs_a_job_again(tmp_path: Path) -> None:
    job = TEXT.replace("replicas: 2", "mode: replicated-job")
    (change,) = plan(tmp_path, job, job + NEW, [])
    assert (change.key.name, change.command) == ("st_other", "")


def test_no_command_is_shown_that_takes_another_image_than_the_inventorys(tmp_path: Path) -> None:
    own = WantedImage("a:2", "lab/a:2")
    (change,) = plan(tmp_path, TEXT, TEXT + NEW.replace("a:1", "a:2"), [], images={"a:2": own})
    assert (change.key.name, change.command) == ("st_other", "")
