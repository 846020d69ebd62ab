"""What an inventory lacks for a play: left out, with all that needs it, and no mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.validating import Validation
from clusterlab.model import InvalidFiles, Lab, load_lab
from clusterlab.plan.apply import left_out

ONE_HOST = """\
lab: one
hosts:
  box: {address: 192.168.98.11, roles: [docker]}
images: {shell: {build: busybox}}
"""

PLAY = """\
title: A play
networks:
  wide: {driver: overlay, attachable: true}
  near: {hosts: "${docker.first}"}
volumes:
  local: {hosts: "${docker.first}"}
  remote:
    hosts: "${docker.first}"
    driver_opts: {type: nfs, o: "addr=${nfs_server.first.address}", device: ":/shares"}
containers:
  here: {host: "${docker.first}", image: shell, networks: [near], volumes: ["local:/data"]}
  there: {host: "${docker.second}", image: shell}
  mounts: {host: "${docker.first}", image: shell, volumes: ["remote:/data"]}
  borrows: {host: "${docker.first}", image: shell, volumes_from: [mounts]}
  joined: {host: "${docker.first}", image: shell, networks: [wide]}
services:
  served: {image: shell, networks: [wide]}
external:
  services: [theirs]
  containers: {db: {host: "${docker.second}"}, cron: {host: "${docker.first}"}}
  networks: {proxy: {}}
checks:
  - title: here is fine
    ping: {in: here, to: "${docker.first}"}
  - title: "it names ${docker.second} in its title alone"
    ping: {in: here, to: 127.0.0.1}
    hint: look at ${docker.second}
  - title: it names a host that is lacking
    ping: {in: here, to: "${docker.second}"}
  - title: it runs in a container that is left out
    steps:
      - ping: {in: there, to: "${docker.first}"}
  - title: it is about a container that is left out, in a text
    command: {on: "${docker.first}", run: docker exec borrows true}
  - title: it needs the Swarm
    inspect: {service: served, path: ID, value: {empty: false}}
  - title: it is about a service of others
    inspect: {service: theirs, path: ID, value: {empty: false}}
  - title: it runs in a container of others
    command: {in: db, run: [date], stdout: {empty: false}}
"""

SECOND = "the inventory has no second host with the role docker"
SERVER = "the inventory has no host with the role nfs_server"
SWARM = "the inventory has no host with the role swarm_manager"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "play.yml").write_text(PLAY)
    (tmp_path / "inventory.yml").write_text(ONE_HOST)
    return load_lab(tmp_path / "inventory.yml", [], tmp_path / "playbooks")


def test_what_can_be_had_stays(lab: Lab) -> None:
    play = lab.plays["play"]
    assert set(play.containers) == {"here"}
    assert set(play.volumes) == {"local"}
    assert set(play.networks) == {"near"}
    assert not play.services
    assert set(play.external.names()) == {("containers", "cron")}


def test_what_cannot_be_had_is_left_out_with_all_that_needs_it(lab: Lab) -> None:
    assert {str(skipped.key): skipped.reason for skipped in left_out(lab)} == {
        "play: container there": SECOND,
        "play: volume remote": SERVER,
        "play: container mounts": SERVER,
        "play: container borrows": SERVER,
        "play: network wide": SWARM,
        "play: container joined": SWARM,
        "play: service served": SWARM,
    }


def test_statements_keep_their_order_and_say_what_is_lacking(lab: Lab) -> None:
    checks = lab.plays["play"].checks
    assert [check.lacks for check in checks] == ["", "", SECOND, SECOND, SERVER, SWARM, SWARM, SECOND]
    assert checks[1].title == "it names docker.second in its title alone"
    assert all(not list(check.probes()) for check in checks if check.lacks)


def test_without_a_swarm_no_file_of_a_config_or_secret_is_read(tmp_path: Path) -> None:
    (tmp_path / "inventory.yml").write_text(ONE_HOST)
    (tmp_path / "plays").mkdir()
    (tmp_path / "plays" / "files.yml").write_text(
        "title: A play\nconfigs: {here: {file: gone.conf}}\nsecrets: {token: {file: gone}}\n"
        "containers: {here: {host: box, image: shell}}\nservices: {web: {image: shell, configs: [here]}}\n"
        "checks: [{title: a container with the name of a config, ping: {in: here, to: box}}]\n"
    )
    play = load_lab(tmp_path / "inventory.yml", ["files"], tmp_path / "plays").plays["files"]
    missing = {(thing.section, thing.name): why for thing, why in play.left_out.items()}
    assert missing == dict.fromkeys([("configs", "here"), ("secrets", "token"), ("services", "web")], SWARM)
    assert not play.checks[0].lacks


def test_validate_says_what_is_unsupported_and_finds_no_mistake(lab: Lab, tmp_path: Path) -> None:
    validation = Validation()
    validation.plays(tmp_path / "inventory.yml", [], tmp_path / "playbooks")
    assert not validation.problems
    assert validation.valid[1:4] == [
        f"3 checks are unsupported: {SECOND}.",
        f"1 check is unsupported: {SERVER}.",
        f"2 checks are unsupported: {SWARM}.",
    ]


@pytest.mark.parametrize(
    "text", ["checks: ['${docker.second}']", "containers: '${docker.second}'", "title: '${docker.second}'"]
)
def test_mistakes_in_the_same_place_are_still_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "play.yml").write_text(text if "title" in text else f"title: A play\n{text}\n")
    (tmp_path / "inventory.yml").write_text(ONE_HOST)
    with pytest.raises(InvalidFiles):
        load_lab(tmp_path / "inventory.yml", [], tmp_path / "playbooks")


NOBODY = """\
title: A play
volumes:
  disks: {hosts: iscsi_target}
  shared: {hosts: [docker, nfs_server]}
  local: {hosts: docker}
