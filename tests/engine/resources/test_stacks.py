"""Stacks on real engines: deployed as Docker's client does, compared field by field, and nobody else's changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.build.container_image import built_image
from clusterlab.model.inventory import Image
from clusterlab.plan.apply import apply, survey
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.stack_plan import stack_plans
from clusterlab.progress import Silent
from clusterlab.resources.base import Change
from clusterlab.resources.deploying import Deploying
from tests.engine.resources.test_pull import SERVE
from tests.support import registry
from tests.support.labs import lab_in_swarm, namespaces_lab
from tests.support.resource_bench import Bench
from tests.support.stack_bench import EMPTY_VALUES, SMALL, Shop, told

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def whole() -> Iterator[Bench]:
    with lab_in_swarm(namespaces_lab(f"stacks-{os.getpid()}", "10.73.0.0/24")) as up:
        archive = built_image("busybox", up.lab.inventory.release, Silent())
        for name in ("host1", "host2"):
            up.hosts[name].write("/root/image.tar", archive.path.read_bytes())
            load = "docker load -q -i /root/image.tar | sed 's/.*: //' | xargs -I{} docker tag {} tools/shell:1"
            up.hosts[name].run(load, check=True)
        yield Bench(up.hosts, up.lab.inventory, up.machines.targets())


@pytest.fixture
def shop(whole: Bench, tmp_path: Path) -> Iterator[Shop]:
    yield Shop(whole, tmp_path)
    whole.sh("host1", "docker stack rm shop 2>&1; docker secret ls -q | xargs -r docker secret rm >&2")
    for host in ("host1", "host2"):
        whole.sh(host, "docker ps -aq --filter name=shop_ | xargs -r docker rm -f >&2")
    for host in (
        "host1",
        "host2",
    ):  # an engine that still has a network of that name takes its subnet for the new one's
        whole.sh(host, 'until [ -z "$(docker network ls -q --filter name=shop_)" ]; do sleep 0.2; done')


def test_it_is_what_docker_deploys_and_a_second_plan_changes_nothing(shop: Shop) -> None:
    shop.deploy_with_docker()
    assert [f"{one.key}: {one.differences}" for one in shop.plan()] == []
    by_docker = [shop.spec(f"shop_{name}") for name in ("web", "each", "agent")]
    shop.bench.sh("host1", "docker stack rm shop >&2")
    shop.bench.sh("host1", 'until [ -z "$(docker network ls -q --filter name=shop_)" ]; do sleep 0.2; done')
    changes = shop.plan()
    assert [one for one in told(changes) if "service" in one] == [
        "create Swarm: stack service shop_web",
        "create Swarm: stack service shop_each",
        "create Swarm: stack service shop_agent",
    ]
    shop.deploy()
    for one, other in zip([shop.spec(f"shop_{name}") for name in ("web", "each", "agent")], by_docker, strict=True):
        assert json.dumps(one, sort_keys=True, indent=1) == json.dumps(other, sort_keys=True, indent=1)
    assert told(shop.plan()) == []
    assert shop.bench.sh("host1", "docker stack ls --format '{{.Name}} {{.Services}}'") == "shop 3"
    assert shop.bench.carry_out(clean(shop.bench.inventory.lab, shop.bench.hosts)).ok
    assert left_over(shop.bench.inventory.lab, shop.bench.hosts) == []
    assert shop.bench.sh("host1", "docker stack ls -q; docker secret ls -q; docker config ls -q") == ""


def test_an_empty_value_is_a_value_as_for_docker(shop: Shop) -> None:
    """An option alone encrypts a network."""
    options = "docker network inspect --format '{{json .Options}} {{json .Labels}}' shop_sealed"
    shop.write(EMPTY_VALUES)
    shop.deploy_with_docker()
    assert told(shop.plan()) == []
    by_docker, made = shop.spec("shop_web"), shop.bench.sh("host1", options)
    assert '"encrypted":""' in made
    shop.bench.sh("host1", "docker stack rm shop >&2")
    shop.bench.sh("host1", 'until [ -z "$(docker network ls -q --filter name=shop_)" ]; do sleep 0.2; done')
    shop.deploy()
    assert shop.spec("shop_web") == by_docker
    assert '"encrypted":""' in shop.bench.sh("host1", options)
    assert told(shop.plan()) == []
    shop.write(EMPTY_VALUES.replace("[com.example.plain]\n    environment", "[]\n    environment"))
    (change,) = shop.plan()
    assert [str(one) for one in change.differences] == ["labels.com.example.plain: wanted None, found ''"]


def test_each_line_that_changes_is_exactly_that_difference(shop: Shop) -> None:
    shop.write(SMALL)
    shop.deploy()
    lines = {
        "environment: {MODE: two}": ["environment.MODE: differs"],
        "command: sleep 2000": ["command: wanted ['sleep', '2000'], found ['sleep', '1000']"],
        "stop_grace_period: 2s": ["stop_grace_period: wanted '2s', found '1s'"],
        "deploy: {replicas: 2, update_config: {monitor: 1s}}": ["deploy.replicas: wanted 2, found 1"],
        "deploy: {replicas: 1, update_config: {monitor: 2s}}": [
            "deploy.update_config.monitor: wanted '2s', found '1s'"
        ],
        "volumes: [data:/data]": [],
    }
    small = SMALL.strip().splitlines()
    for line, expected in lines.items():
        key = line.partition(":")[0]
        kept = [one for one in small if one.strip().partition(":")[0] != key]
        text = "\n".join([*kept, f"    {line}"])
        shop.write(text + ("\nvolumes: {data: }\n" if "data" in line else "\n"))
        (change,) = shop.plan()
        assert str(change.key) == "Swarm: stack service shop_web"
        found = [str(one) for one in change.differences]
        if expected:
            assert found == expected
        else:
            assert {one.name for one in change.differences} >= {"volumes./data", "volumes./data.type"}
    shop.write(SMALL.replace('MODE: "one"', 'MODE: "two-more"'))
    (change,) = shop.plan()
    assert "two-more" not in str(change)
    shop.write(SMALL.replace('MODE: "one"', 'MODE: "two"'))
    before = shop.tasks()
    shop.deploy()
    assert shop.tasks() != before
    assert told(shop.plan()) == []
    shop.write(SMALL.replace('MODE: "one"', 'MODE: "two"').replace("replicas: 1", "labels: {a: b}, replicas: 1"))
    before = shop.tasks()
    (change,) = shop.plan()
    assert "no task restarts" in change.reason
    shop.deploy()
    assert shop.tasks() == before


def test_what_somebody_else_deployed_is_changed_only_with_adopt(shop: Shop) -> None:
    shop.write(SMALL)
    shop.deploy_with_docker()
    shop.write(SMALL.replace("sleep 1000", "sleep 2000"))
    (change,) = shop.plan()
    assert [str(one) for one in change.differences] == ["command: wanted ['sleep', '2000'], found ['sleep', '1000']"]
    assert "--adopt" in change.blocked
    before = shop.spec("shop_web")
    assert not shop.bench.carry_out(shop.plan()).ok
    assert shop.spec("shop_web") == before
    shop.write(SMALL + "  more: {image: tools/shell:1, command: sleep 1000}\n")
    assert told(shop.plan()) == ["create Swarm: stack service shop_more (blocked)"]
    assert [str(one.key) for one in clean(shop.bench.inventory.lab, shop.bench.hosts) if "stack" in one.key.kind] == []

    shop.write(SMALL.replace("sleep 1000", "sleep 2000"))
    shop.deploy(Deploying(adopt=True))
    assert told(shop.plan()) == []
    assert shop.spec("shop_web")["TaskTemplate"]["ContainerSpec"]["Args"] == ["sleep", "2000"]


def test_services_that_left_the_files_go_only_with_prune(shop: Shop) -> None:
    more = "  more: {image: tools/shell:1, command: sleep 1000, stop_grace_period: 1s}\n"
    shop.write(SMALL + more)
    shop.deploy()
    shop.write(SMALL)
    assert told(shop.plan()) == []
    found = survey(shop.lab(), shop.bench.hosts)
    (plan,) = stack_plans(found.wants, found.scope)
    assert plan.not_in_files == ("shop_more",)
    pruned = Deploying(prune=True)
    assert told(shop.plan(pruned)) == ["remove Swarm: stack service shop_more"]
    shop.deploy(pruned)
    assert shop.bench.sh("host1", "docker stack services shop --format '{{.Name}}'") == "shop_web"


def test_secrets_and_configs_never_change_and_are_rotated_by_name(shop: Shop) -> None:
    shop.write(
        SMALL.replace("deploy:", "configs: [page]\n    secrets: [{source: token, target: key}]\n    deploy:")
        + ("configs: {page: {file: ./page.html}}\nsecrets: {token: {file: ./token.txt, name: 'token_${REV:-1}'}}\n")
    )
    shop.deploy()
    assert told(shop.plan()) == []
    (shop.folder / "token.txt").write_text("another-token\n")
    (shop.folder / "page.html").write_text("<h1>bye</h1>\n")
    (change,) = shop.plan()
    assert str(change.key) == "Swarm: stack shop"
    assert "the secret 'token_1' (secrets.token) exists with other content, which cannot change" in change.blocked
    assert "the config 'shop_page' (configs.page) exists with other content" in change.blocked
    assert "another-token" not in str(change)
    assert shop.bench.sh("host1", "docker secret ls -q | wc -l") == "1"
    (shop.folder / "page.html").write_text("<h1>hello</h1>\n")
    assert told(shop.plan(REV="2")) == [
        "create Swarm: stack secret token_2",
        "update Swarm: stack service shop_web",
    ]
    shop.deploy(REV="2")
    assert told(shop.plan(REV="2")) == []
    assert shop.bench.sh("host1", "docker secret ls --format '{{.Name}}' | sort | xargs") == "token_1 token_2"
    task = "docker ps -q --filter name=shop_web"
    read = f"docker exec $({task}) cat /run/secrets/key"
    host = next(name for name in ("host1", "host2") if shop.bench.sh(name, task))
    assert shop.bench.sh(host, read) == "another-token"


def test_configs_and_secrets_of_a_play_are_external_ones_of_a_stack(shop: Shop) -> None:
    """They are created before it, not replaced under it, and removed after it."""
    shop.write(
        SMALL.replace("deploy:", "configs: [page]\n    secrets: [token]\n    deploy:")
        + "configs: {page: {external: true}}\nsecrets: {token: {external: true}}\n"
    )
    stack, bench = shop.lab(), shop.bench

    def planned(page: str) -> list[Change]:
        files = bench.lab({"configs": {"page": {"file": page}}, "secrets": {"token": {"file": "one.txt"}}})
        return apply(replace(stack, plays={**stack.plays, **files.plays}), bench.hosts)

    assert told(planned("one.txt")) == [
        "create Swarm: config page",
        "create Swarm: secret token",
        "create Swarm: stack network shop_default",
        "create Swarm: stack service shop_web",
    ]
    report = bench.carry_out(planned("one.txt"))
    assert report.ok, report.failed
    assert told(planned("one.txt")) == []
    (change,) = planned("two.txt")
    assert told([change]) == ["replace Swarm: config page (blocked)"]
    assert "service shop_web, which no play of this lab has, uses it" in change.blocked
    assert bench.carry_out(clean(bench.inventory.lab, bench.hosts)).ok
    assert left_over(bench.inventory.lab, bench.hosts) == []


def test_the_plan_says_who_can_take_tasks_and_what_restarts(shop: Shop) -> None:
    shop.write(SMALL.replace("replicas: 1", "replicas: 2") + "  log:\n    image: tools/shell:1\n    command: sleep 9\n")
    shop.deploy_with_docker()
    text = SMALL.replace("sleep 1000", "sleep 2000").replace(
        "replicas: 1,", "replicas: 2, placement: {constraints: [node.labels.disk == ssd]},"
    )
    text = text.replace("deploy:", "volumes: [/srv/absent:/x, /data]\n    deploy:")
    shop.write(text)
    found = survey(shop.lab(), shop.bench.hosts)
    (plan,) = stack_plans(found.wants, found.scope)
    (web,) = plan.candidates
    assert (web.can, web.tasks) == ((), 2)
    why = "constraint node.labels.disk == ssd: its labels are none"
    assert web.cannot["host1"] == web.cannot["host2"] == (why, "bind source /srv/absent does not exist")
    assert plan.deployed_by == "somebody else"
    assert plan.not_in_files == ("shop_log",)
    (restart,) = plan.restarts
    assert sorted(one.partition(" ")[0] for one in restart.tasks) == ["shop_web.1", "shop_web.2"]
    assert "1 at a time, in no fixed order; each is stopped before the new one starts" in restart.order
    assert any("volumes without a name" in one for one in plan.at_risk)
    assert {"constraint-unmatched", "bind-source-missing:/srv/absent"} == {one.key for one in plan.advice}


def test_an_update_that_is_rolled_back_is_a_failure(shop: Shop) -> None:
    text = SMALL.replace("monitor: 1s", "monitor: 1s, failure_action: rollback")
    shop.write(text)
    shop.deploy()
    shop.write(text.replace("sleep 1000", "absent-program"))
    report = shop.bench.carry_out(shop.plan())
    (failed,) = report.failed
    assert "was rolled back" in failed.error.message
    (result,) = shop.states("spec", within=1)
    assert result.outcome == "fail"
    assert "its last update was rolled back" in result.evidence[0].found
    assert "command: wanted ['absent-program'], found ['sleep', '1000']" in result.evidence[0].found
    shop.write(text)
    (result,) = shop.states("spec")
    assert result.outcome == "pass", result


def test_what_was_changed_behind_the_files_is_not_their_spec(shop: Shop) -> None:
    """No value of the environment is shown."""
    shop.deploy()
    assert [result.outcome for result in shop.states("spec")] == ["pass"] * 3
    shop.bench.sh("host1", "docker service update -q --detach --env-add SECRET=hunter2 --label-add by=hand shop_each")
    (result,) = [result for result in shop.states("spec", within=1) if result.outcome != "pass"]
    assert (result.check, result.outcome) == ("shop_each and its tasks have the spec of the stack's files", "fail")
    assert "environment.SECRET is set, and should not be" in result.evidence[0].found
    assert "deploy.labels.by" in result.evidence[0].found
    assert "hunter2" not in repr(result)


def test_an_image_of_the_inventory_stands_for_a_reference(shop: Shop) -> None:
    """Without a registry; tasks get it by its id, and clean takes it away again."""
    shop.write(SMALL.replace("tools/shell:1", "registry.example.org/app:7"))
    images = {
        "registry.example.org/app:7": Image.model_validate({"build": "busybox", "user": {"name": "elo", "uid": 1000}})
    }
    shop.bench = Bench(shop.bench.hosts, shop.bench.inventory.model_copy(update={"images": images}), shop.bench.targets)
    keys = [str(one.key) for one in shop.plan()]
    assert keys[:2] == [f"{host}: image registry.example.org/app:7" for host in ("host1", "host2")]
    shop.deploy()
    spec = shop.spec("shop_web")
    assert spec["TaskTemplate"]["ContainerSpec"]["Image"].startswith("sha256:")
    assert spec["Labels"]["com.docker.stack.image"] == "registry.example.org/app:7"
    assert told(shop.plan()) == []
    assert shop.bench.carry_out(clean(shop.bench.inventory.lab, shop.bench.hosts)).ok
    assert left_over(shop.bench.inventory.lab, shop.bench.hosts) == []


def test_an_archive_or_another_registry_stands_for_a_reference(shop: Shop) -> None:
    """Nothing is asked of the registry that the stack names."""
    archive = built_image("busybox", shop.bench.inventory.release, Silent()).path
    for host in ("host1", "host2"):
        shop.bench.hosts[host].write("/root/image.tar", archive.read_bytes())
        shop.bench.hosts[host].write("/root/registry.py", Path(registry.__file__).read_bytes())
        shop.bench.sh(host, SERVE)
    images = {
        "registry.example.org/app:7": Image.model_validate({"archive": archive}),
        "registry.example.org/db:1": Image.model_validate({"pull": "localhost:5000/tools/shell:1"}),
    }
    shop.bench = Bench(shop.bench.hosts, shop.bench.inventory.model_copy(update={"images": images}), shop.bench.targets)
    both = SMALL.replace("tools/shell:1", "registry.example.org/app:7")
    shop.write(f"{both}  db: {{image: registry.example.org/db:1, command: sleep 1000, stop_grace_period: 1s}}\n")
    try:
        shop.deploy()
        for name, reference in (("shop_web", "registry.example.org/app:7"), ("shop_db", "registry.example.org/db:1")):
            spec = shop.spec(name)
            assert spec["TaskTemplate"]["ContainerSpec"]["Image"].startswith("sha256:")
            assert spec["Labels"]["com.docker.stack.image"] == reference
        assert told(shop.plan()) == []
        assert shop.bench.carry_out(clean(shop.bench.inventory.lab, shop.bench.hosts)).ok
        assert left_over(shop.bench.inventory.lab, shop.bench.hosts) == []
    finally:
        for host in ("host1", "host2"):
            shop.bench.sh(host, "kill $(cat /root/registry.pid); rm -r /srv/registry")


def test_an_image_is_pinned_to_what_its_registry_has(shop: Shop) -> None:
    image = "localhost:5000/tools/shell:1"
    for host in ("host1", "host2"):
        shop.bench.hosts[host].write("/root/registry.py", Path(registry.__file__).read_bytes())
        shop.bench.sh(host, SERVE)
    try:
        shop.write(SMALL.replace("tools/shell:1", image))
        shop.deploy(Deploying(resolve_image="changed"))
        task = shop.spec("shop_web")["TaskTemplate"]
        assert task["ContainerSpec"]["Image"].startswith(f"{image}@sha256:")
        assert told(shop.plan(Deploying(resolve_image="changed"))) == []
        assert told(shop.plan(Deploying(resolve_image="always"))) == []
        shop.write(SMALL.replace("tools/shell:1", image).replace('"one"', '"two"'))
        shop.deploy(Deploying(resolve_image="changed"))
        assert shop.spec("shop_web")["TaskTemplate"]["ContainerSpec"]["Image"] == task["ContainerSpec"]["Image"]
    finally:
        for host in ("host1", "host2"):
            shop.bench.sh(host, "kill $(cat /root/registry.pid); rm -r /srv/registry")


def test_data_in_volumes_without_a_name_is_not_lost_unasked(shop: Shop) -> None:
    text = SMALL.replace("deploy:", "volumes: [/data]\n    deploy:")
    shop.write(text)
    shop.deploy()
    shop.write(text.replace("sleep 1000", "sleep 2000"))
    (change,) = shop.plan()
    assert change.flag == "--allow-data-loss"
    assert "keep data in anonymous volumes" in change.blocked
    shop.write(text.replace("monitor: 1s", "monitor: 2s"))
    assert [one.blocked for one in shop.plan()] == [""]
