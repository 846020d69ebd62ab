"""Labs that are right: what they become, and that loading stays light."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterlab.checks.kinds.dns import DnsProbe
from clusterlab.checks.kinds.file import FileProbe
from clusterlab.checks.kinds.inspect import InspectProbe
from clusterlab.checks.kinds.port import PortProbe
from clusterlab.model import InvalidFiles, Lab, json_schema, load, load_inventory, load_lab, play_names
from clusterlab.model.checks import check_model
from clusterlab.model.inventory import RECIPES, Inventory
from clusterlab.model.kinds import kinds
from clusterlab.redaction import REDACTED, Secrets, clean

ROOT = Path(__file__).parents[3]
INVENTORIES = sorted((ROOT / "inventory").glob("*.yml"))
EXPECTED = {"default", "namespaces", "existing"}

RICH = """\
title: Everything that a play may say
volumes:
  data:
  nfs: &nfs
    driver_opts: {type: nfs4, o: "addr=${hosts.gw.address},rw", device: ":/shares/x"}
    labels: [a=1, b]
  named: {driver_opts: {type: nfs, o: "addr=nas.example.org", device: ":/anything"}}
networks:
  net: {ipam: {config: [{subnet: 10.77.0.0/24, gateway: 10.77.0.1}]}}
  over: {driver: overlay, attachable: true}
containers:
  app: &app
    host: host1
    image: shell
    command: echo $${HOME}
    environment: {VERSION: "1.10", COUNT: 3}
    volumes: ["data:/data", "nfs:/nfs:ro", /cache, "/etc:/etc2:ro"]
    tmpfs: /run
    ports: ["8080:80", 22:22, 53/udp]
    expose: [80]
    networks: {net: {ipv4_address: 10.77.0.9, aliases: [x]}, over: }
    restart: no
    stop_grace_period: 1m30s
    healthcheck: {test: [CMD, "true"], interval: 500ms}
    extra_hosts: ["db:10.0.0.1", "other=10.0.0.2"]
  second: {<<: *app, ports: [], networks: [over], volumes_from: ["app:ro"]}
services:
  web: {image: web, networks: [over], ports: ["80:80"], deploy: {mode: global}}
checks:
  - title: closed on the outside
    port: {on: host2, to: host1, port: 81, open: false, control: {port: 8080}}
    within: 30s
    for: 2
  - title: closed, then open
    needs: [nfs]
    steps:
      - do: {stop: app}
      - port: {on: all, to: "${hosts.host1.address}", port: 8080, open: false}
      - do: {start: app}
      - port: {on: all, to: "${hosts.host1.address}", port: 8080}
        within: 5s
  - title: mode
    file: {in: app, path: /data/x, mode: 0644, content: {equals: ""}}
  - title: nothing of it
    inspect: {container: app, path: State.Error, value: {equals: null}}
  - title: an address
    dns: {in: second, name: app, is: {container: app, network: over}}
