"""A command that clusterlab runs in a container has the identity that `docker exec` gives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker.types
import pytest

from clusterlab.remote import Host, Hosts
from tests.support.labs import EngineLab

pytestmark = pytest.mark.engine

IMAGE = "clusterlab-identity-test"
_IMPORT = f"""
set -e; cd "$(mktemp -d)"; mkdir bin etc tmp; cp /bin/busybox bin/
for name in sh sleep cat id tr sort readlink grep sed; do ln -s busybox bin/$name; done
echo 'app:x:1000:1000::/tmp:/bin/sh' > etc/passwd
printf 'app:x:1000:\\nextra:x:2000:app\\n' > etc/group
tar -c . | docker import --change 'ENV BASE="of the image"' - {IMAGE}; rm -r "$PWD"
"""
SCRIPT = r"""
part() { echo "== $1"; }
part user; id
part credentials; grep -E '^(Uid|Gid|Groups|Cap[A-Z][a-z]*|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status
part "security module"; cat /proc/self/attr/current 2> /dev/null || echo none
part cgroup; sort /proc/self/cgroup
part environment; cat "/proc/$$/environ" | tr '\0' '\n' | sort
part folder; pwd; readlink /proc/self/root
part umask; umask
part limits; cat /proc/self/limits
part "out of memory"; cat /proc/self/oom_score_adj
part namespaces; for name in cgroup ipc mnt net pid user uts; do readlink "/proc/self/ns/$name"; done
"""
PARTS = (
    "user", "credentials", "security module", "cgroup", "environment", "folder", "umask", "limits", "out of memory",
    "namespaces",
)  # fmt: skip
CONTAINERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "of-a-user": {"user": "app", "environment": {"OWN": "two words", "BASE": "of the container"}},
    "by-number": {"user": "1000:2000", "working_dir": "/tmp", "host": {"group_add": ["3000"]}},
    "without-capabilities": {"host": {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}},
    "with-capabilities": {"user": "app", "host": {"cap_add": ["NET_ADMIN"]}},
    "unconfined": {"host": {"security_opt": ["seccomp=unconfined"]}},
    "with-all-capabilities": {"host": {"cap_add": ["ALL"]}},
    "limited": {
        "host": {"ulimits": [docker.types.Ulimit(name="nofile", soft=123, hard=456)], "oom_score_adj": 321},
    },
    "of-the-hosts-network": {"host": {"network_mode": "host", "pid_mode": "host"}},
}
"""What a container is created with, by its name."""


@pytest.fixture(scope="module")
def host(engine_lab: EngineLab) -> Iterator[Host]:
    """host1 with all containers running, and connections of its own."""
    with Hosts(engine_lab.machines.targets()) as hosts:
        host = hosts["host1"]
        host.run(_IMPORT, check=True)
        try:
            for name, options in CONTAINERS.items():
                settings = host.docker.create_host_config(**options.get("host", {}))
                own = {key: value for key, value in options.items() if key != "host"}
                host.docker.create_container(
                    IMAGE, ["sleep", "3600"], name=name, stop_signal="SIGKILL", host_config=settings, **own
                )
                host.docker.start(name)
            yield host
        finally:
            for found in host.docker.containers(all=True):
                if found["Names"][0].removeprefix("/") in CONTAINERS:
                    host.docker.remove_container(found["Id"], force=True)
            host.docker.remove_image(IMAGE)


def parts(text: str) -> dict[str, str]:
    """What a command saw of itself, part by part; each must have said something."""
    blocks = (block.partition("\n") for block in text.removeprefix("== ").split("\n== "))
    found = {name: seen for name, _, seen in blocks}
    assert tuple(found) == PARTS
    assert not [name for name, seen in found.items() if not seen.strip()]
    return found


def typed(host: Host, container: str, *options: str) -> dict[str, str]:
    """As a person's `docker exec` has it."""
    return parts(host.run(["docker", "exec", *options, container, "sh", "-c", SCRIPT], check=True).stdout)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_command_has_the_identity_that_docker_exec_gives_it(container: str, host: Host) -> None:
    ours = host.exec(container, ["sh", "-c", SCRIPT])
    assert ours.ok, ours.output
    assert parts(ours.stdout) == typed(host, container)


@pytest.mark.parametrize("user", ["0", "app", "1000:2000"])
def test_a_command_of_another_user_has_it_too(user: str, host: Host) -> None:
    ours = host.exec("plain", ["sh", "-c", SCRIPT], user=user)
    assert ours.ok, ours.output
    assert parts(ours.stdout) == typed(host, "plain", "--user", user)


def test_input_changes_nothing(host: Host) -> None:
    ours = host.exec("of-a-user", ["sh", "-s"], stdin=SCRIPT)
    assert ours.ok, ours.output
    assert parts(ours.stdout) == typed(host, "of-a-user")


def test_entering_the_namespaces_alone_is_not_the_same(host: Host) -> None:
    """The control: what the comparison is for is noticed by it."""
    pid = host.docker.inspect_container("of-a-user")["State"]["Pid"]
    entering = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "/bin/sh", "-c", SCRIPT]
    entered = parts(host.run(entering, check=True).stdout)
    expected = typed(host, "of-a-user")
    differing = {name for name in PARTS if entered[name] != expected[name]}
    assert differing >= {"user", "credentials", "environment"}


def test_what_is_compared_differs_between_the_containers(host: Host) -> None:
    seen = {name: typed(host, name) for name in CONTAINERS}
    for part in ("user", "credentials", "environment", "folder", "limits", "out of memory", "namespaces"):
        assert len({one[part] for one in seen.values()}) > 1, part
