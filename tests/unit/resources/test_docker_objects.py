"""Docker objects as they are to be, what is compared of them, and what refusals mean. No engine is asked."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Network, Play, Service, Volume
from clusterlab.plan.apply import left_out
from clusterlab.remote.failure import failure
from clusterlab.resources.compare import describe, differences, same
from clusterlab.resources.engine_calls import REMEDIES
from clusterlab.resources.network_spec import wanted_network
from clusterlab.resources.networks import NETWORK
from clusterlab.resources.removal import holds_data
from clusterlab.resources.service_body import wanted_service
from clusterlab.resources.volumes import VOLUME, wanted_volume
from clusterlab.resources.wanted_images import repository


def without_labels(command: list[str]) -> str:
    text = shlex.join(command)
    return re.sub(r" --(container-)?label org\.clusterlab\.\S+", "", text)


def test_the_command_for_a_volume() -> None:
    volume = Volume.model_validate(
        {"driver_opts": {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/a b"}, "labels": ["x=y"]}
    )
    assert without_labels(wanted_volume("lab", "play", "data", volume).command) == (
        "docker volume create --driver local --opt type=nfs --opt o=addr=10.0.0.1,rw"
        " --opt 'device=:/a b' --label x=y data"
    )


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ({}, ["driver_opts.type", "labels.a"]),
        ({"Options": {"type": "nfs"}, "Labels": {"a": "b"}}, []),
        ({"Options": {"type": "nfs4", "o": "rw"}, "Labels": {"a": "b"}}, ["driver_opts.type", "driver_opts.o"]),
        ({"Driver": "other", "Options": {"type": "nfs"}, "Labels": {"a": "b", "c": "d"}}, ["driver", "labels.c"]),
        ({"Options": {"type": "nfs"}, "Labels": {"a": "b", "org.clusterlab.spec": "old"}}, []),
    ],
)
def test_what_differs_of_a_volume(found: dict[str, Any], names: list[str]) -> None:
    wanted = wanted_volume(
        "lab", "play", "v", Volume.model_validate({"driver_opts": {"type": "nfs"}, "labels": {"a": "b"}})
    )
    assert [one.name for one in VOLUME.differences(wanted, {"Driver": "local", **found})] == names


@pytest.mark.parametrize(
    ("volume", "holds"),
    [
        ({"Driver": "local", "Options": None}, True),
        ({"Driver": "local", "Options": {"type": "nfs", "device": ":/x"}}, False),
        ({"Driver": "local", "Options": {"type": "tmpfs", "device": "tmpfs"}}, False),
        ({"Driver": "local", "Options": {"type": "none", "o": "bind", "device": "/x"}}, False),
        ({"Driver": "local", "Options": {"size": "1G"}}, True),
        ({"Driver": "cloud", "Options": {"device": "x"}}, True),
    ],
)
def test_which_volumes_hold_data(volume: dict[str, Any], holds: bool) -> None:
    assert holds_data(volume) is holds


def test_the_command_for_a_network() -> None:
    network = Network.model_validate(
        {
            "driver": "overlay",
            "attachable": True,
            "internal": True,
            "enable_ipv6": True,
            "driver_opts": {"encrypted": ""},
            "ipam": {
                "driver": "other",
                "options": {"k": "v"},
                "config": [
                    {
                        "subnet": "10.0.0.0/24",
                        "ip_range": "10.0.0.128/25",
                        "gateway": "10.0.0.1",
                        "aux_addresses": {"x": "10.0.0.9"},
                    }
                ],
            },
        }
    )
    assert without_labels(wanted_network("lab", "play", "net", network).command) == (
        "docker network create --driver overlay --attachable --internal --ipv6 --ipam-driver other --ipam-opt k=v"
        " --subnet 10.0.0.0/24 --ip-range 10.0.0.128/25 --gateway 10.0.0.1 --aux-address x=10.0.0.9"
        " --opt encrypted= net"
    )


def test_what_the_engine_adds_to_a_network_is_no_difference() -> None:
    wanted = wanted_network("lab", "play", "net", Network.model_validate({"driver": "overlay"}))
    found = {
        "Driver": "overlay",
        "Attachable": False,
        "Options": {"com.docker.network.driver.overlay.vxlanid_list": "4097"},
        "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]},
        "Labels": wanted.labels,
    }
    assert NETWORK.differences(wanted, found) == []


def test_the_command_for_a_service() -> None:
    service = Service.model_validate(
        {
            "image": "web",
            "command": "a b",
            "entrypoint": ["sh", "-c"],
            "environment": {"A": 1},
            "volumes": ["data:/data:ro", "/x:/y"],
            "ports": ["8080:80", 81],
            "networks": {"net": {"aliases": ["x"]}},
            "user": 5,
            "hostname": "h",
            "read_only": True,
            "working_dir": "/w",
            "init": True,
            "extra_hosts": {"far": "10.1.2.3"},
            "stop_signal": "SIGQUIT",
            "stop_grace_period": 2.5,
            "healthcheck": {"test": ["CMD", "true"], "interval": 1},
            "deploy": {"replicas": 3, "placement": {"constraints": ["node.role == worker"]}},
        }
    )
    assert without_labels(wanted_service("lab", "play", "svc", service, "tag").command("sha256:1")) == (
        "docker service create --name svc --no-resolve-image --replicas 3 --constraint 'node.role == worker' --env A"
        " --mount type=volume,source=data,target=/data,readonly --mount type=bind,source=/x,target=/y"
        " --publish published=8080,target=80,protocol=tcp,mode=ingress --publish target=81,protocol=tcp,mode=ingress"
        " --network name=net,alias=x --user 5 --hostname h --workdir /w --stop-signal SIGQUIT --read-only"
        " --init --host far:10.1.2.3 --stop-grace-period 2500ms --health-cmd true --health-interval 1000ms"
        " --health-timeout 30000ms --health-start-period 0ms --health-retries 3 --entrypoint 'sh -c' sha256:1 a b"
    )


def test_absent_and_empty_are_the_same_and_differences_are_told() -> None:
    assert all([same(None, []), same("", None), same(False, 0)])
    assert not any([same(None, "x"), same(True, False)])
    found = differences("o", {"a": 1, "b": 2}, {"b": 3, "c": "x", "d": None})
    assert describe(found) == "o.a is not set, wanted 1; o.b is 3, wanted 2; o.c is x, wanted not set"


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (
            "error while mounting volume '/var/lib/docker/volumes/n/_data': failed to mount local volume: mount "
            ":/shares:/var/lib/docker/volumes/n/_data, data: addr=10.0.0.1: connection refused",
            "the NFS server does not answer",
        ),
        (
            "failed to mount local volume: mount :/no:/x, data: addr=10.0.0.1: no such file or directory",
            "does not export",
        ),
        (
            "failed to mount local volume: mount :/no:/x, data: addr=10.0.0.1: permission denied",
            "does not let this host",
        ),
        (
            "failed to mount local volume: mount :/no:/x, data: addr=gw: invalid argument",
            "does not accept the volume's options",
        ),
        ("failed to mount local volume: mount :/no:/x, data: addr=gw: no such device", "lacks this file system"),
        (
            "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated",
            "is taken",
        ),
        ("Pool overlaps with other one on this address space", "its subnet overlaps"),
        ("This node is not a swarm manager.", "does not manage a Swarm"),
        ('exec: "nonsense": executable file not found in $PATH: unknown', "does not exist in the image"),
        ("rpc error: code = FailedPrecondition desc = network n1 is in use by task t1", "a task that the Swarm counts"),
        ("remove x: volume is in use - [abc]", "still uses it"),
        ("write /var/lib/docker/x: no space left on device", "its disk is full"),
    ],
)
def test_what_refusals_mean(said: str, means: str) -> None:
    error = failure("host1", "start container x", said, remedies=REMEDIES)
    assert means in error.message
    assert error.remedy
    assert said in error.detail


def test_image_repositories_are_such_as_engines_take() -> None:
    assert repository("demo", "web") == "clusterlab/demo/web"
    assert repository("demo", "My Web_Server.") == "clusterlab/demo/my-web-server"


def test_without_nfs_its_volumes_and_what_uses_them_are_left_out() -> None:
    inventory = Inventory.model_validate(
        {"lab": "x", "hosts": {"h1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]}}}
    )
    play = Play.model_validate(
        {
            "title": "t",
            "volumes": {"nfs": {"driver_opts": {"type": "nfs"}}, "local": {}},
            "containers": {
                "uses": {"host": "h1", "image": "i", "volumes": ["nfs:/x"]},
                "through": {"host": "h1", "image": "i", "volumes_from": ["uses:ro"]},
                "free": {"host": "h1", "image": "i", "volumes": ["local:/x"]},
            },
            "services": {"svc": {"image": "i", "volumes": ["nfs:/x"]}, "other": {"image": "i"}},
        }
    )
    lab = Lab(inventory, {"p": play})
    lacks = Capabilities({"h1": {"nfs": "the kernel has no NFS client"}})
    found = {str(one.key): one.reason for one in left_out(lab, lacks)}
    assert set(found) == {"h1: volume nfs", "h1: container uses", "h1: container through", "Swarm: service svc"}
    assert set(found.values()) == {"nfs: the kernel has no NFS client"}
    assert left_out(lab, Capabilities({"h1": {"ipvs": "none"}})) == []


def test_one_host_without_a_capability_keeps_nothing_from_the_others() -> None:
    hosts = {
        "gw": {"address": "192.168.98.1", "roles": ["nfs_server"]},
        "h1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]},
        "h2": {"address": "192.168.98.12", "roles": ["docker", "swarm_worker"]},
    }
    encrypted = {"driver": "overlay", "attachable": True, "driver_opts": {"encrypted": ""}}
    play = Play.model_validate(
        {
            "title": "t",
            "volumes": {"nfs": {"driver_opts": {"type": "nfs", "o": "addr=192.168.98.1", "device": ":/x"}}},
            "networks": {"sealed": encrypted},
            "containers": {
                f"{use}{number}": {"host": f"h{number}", "image": "i", **keys}
                for number in (1, 2)
                for use, keys in (("mounts", {"volumes": ["nfs:/x"]}), ("joins", {"networks": ["sealed"]}))
            },
            "services": {"svc": {"image": "i", "volumes": ["nfs:/x"], "networks": ["sealed"]}},
        }
    )
    lab = Lab(Inventory.model_validate({"lab": "x", "hosts": hosts}), {"p": play})
    lacks = Capabilities({"h2": {"nfs": "no module", "xfrm": "no ESP"}})
    assert {str(one.key): one.reason for one in left_out(lab, lacks)} == {
        "h2: volume nfs": "nfs: no module",
        "h2: container mounts2": "nfs: no module",
        "h2: container joins2": "xfrm: no ESP",
    }
    server = {str(one.key): one.reason for one in left_out(lab, Capabilities({"gw": {"nfs": "no nfsd"}}))}
    assert set(server) == {
        *(f"h{number}: {what}" for number in (1, 2) for what in ("volume nfs", f"container mounts{number}")),
        "Swarm: service svc",
    }
    assert server["h1: volume nfs"] == "nfs on gw: no nfsd"