"""


@pytest.fixture
def rich(tmp_path: Path) -> Lab:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "rich.yml").write_text(RICH)
    return load_lab(ROOT / "inventory" / "default.yml", ["deep/er/rich"], tmp_path)


def test_rich_play(rich: Lab) -> None:
    play = rich.plays["deep/er/rich"]
    app = play.containers["app"]
    assert app.command == "echo ${HOME}"
    assert app.environment == {"VERSION": "1.10", "COUNT": 3}
    assert app.ports == ["8080:80", "22:22", "53/udp"]
    assert app.restart == "no"
    assert app.extra_hosts == {"db": "10.0.0.1", "other": "10.0.0.2"}
    assert app.stop_grace_period == 90
    assert play.containers["second"].host == "host1"
    assert play.containers["second"].ports == []
    assert play.volumes["nfs"].labels == {"a": "1", "b": ""}
    assert play.volumes["nfs"].driver_opts["o"] == "addr=192.168.98.1,rw"
    assert play.volumes["data"].hosts == ["docker"]


def test_checks_of_rich_play(rich: Lab) -> None:
    closed, steps, mode, error, address = rich.plays["deep/er/rich"].checks
    assert (closed.kind, closed.within, closed.for_) == ("port", 30, 2)
    assert isinstance(closed.probe, PortProbe)
    assert closed.probe.on == ["host2"]  # `on` is a word, not a boolean
    assert [path for path, _, _ in steps.probes()] == [("steps", 1, "port"), ("steps", 3, "port")]
    assert isinstance(mode.probe, FileProbe)
    assert mode.probe.mode == "0644"
    assert isinstance(error.probe, InspectProbe)
    assert error.probe.value is not None
    assert error.probe.value.model_fields_set == {"equals"}
    assert isinstance(address.probe, DnsProbe)
    assert address.probe.is_ is not None


def test_kinds_are_keys_of_a_check() -> None:
    assert set(kinds()) <= set(check_model().model_fields)


def test_recipes_are_those_that_can_be_built() -> None:
    files = (ROOT / "clusterlab" / "build" / "recipes").glob("*.yml")
    assert sorted(file.stem for file in files) == sorted(RECIPES)


def test_a_host_may_have_further_addresses() -> None:
    host = {"address": "192.0.2.11", "roles": ["docker", "swarm_manager"]}
    addresses = {"data_path": "10.2.0.11", "storage": "10.3.0.11"}
    found = Inventory.model_validate({"lab": "demo", "hosts": {"host1": {**host, "addresses": addresses}}})
    assert {name: str(one) for name, one in found.hosts["host1"].addresses.items()} == addresses


def test_there_are_inventories_to_test() -> None:
    assert {path.stem for path in INVENTORIES} >= EXPECTED


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_inventories_that_come_with_it(path: Path) -> None:
    lab = load_inventory(path)
    assert lab.plays == {}
    assert lab.folder == path.parent
    assert lab.inventory.docker_hosts


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_plays_that_come_with_it(path: Path) -> None:
    """Each play alone: together they may use the same names."""
    names = play_names(ROOT / "playbooks")
    assert names
    if path.stem in EXPECTED:
        for name in names:
            play = load_lab(path, [name], ROOT / "playbooks").plays[name]
            assert play.drills if name.startswith("drills/") else play.checks


def test_all_plays_in_order_when_none_is_named(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yml").write_text(f"title: {name}\nchecks: [{{title: x, ping: {{on: host1, to: gw}}}}]\n")
    inventory = ROOT / "inventory" / "default.yml"
    assert list(load_lab(inventory, [], tmp_path).plays) == ["a", "b"]
    assert list(load_lab(inventory, ["b", "a", "b"], tmp_path).plays) == ["b", "a"]


def test_services_have_the_variables_of_their_files(tmp_path: Path) -> None:
    play = tmp_path / "playbooks" / "shop" / "one.yml"
    play.parent.mkdir(parents=True)
    play.write_text(
        "title: one\nservices:\n"
        "  api: {image: shell, env_file: [a.env, b.env], environment: {C: own}}\n"
        "  job: {image: shell, env_file: a.env}\n"
    )
    (play.parent / "a.env").write_text('# comment\nA=of a\nB="quoted" \nC=of a\nHOME\n')
    (play.parent / "b.env").write_text("A=of b\n")
    services = load_lab(ROOT / "inventory" / "default.yml", [], tmp_path / "playbooks").plays["shop/one"].services
    assert services["api"].environment == {"A": "of b", "B": '"quoted" ', "C": "own"}
    assert services["job"].environment == {"A": "of a", "B": '"quoted" ', "C": "of a"}


def test_configs_and_secrets_have_what_their_files_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Secrets()
    monkeypatch.setattr(load, "SECRETS", known)
    play = tmp_path / "playbooks" / "shop" / "one.yml"
    play.parent.mkdir(parents=True)
    play.write_text(
        "title: one\nconfigs: {page: {file: page.txt}}\nsecrets: {token: {file: ../token}}\n"
        "services:\n  web: {image: shell, configs: [page], secrets: [{source: token, mode: 0400}]}\n"
    )
    (play.parent / "page.txt").write_text("a page that is shown\n")
    (play.parent.parent / "token").write_bytes(b"\xff a long secret \n")
    one = load_lab(ROOT / "inventory" / "default.yml", [], tmp_path / "playbooks").plays["shop/one"]
    assert one.configs["page"].data == b"a page that is shown\n"
    assert one.configs["page"].path == play.parent / "page.txt"
    assert one.secrets["token"].data == b"\xff a long secret \n"
    assert "a long secret" not in repr(one)
    assert clean("it is \ufffd a long secret, and a page that is shown", known) == f"it is {REDACTED}, and {REDACTED}"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("volumes/nsf", "Did you mean 'volumes/nfs'? Plays: networks/host, volumes/nfs."),
        ("nfs", "Did you mean 'volumes/nfs'? Plays: networks/host, volumes/nfs."),
        ("volumes/nfs.yml", "Did you mean 'volumes/nfs'? Plays: networks/host, volumes/nfs."),
        ("zzz", "Plays: networks/host, volumes/nfs."),
    ],
)
def test_no_such_play(name: str, remedy: str, tmp_path: Path) -> None:
    for play in ("volumes/nfs", "networks/host"):
        (tmp_path / play).parent.mkdir()
        (tmp_path / f"{play}.yml").write_text("title: x\nvolumes: {data: }\n")
    with pytest.raises(InvalidFiles) as caught:
        load_lab(ROOT / "inventory" / "default.yml", [name], tmp_path)
    (problem,) = caught.value.problems
    assert problem.message == f"unknown play '{name}'"
    assert problem.remedy == remedy


def test_no_plays(tmp_path: Path) -> None:
    inventory = ROOT / "inventory" / "default.yml"
    with pytest.raises(InvalidFiles, match=r"there are no plays \(\.yml files\)"):
        load_lab(inventory, [], tmp_path)
    with pytest.raises(InvalidFiles) as caught:
        load_lab(inventory, [], tmp_path / "nowhere")
    assert [problem.message for problem in caught.value.problems] == ["the folder does not exist"]


def test_existing_hosts_may_be_in_several_networks(tmp_path: Path) -> None:
    file = tmp_path / "lab.yml"
    file.write_text("{lab: x, machines: existing, hosts: {aa: {address: 10.0.0.1}, bb: {address: 172.16.0.1}}}")
    assert list(load_inventory(file).inventory.hosts) == ["aa", "bb"]


def test_a_stored_inventory_comes_back() -> None:
    inventory = load_inventory(ROOT / "inventory" / "default.yml").inventory
    assert Inventory.model_validate_json(inventory.model_dump_json()) == inventory
    assert Inventory.model_validate(json.loads(inventory.model_dump_json())) == inventory


def test_expand() -> None:
    lab = load_inventory(ROOT / "inventory" / "default.yml")
    assert lab.expand(["swarm_worker", "gw"]) == ["gw", "host2"]
    assert lab.expand(["all"]) == ["gw", "host1", "host2"]
    assert lab.expand(["docker", "host1"]) == ["host1", "host2"]


def test_schema() -> None:
    schema = json_schema()
    definitions = schema["$defs"]
    assert schema["then"] == {"$ref": "#/$defs/Inventory"}
    assert definitions["Inventory"]["additionalProperties"] is False
    assert definitions["Play"]["required"] == ["title"]
    assert {"in", "on"} <= set(definitions["PingProbe"]["properties"])
    assert definitions["PingProbe"]["properties"]["count"]["anyOf"][1]["pattern"] == r"\$\{[^{}]+\}"
    assert "${network.subnet}" in json.dumps(definitions["Export"])
    missing = {ref for ref in _references(schema) if ref.removeprefix("#/$defs/") not in definitions}
    assert not missing


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def test_importing_the_model_loads_neither_pydantic_nor_yaml() -> None:
    script = "import sys, clusterlab.model as m; m.InvalidFiles; print(sorted({'pydantic', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_every_inventory_of_the_project_is_valid_with_all_plays() -> None:
    files = sorted((ROOT / "inventory").glob("*.yml"))
    assert {"default.yml", "ha.yml", "namespaces.yml"} <= {file.name for file in files}
    for file in files:
        lab = load_lab(file, [], ROOT / "playbooks")
        assert lab.plays, file
    ha = load_lab(ROOT / "inventory" / "ha.yml", [], ROOT / "playbooks").inventory
    assert ha.machines == "qemu"
    managers = ha.with_role("swarm_manager")
    assert (len(managers), len(ha.with_role("swarm_worker"))) == (3, 2)
    assert {ha.hosts[name].availability for name in managers} == {"drain"}