networks:
  near: {hosts: swarm_worker}
containers:
  mounts: {host: box, image: shell, volumes: ["disks:/data"]}
  every: {hosts: nfs_server, image: shell}
  here: {host: box, image: shell, volumes: ["local:/data"]}
external:
  volumes: {theirs: {hosts: iscsi_target}, others: {}}
checks:
  - title: every server has a name
    command: {on: nfs_server, run: hostname, exit: 0}
  - title: a server reaches a Docker host
    steps:
      - ping: {on: [docker, nfs_server], to: 127.0.0.1}
  - title: hosts reach servers
    mesh: {on: docker, to: iscsi_target, by: ping}
  - title: what others have is there
    inspect: {volume: theirs, path: Driver, value: local}
  - title: the control is asked from a server
    port: {on: docker, to: 192.168.98.11, port: 9, open: false, control: {on: nfs_server}}
  - title: a word that is called as a role is not a role
    command: {on: docker, run: [echo, nfs_server], stdout: {equals: nfs_server}}
  - title: it mounts what no host has
    command: {in: mounts, run: [date], exit: 0}
  - title: all of it exists
    command: {in: here, run: [date], exit: 0}
"""


def test_a_role_that_no_host_has_is_lacking_wherever_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "play.yml").write_text(NOBODY)
    (tmp_path / "inventory.yml").write_text(ONE_HOST)
    lab = load_lab(tmp_path / "inventory.yml", [], tmp_path / "playbooks")
    target, worker = (f"the inventory has no host with the role {role}" for role in ("iscsi_target", "swarm_worker"))
    play = lab.plays["play"]
    assert [check.lacks for check in play.checks] == [SERVER, SERVER, target, target, SERVER, "", target, ""]
    assert {str(skipped.key): skipped.reason for skipped in left_out(lab)} == {
        "play: volume disks": target,
        "play: volume shared": SERVER,
        "play: network near": worker,
        "play: container mounts": target,
        "play: container every": SERVER,
    }
    assert set(play.external.names()) == {("volumes", "others")}


STACK = """\
title: A shop
networks: {edge: {driver: overlay}}
stack:
  files: shop/stack.yml
  environment: {NFS_SERVER: "${nfs_server.first.address}"}
checks:
  - title: its page is there
    http: {on: "${docker.first}", url: "http://127.0.0.1/"}
  - title: its database runs
    tasks: {service: shop_db, running: 1}
drills:
  - title: it survives a host
    probers: {page: {tcp: {port: 80}, from: "${docker.first}"}}
    faults: [{kill_engine: {host: "${docker.first}", lasts: 5s}}]
    during: [{prober: page, expect: fails}]
"""


@pytest.mark.parametrize(
    ("roles", "why"), [("docker, swarm_manager", SERVER), ("docker, nfs_server", SWARM)], ids=["server", "swarm"]
)
def test_a_stack_that_an_inventory_cannot_have_is_unsupported_with_all_of_its_play(
    roles: str, why: str, tmp_path: Path
) -> None:
    """Its files are not read: they may need what the inventory lacks, as a variable with `:?` does."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "play.yml").write_text(STACK)
    (tmp_path / "inventory.yml").write_text(ONE_HOST.replace("docker]", f"{roles}]"))
    lab = load_lab(tmp_path / "inventory.yml", [], tmp_path / "playbooks")
    play = lab.plays["play"]
    assert not lab.stacks
    assert [(check.title, check.lacks) for check in play.checks] == [
        ("its page is there", why),
        ("its database runs", why),
        ("the stack shop runs as its files say", why),
    ]
    assert [drill.lacks for drill in play.drills] == [why]
    assert {str(skipped.key): skipped.reason for skipped in left_out(lab)} == {
        "play: stack shop": why,
        "play: network edge": why,
    }
